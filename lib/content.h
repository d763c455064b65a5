/*
 * content: the records in what a data frame holds: lines of JSON, or one
 * safetensors image.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The level of compression for content that may be an IMAGE, where LEVEL was
 * asked for.  CONTENT_LEVEL_KEEP is what pays in a file that is kept: level 3
 * halves text, and takes less time than making it; of a log-mel in f32 it
 * takes a tenth, and more time than making that, so images are stored.
 */
#define CONTENT_LEVEL_KEEP (-1000000)
int content_level(int level, bool image);

/* A walk over the N bytes at P.  AT is where the next record begins. */
struct content {
	const char *p;
	size_t n;
	size_t at;
};

/* One record: a line of JSON without its newline, or an image. */
struct content_record {
	const char *p;
	size_t n;
	bool image;
};

/* The next record, to R; false where there is no more. */
bool content_next(struct content *c, struct content_record *r);

#endif
