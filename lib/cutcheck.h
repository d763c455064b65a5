/*
 * cutcheck: what a cut of an encoded pair may not take away.
 *
 * LLaMA-Factory cuts a pair that is too long and trains on what is left.  A
 * cut inside of audio, or before it, or one that takes the header of the
 * answer away, spoils the pair: ERR_RECORD audio-cut or header-cut.  A cut
 * of the answers alone is worth a note.
 */
#ifndef CUTCHECK_H
#define CUTCHECK_H

#include <stdint.h>

#include "cutoff.h"
#include "err.h"

struct encode_work;
struct encoder;

/* What to KEEP at LIMIT of the ids that X has put into W. */
int cutcheck_run(const struct encoder *x, const struct encode_work *w,
    uint64_t limit, struct cutoff *keep, struct err *e) ERR_CHECK;

/* Fill in NOTE (its text and hint) where KEEP cuts an answer: 1; else 0. */
int cutcheck_note(const struct encode_work *w, uint64_t limit,
    const struct cutoff *keep, struct err *note);

#endif
