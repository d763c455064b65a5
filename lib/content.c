#include <string.h>

#include "content.h"
#include "safetensors.h"

#define IMAGE_LARGE (64u << 10)	/* features fill it, not ids */

int
content_level(int level, bool image, uint64_t n)
{
	if (level != CONTENT_LEVEL_KEEP)
		return level;
	if (!image)
		return 3;
	return n > IMAGE_LARGE ? 0 : 1;
}

bool
content_next(struct content *c, struct content_record *r)
{
	const char *newline;

	if (c->at >= c->n)
		return false;
	r->p = c->p + c->at;
	r->n = c->n - c->at;
	r->image = c->at == 0 && safetensors_is(c->p, c->n);
	if (r->image) {
		c->at = c->n;
		return true;
	}
	newline = memchr(r->p, '\n', r->n);
	if (newline != NULL)
		r->n = (size_t)(newline - r->p);
	c->at += r->n + 1;
	return true;
}
