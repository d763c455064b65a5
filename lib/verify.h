/*
 * verify: everything in a stream that can be checked, and every fault that
 * can be found, not only the first.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct verify {
	uint64_t frame_max;	/* the limit of a frame's content */
	bool fragment;		/* the input is a part of a stream */

	/* Called for each fault that is found. */
	void (*fault)(void *self, const struct err *fault);
	void *self;

	/* What was found; FAULTS are counted as they are told about. */
	uint64_t frames, records, errors, rejected, faults;
};

/*
 * Check FD, which stays the caller's, from where it stands.  Where the
 * order of the frames is lost, a file is searched for the next data frame;
 * a pipe's fault is the last one.  0 whatever was found; -1 where it is not
 * the input that is at fault.
 */
int verify_input(struct verify *v, int fd, struct err *e) ERR_CHECK;

#endif
