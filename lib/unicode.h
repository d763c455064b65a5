/*
 * unicode: what Hugging Face tokenizers 0.22.2 takes a code point for, and
 * its NFC.
 *
 * Its regular expressions know Unicode 16, its normalizer Unicode 9; both
 * tables were made by asking it.  Text is UTF-8; a code point is at most
 * 0x10ffff.  Threads may call all of this at once.
 */
#ifndef UNICODE_H
#define UNICODE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;

/* The kinds of code points: \p{L}, \p{N}, \s, and all else. */
enum unicode_kind {
	UNICODE_OTHER, UNICODE_LETTER, UNICODE_NUMBER, UNICODE_SPACE
};

#define UNICODE_KIND 3u		/* the kind in unicode_class */
#define UNICODE_HEEDED 4u	/* NFC may change it, or what is before it */

#define UNICODE_BLOCKS_TOP 0x32400
extern const unsigned char unicode_index[];
extern const char unicode_blocks[][257];

/* The kind of code point C, and UNICODE_HEEDED if so. */
static inline unsigned
unicode_class(uint32_t c)
{
	if (c >= UNICODE_BLOCKS_TOP)
		return UNICODE_OTHER;
	return (unsigned)unicode_blocks[unicode_index[c >> 8]][c & 255] & 7u;
}

/*
 * The code point that the UTF-8 at P begins with, and at *LEN how many bytes
 * it takes.  P must have been through unicode_scan.
 */
static inline uint32_t
unicode_decode(const unsigned char *p, size_t *len)
{
	if (p[0] < 0x80) {
		*len = 1;
		return p[0];
	}
	if (p[0] < 0xe0) {
		*len = 2;
		return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
	}
	if (p[0] < 0xf0) {
		*len = 3;
		return (uint32_t)(p[0] & 0x0f) << 12 |
		    (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
	}
	*len = 4;
	return (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
	    (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
}

/* Write code point C as UTF-8 to P; how many bytes, at most 4. */
size_t unicode_encode(unsigned char *p, uint32_t c);

/* What unicode_scan stopped at. */
enum unicode_stop {
	UNICODE_END,	/* nothing: all N bytes are UTF-8 and NFC as they are */
	UNICODE_HEED,	/* a code point of class UNICODE_HEEDED */
	UNICODE_BAD	/* bytes that are not UTF-8 (RFC 3629) */
};

/* Go through the N bytes at P until there is something to stop at, *AT. */
enum unicode_stop unicode_scan(const unsigned char *p, size_t n, size_t *at);

/*
 * Append to OUT the NFC of the N bytes at P; ERR_RECORD, bad-utf8, where they
 * are not UTF-8.  WORK is scratch, whose memory is kept from call to call.
 */
int unicode_nfc(const unsigned char *p, size_t n, struct buf *out,
    struct buf *work, struct err *e) ERR_CHECK;

#endif
