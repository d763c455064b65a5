#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "filebuf.h"
#include "mpegframe.h"
#include "truncated.h"

/* How far behind a frame the next is looked for, where it is not at once. */
#define GAP_MAX ((uint64_t)64 << 10)

struct header {
	unsigned version;	/* 0: 2.5; 2: 2; 3: 1, as in the header */
	unsigned layer;		/* 1 to 3 */
	unsigned rate;		/* index of its sampling rate */
	bool mono;
	uint32_t bytes;		/* of the whole frame; 0: free format */
};

/* Read the frame header at P; false where it is none. */
static bool
parse(const unsigned char *p, struct header *h)
{
	static const unsigned short kbits[2][3][15] = { {
	    { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384,
	      416, 448 },
	    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320,
	      384 },
	    { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256,
	      320 },
	}, {
	    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224,
	      256 },
	    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
	    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160 },
	} };
	static const unsigned short rates[3] = { 44100, 48000, 32000 };
	unsigned bits = p[2] >> 4, pad = p[2] >> 1 & 1;
	uint32_t bps, hz;

	h->version = p[1] >> 3 & 3;
	h->layer = 4 - (p[1] >> 1 & 3);
	h->rate = p[2] >> 2 & 3;
	h->mono = p[3] >> 6 == 3;
	if (p[0] != 0xff || p[1] < 0xe0 || h->version == 1 || h->layer == 4 ||
	    h->rate == 3 || bits == 15)
		return false;
	bps = kbits[h->version != 3][h->layer - 1][bits] * 1000u;
	hz = rates[h->rate];
	hz >>= h->version == 3 ? 0 : h->version == 2 ? 1 : 2;
	if (bps == 0)
		h->bytes = 0;
	else if (h->layer == 1)
		h->bytes = (12 * bps / hz + pad) * 4;
	else if (h->layer == 3 && h->version != 3)
		h->bytes = 72 * bps / hz + pad;
	else
		h->bytes = 144 * bps / hz + pad;
	return true;
}

/* Whether the header at AT is of the stream that FIRST belongs to. */
static bool
continues(struct filebuf *b, uint64_t at, const struct header *first,
    struct header *h)
{
	const unsigned char *p = filebuf_peek(b, at, 4);

	return p != NULL && parse(p, h) && h->version == first->version &&
	    h->layer == first->layer && h->rate == first->rate;
}

uint64_t
mpegframe_skip_tags(struct filebuf *b)
{
	const unsigned char *p;
	uint64_t at = 0;

	while ((p = filebuf_peek(b, at, 10)) != NULL &&
	    memcmp(p, "ID3", 3) == 0 &&
	    ((p[6] | p[7] | p[8] | p[9]) & 0x80) == 0)
		at += 10u + ((uint32_t)p[6] << 21 | (uint32_t)p[7] << 14 |
		    (uint32_t)p[8] << 7 | p[9]) + (p[5] & 0x10 ? 10 : 0);
	return at;
}

/* What the first frame says of the others, where it says anything. */
struct tally {
	bool here;
	uint64_t frames;	/* 0: not said */
	uint64_t bytes;		/* from the first frame on; 0: not said */
};

/* Read the tally in the frame of header H at AT. */
static struct tally
tally(struct filebuf *b, uint64_t at, const struct header *h)
{
	struct tally t = { 0 };
	unsigned side = h->version == 3 ? (h->mono ? 17 : 32) :
	    (h->mono ? 9 : 17);
	const unsigned char *p = filebuf_peek(b, at + 4 + side, 16);

	if (h->layer != 3)
		return t;
	if (p != NULL && (memcmp(p, "Xing", 4) == 0 ||
	    memcmp(p, "Info", 4) == 0)) {
		unsigned flags = p[7];

		t.here = true;
		if (flags & 1)
			t.frames = filebuf_number(p + 8, 4, true);
		if (flags & 2)
			t.bytes = filebuf_number(
			    p + (flags & 1 ? 12 : 8), 4, true);
		return t;
	}
	p = filebuf_peek(b, at + 4 + 32, 18);
	if (p != NULL && memcmp(p, "VBRI", 4) == 0) {
		t.here = true;
		t.bytes = filebuf_number(p + 10, 4, true);
		t.frames = filebuf_number(p + 14, 4, true);
	}
	return t;
}

/*
 * Where the chain goes on behind AT, where it is broken: at two frames in a
 * row of the same kind.  The file's size where it does not.
 */
static uint64_t
resume(struct filebuf *b, uint64_t at, const struct header *first)
{
	uint64_t end = b->size - at > GAP_MAX ? at + GAP_MAX : b->size;
	struct header h, next;

	for (; at + 4 <= end; at++)
		if (continues(b, at, first, &h) && h.bytes > 0 &&
		    continues(b, at + h.bytes, first, &next))
			return at;
	return b->size;
}

/* Whether the file's last bytes, from AT, begin a header that is cut. */
static bool
cut_in_header(struct filebuf *b, uint64_t at, const struct header *first)
{
	unsigned char p[4] = { 0 };
	size_t n = filebuf_read(b, at, p, 3);

	return n > 0 && at + n == b->size && p[0] == 0xff && (n == 1 ||
	    (p[1] >= 0xe0 && (p[1] >> 3 & 3) == first->version &&
	    4u - (p[1] >> 1 & 3) == first->layer));
}

/* Compare the COUNT frames and the bytes up to END with the tally T. */
static int
judge(const struct tally *t, uint64_t count, uint64_t first_at, uint64_t end,
    struct err *e)
{
	bool fewer_bytes = t->bytes != 0 && end - first_at < t->bytes;

	if (!t->here || t->frames == 0 || t->frames == UINT32_MAX)
		return 0;
	/* Some writers count the frame of the tally too. */
	if (count >= t->frames || (count + 1 == t->frames && !fewer_bytes))
		return 0;
	return truncated_say(e, "the header announces %" PRIu64 " MPEG "
	    "frames, but there are %" PRIu64, t->frames, count);
}

int
mpegframe_check(struct filebuf *b, uint64_t at, struct err *e)
{
	const unsigned char *p = filebuf_peek(b, at, 4);
	uint64_t first_at = at, count = 0, end = at;
	struct header first, h;
	struct tally t;

	if (p == NULL || !parse(p, &first) || first.bytes == 0)
		return 0;
	t = tally(b, at, &first);
	while (at < b->size) {
		if (!continues(b, at, &first, &h)) {
			if (cut_in_header(b, at, &first))
				break;
			at = resume(b, at, &first);
			continue;
		}
		if (h.bytes == 0)
			return 0;
		if (h.bytes > b->size - at)
			return truncated_say(e, "the last MPEG frame is cut: "
			    "%" PRIu64 " of %" PRIu32 " bytes", b->size - at,
			    h.bytes);
		count += at != first_at || !t.here;
		at += h.bytes;
		end = at;
	}
	if (at < b->size)
		return truncated_say(e,
		    "the file ends inside of an MPEG frame's header");
	return judge(&t, count, first_at, end, e);
}
