/*
 * splitvalues: the elements of JSON arrays, and objects one after another.
 *
 * Boundaries are found by brackets and strings alone; whether a record is
 * JSON is for others to say.  Where these do not balance there is no telling
 * where the next record starts, and splitting ends.
 */
#ifndef SPLITVALUES_H
#define SPLITVALUES_H

#include "err.h"

struct split;

/*
 * Split what is from S's place on, the start of the text.  -1 with
 * ERR_DAMAGED where it can't go on, after all that came before was put; the
 * text begins with file:line:column.
 */
int splitvalues_run(struct split *s, struct err *e) ERR_CHECK;

#endif
