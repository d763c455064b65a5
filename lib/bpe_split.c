#include <stdbool.h>
#include <stdint.h>

#if defined(__SSE2__) && defined(__GNUC__)
#include <emmintrin.h>
#define HAS_BLOCKS
#endif

#include "bpe_split.h"
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
#ifdef HAS_BLOCKS
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

#ifdef HAS_BLOCKS

/* As many bytes as one number has bits: a block. */
#define BLOCK 64

/* Which bytes of a block are what: bit I is byte I. */
struct kinds {
	uint64_t letter, number, space, line_end, blank, quote, foreign;
};

/* Bits of sixteen bytes, from byte AT on. */
static inline uint64_t
bits(__m128i v, int at)
{
	return (uint64_t)(unsigned)_mm_movemask_epi8(v) << at;
}

static inline __m128i
equal(__m128i v, char c)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

/* The bytes from LOW to HIGH, which are ASCII; others are negative. */
static inline __m128i
between(__m128i v, char low, char high)
{
	return _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8((char)(low - 1))),
	    _mm_cmpgt_epi8(_mm_set1_epi8((char)(high + 1)), v));
}

/* Tell the bytes of the block at P apart. */
static inline struct kinds
look_at(const unsigned char *p)
{
	struct kinds k = { 0 };

	for (int at = 0; at < BLOCK; at += 16) {
		const __m128i v = _mm_loadu_si128(
		    (const __m128i *)(const void *)(p + at));
		const __m128i blank = equal(v, ' ');
		const __m128i lower = _mm_or_si128(v, _mm_set1_epi8(0x20));

		k.letter |= bits(between(lower, 'a', 'z'), at);
		k.number |= bits(between(v, '0', '9'), at);
		k.space |= bits(_mm_or_si128(blank, between(v, 9, 13)), at);
		k.line_end |= bits(_mm_or_si128(equal(v, '\n'),
		    equal(v, '\r')), at);
		k.blank |= bits(blank, at);
		k.quote |= bits(equal(v, '\''), at);
		k.foreign |= bits(v, at);
	}
	return k;
}

/* The highest bit of V alone. */
static inline uint64_t
last_bit(uint64_t v)
{
	return v == 0 ? 0 : UINT64_C(1) << (63 - __builtin_clzll(v));
}

/* Add to STARTS where words go on after a contraction, of the apostrophes
 * QUOTE of the N bytes at P. */
static inline uint64_t
after_contractions(const unsigned char *p, size_t n, uint64_t quote,
    uint64_t starts)
{
	for (; quote != 0; quote &= quote - 1) {
		const unsigned char *q = contraction(
		    p + __builtin_ctzll(quote), p + n);

		if (q != NULL && q < p + BLOCK)
			starts |= UINT64_C(1) << (q - p);
	}
	return starts;
}

/*
 * Where words begin in the block at P, where one does: bit I is byte I.  What
 * word_end decides for one word is worked out for all of them, without a
 * branch that nobody can foresee.  Words between two bits are whole; what the
 * last bit begins is not looked at any further, nor is what comes from the
 * first byte on that is not ASCII.
 */
static uint64_t
block_starts(const unsigned char *p)
{
	const struct kinds k = look_at(p);
	const size_t n = k.foreign == 0 ? BLOCK :
	    (size_t)__builtin_ctzll(k.foreign);
	const uint64_t all = n == BLOCK ? ~UINT64_C(0) :
	    (UINT64_C(1) << n) - 1;
	const uint64_t letter = k.letter & all, number = k.number & all;
	const uint64_t other = all & ~(k.letter | k.number | k.space);
	const uint64_t line_end = k.line_end & all;

	/* Of a run of others the first; it may go with the blank before. */
	const uint64_t others = other & ~(other << 1);
	const uint64_t alone = others & ~(k.blank << 1);
	/* Ends of lines right after others are theirs. */
	const uint64_t theirs = line_end &
	    ((line_end + (line_end & other << 1)) ^ line_end);
	const uint64_t space = k.space & all & ~theirs;
	/* Runs of spaces that are no ends of lines: what follows each. */
	const uint64_t gap = space & ~line_end;
	const uint64_t gaps = gap & ~(gap << 1);
	const uint64_t behind = (gap + gaps) & ~gap & all;
	uint64_t starts = 1 | number | number << 1 | alone |
	    (space & ~(space << 1)) | gaps |
	    (line_end << 1 & ~k.space);

	/* The last of a gap goes with letters, and a blank with others. */
	starts |= (behind & ~line_end) >> 1;
	/* Letters: after others, unless that is one which goes with them. */
	starts |= letter & ~(letter << 1) & other << 1 & ~(alone << 1);
	/* A gap before an end of line goes with that; and so it begins no word
	 * behind another.  One that is cut may be such a gap. */
	for (uint64_t at = behind & line_end; at != 0; at &= at - 1)
		starts &= ~(last_bit(gaps & ((at & -at) - 1)) & space << 1);
	starts &= ~(last_bit(gaps) & space << 1 & -(gap >> (n - 1) & 1));
	return after_contractions(p, n, k.quote & alone & letter >> 1,
	    starts & all);
}

#endif

/* Append a word of N bytes at P to the K at WORD. */
static inline size_t
put_word(struct bpe_word *word, size_t k, const unsigned char *p, size_t n)
{
	word[k].p = (const char *)p;
	word[k].n = n;
	return k + 1;
}

size_t
bpe_split(const char *text, const char *text_end, struct bpe_word *word,
    size_t max)
{
	const unsigned char *p = (const unsigned char *)text;
	const unsigned char *end = (const unsigned char *)text_end, *next;
	size_t k = 0;

	while (k < max && p < end) {
#ifdef HAS_BLOCKS
		if (end - p >= BLOCK && *p < 0x80) {
			uint64_t starts = block_starts(p) & ~UINT64_C(1);
			const unsigned char *from = p;

			for (; starts != 0 && k < max; starts &= starts - 1) {
				next = from + __builtin_ctzll(starts);
				k = put_word(word, k, p, (size_t)(next - p));
				p = next;
			}
			if (p > from)
				continue;
		}
#endif
		next = word_end(p, end);
		k = put_word(word, k, p, (size_t)(next - p));
		p = next;
	}
	return k;
}
