#include <string.h>

#include "chunk.h"
#include "filebuf.h"
#include "truncated.h"

/* A format made of chunks: an id, a size, and that many bytes. */
struct chunks {
	const char *magic;	/* the file begins so, ... */
	const char *form;	/* ... and has this at FORM_AT, if any */
	unsigned form_at;
	unsigned first;		/* offset of the first chunk */
	unsigned id_n;		/* bytes of an id, and of a size */
	unsigned size_n;
	bool big;		/* sizes are big-endian, ... */
	bool whole;		/* ... count the chunk's header too, ... */
	unsigned align;		/* ... and are filled up to this */
	const char *data;	/* the chunk that holds the samples, ... */
	unsigned inside;	/* ... behind so many bytes of its own */
};

static const struct chunks formats[] = {
	{ "RIFF", "WAVE", 8, 12, 4, 4, false, false, 2, "data", 0 },
	{ "RIFX", "WAVE", 8, 12, 4, 4, true, false, 2, "data", 0 },
	{ "RF64", "WAVE", 8, 12, 4, 4, false, false, 2, "data", 0 },
	{ "BW64", "WAVE", 8, 12, 4, 4, false, false, 2, "data", 0 },
	{ "riff\x2e\x91\xcf\x11", "wave", 24, 40, 16, 8, false, true, 8,
	    "data", 0 },
	{ "FORM", "AIFF", 8, 12, 4, 4, true, false, 2, "SSND", 8 },
	{ "FORM", "AIFC", 8, 12, 4, 4, true, false, 2, "SSND", 8 },
	{ "FORM", "8SVX", 8, 12, 4, 4, true, false, 2, "BODY", 0 },
	{ "FORM", "16SV", 8, 12, 4, 4, true, false, 2, "BODY", 0 },
	{ "caff", NULL, 0, 8, 4, 8, true, false, 1, "data", 4 },
};

/* Whether the four bytes at P may name a chunk. */
static bool
is_id(const unsigned char *p)
{
	for (unsigned i = 0; i < 4; i++)
		if (p[i] < 0x20 || p[i] > 0x7e)
			return false;
	return true;
}

/* Whether the file from AT to its end is one chunk after the other. */
static bool
chunks_to_end(struct filebuf *b, const struct chunks *f, uint64_t at)
{
	unsigned head = f->id_n + f->size_n;

	while (at < b->size) {
		const unsigned char *p = filebuf_peek(b, at, head);
		uint64_t size;

		if (p == NULL || !is_id(p))
			return false;
		size = filebuf_number(p + f->id_n, f->size_n, f->big);
		if (f->whole && size < head)
			return false;
		if (f->whole)
			size -= head;
		if (size > b->size - at - head)
			return false;
		at += head + size;
		at += (f->align - at % f->align) % f->align;
	}
	return true;
}

/*
 * Overlay the size of the chunk at AT, which stands for the rest of the
 * file, with the LEFT bytes that this is: libsndfile takes 0 for no audio,
 * and an 8-byte size of that kind for damage or worse.
 */
static void
patch_size(struct filebuf *b, const struct chunks *f, uint64_t at,
    uint64_t left)
{
	unsigned char truth[8];
	uint64_t v = left + (f->whole ? f->id_n + f->size_n : 0);

	if (f->size_n == 4 && v > UINT32_MAX - 128)
		v = UINT32_MAX - 128;
	for (unsigned i = 0; i < f->size_n; i++, v >>= 8)
		truth[f->big ? f->size_n - 1 - i : i] = (unsigned char)v;
	filebuf_patch(b, at + f->id_n, truth, f->size_n);
}

/*
 * The chunk of samples begins at AT and announces SIZE bytes (LONG_SIZE by a
 * ds64 chunk, which counts where there is one and the size is all ones).
 */
static int
check_data(struct filebuf *b, const struct chunks *f, uint64_t at,
    uint64_t size, uint64_t long_size, struct err *e)
{
	unsigned head = f->id_n + f->size_n;
	unsigned size_n = f->size_n;
	uint64_t body = at + head, left = b->size - body;

	if (long_size != 0 && size == UINT32_MAX) {
		size = long_size;
		size_n = 8;
	}
	if (f->whole)
		size = size >= head ? size - head : 0;
	if (size <= f->inside && left > f->inside &&
	    !chunks_to_end(b, f, body + size)) {
		patch_size(b, f, at, left);
		return 0;
	}
	if (size <= left)
		return 0;
	if (!truncated_unknown(size, size_n) &&
	    !truncated_unknown(size + head, size_n))
		return truncated_short_of(size, left, e);
	patch_size(b, f, at, left);
	return 0;
}

/*
 * The file of format F ends at AT, where a chunk should begin: it is cut,
 * unless its outermost size says that this is all (and it has no samples).
 */
static int
check_end(struct filebuf *b, const struct chunks *f, uint64_t at,
    struct err *e)
{
	const unsigned char *p = filebuf_peek(b, f->id_n, f->size_n);
	uint64_t size;

	if (f->form == NULL || p == NULL || at < b->size)
		return truncated_header(e);
	size = filebuf_number(p, f->size_n, f->big);
	if (truncated_unknown(size, f->size_n) ||
	    size > (f->whole ? b->size : b->size - f->id_n - f->size_n))
		return truncated_header(e);
	return 0;
}

/*
 * Walk the chunks of a file of format F up to its samples.  What is no chunk
 * ends the walk: libsndfile finds its way through some of these, or says
 * that the header is damaged.
 */
static int
check_chunks(struct filebuf *b, const struct chunks *f, struct err *e)
{
	unsigned head = f->id_n + f->size_n;
	uint64_t at = f->first, long_size = 0;

	for (;;) {
		const unsigned char *p = filebuf_peek(b, at, head);
		uint64_t size;

		if (p == NULL)
			return check_end(b, f, at, e);
		if (!is_id(p))
			return 0;
		size = filebuf_number(p + f->id_n, f->size_n, f->big);
		if (memcmp(p, f->data, 4) == 0)
			return check_data(b, f, at, size, long_size, e);
		if (memcmp(p, "ds64", 4) == 0 &&
		    (p = filebuf_peek(b, at + head, 16)) != NULL)
			long_size = filebuf_number(p + 8, 8, false);
		if (f->whole && size < head)
			return 0;
		if (f->whole)
			size -= head;
		if (size > b->size - at - head)
			return truncated_header(e);
		at += head + size;
		at += (f->align - at % f->align) % f->align;
	}
}

int
chunk_check(struct filebuf *b, bool *is, struct err *e)
{
	*is = false;
	for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
		const struct chunks *f = &formats[i];
		size_t n = strlen(f->magic);
		const unsigned char *p = filebuf_peek(b, 0, n);

		if (p == NULL || memcmp(p, f->magic, n) != 0)
			continue;
		p = filebuf_peek(b, f->form_at, 4);
		*is = p == NULL || f->form == NULL ||
		    memcmp(p, f->form, 4) == 0;
		if (p == NULL)
			return truncated_header(e);
		if (*is)
			return check_chunks(b, f, e);
	}
	return 0;
}
