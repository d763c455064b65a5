#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "checksum.h"
#include "file.h"
#include "frame.h"
#include "le.h"

/* A zstd block holds no more than this (RFC 8878, 3.1.1.2). */
#define BLOCK_MAX (128u << 10)
/* Memory beyond this goes back when the next frame is joined. */
#define KEEP (16u << 20)
#define WINDOW_LOG_MAX 27
#define INFLATE_SIZE (128u << 10)

struct frame_codec {
	ZSTD_CCtx *compress;	/* made when first used */
	ZSTD_DCtx *expand;
	struct checksum *checksum;
	struct buf joined;	/* parts, where libzstd wants one piece */
};

struct frame_inflate {
	int fd;
	bool started;		/* the first bytes have been looked at */
	bool inside;		/* a frame, not between two */
	bool ended;		/* no more input */
	ZSTD_DCtx *d;		/* NULL: what comes is plain */
	size_t at, n;
	unsigned char buf[INFLATE_SIZE];
};

bool
frame_is_skippable(uint32_t magic)
{
	return (magic & 0xfffffff0u) == FRAME_MAGIC_PREFIX;
}

const char *
frame_body(const struct frame *f, size_t *n)
{
	*n = f->raw.n - 8;
	return f->raw.p + 8;
}

uint32_t
frame_checksum(const struct frame *f)
{
	return le_get32(f->raw.p + f->raw.n - 4);
}

