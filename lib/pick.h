/*
 * pick: the records of inputs, one input after the other: all of them, or a
 * range of their numbers.
 *
 * A range is fetched by the seek tables where an input has them; all else
 * is read in order, to the end, and so checked as a stream is.
 */
#ifndef PICK_H
#define PICK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct stream_lengths;
struct view;

struct pick {
	uint64_t frame_max;	/* the limit of a frame's content */
	bool fragment;		/* the inputs are parts of streams */
	uint64_t first, last;	/* numbers of the records wanted, from 0 */
	uint64_t count;		/* of the records of the inputs so far */

	/*
	 * Called for each, in order; -1 ends it.  With ROW instead of EACH,
	 * only the lengths are wanted, and the shards' own account of them
	 * is taken where there is one.
	 */
	int (*each)(void *self, uint64_t number, struct view *v,
	    struct err *e);
	int (*row)(void *self, uint64_t number,
	    const struct stream_lengths *row, struct err *e);
	void *self;
};

/* Pick from FD, the next input, which stays the caller's. */
int pick_input(struct pick *p, int fd, struct err *e) ERR_CHECK;

/* All inputs are through: ERR_ABSENT if the range was longer.  An open end
 * is UINT64_MAX. */
int pick_end(const struct pick *p, struct err *e) ERR_CHECK;

#endif
