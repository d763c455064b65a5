/*
 * splitlines: a record a line; blank lines are none.
 */
#ifndef SPLITLINES_H
#define SPLITLINES_H

#include "err.h"

struct split;

/* Split what is from S's place on; a line before which a range ends is not
 * ours. */
int splitlines_run(struct split *s, struct err *e) ERR_CHECK;

#endif
