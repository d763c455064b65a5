#include <string.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

#include "bpe_read.h"
#include "buf.h"
#include "jsontext.h"

/*
 * The byte alphabet (GPT-2's): printable Latin-1 is itself, all else is
 * U+0100 onwards in the order of the bytes, up to U+0143.
 */

/* The byte that code point C, from 0x80 on, stands for, or -1. */
static inline int
byte_of(uint32_t c)
{
	if (c < 0x100)
		return c > 0xa0 && c != 0xad ? (int)c : -1;
	if (c < 0x121)
		return (int)(c - 0x100);		/* 0 to 0x20 */
	if (c < 0x143)
		return (int)(c - 0x121 + 0x7f);		/* 0x7f to 0xa0 */
	return c == 0x143 ? 0xad : -1;
}

/* Whether ASCII byte C stands for itself; a quote ends a string of JSON. */
static inline bool
is_itself(unsigned char c)
{
	return c - 0x21u < 0x5e;
}

int
bpe_read_fault(const struct bpe_cursor *c, struct err *e, const char *text)
{
	size_t line = 1;

	for (const char *p = c->start; p < c->p; p++)
		line += *p == '\n';
	return err_set(e, ERR_MODEL, "tokenizer.json:%zu: %s: %s", line,
	    c->where, text);
}

/* Step over whitespace from P on, before END; an indented file has much. */
static inline const char *
behind_space(const char *p, const char *end)
{
	if (p < end && *p > ' ')
		return p;
	while (p < end && jsontext_is_space(*p)) {
		p++;
#if defined(__SSE2__) && defined(__GNUC__)
		if (end - p >= 16) {
			__m128i w = _mm_loadu_si128(
			    (const __m128i *)(const void *)p);
			unsigned other = ~(unsigned)_mm_movemask_epi8(
			    _mm_cmpeq_epi8(w, _mm_set1_epi8(' ')));

			p += __builtin_ctz(other);	/* at most 16 */
		}
#endif
	}
	return p;
}

/* Take the punctuation CH at *P, with the whitespace before it. */
static inline bool
take(const char **p, const char *end, char ch)
{
	const char *q = behind_space(*p, end);

	if (q == end || *q != ch)
		return false;
	*p = q + 1;
	return true;
}

static inline void
skip_space(struct bpe_cursor *c)
{
	c->p = behind_space(c->p, c->end);
}

void
bpe_read_space(struct bpe_cursor *c)
{
	skip_space(c);
}

int
bpe_read_mark(struct bpe_cursor *c, char ch, struct err *e)
{
	char text[] = "a '?' is missing";

	if (take(&c->p, c->end, ch))
		return 0;
	skip_space(c);
	text[3] = ch;
	return bpe_read_fault(c, e, text);
}

int
bpe_read_more(struct bpe_cursor *c, char close, bool first, struct err *e)
{
	if (take(&c->p, c->end, close))
		return 0;
	if (first || take(&c->p, c->end, ','))
		return 1;
	return bpe_read_mark(c, ',', e);
}

int
bpe_read_string(struct bpe_cursor *c, struct jsonspan *text, struct err *e)
{
	const char *from, *to;

	if (bpe_read_mark(c, '"', e) < 0)
		return -1;
	from = c->p - 1;
	to = jsontext_string_end(c->p, c->end);
	if (to == c->end)
		return bpe_read_fault(c, e, "a string does not end");
	*text = (struct jsonspan){ from, (size_t)(to + 1 - from) };
	c->p = to + 1;
	return 0;
}

/* Read a string that has escapes, or characters outside of the alphabet. */
static int
read_odd_token(struct bpe_cursor *c, char *out, size_t *n, bool *raw,
    struct err *e)
{
	struct jsonspan span = { 0 };
	struct buf text = { 0 };
	struct err why = { 0 };
	int64_t bytes;
	int rc = -1;

	if (bpe_read_string(c, &span, e) < 0)
		return -1;
	if (jsonscan_check(span.p, span.n, NULL, &why) < 0) {
		if (why.kind == ERR_MEMORY)
			err_memory(e);
		else
			bpe_read_fault(c, e, why.text);
		goto out;
	}
	/* Unescaped it is shorter than it was with its quotes. */
	if (jsonscan_string(span, &text, e) < 0)
		goto out;
	bytes = bpe_read_bytes(text.p, text.n, out);
	*raw = bytes < 0;
	if (*raw)
		memcpy(out, text.p, text.n);
	*n = *raw ? text.n : (size_t)bytes;
	rc = 0;
out:
	buf_free(&text);
	return rc;
}

