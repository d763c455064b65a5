/*
 * endmark: the end marker of a section, by which its writer says that it
 * finished, and what it wrote.
 */
#ifndef ENDMARK_H
#define ENDMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;

struct endmark {
	uint64_t frames;	/* of data */
	uint64_t records;
	uint64_t errors;	/* records that carry an error */
	uint64_t rejected;	/* records that -r has taken out on the way */
	bool table;		/* a seek table must follow */
	uint64_t digest;	/* XXH64, as ossicle(5) has it */
};

/* Append M as a skippable frame to OUT. */
int endmark_frame(const struct endmark *m, struct buf *out, struct err *e)
    ERR_CHECK;

/* Read the N bytes at BODY, the frame without its header. */
int endmark_parse(const char *body, size_t n, struct endmark *m,
    struct err *e) ERR_CHECK;

#endif
