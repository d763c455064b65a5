/*
 * tally: what the end markers of sections announce, against what their
 * frames were found to hold by whoever opened them.
 *
 * Frames are opened in any order and thread, and after the end marker was
 * read.  A section that is settled is forgotten, so that the memory is that
 * of the sections in flight.  All functions are thread-safe.
 */
#ifndef TALLY_H
#define TALLY_H

#include <stdint.h>

#include "err.h"

struct tally;

struct tally *tally_new(struct err *e) ERR_CHECK;
void tally_free(struct tally *t);	/* T may be NULL */

/* The next section begins: they are numbered from 0. */
int tally_begin(struct tally *t, struct err *e) ERR_CHECK;

/* The last section that began ends, and announces so many. */
void tally_end(struct tally *t, uint64_t records, uint64_t errors);

/* So many more were found in SECTION, which has begun. */
void tally_found(struct tally *t, uint64_t section, uint64_t records,
    uint64_t errors);

/* All has been found: whether it is what was announced. */
int tally_settle(struct tally *t, struct err *e) ERR_CHECK;

#endif
