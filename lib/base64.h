/*
 * base64: bytes as text, and back (RFC 4648, section 4, with padding).
 */
#ifndef BASE64_H
#define BASE64_H

#include <stddef.h>

#include "err.h"

struct buf;

/* Append the N bytes at P to OUT, as base64. */
int base64_encode(const void *p, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

/*
 * Append the bytes that the N characters at S stand for to OUT.  What is no
 * base64 is an ERR_RECORD of wrong-type.
 */
int base64_decode(const char *s, size_t n, struct buf *out, struct err *e)
    ERR_CHECK;

#endif
