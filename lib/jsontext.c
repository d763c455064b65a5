#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "jsontext.h"
#include "le.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Whether a backslash and C are an escape, but \uXXXX. */
static inline bool
is_simple_escape(char c)
{
	switch (c) {
	case '"': case '\\': case '/':
	case 'b': case 'f': case 'n': case 'r': case 't':
		return true;
	default:
		return false;
	}
}

#ifdef __SSE2__

#define BLOCK 16

/* A bit for each of the 16 bytes at P that is a quote or a backslash, or a
 * control character where CONTROLS. */
static inline unsigned
stops(const char *p, bool controls)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i m = _mm_or_si128(_mm_cmpeq_epi8(v, _mm_set1_epi8('"')),
	    _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));

	if (controls)
		m = _mm_or_si128(m, _mm_cmpeq_epi8(v,
		    _mm_min_epu8(v, _mm_set1_epi8(0x1f))));
	return (unsigned)_mm_movemask_epi8(m);
}

/* A bit for each of the 16 bytes at P that is no ASCII. */
static inline unsigned
high(const char *p)
{
	return (unsigned)_mm_movemask_epi8(
	    _mm_loadu_si128((const __m128i *)(const void *)p));
}

/* The number of the lowest bit set in M, which is the first byte's. */
static inline size_t
first(unsigned m)
{
	return (size_t)__builtin_ctz(m);
}

/* Stops in the 64 bytes at P: bit I is byte I. */
static inline uint64_t
stops64(const char *p, bool controls)
{
	return (uint64_t)stops(p, controls) |
	    (uint64_t)stops(p + 16, controls) << 16 |
	    (uint64_t)stops(p + 32, controls) << 32 |
	    (uint64_t)stops(p + 48, controls) << 48;
}

/*
 * The quote that closes the string inside of which *P is, if it is in one of
 * the next blocks of 64 bytes before END; else NULL, and *P is where to look
 * further.  Escapes are some bytes apart: they cost a bit of a block each,
 * not a block.
 */
static inline const char *
string_end_in_blocks(const char **p, const char *end)
{
	const char *q = *p;

	while (end - q >= 64) {
		uint64_t m = stops64(q, false);
		size_t step = 64;

		while (m != 0) {
			size_t at = (size_t)__builtin_ctzll(m);

			if (q[at] == '"')
				return q + at;
			/* A backslash, and the byte behind it. */
			m &= m - 1;
			m &= ~(UINT64_C(2) << at);
			step = at == 63 ? 65 : 64;
		}
		if ((size_t)(end - q) < step)
			break;
		q += step;
	}
	*p = q;
	return NULL;
}

/* As jsontext_simple, but NULL where it is not in one of the next blocks of
 * 64 bytes, and *P is where to look further. */
static inline const char *
simple_in_blocks(const char **p, const char *end, bool *escaped)
{
	const char *q = *p;

	while (end - q > 64) {
		uint64_t m = stops64(q, true);
		size_t step = 64;

		while (m != 0) {
			size_t at = (size_t)__builtin_ctzll(m);

			if (q[at] != '\\' || !is_simple_escape(q[at + 1]))
				return q + at;
			*escaped = true;
			m &= m - 1;
			m &= ~(UINT64_C(2) << at);
			step = at == 63 ? 65 : 64;
		}
		q += step;
	}
	*p = q;
	return NULL;
}

#else

#define BLOCK 8
#define EACH(c) (UINT64_C(0x0101010101010101) * (c))

static inline uint64_t
load(const char *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof w);
	return w;
}

/*
 * Not 0 where one of the 8 bytes at P is a quote, a backslash, or a control
 * character where CONTROLS.  (x - 1) & ~x has the top bit of each byte of x
 * that is 0; a borrow can set the bit of a byte above one, never alone.
 */
static inline uint64_t
stops(const char *p, bool controls)
{
	uint64_t w = load(p), q = w ^ EACH('"'), b = w ^ EACH('\\');
	uint64_t m = ((q - EACH(1)) & ~q) | ((b - EACH(1)) & ~b);

	if (controls)
		m |= (w - EACH(0x20)) & ~w;
	return m & EACH(0x80);
}

static inline uint64_t
high(const char *p)
{
	return load(p) & EACH(0x80);
}

/* There is no quicker way than by blocks of 8. */
static inline const char *
string_end_in_blocks(const char **p, const char *end)
{
	(void)p;
	(void)end;
	return NULL;
}

static inline const char *
simple_in_blocks(const char **p, const char *end, bool *escaped)
{
	(void)p;
	(void)end;
	(void)escaped;
	return NULL;
}

/* The byte that set a bit is looked for from the block's start. */
static inline size_t
first(uint64_t m)
{
	(void)m;
	return 0;
}

#endif

/* Whether C ends a run of plain bytes. */
static inline bool
is_stop(char c, bool controls)
{
	return c == '"' || c == '\\' || (controls && (unsigned char)c < 0x20);
}

/* The first stop from P on, before END. */
static inline const char *
find_stop(const char *p, const char *end, bool controls)
{
	while (end - p >= BLOCK) {
		if (stops(p, controls) != 0) {
			p += first(stops(p, controls));
			break;
		}
		p += BLOCK;
	}
	while (p < end && !is_stop(*p, controls))
		p++;
	return p;
}

const char *
jsontext_plain(const char *p, const char *end)
{
	return find_stop(p, end, true);
}

