#include <stdbool.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#endif

#include "bpe_cache.h"
#include "bpe_words.h"
#include "unicode.h"

#define O UNICODE_OTHER
#define L UNICODE_LETTER
#define N UNICODE_NUMBER
#define S UNICODE_SPACE

/* The kinds of ASCII; what makes a longer character is 4. */
static const unsigned char kinds[256] = {
	O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O,
	O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	S, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
	N, N, N, N, N, N, N, N, N, N, O, O, O, O, O, O,
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
	O, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
	L, L, L, L, L, L, L, L, L, L, L, O, O, O, O, O,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
	4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4,
};

#undef O
#undef L
#undef N
#undef S

/* The kind of the character at P, and its length. */
static inline unsigned
kind_at(const unsigned char *p, size_t *len)
{
	unsigned kind = kinds[*p];

	*len = 1;
	if (kind < 4)
		return kind;
	return unicode_class(unicode_decode(p, len)) & UNICODE_KIND;
}

/* Step over ASCII letters from P on. */
static inline const unsigned char *
ascii_letters(const unsigned char *p, const unsigned char *end)
{
#if defined(__SSE2__) && defined(__GNUC__)
	const __m128i lower = _mm_set1_epi8(0x20);
	const __m128i below = _mm_set1_epi8('a' - 1);
	const __m128i above = _mm_set1_epi8('z' + 1);

	while (end - p >= 16) {
		/* Bytes from 0x80 on are negative, and so no letters. */
		__m128i w = _mm_or_si128(_mm_loadu_si128(
		    (const __m128i *)(const void *)p), lower);
		unsigned other = ~(unsigned)_mm_movemask_epi8(_mm_and_si128(
		    _mm_cmpgt_epi8(w, below), _mm_cmpgt_epi8(above, w)));

		other &= 0xffff;
		if (other != 0)
			return p + __builtin_ctz(other);
		p += 16;
	}
#endif
	while (p < end && kinds[*p] == UNICODE_LETTER)
		p++;
	return p;
}

/* Step over letters from P on. */
static inline const unsigned char *
letters(const unsigned char *p, const unsigned char *end)
{
	size_t len;

	for (;;) {
		p = ascii_letters(p, end);
		if (p == end || *p < 0x80)
			return p;
		do {
			if ((unicode_class(unicode_decode(p, &len)) &
			    UNICODE_KIND) != UNICODE_LETTER)
				return p;
			p += len;
			if (p == end)
				return p;
		} while (*p >= 0x80);
	}
}

/* Whether letter C is WANTED, in either case. */
static inline bool
is_letter(unsigned char c, char wanted)
{
	return (c | 0x20) == wanted;
}

/*
 * The end of 's, 't, 're, 've, 'm, 'll or 'd at P, where there is an
 * apostrophe; or NULL.  Case is folded as Unicode has it, and so U+017F, the
 * long s, is an s.
 */
static const unsigned char *
contraction(const unsigned char *p, const unsigned char *end)
{
	unsigned char c, d;

	if (end - p < 2)
		return NULL;
	c = p[1];
	if (is_letter(c, 's') || is_letter(c, 't') || is_letter(c, 'm') ||
	    is_letter(c, 'd'))
		return p + 2;
	if (end - p < 3)
		return NULL;
	d = p[2];
	if (((is_letter(c, 'r') || is_letter(c, 'v')) && is_letter(d, 'e')) ||
	    (is_letter(c, 'l') && is_letter(d, 'l')) ||
	    (c == 0xc5 && d == 0xbf))
		return p + 3;
	return NULL;
}

/* Step over what is no letter, number or space from P on, and then over the
 * ends of lines. */
static const unsigned char *
others(const unsigned char *p, const unsigned char *end)
{
	size_t len;

	while (p < end && kind_at(p, &len) == UNICODE_OTHER)
		p += len;
	while (p < end && (*p == '\r' || *p == '\n'))
		p++;
	return p;
}

/*
 * The end of a word that begins with a space at P: up to the last end of
 * line, if the spaces hold one; else all of them but the last, which goes to
 * what follows, if there are two and anything follows.
 */
static const unsigned char *
spaces(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *line = NULL, *last = p, *from = p;
	size_t len;

	while (p < end && kind_at(p, &len) == UNICODE_SPACE) {
		last = p;
		p += len;
		if (*last == '\r' || *last == '\n')
			line = p;
	}
	if (line != NULL)
		return line;
	return p == end || last == from ? p : last;
}

/*
 * The end of the word that begins at P, which is before END: as the regular
 * expression in bpe_check.c has it.
 */
static const unsigned char *
word_end(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *q;
	size_t len, next_len;
	unsigned kind = kind_at(p, &len), next;

	q = p + len;
	if (kind == UNICODE_LETTER)
		return letters(q, end);
	if (kind == UNICODE_NUMBER)
		return q;
	if (*p == '\'' && (q = contraction(p, end)) != NULL)
		return q;
	q = p + len;
	next = q < end ? kind_at(q, &next_len) : UNICODE_SPACE;
	if (next == UNICODE_LETTER && *p != '\r' && *p != '\n')
		return letters(q + next_len, end);
	if (kind == UNICODE_OTHER || (*p == ' ' && next == UNICODE_OTHER))
		return others(q, end);
	return spaces(p, end);
}

int
bpe_words_encode(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n, struct bpe_ids *ids, struct err *e)
{
	const unsigned char *p = (const unsigned char *)text, *end = p + n;
	int32_t *out;

	if (bpe_ids_reserve(ids, n + BPE_INLINE, e) < 0)
		return -1;
	out = ids->p + ids->n;
	while (p < end) {
		struct bpe_word word[BPE_BATCH];
		size_t k = 0, count;

		for (; k < BPE_BATCH && p < end; k++) {
			const unsigned char *next = word_end(p, end);

			word[k].p = (const char *)p;
			word[k].n = (size_t)(next - p);
			p = next;
		}
		count = bpe_cache_encode(b, c, word, k, (const char *)end,
		    out, e);
		if (count == 0)
			return -1;
		out += count;
	}
	ids->n = (size_t)(out - ids->p);
	return 0;
}
