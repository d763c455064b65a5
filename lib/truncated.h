/*
 * truncated: how it is said that a sound file was cut, and what all walkers
 * of containers need to find out.
 *
 * What says so is ERR_RECORD audio-truncated; these functions return -1.
 */
#ifndef TRUNCATED_H
#define TRUNCATED_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

/* As FMT has it. */
int truncated_say(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* The file holds LEFT of the ANNOUNCED bytes of audio. */
int truncated_short_of(uint64_t announced, uint64_t left, struct err *e);

/* The file ends before its audio begins. */
int truncated_header(struct err *e);

/*
 * Whether SIZE, a field of N bytes, is what is written where the writer
 * cannot go back to say how much it wrote.
 */
bool truncated_unknown(uint64_t size, unsigned n);

#endif
