/*
 * reject: the file of -r, and the judgement of --max-rejects.
 *
 * The file holds the records that were taken out of the stream as JSON
 * Lines, each with its error.  It is written as a shard is: a temporary
 * that becomes FILE at the end, whatever the exit status.
 */
#ifndef REJECT_H
#define REJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct reject;

/* Begin the file PATH.  NULL on failure. */
struct reject *reject_open(const char *path, struct err *e) ERR_CHECK;

/* Append the N bytes of whole lines at P. */
int reject_write(struct reject *r, const void *p, size_t n, struct err *e)
    ERR_CHECK;

/* Make the file what its name says.  Frees R, whatever happens. */
int reject_publish(struct reject *r, struct err *e) ERR_CHECK;

/* Throw it away.  R may be NULL. */
void reject_discard(struct reject *r);

/* --max-rejects: { 0 } is the default, 5 %, or 10 where that is more. */
struct reject_limit {
	bool given;
	bool percent;
	uint64_t count;
	double share;		/* in percent */
};

/* Parse N or P% to the struct reject_limit at VALUE: an option's function. */
int reject_parse_limit(void *value, const char *arg, struct err *e) ERR_CHECK;

/* ERR_REJECTS where REJECTED of RECORDS are more than L allows. */
int reject_judge(const struct reject_limit *l, uint64_t rejected,
    uint64_t records, struct err *e) ERR_CHECK;

#endif
