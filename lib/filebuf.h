/*
 * filebuf: a file of known size, read at any place through one buffer.
 *
 * Whoever walks a container and whoever decodes it read the same bytes, few
 * system calls are made, long reads are not copied twice, and a field of the
 * file that is not to be believed can be overlaid.  A file that gets shorter
 * meanwhile just ends earlier.  Offsets are in bytes.  One filebuf serves
 * one thread.
 */
#ifndef FILEBUF_H
#define FILEBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define FILEBUF_NEAR 4096	/* the most that filebuf_peek gives */

struct filebuf {
	int fd;			/* the caller's */
	uint64_t size;		/* of the file, when it was opened */
	int error;		/* errno of a read that failed, or 0 */
	/* What follows is filebuf's own. */
	unsigned char *p;
	uint64_t at;		/* the buffer has N bytes from here on */
	size_t n;
	size_t ahead;		/* bytes that it was last filled with */
	uint64_t patch_at;
	size_t patch_n;
	unsigned char patch[8];
};

/*
 * Make B, which is { 0 } or was used for another file, read FD; its memory
 * is kept.  -1 with ERR_MEMORY, or ERR_SYSTEM where FD has no size.
 */
int filebuf_open(struct filebuf *b, int fd, struct err *e) ERR_CHECK;
void filebuf_free(struct filebuf *b);

/*
 * N bytes (at most FILEBUF_NEAR) from OFFSET on, good until the next call;
 * NULL where the file holds fewer.
 */
const unsigned char *filebuf_peek(struct filebuf *b, uint64_t offset,
    size_t n);

/* Copy up to N bytes from OFFSET on to P; how many there were. */
size_t filebuf_read(struct filebuf *b, uint64_t offset, void *p, size_t n);

/* From now on the N bytes (at most 8) at OFFSET read as those at P. */
void filebuf_patch(struct filebuf *b, uint64_t offset, const void *p,
    size_t n);

/* The N bytes at P, at most 8, as a number, the first the highest if BIG. */
uint64_t filebuf_number(const unsigned char *p, unsigned n, bool big);

#endif
