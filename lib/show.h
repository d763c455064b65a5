/*
 * show: records as lines of text, gathered and written to a descriptor.
 */
#ifndef SHOW_H
#define SHOW_H

#include <stdint.h>

#include "buf.h"

struct bpe;
struct stream_lengths;
struct view;

/* { .fd = FD } is ready; FD stays the caller's. */
struct show {
	int fd;
	const struct bpe *bpe;	/* for show_text */
	struct buf out;		/* gathered */
};

/* A line for the record NUMBER in V: its JSON; what its tokens say.  SELF
 * is a struct show (pick.h calls these). */
int show_json(void *self, uint64_t number, struct view *v, struct err *e)
    ERR_CHECK;
int show_text(void *self, uint64_t number, struct view *v, struct err *e)
    ERR_CHECK;

/* Its number and lengths, in columns that tabs separate. */
int show_lengths(void *self, uint64_t number,
    const struct stream_lengths *row, struct err *e) ERR_CHECK;

/* Write what is gathered. */
int show_flush(struct show *s, struct err *e) ERR_CHECK;

/* Give the memory back. */
void show_free(struct show *s);

#endif
