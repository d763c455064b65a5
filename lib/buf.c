#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

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

/* Write the escape of the control character, quote or backslash C to OUT,
 * which has room for 6: how much. */
static size_t
escape(char *out, unsigned char c)
{
	static const char names['\\' + 1] = {
		['"'] = '"', ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
		['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't',
	};
	static const char hex[] = "0123456789abcdef";

	out[0] = '\\';
	if (names[c] != '\0') {
		out[1] = names[c];
		return 2;
	}
	memcpy(out + 1, "u00", 3);
	out[4] = hex[c >> 4];
	out[5] = hex[c & 15];
	return 6;
}

#ifdef __SSE2__

/* Copy the 16 bytes at S to OUT; a bit for each that must be escaped. */
static inline unsigned
copy_block(char *out, const char *s)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)s);

	_mm_storeu_si128((__m128i *)(void *)out, v);
	return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(
	    _mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
	    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'))),
	    _mm_cmpeq_epi8(v, _mm_min_epu8(v, _mm_set1_epi8(0x1f)))));
}

#endif

/* Whether one of the eight bytes of W must be escaped. */
static bool
has_odd(uint64_t w)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t quote = w ^ ones * '"', slash = w ^ ones * '\\';

	return ((((w - ones * 0x20) & ~w) | ((quote - ones) & ~quote) |
	    ((slash - ones) & ~slash)) & ones * 0x80) != 0;
}

/* Copy the N bytes at S to OUT, up to one that must be escaped: how many. */
static size_t
copy_plain(char *out, const char *s, size_t n)
{
	size_t i = 0;
	uint64_t w;

#ifdef __SSE2__
	for (; n - i >= 16; i += 16) {
		unsigned odd = copy_block(out + i, s + i);

		if (odd != 0)
			return i + (size_t)__builtin_ctz(odd);
	}
#endif
	for (; n - i >= sizeof w; i += sizeof w) {
		memcpy(&w, s + i, sizeof w);
		if (has_odd(w))
			break;
		memcpy(out + i, &w, sizeof w);
	}
	for (; i < n; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == '"' ||
		    s[i] == '\\')
			break;
		out[i] = s[i];
	}
	return i;
}

int
buf_put_json(struct buf *b, const char *s, size_t n, struct err *e)
{
	size_t was = b->n, i = 0, k;

	if (n == 0)	/* S may be NULL */
		s = "";
	if (buf_putc(b, '"', e) < 0)
		return -1;
	for (;;) {
		/* What is left, an escape, and the quote. */
		if (b->cap - b->n < n - i + 7 &&
		    buf_reserve(b, n - i + 7, e) < 0) {
			b->n = was;
			return -1;
		}
		k = copy_plain(b->p + b->n, s + i, n - i);
		b->n += k;
		i += k;
		if (i == n)
			break;
		b->n += escape(b->p + b->n, (unsigned char)s[i++]);
	}
	b->p[b->n++] = '"';
	return 0;
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
