#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

int
buf_reserve(struct buf *b, size_t more, struct err *e)
{
	size_t cap = b->cap < 64 ? 64 : b->cap;
	char *p;

	if (more <= b->cap - b->n)
		return 0;
	if (more > SIZE_MAX / 2 - b->n)
		return err_memory(e);
	while (cap - b->n < more)
		cap += cap / 2;
	p = realloc(b->p, cap);
	if (p == NULL)
		return err_memory(e);
	b->p = p;
	b->cap = cap;
	return 0;
}

int
buf_put(struct buf *b, const void *p, size_t n, struct err *e)
{
	if (buf_reserve(b, n, e) < 0)
		return -1;
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	return 0;
}

int
buf_puts(struct buf *b, const char *s, struct err *e)
{
	return buf_put(b, s, strlen(s), e);
}

int
buf_putc(struct buf *b, char c, struct err *e)
{
	return buf_put(b, &c, 1, e);
}

int
buf_put_u64(struct buf *b, uint64_t v, struct err *e)
{
	char digits[20];
	size_t at = sizeof digits;

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return buf_put(b, digits + at, sizeof digits - at, e);
}

int
buf_printf(struct buf *b, struct err *e, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return err_set(e, ERR_SYSTEM, "cannot format \"%s\"", fmt);
	if (buf_reserve(b, (size_t)n + 1, e) < 0)
		return -1;
	va_start(ap, fmt);
	(void)vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
	return 0;
}

/* Append the escape of the control character, quote or backslash C. */
static int
put_escape(struct buf *b, unsigned char c, struct err *e)
{
	static const char names[] = "\"\"\\\\\bb\ff\nn\rr\tt";

	for (size_t i = 0; names[i] != '\0'; i += 2)
		if ((unsigned char)names[i] == c)
			return buf_printf(b, e, "\\%c", names[i + 1]);
	return buf_printf(b, e, "\\u%04x", c);
}

int
buf_put_json(struct buf *b, const char *s, size_t n, struct err *e)
{
	size_t from = 0, was = b->n;

	if (buf_putc(b, '"', e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		if (buf_put(b, s + from, i - from, e) < 0 ||
		    put_escape(b, c, e) < 0)
			goto undo;
		from = i + 1;
	}
	if (buf_put(b, s + from, n - from, e) < 0 || buf_putc(b, '"', e) < 0)
		goto undo;
	return 0;
undo:
	b->n = was;
	return -1;
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
}

void
buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}
