/*
 * pair: a preference pair, whatever layout it came in: a prompt of turns and
 * two answers to it, with what belongs to them.
 *
 * Texts are JSON strings as they stand in somebody's record, with their
 * quotes and escapes, so that nothing is decoded that is only passed on; a
 * pair is good while that record stands.  Texts that are put together (a
 * prompt and its query, say) are kept in the pair itself.  { 0 } is empty;
 * the memory is kept from pair to pair.  One pair serves one thread.
 */
#ifndef PAIR_H
#define PAIR_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "jsonscan.h"

struct record;

enum pair_role {
	PAIR_USER, PAIR_OBSERVATION, PAIR_ASSISTANT, PAIR_FUNCTION
};

#define PAIR_WHOLE SIZE_MAX	/* an index where there is none */

/* A text and where the data have it: FIELD, or FIELD[INDEX]. */
struct pair_text {
	struct jsonspan json;
	const char *field;
	size_t index;
	size_t made;	/* 1 + its offset in the pair's own text; or 0 */
};

struct pair_turn {
	enum pair_role role;
	struct jsonspan word;	/* what the data call the role, or none */
	struct pair_text text;
};

struct pair_note {
	enum code code;
	char text[256];
	const char *hint;
};

#define PAIR_NOTES_MAX 8

struct pair {
	struct pair_text system;	/* none, or not empty */
	struct pair_text tools;
	struct pair_turn *turns;	/* the prompt */
	size_t n_turns;
	struct pair_turn chosen, rejected;
	struct pair_text audios;	/* an array, or none */
	struct pair_text images, videos;	/* anything, or none */
	struct buf extra;		/* an object, or nothing */

	struct pair_note notes[PAIR_NOTES_MAX];	/* by paircheck_run */
	size_t n_notes;

	/* Not for callers. */
	size_t cap_turns;
	struct buf own, plain, scratch;
};

void pair_free(struct pair *p);

/* Make P empty. */
void pair_clear(struct pair *p);

/* Append a turn to the prompt. */
int pair_add(struct pair *p, const struct pair_turn *turn, struct err *e)
    ERR_CHECK;

/*
 * Texts of the pair's own: append to the buf that pair_make returns, which
 * holds those made before, and hand T to pair_made, FROM being its length
 * before.  They have no address until pair_settle gives them one.
 */
struct buf *pair_make(struct pair *p);
void pair_made(const struct pair *p, struct pair_text *t, size_t from);
void pair_settle(struct pair *p);

/* "conversations[2]", for a message, in OUT.  Returns OUT. */
#define PAIR_PLACE_SIZE 128
const char *pair_place(char out[PAIR_PLACE_SIZE], const struct pair_text *t);

/* T must be a string: missing-field or wrong-type where it is not.  KEY is
 * what it is called in its object, or NULL. */
int pair_need_string(const struct pair_text *t, const char *key,
    struct err *e) ERR_CHECK;

/* Read the canonical fields of R, whose types are right (record_parse), into
 * P, which then rests on R. */
int pair_read(struct pair *p, const struct record *r, struct err *e)
    ERR_CHECK;

/* Set the canonical fields of R from P, whose text must not be R's own
 * canonical fields; RECORD_DATA is dropped. */
int pair_write(struct pair *p, struct record *r, struct err *e) ERR_CHECK;

/* The entries of P's audios. */
size_t pair_audios(const struct pair *p);

/* <audio>, as LLaMA-Factory's constants.py has it. */
#define PAIR_AUDIO_TAG "<audio>"

#endif
