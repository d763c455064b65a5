/*
 * buf: bytes that grow.
 *
 * { 0 } is an empty buf; buf_free makes it so again.  P may move with every
 * append; N bytes of it are used.  -1 with ERR_MEMORY where there is no
 * memory, and the buf is as it was.  buf_clear keeps the memory.
 */
#ifndef BUF_H
#define BUF_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf {
	char *p;
	size_t n;
	size_t cap;
};

/* Make room for MORE bytes beyond N. */
int buf_reserve(struct buf *b, size_t more, struct err *e) ERR_CHECK;

/* Append N bytes at P; a string; one byte; V in decimal digits; what the
 * format gives. */
int buf_put(struct buf *b, const void *p, size_t n, struct err *e) ERR_CHECK;
int buf_puts(struct buf *b, const char *s, struct err *e) ERR_CHECK;
int buf_putc(struct buf *b, char c, struct err *e) ERR_CHECK;
int buf_put_u64(struct buf *b, uint64_t v, struct err *e) ERR_CHECK;
int buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
    ERR_PRINTF(3, 4) ERR_CHECK;

/*
 * Append the N bytes of UTF-8 at S as a JSON string, quotes included: ", \
 * and control characters escaped as Python's json.dumps(ensure_ascii=False)
 * has them, all else as it is.
 */
int buf_put_json(struct buf *b, const char *s, size_t n, struct err *e)
    ERR_CHECK;

/* Forget the bytes, keep the memory. */
void buf_clear(struct buf *b);

/* Give the memory back. */
void buf_free(struct buf *b);

#endif
