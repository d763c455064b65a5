/*
 * piece: records as they were found in a file, on the way to the thread
 * that parses them.
 *
 * A batch is bytes: which file it is of, then pieces one after the other.
 * It lives within a process, so numbers are as the machine has them.
 */
#ifndef PIECE_H
#define PIECE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;

enum piece_flaw {
	PIECE_WHOLE,
	PIECE_TOO_LONG,		/* only its first bytes are here */
	PIECE_NO_COMMA		/* none between it and the one before */
};

struct piece {
	const char *p;		/* its bytes, N of them here */
	size_t n;
	uint64_t total;		/* its bytes in the file */
	uint64_t offset;	/* of its first byte in the file */
	uint64_t line, column;	/* of that byte, from 1; 0: not known */
	enum piece_flaw flaw;
};

/* Begin a batch of pieces of the file NAME in OUT, which is emptied. */
int piece_batch(struct buf *out, const char *name, struct err *e) ERR_CHECK;

/* Append PIECE. */
int piece_put(struct buf *out, const struct piece *piece, struct err *e)
    ERR_CHECK;

/*
 * Walk a batch, the N bytes at P:
 *	struct piece_walk w = piece_walk_start(p, n);
 *	while (piece_walk_next(&w))
 *		... w.name, w.piece ...
 */
struct piece_walk {
	const char *name;
	struct piece piece;
	const char *p, *end;	/* where it stands: not for callers */
};

struct piece_walk piece_walk_start(const void *p, size_t n);
bool piece_walk_next(struct piece_walk *w);

#endif
