#define _GNU_SOURCE	/* F_SETPIPE_SZ */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "le.h"
#include "source.h"

/* A pipe is emptied fastest in pieces of this size (fewer fresh pages). */
#define PIECE (64u << 10)
#define PIPE_SIZE (256 << 10)

/* A block header of zstd (RFC 8878, 3.1.1.2): its size from bit 3 on. */
#define BLOCK_LAST	1u
#define BLOCK_TYPE	6u
#define BLOCK_RAW	0u
#define BLOCK_RLE	2u
#define BLOCK_RESERVED	6u
#define BLOCK_MAX	(128u << 10)

struct source {
	int fd;
	uint64_t plain_max;
	uint64_t offset;	/* of the first byte not handed out yet */
	uint64_t rest;		/* of a skippable frame, not read on yet */
	uint32_t announced;	/* by the prefix just read, or 0 */
	bool seeks;		/* read with pread(2), at ... */
	uint64_t next;		/* ... this byte of the file */
	size_t at, n;		/* bytes AT to N of buf are to be handed out */
	unsigned char buf[PIECE];
};

/* Give FD's pipe, if it is one, room for more than one piece. */
static void
widen_pipe(int fd)
{
#ifdef F_SETPIPE_SZ
	/* A file that is no pipe, or a user at the limit, says no: so be it. */
	int now = fcntl(fd, F_GETPIPE_SZ);

	if (now >= 0 && now < PIPE_SIZE)
		(void)fcntl(fd, F_SETPIPE_SZ, PIPE_SIZE);
#else
	(void)fd;
#endif
}

struct source *
source_new(int fd, uint64_t plain_max, struct err *e)
{
	struct source *s = malloc(sizeof *s);

	if (s == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	s->fd = fd;
	s->plain_max = plain_max;
	s->offset = s->rest = 0;
	s->announced = 0;
	s->seeks = false;
	s->next = 0;
	s->at = s->n = 0;
	widen_pipe(fd);
	return s;
}

void
source_free(struct source *s)
{
	free(s);
}

void
source_seek(struct source *s, uint64_t offset)
{
	s->seeks = true;
	s->offset = s->next = offset;
	s->rest = 0;
	s->announced = 0;
	s->at = s->n = 0;
}

/* Read a piece to P: how many bytes, 0 at the end, or -1. */
static int64_t
read_piece(struct source *s, void *p, struct err *e)
{
	ssize_t got;

	if (!s->seeks)
		return file_read_some(s->fd, p, PIECE, e);
	do
		got = pread(s->fd, p, PIECE, (off_t)s->next);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, "cannot read at byte %llu",
		    (unsigned long long)s->next);
	s->next += (uint64_t)got;
	return got;
}

bool
source_pending(const struct source *s)
{
	return s->at < s->n;
}

/*
 * Append N bytes of the input to B: 1, or 0 where it ends before.  What is
 * larger than a piece goes to B without a copy on the way.
 */
static int
take(struct source *s, struct buf *b, size_t n, struct err *e)
{
	if (buf_reserve(b, n, e) < 0)
		return -1;
	while (n > 0) {
		bool direct = s->at == s->n && n >= PIECE;
		size_t m = s->n - s->at < n ? s->n - s->at : n;
		int64_t got;

		if (s->at == s->n) {
			got = read_piece(s,
			    direct ? b->p + b->n : (char *)s->buf, e);
			if (got <= 0)
				return (int)got;
			s->at = 0;
			s->n = direct ? 0 : (size_t)got;
			if (!direct)
				continue;
			m = (size_t)got;
		} else {
			memcpy(b->p + b->n, s->buf + s->at, m);
			s->at += m;
		}
		b->n += m;
		s->offset += m;
		n -= m;
	}
	return 1;
}

/* Take what F's raw lacks to N bytes; less is truncation. */
static int
need(struct source *s, struct frame *f, size_t n, struct err *e)
{
	int rc;

	if (f->raw.n >= n)
		return 0;
	rc = take(s, &f->raw, n - f->raw.n, e);
	if (rc == 0)
		return err_set(e, ERR_TRUNCATED,
		    "the stream ends at byte %llu, inside a frame",
		    (unsigned long long)s->offset);
	return rc < 0 ? -1 : 0;
}

/* The fault WHAT of frame F. */
static int
damaged(const struct frame *f, const char *what, struct err *e)
{
	return err_set(e, ERR_DAMAGED, "frame at byte %llu: %s",
	    (unsigned long long)f->offset, what);
}

/* Where a zstd frame's blocks begin: the length of the header at P, whose
 * first five bytes must be there. */
static size_t
header_size(const unsigned char *p)
{
	static const unsigned char dictionary[4] = { 0, 1, 2, 4 };
	static const unsigned char content[4] = { 0, 2, 4, 8 };
	bool single = p[4] & 0x20;
	size_t n = 5u + !single + (size_t)dictionary[p[4] & 3];

	if (p[4] >> 6 == 0)
		return n + single;
	return n + content[p[4] >> 6];
}

/* Read the header of the data frame F, of which eight bytes are there. */
static int
read_header(struct source *s, struct frame *f, size_t *size,
    struct err *e)
{
	const unsigned char *p;
	size_t n, from;

