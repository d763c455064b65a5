/*
 * intake: what was found in a file becomes a record.
 *
 * A piece that is strict JSON, an object, becomes {"at","data"}; any other a
 * record with an error and, where it is no JSON, its text in raw
 * (raw_base64 where that is not UTF-8).  A line of a rejects file, whose
 * first key is `at' with file and offset and that has an `error', becomes
 * the record that it is: error, notes and audio go, and what was never
 * parsed is parsed again; where that is a reject itself, which was broken
 * while it was mended, it becomes the record that this one is.  An intake
 * serves one thread.
 */
#ifndef INTAKE_H
#define INTAKE_H

#include <stdbool.h>

#include "err.h"

struct piece;
struct record;
struct intake;

/* For the program STAGE, whose name errors bear.  NULL on failure. */
struct intake *intake_new(const char *stage, struct err *e) ERR_CHECK;
void intake_free(struct intake *in);	/* IN may be NULL */

/* Make R the record of PIECE of the file NAME; of a path, where PATHS.  A
 * fault of the record is in R. */
int intake_record(struct intake *in, const char *name,
    const struct piece *piece, bool paths, struct record *r, struct err *e)
    ERR_CHECK;

#endif