const char *
jsontext_simple(const char *p, const char *end, bool *escaped)
{
	const char *q = simple_in_blocks(&p, end, escaped);

	if (q != NULL)
		return q;
	for (;;) {
		p = find_stop(p, end, true);
		if (end - p < 2 || *p != '\\' || !is_simple_escape(p[1]))
			return p;
		*escaped = true;
		p += 2;
	}
}

const char *
jsontext_quote(const char *p, const char *end)
{
	return find_stop(p, end, false);
}

size_t
jsontext_copy(char *out, const char *p, const char *end)
{
	const size_t n = (size_t)(end - p);
	size_t i = 0;

	while (n - i >= BLOCK) {
		memcpy(out + i, p + i, BLOCK);
		if (stops(p + i, false) != 0) {
			i += first(stops(p + i, false));
			break;
		}
		i += BLOCK;
	}
	for (; i < n && !is_stop(p[i], false); i++)
		out[i] = p[i];
	return i;
}

const char *
jsontext_string_end(const char *p, const char *end)
{
	const char *q = string_end_in_blocks(&p, end);

	if (q != NULL)
		return q;
	for (;;) {
		p = find_stop(p, end, false);
		if (p == end || *p == '"')
			return p;
		if (end - p < 2)
			return end;
		p += 2;
	}
}

/* Whether C continues a UTF-8 sequence. */
static inline bool
follows(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

/*
 * How many of the N bytes at S are whole characters of three bytes, from the
 * first on, with a byte to spare behind each (most scripts of Asia).  Four
 * bytes are tested at once: 1110xxxx 10xxxxxx 10xxxxxx, of which E0 with 100
 * is overlong and ED with 101 a surrogate.
 */
static inline size_t
threes(const unsigned char *s, size_t n)
{
	size_t i = 0;

	while (n - i >= 4) {
		uint32_t w = le_get32(s + i);

		if ((w & 0xc0c0f0) != 0x8080e0 || (w & 0x20ff) == 0x00e0 ||
		    (w & 0x20ff) == 0x20ed)
			break;
		i += 3;
	}
	return i;
}

/* The length of the sequence of two bytes or more at S, LEFT bytes before
 * the end; 0 where it is none. */
static inline size_t
sequence(const unsigned char *s, size_t left)
{
	if ((s[0] & 0xf0) == 0xe0)
		return left >= 3 && follows(s[1]) && follows(s[2]) &&
		    (s[0] != 0xe0 || s[1] >= 0xa0) &&
		    (s[0] != 0xed || s[1] < 0xa0) ? 3 : 0;
	if (s[0] < 0xe0)
		return left >= 2 && s[0] >= 0xc2 && follows(s[1]) ? 2 : 0;
	return left >= 4 && s[0] <= 0xf4 && follows(s[1]) && follows(s[2]) &&
	    follows(s[3]) && (s[0] != 0xf0 || s[1] >= 0x90) &&
	    (s[0] != 0xf4 || s[1] < 0x90) ? 4 : 0;
}

size_t
jsontext_utf8(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t i = 0;

	while (i < n) {
		if (n - i >= BLOCK) {
			if (high(p + i) == 0) {
				i += BLOCK;
				continue;
			}
			i += first(high(p + i));
		}
		/* Words of one script stand together: stay here for them. */
		while (i < n && s[i] >= 0x80) {
			size_t len = threes(s + i, n - i);

			if (len == 0)
				len = sequence(s + i, n - i);
			if (len == 0)
				return i;
			i += len;
		}
		if (i < n)
			i++;
	}
	return n;
}

int
jsontext_unit(const char *p, const char *end)
{
	int v = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int c = (unsigned char)p[i], lower = c | 0x20;

		if (c >= '0' && c <= '9')
			v = v * 16 + (c - '0');
		else if (lower >= 'a' && lower <= 'f')
			v = v * 16 + (lower - 'a' + 10);
		else
			return -1;
	}
	return v;
}

/* Write the character C as UTF-8. */
static size_t
encode(uint32_t c, char out[4])
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Decode \uXXXX at *P, which may be the first half of a pair. */
static size_t
decode_u(const char **p, const char *end, char out[4])
{
	int v = jsontext_unit(*p, end), low = -1;

	if (v < 0) {
		*p += 2;
		return encode(0xfffd, out);
	}
	*p += 6;
	if (v < 0xd800 || v > 0xdfff)
		return encode((uint32_t)v, out);
	if (v < 0xdc00)
		low = jsontext_unit(*p, end);
	if (low < 0xdc00 || low > 0xdfff)
		return encode(0xfffd, out);
	*p += 6;
	return encode(0x10000u + ((uint32_t)v - 0xd800u) * 0x400u +
	    ((uint32_t)low - 0xdc00u), out);
}

size_t
jsontext_decode(const char **p, const char *end, char out[4])
{
	static const char means[256] = {
		['"'] = '"', ['\\'] = '\\', ['/'] = '/', ['b'] = '\b',
		['f'] = '\f', ['n'] = '\n', ['r'] = '\r', ['t'] = '\t',
	};
	char c;

	if (**p != '\\' || end - *p < 2) {
		out[0] = *(*p)++;
		return 1;
	}
	if ((*p)[1] == 'u')
		return decode_u(p, end, out);
	c = means[(unsigned char)(*p)[1]];
	*p += 2;
	if (c == '\0')
		return encode(0xfffd, out);
	out[0] = c;
	return 1;
}
