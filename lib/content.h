/*
 * content: the records in what a data frame holds: lines of JSON, or one
 * safetensors image.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <stdbool.h>
#include <stddef.h>

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
