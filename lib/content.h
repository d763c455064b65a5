/*
 * content: the records in what a data frame holds: lines of JSON, or one
 * safetensors image.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The level of compression for N bytes of content, an IMAGE perhaps, where
 * LEVEL was asked for.  CONTENT_LEVEL_KEEP is what pays in a file that is
 * kept: level 3 for lines; for images 1, which does as well with token ids,
 * each image being compressed alone.  Of a log-mel in f32 it takes a tenth, in
 * more time than it took to make, so images of more than 64 KiB are stored.
 */
#define CONTENT_LEVEL_KEEP (-1000000)
int content_level(int level, bool image, uint64_t n);

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
