/*
 * jsonwalk: the members of objects and the elements of arrays, in place.
 *
 * Nothing is allocated, and nothing recurses.  The text is expected to have
 * passed jsonscan_check; whatever it holds, the span is never left.
 * jsonscan.h has the rest, and includes this.
 */
#ifndef JSONWALK_H
#define JSONWALK_H

#include <stdbool.h>
#include <stddef.h>

/* A value's bytes, without the whitespace around them; P is NULL if none. */
struct jsonspan {
	const char *p;
	size_t n;
};

/*
 * Walk an array or an object:
 *	struct jsonwalk w = jsonwalk_start(v);
 *	while (jsonwalk_next(&w))
 *		... w.key (the raw string, quotes included), w.value ...
 */
struct jsonwalk {
	struct jsonspan key;	/* of an object's member; else none */
	struct jsonspan value;
	const char *p, *end;	/* where it stands: not for callers */
	bool object;
};

struct jsonwalk jsonwalk_start(struct jsonspan v);
bool jsonwalk_next(struct jsonwalk *w);

#endif
