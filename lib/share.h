/*
 * share: which part of the inputs is ours.
 *
 * The I-th of K jobs has the I-th of K equal ranges of bytes of all the
 * inputs laid end to end.  Only a regular, uncompressed file has bytes in
 * that sum; of any other input, records are dealt out one by one: record
 * number N, from 0 in each input, is for job N mod K + 1.  An input is opened
 * once and only when its turn comes, since a pipe can't be opened twice.
 */
#ifndef SHARE_H
#define SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define SHARE_TO_END UINT64_MAX
#define SHARE_MAX 1000000	/* jobs */

struct share_part {
	bool ranged;		/* a range of bytes, else dealt out */
	uint64_t from, to;	/* of the input; to may be SHARE_TO_END */
	uint64_t size;		/* of a ranged input */
};

/*
 * The part of each of the N inputs NAMES ("-": standard input) that job I,
 * from 1, of K has, to PARTS (room for N).  A file that can't be read is a
 * fault here, before any is begun.
 */
int share_plan(const char *const *names, size_t n, uint64_t i, uint64_t k,
    struct share_part *parts, struct err *e) ERR_CHECK;

/* Whether job I of K has record NUMBER of an input that is dealt out. */
bool share_has(uint64_t number, uint64_t i, uint64_t k);

#endif
