#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "filebuf.h"
#include "flacframe.h"
#include "truncated.h"

#define LAST ((size_t)64 << 10)	/* how far from the end frames are sought */
#define TAG 128			/* bytes of an ID3v1 tag */

/* The CRC of N bytes at P: BITS wide, polynomial POLY, highest bit first. */
static unsigned
crc(const unsigned char *p, size_t n, unsigned bits, unsigned poly)
{
	unsigned v = 0, top = 1u << (bits - 1), mask = (top << 1) - 1;

	for (size_t i = 0; i < n; i++) {
		v ^= (unsigned)p[i] << (bits - 8);
		for (unsigned k = 0; k < 8; k++)
			v = (v & top ? v << 1 ^ poly : v << 1) & mask;
	}
	return v;
}

/* Whether the N bytes at P begin with the header of a frame. */
static bool
is_header(const unsigned char *p, size_t n)
{
	static const unsigned char rate_bytes[16] = { [12] = 1, 2, 2 };
	size_t size = 5, number = 1;
	unsigned block;

	if (n < 16 || p[0] != 0xff || (p[1] & 0xfe) != 0xf8)
		return false;
	block = p[2] >> 4;
	if (block == 0 || (p[2] & 15) == 15 || p[3] >> 4 > 10 ||
	    (p[3] & 1) != 0)
		return false;
	/* The frame's number, as UTF-8 would be if it went up to 36 bits. */
	for (unsigned lead = p[4]; (lead & 0xc0) == 0xc0; lead = lead << 1 &
	    0xff)
		number++;
	size += number - 1 + (block == 6) + (block == 7 ? 2 : 0) +
	    rate_bytes[p[2] & 15];
	return number <= 7 && size < n && crc(p, size, 8, 0x07) == p[size];
}

int
flacframe_check(struct filebuf *b, uint64_t at, struct err *e)
{
	uint64_t end = b->size, left;
	unsigned char *p;
	const unsigned char *tag;
	bool found = false, whole = false;
	size_t n;

	if (end - at > TAG && (tag = filebuf_peek(b, end - TAG, 3)) != NULL &&
	    memcmp(tag, "TAG", 3) == 0)
		end -= TAG;
	left = end - at;
	n = left < LAST ? (size_t)left : LAST;
	p = malloc(n + 1);
	if (p == NULL)
		return err_memory(e);
	n = filebuf_read(b, end - n, p, n);
	for (size_t i = n; i-- > 0 && !whole;)
		if (is_header(p + i, n - i)) {
			found = true;
			whole = crc(p + i, n - i, 16, 0x8005) == 0;
		}
	free(p);
	if (found && !whole)
		return truncated_say(e, "the last FLAC frame is cut");
	return 0;
}
