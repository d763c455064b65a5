/*
 * pyjson: a JSON text as Python has it once it is loaded.
 *
 * LLaMA-Factory puts tools and function calls through json.loads, and then
 * through json.dumps(ensure_ascii=False) or str.format.  pyjson_load does
 * the first two at once; the other functions take what it has written.  A
 * text that Python would refuse is ERR_RECORD bad-tools.  Threads may share
 * text.
 */
#ifndef PYJSON_H
#define PYJSON_H

#include <stdbool.h>

#include "jsonscan.h"

struct buf;

/*
 * Append to OUT json.dumps(json.loads(V), ensure_ascii=False), V being the N
 * bytes at P: ", " and ": " between values; numbers as Python's int and
 * float write them; of equal keys the last value at the first one's place.
 */
int pyjson_load(const char *p, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

/* Append str() of the value V: a string bare, all else as repr has it. */
int pyjson_str(struct jsonspan v, struct buf *out, struct err *e) ERR_CHECK;

/* bool() of the value V: false for none, null, false, 0, "", [] and {}. */
bool pyjson_true(struct jsonspan v);

/* Append repr() of the float that the N bytes at P spell. */
int pyjson_float(const char *p, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

#endif
