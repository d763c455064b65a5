#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "filebuf.h"

/*
 * The buffer takes in LEAST bytes after a jump, twice as much each time that
 * reading goes on where it ended, and SIZE at most.  A read of LONG bytes
 * or more goes past it.
 */
#define SIZE ((size_t)128 << 10)
#define LEAST ((size_t)8 << 10)
#define LONG ((size_t)32 << 10)

int
filebuf_open(struct filebuf *b, int fd, struct err *e)
{
	off_t end;

	if (b->p == NULL && (b->p = malloc(SIZE)) == NULL)
		return err_memory(e);
	/*
	 * Not by fstat, which a sandbox can't tell from stat by name.  What is
	 * no regular file, and has no length, is empty.
	 */
	end = lseek(fd, 0, SEEK_END);
	if (end < 0 && (errno == ESPIPE || errno == EINVAL))
		end = 0;
	if (end < 0)
		return err_errno(e, "cannot look at the file");
	b->fd = fd;
	b->size = (uint64_t)end;
	b->error = 0;
	b->at = 0;
	b->n = 0;
	b->ahead = LEAST / 2;
	b->patch_n = 0;
	return 0;
}

void
filebuf_free(struct filebuf *b)
{
	free(b->p);
	*b = (struct filebuf){ .fd = -1 };
}

/* Lay the patch over the N bytes at P, which are at OFFSET in the file. */
static void
overlay(const struct filebuf *b, uint64_t offset, unsigned char *p, size_t n)
{
	for (size_t i = 0; i < b->patch_n; i++) {
		uint64_t at = b->patch_at + i;

		if (at >= offset && at - offset < n)
			p[at - offset] = b->patch[i];
	}
}

/* Read up to N bytes from OFFSET on, whatever pieces they come in. */
static size_t
fetch(struct filebuf *b, uint64_t offset, unsigned char *p, size_t n)
{
	size_t got = 0;

	if (offset >= b->size)
		return 0;
	if (n > b->size - offset)
		n = (size_t)(b->size - offset);
	while (got < n) {
		ssize_t k = pread(b->fd, p + got, n - got,
		    (off_t)(offset + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			b->error = errno;
		if (k <= 0)
			break;
		got += (size_t)k;
	}
	overlay(b, offset, p, got);
	return got;
}

/* How many bytes the buffer holds from OFFSET on. */
static size_t
held(const struct filebuf *b, uint64_t offset)
{
	return offset < b->at || offset - b->at >= b->n ? 0 :
	    b->n - (size_t)(offset - b->at);
}

/* The same, after filling it where these are fewer than WANT. */
static size_t
fill(struct filebuf *b, uint64_t offset, size_t want)
{
	size_t n = held(b, offset);

	if (n >= want)
		return n;
	b->ahead = n == 0 && offset != b->at + b->n ? LEAST :
	    b->ahead < SIZE / 2 ? 2 * b->ahead : SIZE;
	b->at = offset;
	b->n = fetch(b, offset, b->p, b->ahead);
	return b->n;
}

const unsigned char *
filebuf_peek(struct filebuf *b, uint64_t offset, size_t n)
{
	if (n > b->size || offset > b->size - n || fill(b, offset, n) < n)
		return NULL;
	return b->p + (offset - b->at);
}

size_t
filebuf_read(struct filebuf *b, uint64_t offset, void *p, size_t n)
{
	size_t got = 0;

	while (got < n && offset + got < b->size) {
		unsigned char *to = (unsigned char *)p + got;
		uint64_t at = offset + got;
		size_t k;

		if (n - got >= LONG && held(b, at) == 0) {
			k = fetch(b, at, to, n - got);
		} else {
			k = fill(b, at, 1);
			k = k < n - got ? k : n - got;
			memcpy(to, b->p + (at - b->at), k);
		}
		if (k == 0)
			break;
		got += k;
	}
	return got;
}

void
filebuf_patch(struct filebuf *b, uint64_t offset, const void *p, size_t n)
{
	b->patch_at = offset;
	b->patch_n = n < sizeof b->patch ? n : sizeof b->patch;
	memcpy(b->patch, p, b->patch_n);
	if (b->n > 0)
		overlay(b, b->at, b->p, b->n);
}

uint64_t
filebuf_number(const unsigned char *p, unsigned n, bool big)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[big ? i : n - 1 - i];
	return v;
}
