/*
 * tools: LLaMA-Factory's default tool format.
 *
 * Tools and function calls are text that holds JSON; what comes out is the
 * text that the model sees, to the byte what DefaultToolUtils and
 * FunctionFormatter make of it.  Where these would raise, ERR_RECORD
 * bad-tools says why, and OUT is as it was.  Threads may share text.
 */
#ifndef TOOLS_H
#define TOOLS_H

#include <stddef.h>

#include "err.h"

struct buf;

/*
 * Append to OUT what follows the system text where TOOLS, N bytes of JSON at
 * P, are at hand; nothing where they are an empty array.
 */
int tools_describe(const char *p, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

/*
 * Append to OUT the turn that a function turn's content, N bytes at P,
 * becomes: "Action: NAME\nAction Input: ARGUMENTS" for each call.  What
 * stands between <think> and </think>, or around <tool_call> and
 * </tool_call>, is kept before it.
 */
int tools_call(const char *p, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

#endif