	n = header_size((const unsigned char *)f->raw.p);
	if (need(s, f, n, e) < 0)
		return -1;
	p = (const unsigned char *)f->raw.p;
	if (p[4] & 0x18)
		return damaged(f, "its header has a reserved bit set", e);
	if (p[4] & 0x03)
		return damaged(f, "it needs a dictionary", e);
	if (!(p[4] & 0x04))
		return damaged(f, "it has no checksum", e);
	if (p[4] >> 6 == 0 && !(p[4] & 0x20))
		return damaged(f, "it does not say its content size", e);
	from = 5u + !(p[4] & 0x20);
	f->plain = 0;
	for (size_t i = n; i-- > from; )
		f->plain = f->plain << 8 | p[i];
	if (p[4] >> 6 == 1)
		f->plain += 256;
	if (f->plain > s->plain_max) {
		(void)err_set(e, ERR_DAMAGED, "frame at byte %llu: its content "
		    "of %llu bytes is more than the limit of %llu",
		    (unsigned long long)f->offset, (unsigned long long)f->plain,
		    (unsigned long long)s->plain_max);
		return err_hint(e, "a higher --max-frame lets it in");
	}
	*size = n;
	return 0;
}

/* The most bytes that a frame of PLAIN bytes of content may have: blocks of
 * a kilobyte each, stored, and then some. */
static uint64_t
raw_max(uint64_t plain)
{
	return plain + plain / 64 + 4096;
}

/* Read what follows the first eight bytes of the data frame F. */
static int
read_data(struct source *s, struct frame *f, struct err *e)
{
	uint32_t announced = s->announced;
	uint64_t most;
	size_t at = 0;
	uint32_t h;

	if (read_header(s, f, &at, e) < 0)
		return -1;
	most = raw_max(f->plain);
	if (most > SIZE_MAX / 4)
		return err_memory(e);
	if (announced > most)
		return damaged(f, "the prefix before it announces more bytes "
		    "than its content can need", e);
	/* The whole of it at once, where its length is known. */
	if (announced > 0 && need(s, f, announced, e) < 0)
		return -1;
	f->blocks = at;
	f->stored = true;
	do {
		if (need(s, f, at + 3, e) < 0)
			return -1;
		h = le_get24(f->raw.p + at);
		if ((h & BLOCK_TYPE) == BLOCK_RESERVED || h >> 3 > BLOCK_MAX)
			return damaged(f, "it has a block of no known kind", e);
		if ((h & BLOCK_TYPE) != BLOCK_RAW)
			f->stored = false;
		at += 3 + ((h & BLOCK_TYPE) == BLOCK_RLE ? 1 : h >> 3);
		if (at + 4 > most)
			return damaged(f, "it has more blocks than its content "
			    "can need", e);
		if (need(s, f, at + (h & BLOCK_LAST ? 4 : 3), e) < 0)
			return -1;
	} while (!(h & BLOCK_LAST));
	if ((announced > 0 && at + 4 != announced) || f->raw.n != at + 4)
		return damaged(f, "it is not as long as the prefix before it "
		    "says", e);
	f->size = at + 4;
	return 0;
}

/* Read what follows the first eight bytes of the skippable frame F. */
static int
read_skippable(struct source *s, struct frame *f, struct err *e)
{
	uint32_t n = le_get32(f->raw.p + 4);

	f->size = 8 + (uint64_t)n;
	f->plain = 0;
	if (f->magic == FRAME_MAGIC_PREFIX) {
		if (n != 4)
			return damaged(f, "a prefix of a length other than 4",
			    e);
	} else if (f->magic == FRAME_MAGIC_PROVENANCE ||
	    f->magic == FRAME_MAGIC_END) {
		if (n > FRAME_NOTE_MAX)
			return damaged(f, "provenance, or an end marker, of "
			    "more than 16 MiB", e);
	} else {
		s->rest = n;
		return 0;
	}
	/* Piece by piece, so that memory is taken for what is there only. */
	while (f->raw.n < 8 + (size_t)n) {
		size_t m = 8 + (size_t)n - f->raw.n;

		if (need(s, f, f->raw.n + (m < PIECE ? m : PIECE), e) < 0)
			return -1;
	}
	if (f->magic == FRAME_MAGIC_PREFIX)
		s->announced = le_get32(f->raw.p + 8);
	if (f->magic == FRAME_MAGIC_PREFIX && s->announced == 0)
		return damaged(f, "a prefix that announces nothing", e);
	return 0;
}

int
source_read_on(struct source *s, struct frame *f, struct err *e)
{
	size_t n = s->rest < PIECE ? (size_t)s->rest : PIECE;

	buf_clear(&f->raw);
	if (n == 0)
		return 0;
	if (need(s, f, n, e) < 0)
		return -1;
	s->rest -= n;
	return 1;
}

/* Four bytes that begin no frame. */
static int
not_a_frame(const struct frame *f, struct err *e)
{
	char text[ERR_QUOTE_SIZE];

	(void)err_set(e, ERR_DAMAGED, "byte %llu: \"%s\" begins no frame",
	    (unsigned long long)f->offset,
	    err_quote(text, sizeof text, f->raw.p, f->raw.n));
	if (f->offset > 0)
		return -1;
	return err_hint(e, "this is not an ossicle stream; "
	    "jsonl-split makes one of JSON");
}

int
source_read(struct source *s, struct frame *f, struct err *e)
{
	int rc;

	while ((rc = source_read_on(s, f, e)) > 0)
		;
	if (rc < 0)
		return -1;
	f->offset = s->offset;
	rc = take(s, &f->raw, 8, e);
	if (rc < 0 || f->raw.n == 0)
		return rc;
	if (f->raw.n >= 4)
		f->magic = le_get32(f->raw.p);
	if (f->raw.n >= 4 && !frame_is_skippable(f->magic) &&
	    f->magic != FRAME_MAGIC_ZSTD)
		return not_a_frame(f, e);
	if (need(s, f, 8, e) < 0)
		return -1;
	if (frame_is_skippable(f->magic)) {
		s->announced = 0;
		return read_skippable(s, f, e) < 0 ? -1 : 1;
	}
	rc = read_data(s, f, e);
	s->announced = 0;
	return rc < 0 ? -1 : 1;
}