/*
 * Copy what stands for itself from *P on, before END, to O: how much.  Up to
 * 16 bytes more than that may be written.
 */
static inline size_t
copy_itself(const char **p, const char *end, char *o)
{
	const char *from = *p, *q = from;

#if defined(__SSE2__) && defined(__GNUC__)
	while (end - q >= 16) {
		/* Bytes from 0x80 on are negative, and so too small. */
		__m128i w = _mm_loadu_si128((const __m128i *)(const void *)q);
		__m128i odd = _mm_or_si128(
		    _mm_or_si128(_mm_cmplt_epi8(w, _mm_set1_epi8(0x21)),
		    _mm_cmpeq_epi8(w, _mm_set1_epi8(0x7f))),
		    _mm_or_si128(_mm_cmpeq_epi8(w, _mm_set1_epi8('"')),
		    _mm_cmpeq_epi8(w, _mm_set1_epi8('\\'))));
		unsigned mask = (unsigned)_mm_movemask_epi8(odd);

		_mm_storeu_si128((__m128i *)(void *)o, w);
		if (mask != 0) {
			*p = q + __builtin_ctz(mask);
			return (size_t)(*p - from);
		}
		q += 16;
		o += 16;
	}
#endif
	while (q < end && is_itself((unsigned char)*q) && *q != '"' &&
	    *q != '\\')
		*o++ = *q++;
	*p = q;
	return (size_t)(q - from);
}

#if defined(__SSE2__) && defined(__GNUC__)
/* The bits that are set in the lower 16 of X. */
static inline unsigned
count_bits(unsigned x)
{
	x -= x >> 1 & 0x5555;
	x = (x & 0x3333) + (x >> 2 & 0x3333);
	x = (x + (x >> 4)) & 0x0f0f;
	return (x + (x >> 8)) & 0x1f;
}
#endif

/* Read a token that has no escape, and whose characters are all of the
 * alphabet, from *P on: how many bytes; 0 where it is none such. */
static inline size_t
read_plain_token(const char **at, const char *end, char *out)
{
	const char *p = *at;
	char *o = out;

	if (!take(&p, end, '"'))
		return 0;
	for (;;) {
		/* Characters of two bytes: a blank is one. */
		while (end - p >= 2 && (unsigned char)*p >= 0xc2) {
			unsigned char lead = (unsigned char)*p;
			unsigned char next = (unsigned char)p[1];
			int byte = lead > 0xc5 || (next & 0xc0) != 0x80 ? -1 :
			    byte_of((lead & 0x1fu) << 6 | (next & 0x3fu));

			if (byte < 0)
				return 0;
			*o++ = (char)byte;
			p += 2;
		}
		o += copy_itself(&p, end, o);
		if (p == end)
			return 0;
		if (*p == '"')
			break;
		if ((unsigned char)*p < 0xc2 || end - p < 2)
			return 0;
	}
	if (o > out)
		*at = p + 1;
	return (size_t)(o - out);
}

int
bpe_read_token(struct bpe_cursor *c, char *out, size_t *n, bool *raw,
    struct err *e)
{
	*raw = false;
	*n = read_plain_token(&c->p, c->end, out);
	if (*n > 0)
		return 0;
	return read_odd_token(c, out, n, raw, e);
}

/* Read a whole number less than MAX from *P on. */
static inline bool
read_number(const char **at, const char *end, uint32_t max, uint32_t *number)
{
	const char *from = behind_space(*at, end), *p = from;
	uint64_t v = 0;

	while (p < end && *p >= '0' && *p <= '9' && p - from < 10)
		v = v * 10 + (uint64_t)(*p++ - '0');
	*at = from;
	if (p == from || v >= max || (*from == '0' && p - from > 1) ||
	    (p < end && (*p == '.' || *p == 'e' || *p == 'E')))
		return false;
	*number = (uint32_t)v;
	*at = p;
	return true;
}

int
bpe_read_entry(struct bpe_cursor *c, char *out, size_t *n, bool *raw,
    uint32_t max, uint32_t *id, struct err *e)
{
	if (bpe_read_token(c, out, n, raw, e) < 0 ||
	    (!take(&c->p, c->end, ':') && bpe_read_mark(c, ':', e) < 0))
		return -1;
	if (read_number(&c->p, c->end, max, id))
		return 0;
	return bpe_read_fault(c, e, "an id is not a whole number from 0 to "
	    "2097150");
}

