/*
 * split: what is common to the ways in which a file is split into records
 * (splitlines, splitvalues); jsonsplit chooses between them.
 *
 * Pieces are gathered into batches of about SPLIT_BATCH bytes of content,
 * so that the grouping does not depend on how the input arrives.
 */
#ifndef SPLIT_H
#define SPLIT_H

#include "buf.h"
#include "piece.h"
#include "share.h"
#include "window.h"

#define SPLIT_BATCH (64u << 10)
#define SPLIT_RAW ((size_t)64 << 10)	/* kept of a record that is too long */

/* Takes a batch, the N bytes at P; DONE of TOTAL bytes of input (0: not
 * known) are behind us. */
typedef int split_sink(void *to, const void *p, size_t n, uint64_t done,
    uint64_t total, struct err *e);

struct split {
	split_sink *sink;
	void *to;
	uint64_t max;		/* bytes of a record */
	uint64_t share, shares;	/* ours is SHARE of SHARES, from 1 */
	bool paths;		/* lines are paths, not JSON */
	struct window w;
	struct share_part part;	/* of the input at hand */
	size_t at;		/* where we are in w */
	uint64_t line;		/* of that byte, from 1; 0: not known */
	uint64_t line_start;	/* offset of its line's first byte */
	uint64_t number;	/* records met in this input */
	struct buf head;	/* the first bytes of one that is too long */
	struct buf batch;
	size_t content;		/* bytes of records in it */
	uint64_t before, total;	/* bytes of inputs done with; of all */
};

/* The offset in the file of the byte at index I of the window. */
static inline uint64_t
split_offset(const struct split *s, size_t i)
{
	return s->w.base + i;
}

/* The most bytes of a record that are held: enough for its raw, whatever is
 * allowed. */
static inline uint64_t
split_held(const struct split *s)
{
	return s->max > SPLIT_RAW ? s->max : SPLIT_RAW;
}

/* PIECE starts at index I of the window, on our line. */
void split_locate(const struct split *s, size_t i, struct piece *piece);

/* The byte before index I of the window ended a line. */
void split_new_line(struct split *s, size_t i);

/* Hand PIECE on if it is ours. */
int split_put(struct split *s, const struct piece *piece, struct err *e)
    ERR_CHECK;

/* Hand on what has been gathered. */
int split_flush(struct split *s, struct err *e) ERR_CHECK;

/* Keep, of the record whose bytes so far are the N at P, as much as goes
 * into raw. */
int split_keep_head(struct split *s, const char *p, size_t n, struct err *e)
    ERR_CHECK;

#endif
