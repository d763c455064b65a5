/*
 * jsoncheck: whether a text is JSON, to the letter.
 *
 * One pass for UTF-8 and one for the grammar, without recursion; no memory
 * is taken for fewer keys than jsonkeys keeps inline.  Programs use it as
 * jsonscan_check.
 */
#ifndef JSONCHECK_H
#define JSONCHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#define JSONCHECK_DEPTH_MAX 520

/*
 * Check that the N bytes at P are one JSON value with at most whitespace
 * around it, nested at most DEPTH deep (which is at most
 * JSONCHECK_DEPTH_MAX).  PYTHON lets pass what passes Python's json.loads:
 * NaN, Infinity, -Infinity, and a key twice in an object.  On -1 either E is
 * an ERR_RECORD of bad-json, bad-utf8, duplicate-key or too-deep, *AT its
 * byte; or it is ERR_MEMORY.
 */
int jsoncheck_text(const char *p, size_t n, size_t depth, bool python,
    size_t *at, struct err *e) ERR_CHECK;

#endif
