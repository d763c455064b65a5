/*
 * provenance: what a program says of itself at the head of what it writes.
 *
 * A JSON object in a skippable frame: the program and its version, the
 * libraries' versions, the options that change the output, the inputs as
 * they were named, the SHA-256 of each model file.  No clock, host or user,
 * and names in alphabetical order: the same run gives the same bytes.
 */
#ifndef PROVENANCE_H
#define PROVENANCE_H

#include <stddef.h>

#include "err.h"

struct buf;
struct provenance;

/* The version of the format that is written, and the highest one read. */
#define PROVENANCE_FORMAT 1

struct provenance *provenance_new(const char *program, const char *version,
    struct err *e) ERR_CHECK;
void provenance_free(struct provenance *p);	/* P may be NULL */

/*
 * Add a library and its version; an option and its value, which is JSON; a
 * model file and its digest in hex.  A name given again has the last value.
 */
int provenance_library(struct provenance *p, const char *name,
    const char *version, struct err *e) ERR_CHECK;
int provenance_option(struct provenance *p, const char *name,
    const char *json, struct err *e) ERR_CHECK;
int provenance_model(struct provenance *p, const char *name,
    const char *sha256, struct err *e) ERR_CHECK;

/* Add an input, in the order given.  A byte that is no UTF-8 becomes "?". */
int provenance_input(struct provenance *p, const char *name, struct err *e)
    ERR_CHECK;

/* Append the whole as a skippable frame to OUT. */
int provenance_frame(struct provenance *p, struct buf *out, struct err *e)
    ERR_CHECK;

/*
 * Whether the N bytes at BODY, a provenance frame without its header, are
 * of a version that is known; ERR_DAMAGED where they are not.
 */
int provenance_check(const char *body, size_t n, struct err *e) ERR_CHECK;

#endif
