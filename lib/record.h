/*
 * record: one record on its way down the pipe (ossicle(5), "Records").
 *
 * A record is its JSON object, kept as raw field values, and its tensors.
 * Fields that nobody touches pass through byte for byte; known fields are
 * written in the documented order, then unknown ones in theirs.  The
 * memory is kept from record to record; { 0 } is not ready: use record_new.
 * One record serves one thread.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>

#include "frame.h"
#include "jsonscan.h"
#include "safetensors.h"

enum record_field {
	RECORD_AT, RECORD_RAW, RECORD_RAW_BASE64, RECORD_DATA, RECORD_SYSTEM,
	RECORD_TOOLS, RECORD_MESSAGES, RECORD_CHOSEN, RECORD_REJECTED,
	RECORD_AUDIOS, RECORD_AUDIO, RECORD_EXTRA, RECORD_NOTES, RECORD_ERROR,
	RECORD_FIELDS
};

#define RECORD_TENSORS_MAX 260	/* 4 of ids, 64 audios' pcm and mel, spare */
#define RECORD_AUDIOS_MAX 64

struct record;

struct record *record_new(struct err *e) ERR_CHECK;
void record_free(struct record *r);	/* R may be NULL */

/*
 * Make R the record whose JSON is the N bytes at P.  P is copied.  A text
 * that is no JSON object is ERR_DAMAGED: streams hold records.
 */
int record_parse(struct record *r, const char *p, size_t n, struct err *e)
    ERR_CHECK;

/* Make R the record in the safetensors image P; tensor data is not copied
 * and must stand while R is used. */
int record_parse_image(struct record *r, const void *p, size_t n,
    struct err *e) ERR_CHECK;

/* An empty record. */
void record_clear(struct record *r);

/* The raw JSON of field F: none where it is absent.  Good until F is set. */
struct jsonspan record_get(const struct record *r, enum record_field f);

/* Set F to the N bytes of JSON at P (copied); drop it. */
int record_set(struct record *r, enum record_field f, const char *p, size_t n,
    struct err *e) ERR_CHECK;
void record_drop(struct record *r, enum record_field f);

bool record_has_error(const struct record *r);

/*
 * FAULT of STAGE becomes the record's error; its tensors go.  Where it has
 * one already, nothing changes: the first fatal fault is the one kept.
 */
int record_fail(struct record *r, const char *stage, const struct err *fault,
    struct err *e) ERR_CHECK;

/* Append to the record's notes; HINT may be "" or NULL. */
int record_note(struct record *r, const char *stage, enum code code,
    const char *message, const char *hint, struct err *e) ERR_CHECK;

/*
 * Note INDEX, from 0, becomes the record's error, and its tensors go.
 * Nothing changes where there is no such note, or an error already.
 */
int record_note_to_error(struct record *r, size_t index, struct err *e)
    ERR_CHECK;

/*
 * Room for a tensor of N_BYTES, owned by R, to be filled by the caller; one
 * of the same name is replaced.  NULL on failure.
 */
void *record_put_tensor(struct record *r, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, struct err *e) ERR_CHECK;
/* The same, but filled already: DATA must stand while R has the tensor. */
int record_lend_tensor(struct record *r, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, const void *data, struct err *e)
    ERR_CHECK;
const struct tensor *record_tensor(const struct record *r, const char *name);
void record_drop_tensor(struct record *r, const char *name);
void record_drop_tensors(struct record *r);	/* all of them */
size_t record_tensors(const struct record *r);

/* Append R's JSON, without a newline, to OUT. */
int record_put_json(const struct record *r, struct buf *out, struct err *e)
    ERR_CHECK;

/*
 * The image of R, which has tensors, in *N parts: what a frame holds of it.
 * They stand until R is changed.
 */
#define RECORD_PARTS_MAX (1 + RECORD_TENSORS_MAX)
int record_image(struct record *r, struct frame_part parts[RECORD_PARTS_MAX],
    size_t *n, struct err *e) ERR_CHECK;

#endif
