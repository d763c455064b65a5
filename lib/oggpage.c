#include <inttypes.h>
#include <string.h>

#include "filebuf.h"
#include "le.h"
#include "oggpage.h"
#include "truncated.h"

#define HEADER 27	/* bytes of a page before its table of segments */
#define OPEN_MAX 32	/* streams watched at once; files have one or two */

enum { FIRST = 0x02, LAST = 0x04 };	/* flags of a page */

/* The streams that have begun and not ended. */
struct streams {
	uint32_t serial[OPEN_MAX];
	unsigned n;
};

/* Keep account of the page of FLAGS of stream SERIAL. */
static void
note(struct streams *s, unsigned flags, uint32_t serial)
{
	unsigned i = 0;

	while (i < s->n && s->serial[i] != serial)
		i++;
	if ((flags & FIRST) != 0 && i == s->n && s->n < OPEN_MAX)
		s->serial[s->n++] = serial;
	if ((flags & LAST) != 0 && i < s->n)
		s->serial[i] = s->serial[--s->n];
}

/* Where the next page begins, from AT on; the file's size if none does. */
static uint64_t
find(struct filebuf *b, uint64_t at)
{
	const unsigned char *p;

	for (; (p = filebuf_peek(b, at, 4)) != NULL; at++)
		if (memcmp(p, "OggS", 4) == 0)
			return at;
	return b->size;
}

int
oggpage_check(struct filebuf *b, uint64_t at, struct err *e)
{
	struct streams open = { .n = 0 };

	while (at < b->size) {
		size_t left = b->size - at < 4 ? (size_t)(b->size - at) : 4;
		const unsigned char *p = filebuf_peek(b, at, left);
		uint64_t bytes;

		if (p == NULL)
			break;
		if (memcmp(p, "OggS", left) != 0) {
			at = find(b, at + 1);
			continue;
		}
		p = filebuf_peek(b, at, HEADER);
		if (p != NULL)
			p = filebuf_peek(b, at, HEADER + (size_t)p[26]);
		if (p == NULL)
			return truncated_say(e, "the last Ogg page is cut");
		bytes = HEADER + (uint64_t)p[26];
		for (unsigned i = 0; i < p[26]; i++)
			bytes += p[HEADER + i];
		if (bytes > b->size - at)
			return truncated_say(e, "the last Ogg page is cut");
		note(&open, p[5], le_get32(p + 14));
		at += bytes;
	}
	if (open.n > 0)
		return truncated_say(e, "the Ogg stream has no last page");
	return 0;
}
