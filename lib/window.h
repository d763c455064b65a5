/*
 * window: a part of a file in memory, that moves forward.
 *
 * P holds N bytes, the first of which is byte BASE of the file (of its
 * content, where that is a .zst file).  More come with window_fill, and what
 * lies before a place named there goes.
 */
#ifndef WINDOW_H
#define WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define WINDOW_STEP ((size_t)256 << 10)		/* bytes read at a time */

struct frame_inflate;

struct window {
	char *p;
	size_t n, cap;
	uint64_t base;
	bool ended;		/* there is no more */
	int fd;			/* -1: none */
	struct frame_inflate *inflate;	/* NULL: FD is read as it is */
	const char *name;
};

/*
 * Open NAME ("-": standard input), which must stand as long as W; EXPAND
 * what a .zst file holds.  A window that is open is closed first, but keeps
 * its memory.
 */
int window_open(struct window *w, const char *name, bool expand,
    struct err *e) ERR_CHECK;

/* Go to byte AT of the file, which is a regular one and not expanded. */
int window_seek(struct window *w, uint64_t at, struct err *e) ERR_CHECK;

/*
 * Forget the bytes before KEEP, which becomes index 0, and read more behind
 * those that are there: at least one, or W is then ended.
 */
int window_fill(struct window *w, size_t keep, struct err *e) ERR_CHECK;

void window_close(struct window *w);
void window_free(struct window *w);

#endif
