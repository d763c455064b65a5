/*
 * audiofact: what a record says of an audio, and whether that will do.
 */
#ifndef AUDIOFACT_H
#define AUDIOFACT_H

#include <stdint.h>

#include "clip.h"
#include "err.h"
#include "jsonscan.h"

struct buf;
struct record;

struct audiofact_rules {
	enum resample_kind resample;
	double min_s, max_s, clip_s;
};

/* The samples at 16 kHz of a clip of SECONDS. */
uint64_t audiofact_samples(double seconds);

/*
 * Append the object of ossicle(5)'s `audio' for the file at PATH (a JSON
 * string, copied as it stands).
 */
int audiofact_put(const struct clip_facts *f, const struct audiofact_rules *r,
    struct jsonspan path, struct buf *out, struct err *e) ERR_CHECK;

/* Append FACTS, such an object, with PAD as its pad, and otherwise as it is. */
int audiofact_put_pad(struct jsonspan facts, float pad, struct buf *out,
    struct err *e) ERR_CHECK;

/* ERR_RECORD where the clip is shorter or longer than the rules allow. */
int audiofact_check(const struct clip_facts *f,
    const struct audiofact_rules *r, struct err *e) ERR_CHECK;

/*
 * Add to RECORD, for STAGE, the notes that the clip earns; NAME begins
 * their text.
 */
int audiofact_note(const struct clip_facts *f,
    const struct audiofact_rules *r, const char *stage, const char *name,
    struct record *record, struct err *e) ERR_CHECK;

/* Append V as the shortest number that reads back as the same double. */
int audiofact_real(double v, struct buf *out, struct err *e) ERR_CHECK;

#endif