/*
 * How far the text at P, before END, is as it is at WHOLE, which lies before
 * it: up to a quote or a backslash.  The characters of it go to *N.
 */
static inline size_t
agree(const char *p, const char *end, const char *whole, size_t *n)
{
	size_t k = 0;

	*n = 0;
#if defined(__SSE2__) && defined(__GNUC__)
	for (; end - p - (ptrdiff_t)k >= 16; k += 16) {
		__m128i w = _mm_loadu_si128(
		    (const __m128i *)(const void *)(p + k));
		__m128i v = _mm_loadu_si128(
		    (const __m128i *)(const void *)(whole + k));
		unsigned stop = (unsigned)_mm_movemask_epi8(_mm_or_si128(
		    _mm_cmpeq_epi8(w, _mm_set1_epi8('"')),
		    _mm_cmpeq_epi8(w, _mm_set1_epi8('\\')))) |
		    (~(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(w, v)) &
		    0xffff);
		/* What is in the middle of a character is below -64. */
		unsigned begins = (unsigned)_mm_movemask_epi8(_mm_cmpgt_epi8(
		    w, _mm_set1_epi8(-65)));

		if (stop != 0) {
			begins &= (stop & -stop) - 1;
			*n += count_bits(begins);
			return k + (size_t)__builtin_ctz(stop);
		}
		*n += count_bits(begins);
	}
#endif
	for (; p + k < end && p[k] == whole[k] && p[k] != '"' &&
	    p[k] != '\\'; k++)
		*n += (p[k] & 0xc0) != 0x80;
	return k;
}

bool
bpe_read_halves(struct bpe_cursor *c, const char *whole, size_t *left_n,
    size_t *right_n)
{
	const char *p = c->p, *end = c->end, *w = whole + 1;
	bool array = take(&p, end, '[');
	size_t k;

	if (!take(&p, end, '"'))
		return false;
	k = agree(p, end, w, left_n);
	p += k;
	w += k;
	if (array ? !take(&p, end, '"') || !take(&p, end, ',') ||
	    !take(&p, end, '"') : p == end || *p++ != ' ')
		return false;
	k = agree(p, end, w, right_n);
	p += k;
	if (p == end || *p != '"' || w[k] != '"' || *left_n == 0 ||
	    *right_n == 0)
		return false;
	p++;
	if (array && !take(&p, end, ']'))
		return false;
	c->p = p;
	return true;
}

int64_t
bpe_read_bytes(const char *text, size_t n, char *out)
{
	const unsigned char *p = (const unsigned char *)text;
	char *o = out;

	for (size_t i = 0; i < n; ) {
		uint32_t c = p[i++];
		int byte;

		if (c >= 0x80) {
			if (c < 0xc2 || c >= 0xe0 || i == n)
				return -1;
			c = (c & 0x1f) << 6 | (p[i++] & 0x3f);
			byte = byte_of(c);
		} else {
			byte = is_itself((unsigned char)c) ? (int)c : -1;
		}
		if (byte < 0)
			return -1;
		*o++ = (char)byte;
	}
	return o - out;
}

int
bpe_read_skip(struct bpe_cursor *c, struct jsonspan *value, struct err *e)
{
	const char *from;
	size_t depth = 0;

	skip_space(c);
	for (from = c->p; c->p < c->end; c->p++) {
		switch (*c->p) {
		case '"':
			c->p = jsontext_string_end(c->p + 1, c->end);
			if (c->p == c->end)
				return bpe_read_fault(c, e,
				    "a string does not end");
			break;
		case '{': case '[':
			depth++;
			break;
		case '}': case ']':
			if (depth-- == 0)
				goto done;
			break;
		case ',':
			if (depth == 0)
				goto done;
			break;
		default:
			break;
		}
	}
done:
	*value = jsonscan_value(from, (size_t)(c->p - from));
	return 0;
}

int
bpe_read_value(struct bpe_cursor *c, struct jsonspan *value, struct err *e)
{
	struct jsonscan_fault fault;
	struct err why = { 0 };

	if (bpe_read_skip(c, value, e) < 0)
		return -1;
	if (jsonscan_check(value->p, value->n, &fault, &why) == 0)
		return 0;
	if (why.kind == ERR_MEMORY)
		return err_memory(e);
	return bpe_read_fault(c, e, why.text);
}