struct frame_codec *
frame_codec_new(struct err *e)
{
	struct frame_codec *c = calloc(1, sizeof *c);

	if (c == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	c->checksum = checksum_new(e);
	if (c->checksum == NULL) {
		free(c);
		return NULL;
	}
	return c;
}

void
frame_codec_free(struct frame_codec *c)
{
	if (c == NULL)
		return;
	(void)ZSTD_freeCCtx(c->compress);
	(void)ZSTD_freeDCtx(c->expand);
	checksum_free(c->checksum);
	buf_free(&c->joined);
	free(c);
}

/* The fault WHAT of frame F. */
static int
damaged(const struct frame *f, const char *what, struct err *e)
{
	return err_set(e, ERR_DAMAGED, "frame at byte %llu: %s",
	    (unsigned long long)f->offset, what);
}

/*
 * Make F's raw the content of the frame, which is stored: what stands
 * between its blocks goes, and they close up.
 */
static int
close_up(struct frame_codec *c, struct frame *f, struct err *e)
{
	uint32_t checksum = frame_checksum(f);
	size_t at = f->blocks, to = 0, n;
	char *p = f->raw.p;
	uint32_t h;

	checksum_reset(c->checksum);
	do {
		h = le_get24(p + at);
		n = h >> 3;
		if (n > f->plain - to)
			return damaged(f, "it holds more than it says", e);
		memmove(p + to, p + at + 3, n);
		/* While the block is in the cache. */
		checksum_update(c->checksum, p + to, n);
		to += n;
		at += 3 + n;
	} while (!(h & 1));
	if (to < f->plain)
		return damaged(f, "it holds less than it says", e);
	if ((uint32_t)checksum_value(c->checksum) != checksum)
		return damaged(f, "its checksum does not agree with its "
		    "content", e);
	f->raw.n = to;
	return 0;
}

/* Append to PLAIN the content of F, by libzstd. */
static int
decompress(struct frame_codec *c, const struct frame *f, struct buf *plain,
    struct err *e)
{
	size_t n, size = (size_t)f->plain;

	if (buf_reserve(plain, size + 1, e) < 0)	/* not nothing */
		return -1;
	if (c->expand == NULL)
		c->expand = ZSTD_createDCtx();
	if (c->expand == NULL)
		return err_memory(e);
	n = ZSTD_decompressDCtx(c->expand, plain->p, size, f->raw.p,
	    f->raw.n);
	if (ZSTD_isError(n))
		return damaged(f, ZSTD_getErrorName(n), e);
	if (n != size)
		return damaged(f, "its content is not as long as it says", e);
	plain->n = n;
	return 0;
}

int
frame_expand(struct frame_codec *c, struct frame *f, struct buf *plain,
    struct err *e)
{
	struct buf swap = *plain;

	buf_clear(plain);
	if (!f->stored)
		return decompress(c, f, plain, e);
	if (close_up(c, f, e) < 0)
		return -1;
	*plain = f->raw;
	f->raw = swap;
	buf_clear(&f->raw);
	return 0;
}

/* The header of a stored frame of N bytes, at P (18 bytes of room); its
 * length.  A single segment: the content is the window. */
static size_t
put_header(unsigned char *p, uint64_t n)
{
	unsigned flag = n < 256 ? 0 : n < 65536 + 256 ? 1 :
	    n <= UINT32_MAX ? 2 : 3;
	size_t bytes = (size_t)1 << flag;
	uint64_t v = flag == 1 ? n - 256 : n;

	le_put32(p, FRAME_MAGIC_ZSTD);
	p[4] = (unsigned char)(flag << 6 | 0x20 | 0x04);
	for (size_t i = 0; i < bytes; i++)
		p[5 + i] = (unsigned char)(v >> 8 * i);
	return 5 + bytes;
}

/* Where in some parts a copy has come to. */
struct place {
	const struct frame_part *part;
	size_t at;		/* byte of the part */
};

/* Copy the next N bytes of the parts to P. */
static void
copy(struct place *from, unsigned char *p, size_t n)
{
	while (n > 0) {
		size_t left = from->part->n - from->at;
		size_t m = left < n ? left : n;

		if (m > 0)
			memcpy(p, (const char *)from->part->p + from->at, m);
		from->at += m;
		if (m == left) {
			from->part++;
			from->at = 0;
		}
		p += m;
		n -= m;
	}
}

/*
 * A stored frame of PARTS, which have N bytes, at OUT, which has room; its
 * size.  The one copy that there is goes block by block, so that the
 * checksum finds each in the cache.
 */
static size_t
store(const struct frame_part *parts, size_t n, unsigned char *out,
    struct checksum *checksum)
{
	struct place from = { parts, 0 };
	size_t at = put_header(out, n);

	checksum_reset(checksum);
	do {
		size_t m = n < BLOCK_MAX ? n : BLOCK_MAX;
		uint32_t h = (uint32_t)m << 3 | (m == n);

		le_put24(out + at, h);
		copy(&from, out + at + 3, m);
		checksum_update(checksum, out + at + 3, m);
		at += 3 + m;
		n -= m;
	} while (n > 0);
	le_put32(out + at, (uint32_t)checksum_value(checksum));
	return at + 4;
}

/* Make one piece of the N_PARTS PARTS: where its bytes are, or NULL. */
static const void *
join(struct frame_codec *c, const struct frame_part *parts, size_t n_parts,
    struct err *e)
{
	if (n_parts == 1 && parts[0].n > 0)
		return parts[0].p;
	if (c->joined.cap > KEEP)
		buf_free(&c->joined);
	buf_clear(&c->joined);
	if (buf_reserve(&c->joined, 1, e) < 0)	/* not nothing */
		return NULL;
	for (size_t i = 0; i < n_parts; i++)
		if (buf_put(&c->joined, parts[i].p, parts[i].n, e) < 0)
			return NULL;
	return c->joined.p;
}

/* As store, by libzstd at LEVEL, of the N bytes at P. */
static int
compress(struct frame_codec *c, int level, const void *p, size_t n,
    struct buf *out, size_t *size, struct err *e)
{
	if (c->compress == NULL)
		c->compress = ZSTD_createCCtx();
	if (c->compress == NULL)
		return err_memory(e);
	*size = ZSTD_CCtx_setParameter(c->compress, ZSTD_c_compressionLevel,
	    level);
	if (!ZSTD_isError(*size))
		*size = ZSTD_CCtx_setParameter(c->compress, ZSTD_c_checksumFlag,
		    1);
	if (!ZSTD_isError(*size))
		*size = ZSTD_compress2(c->compress, out->p + out->n + 12,
		    out->cap - out->n - 12, p, n);
	if (ZSTD_isError(*size))
		return err_set(e, ERR_SYSTEM, "cannot compress: %s",
		    ZSTD_getErrorName(*size));
	return 0;
}

int
frame_gather(struct frame_codec *c, int level,
    const struct frame_part *parts, size_t n_parts, struct buf *out,
    struct err *e)
{
	size_t room, size = 0, n = 0;
	const void *p;

	for (size_t i = 0; i < n_parts && n <= UINT32_MAX / 2; i++)
		n += parts[i].n;
	if (n > UINT32_MAX / 2)
		return err_set(e, ERR_SYSTEM,
		    "a frame of %zu bytes is more than the format holds", n);
	/* 64: prefix, header, the last block's header, checksum. */
	room = 64 + (level == 0 ? n + n / BLOCK_MAX * 3 :
	    ZSTD_compressBound(n));
	if (buf_reserve(out, room, e) < 0)
		return -1;
	if (level == 0)
		size = store(parts, n, (unsigned char *)out->p + out->n + 12,
		    c->checksum);
	else if ((p = join(c, parts, n_parts, e)) == NULL ||
	    compress(c, level, p, n, out, &size, e) < 0)
		return -1;
	le_put32(out->p + out->n, FRAME_MAGIC_PREFIX);
	le_put32(out->p + out->n + 4, 4);
	le_put32(out->p + out->n + 8, (uint32_t)size);
	out->n += 12 + size;
	return 0;
}

int
frame_compress(struct frame_codec *c, int level, const void *p, size_t n,
    struct buf *out, struct err *e)
{
	struct frame_part all = { p, n };

	return frame_gather(c, level, &all, 1, out, e);
}

int
frame_skippable(uint32_t magic, const void *p, size_t n, struct buf *out,
    struct err *e)
{
	if (n > UINT32_MAX - 8)
		return err_set(e, ERR_SYSTEM,
		    "a skippable frame of %zu bytes is more than there can be",
		    n);
	if (buf_reserve(out, 8 + n, e) < 0)
		return -1;
	le_put32(out->p + out->n, magic);
	le_put32(out->p + out->n + 4, (uint32_t)n);
	out->n += 8;
	return buf_put(out, p, n, e);
}

const char *
frame_library_version(void)
{
	return ZSTD_versionString();
}

struct frame_inflate *
frame_inflate_new(int fd, struct err *e)
{
	struct frame_inflate *z = malloc(sizeof *z);

	if (z == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	z->fd = fd;
	z->started = z->inside = z->ended = false;
	z->d = NULL;
	z->at = z->n = 0;
	return z;
}

void
frame_inflate_free(struct frame_inflate *z)
{
	if (z == NULL)
		return;
	(void)ZSTD_freeDCtx(z->d);
	free(z);
}

bool
frame_inflate_compressed(const struct frame_inflate *z)
{
	return z->d != NULL;
}

/* Look at the first bytes of Z's input: a .zst file, or plain. */
static int
inflate_start(struct frame_inflate *z, struct err *e)
{
	uint32_t magic;

	while (z->n < 4 && !z->ended) {
		int64_t got = file_read_some(z->fd, z->buf + z->n,
		    sizeof z->buf - z->n, e);

		if (got < 0)
			return -1;
		z->ended = got == 0;
		z->n += (size_t)got;
	}
	z->started = true;
	if (z->n < 4)
		return 0;
	magic = le_get32(z->buf);
	if (magic == FRAME_MAGIC_PROVENANCE) {
		(void)err_set(e, ERR_DAMAGED, "this is an ossicle stream, "
		    "not data");
		return err_hint(e, "the next program reads it as it is; "
		    "shard-cat prints its records");
	}
	if (magic != FRAME_MAGIC_ZSTD && !frame_is_skippable(magic))
		return 0;
	z->d = ZSTD_createDCtx();
	if (z->d == NULL)
		return err_memory(e);
	if (ZSTD_isError(ZSTD_DCtx_setParameter(z->d, ZSTD_d_windowLogMax,
	    WINDOW_LOG_MAX)))
		return err_set(e, ERR_SYSTEM, "libzstd refuses a window of "
		    "128 MiB");
	return 0;
}

/* Plain bytes: first those already read, then straight from the file. */
static int
inflate_plain(struct frame_inflate *z, void *p, size_t n, size_t *got,
    struct err *e)
{
	size_t m = z->n - z->at;
	int64_t r;

	if (m > 0) {
		*got = m < n ? m : n;
		memcpy(p, z->buf + z->at, *got);
		z->at += *got;
		return 0;
	}
	r = z->ended ? 0 : file_read_some(z->fd, p, n, e);
	if (r < 0)
		return -1;
	*got = (size_t)r;
	return 0;
}

int
frame_inflate_read(struct frame_inflate *z, void *p, size_t n, size_t *got,
    struct err *e)
{
	ZSTD_outBuffer out = { p, n, 0 };

	*got = 0;
	if (!z->started && inflate_start(z, e) < 0)
		return -1;
	if (z->d == NULL)
		return n == 0 ? 0 : inflate_plain(z, p, n, got, e);
	while (out.pos == 0 && n > 0) {
		ZSTD_inBuffer in = { z->buf, z->n, z->at };
		size_t rc;

		if (z->at == z->n && !z->ended) {
			int64_t r = file_read_some(z->fd, z->buf,
			    sizeof z->buf, e);

			if (r < 0)
				return -1;
			z->ended = r == 0;
			z->at = 0;
			z->n = (size_t)r;
			continue;
		}
		if (z->at == z->n && !z->inside)
			return 0;
		rc = ZSTD_decompressStream(z->d, &out, &in);
		if (ZSTD_isError(rc))
			return err_set(e, ERR_DAMAGED, "cannot decompress: %s",
			    ZSTD_getErrorName(rc));
		if (in.pos == z->at && out.pos == 0 && z->at == z->n)
			return err_set(e, ERR_TRUNCATED,
			    "the compressed input ends inside a frame");
		z->inside = rc != 0;
		z->at = in.pos;
	}
	*got = out.pos;
	return 0;
}
