/*
 * join: streams and shards, one after the other, as one shard with one
 * table; all of their records, or a range of their numbers.
 *
 * A frame goes over as it is, where it is compressed already and all of it
 * is wanted.  Joining adds nothing to the provenance, since it changes no
 * data: a shard that is joined alone comes out the same to the byte.
 */
#ifndef JOIN_H
#define JOIN_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct join;

struct join_rules {
	uint64_t frame_max;	/* the limit of a frame's content */
	bool fragment;		/* the inputs are parts of streams */
	/*
	 * CONTENT_LEVEL_KEEP: a frame goes over as it is, but for what is cut
	 * and for text that is stored; else every frame is compressed anew.
	 */
	int level;
	uint64_t first, last;	/* numbers of the records wanted, from 0 */
};

/* A join that writes to FD, which stays the caller's. */
struct join *join_new(int fd, const struct join_rules *rules, struct err *e)
    ERR_CHECK;
void join_free(struct join *j);		/* J may be NULL */

/* Add FD, the next input. */
int join_input(struct join *j, int fd, struct err *e) ERR_CHECK;

/* How many records there were in the inputs so far. */
uint64_t join_count(const struct join *j);

/* All inputs are through. */
int join_end(struct join *j, struct err *e) ERR_CHECK;

#endif
