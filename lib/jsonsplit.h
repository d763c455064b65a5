/*
 * jsonsplit: the records of JSON files, found without parsing them.
 *
 * Each file is, by its first bytes: a JSON array, where its first character
 * is [; JSON Lines, where its first line is a whole value, or is broken in
 * itself; else objects one after another.  It may be a .zst file, and begin
 * with a byte order mark.  Memory is bounded by the longest record allowed,
 * whatever the files hold.
 */
#ifndef JSONSPLIT_H
#define JSONSPLIT_H

#include "split.h"

struct jsonsplit_plan {
	uint64_t max_record;		/* bytes; a longer one is cut */
	uint64_t share, shares;		/* ours is SHARE of SHARES, from 1 */
	bool paths;			/* each line is a path, not JSON */
};

struct jsonsplit;

/*
 * A splitter of the N inputs NAMES ("-": standard input), which must stand
 * as long as it.  NULL on failure: one of them can't be read.
 */
struct jsonsplit *jsonsplit_new(const struct jsonsplit_plan *plan,
    const char *const *names, size_t n, struct err *e) ERR_CHECK;
void jsonsplit_free(struct jsonsplit *s);	/* S may be NULL */

/*
 * Find the records of our share and hand them, in batches (piece.h), to
 * SINK.  -1: SINK failed, an input can't be read (ERR_SYSTEM), or what is
 * left of it can't be told apart into records (ERR_DAMAGED); all that came
 * before has been handed on.
 */
int jsonsplit_run(struct jsonsplit *s, split_sink *sink, void *to,
    struct err *e) ERR_CHECK;

#endif
