#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "unicode.h"
#include "unicode_class.h"
#include "unicode_nfc.h"

/* Hangul syllables are composed by arithmetic (Unicode, 3.12). */
#define L_BASE 0x1100u
#define V_BASE 0x1161u
#define T_BASE 0x11a7u
#define S_BASE 0xac00u
#define L_N 19u
#define V_N 21u
#define T_N 28u
#define S_N (L_N * V_N * T_N)

#define N_OF(array) (sizeof(array) / sizeof *(array))

_Static_assert(UNICODE_TOP == UNICODE_BLOCKS_TOP, "unicode.h has the top");

/* A code point of a piece under work and its combining class, as one word
 * that sorts by class: steps of decomposition never exceed 21 bits. */
#define CCC(word) ((word) >> 24)
#define POINT(word) ((word) & 0xffffffu)

static uint32_t
first_of(uint64_t step)
{
	return (uint32_t)(step >> 21) & 0x1fffff;
}

static uint32_t
second_of(uint64_t step)
{
	return (uint32_t)step & 0x1fffff;
}

/* The step of decomposition of C, or 0. */
static uint64_t
find_step(uint32_t c)
{
	size_t lo = 0, hi = N_OF(steps);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint32_t at = (uint32_t)(steps[mid] >> 42);

		if (at == c)
			return steps[mid];
		if (at < c)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

/* The combining class of C; 0 for a starter. */
static uint32_t
combining_class(uint32_t c)
{
	size_t lo = 0, hi = N_OF(marks);

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (c < marks[mid].from)
			hi = mid;
		else if (c > marks[mid].to)
			lo = mid + 1;
		else
			return marks[mid].ccc;
	}
	return 0;
}

/* What A and B compose to, or 0. */
static uint32_t
compose(uint32_t a, uint32_t b)
{
	const uint64_t want = (uint64_t)a << 21 | b;
	size_t lo = 0, hi = N_OF(composed);

	if (a - L_BASE < L_N && b - V_BASE < V_N)
		return S_BASE + ((a - L_BASE) * V_N + (b - V_BASE)) * T_N;
	if (a - S_BASE < S_N && (a - S_BASE) % T_N == 0 &&
	    b - T_BASE - 1 < T_N - 1)
		return a + (b - T_BASE);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		uint64_t at = steps[composed[mid]] & (((uint64_t)1 << 42) - 1);

		if (at == want)
			return (uint32_t)(steps[composed[mid]] >> 42);
		if (at < want)
			lo = mid + 1;
		else
			hi = mid;
	}
	return 0;
}

size_t
unicode_encode(unsigned char *p, uint32_t c)
{
	if (c < 0x80) {
		p[0] = (unsigned char)c;
		return 1;
	}
	if (c < 0x800) {
		p[0] = (unsigned char)(0xc0 | c >> 6);
		p[1] = (unsigned char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		p[0] = (unsigned char)(0xe0 | c >> 12);
		p[1] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
		p[2] = (unsigned char)(0x80 | (c & 0x3f));
		return 3;
	}
	p[0] = (unsigned char)(0xf0 | c >> 18);
	p[1] = (unsigned char)(0x80 | (c >> 12 & 0x3f));
	p[2] = (unsigned char)(0x80 | (c >> 6 & 0x3f));
	p[3] = (unsigned char)(0x80 | (c & 0x3f));
	return 4;
}

/*
 * The length of the sequence of more than one byte that begins the N bytes
 * at P, and its code point; 0 where it is not one of RFC 3629.
 */
static size_t
sequence(const unsigned char *p, size_t n, uint32_t *c)
{
	if (p[0] < 0xe0) {
		if (p[0] < 0xc2 || n < 2 || (p[1] & 0xc0) != 0x80)
			return 0;
		*c = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
		return 2;
	}
	if (p[0] < 0xf0) {
		if (n < 3 || (p[1] & 0xc0) != 0x80 || (p[2] & 0xc0) != 0x80)
			return 0;
		*c = (uint32_t)(p[0] & 0x0f) << 12 |
		    (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
		return *c < 0x800 || (*c >> 11) == 0x1b ? 0 : 3;
	}
	if (n < 4 || p[0] > 0xf4 || (p[1] & 0xc0) != 0x80 ||
	    (p[2] & 0xc0) != 0x80 || (p[3] & 0xc0) != 0x80)
		return 0;
	*c = (uint32_t)(p[0] & 0x07) << 18 | (uint32_t)(p[1] & 0x3f) << 12 |
	    (uint32_t)(p[2] & 0x3f) << 6 | (p[3] & 0x3f);
	return *c < 0x10000 || *c > 0x10ffff ? 0 : 4;
}

enum unicode_stop
unicode_scan(const unsigned char *p, size_t n, size_t *at)
{
	size_t i = 0;

	for (;;) {
		uint32_t c = 0;
		uint64_t eight;
		size_t len;

		while (n - i >= 8) {
			memcpy(&eight, p + i, 8);
			if (eight & 0x8080808080808080u)
				break;
			i += 8;
		}
		while (i < n && p[i] < 0x80)
			i++;
		if (i == n)
			break;
		/* U+4000 to U+9FFF, of which NFC heeds none: one by one they
		 * would be most of the work on Chinese. */
		while (n - i >= 3 && p[i] - 0xe4u < 6 &&
		    (p[i + 1] & 0xc0) == 0x80 && (p[i + 2] & 0xc0) == 0x80)
			i += 3;
		if (i == n)
			break;
		if (p[i] < 0x80)
			continue;
		len = sequence(p + i, n - i, &c);
		if (len == 0 || unicode_class(c) & UNICODE_HEEDED) {
			*at = i;
			return len == 0 ? UNICODE_BAD : UNICODE_HEED;
		}
		i += len;
	}
	*at = n;
	return UNICODE_END;
}

/*
 * Append what C decomposes to, to the end, to WORK.  A first half may have
 * halves of its own, a second never has; none is deeper than four.
 */
static int
put_decomposed(struct buf *work, uint32_t c, struct err *e)
{
	uint32_t later[4], word;
	size_t n = 0;
	uint64_t step;

	if (c - S_BASE < S_N) {
		uint32_t i = c - S_BASE;

		if (i % T_N != 0)
			later[n++] = T_BASE + i % T_N;
		later[n++] = V_BASE + i % (V_N * T_N) / T_N;
		c = L_BASE + i / (V_N * T_N);
	} else {
		while (n < N_OF(later) && (step = find_step(c)) != 0) {
			if (second_of(step) != 0)
				later[n++] = second_of(step);
			c = first_of(step);
		}
	}
	for (;;) {
		word = combining_class(c) << 24 | c;
		if (buf_put(work, &word, sizeof word, e) < 0)
			return -1;
		if (n == 0)
			return 0;
		c = later[--n];
	}
}

/*
 * Sort the N marks at W by class, those of one class left in their order: a
 * few by insertion, more by counting, since their number is the text's to
 * choose.
 */
static int
sort_marks(uint32_t *w, size_t n, struct err *e)
{
	size_t from[256] = { 0 }, sum = 0;
	uint32_t *sorted;
	struct buf copy = { 0 };

	if (n <= 32) {
		for (size_t i = 1; i < n; i++) {
			uint32_t word = w[i];
			size_t j = i;

			for (; j > 0 && CCC(w[j - 1]) > CCC(word); j--)
				w[j] = w[j - 1];
			w[j] = word;
		}
		return 0;
	}
	if (buf_reserve(&copy, n * sizeof *w, e) < 0)
		return -1;
	sorted = (uint32_t *)(void *)copy.p;
	for (size_t i = 0; i < n; i++)
		from[CCC(w[i])]++;
	for (size_t k = 0; k < 256; k++) {
		size_t count = from[k];

		from[k] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		sorted[from[CCC(w[i])]++] = w[i];
	memcpy(w, sorted, n * sizeof *w);
	buf_free(&copy);
	return 0;
}

/* Put the marks of the N words at W in canonical order. */
static int
reorder(uint32_t *w, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; ) {
		size_t j = i;

		while (j < n && CCC(w[j]) != 0)
			j++;
		if (j - i > 1 && sort_marks(w + i, j - i, e) < 0)
			return -1;
		i = j + 1;
	}
	return 0;
}

/* Compose the N words at W in place; how many are left. */
static size_t
compose_all(uint32_t *w, size_t n)
{
	size_t out = 0, starter = 0;
	uint32_t last = 0, c;
	bool started = false;

	for (size_t i = 0; i < n; i++) {
		uint32_t k = CCC(w[i]);

		/* A mark is blocked by one of its own class or a higher. */
		if (started && (last == 0 || last < k) &&
		    (c = compose(POINT(w[starter]), POINT(w[i]))) != 0) {
			w[starter] = c;
			continue;
		}
		if (k == 0) {
			starter = out;
			started = true;
		}
		last = k;
		w[out++] = w[i];
	}
	return out;
}

/* Append the NFC of a piece, the N bytes at P, to OUT. */
static int
put_piece(const unsigned char *p, size_t n, struct buf *out, struct buf *work,
    struct err *e)
{
	uint32_t *w;
	size_t len, count;

	buf_clear(work);
	for (size_t i = 0; i < n; i += len)
		if (put_decomposed(work, unicode_decode(p + i, &len), e) < 0)
			return -1;
	w = (uint32_t *)(void *)work->p;
	count = work->n / sizeof *w;
	if (reorder(w, count, e) < 0)
		return -1;
	count = compose_all(w, count);
	if (buf_reserve(out, 4 * count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		out->n += unicode_encode((unsigned char *)out->p + out->n,
		    POINT(w[i]));
	return 0;
}

int
unicode_nfc(const unsigned char *p, size_t n, struct buf *out,
    struct buf *work, struct err *e)
{
	size_t i = 0, was = out->n;

	while (i < n) {
		size_t at, from, to, len;
		uint32_t c;
		enum unicode_stop stop = unicode_scan(p + i, n - i, &at);

		if (stop == UNICODE_BAD) {
			err_record(e, CODE_BAD_UTF8,
			    "byte %zu of the text, 0x%02x, is not UTF-8",
			    i + at, p[i + at]);
			goto undo;
		}
		if (stop == UNICODE_END)
			break;
		/* A piece: what is not heeded, if it is there, and all that
		 * is heeded after it. */
		from = to = i + at;
		if (from > i)
			do
				from--;
			while ((p[from] & 0xc0) == 0x80);
		while (to < n && p[to] >= 0x80 &&
		    (len = sequence(p + to, n - to, &c)) > 0 &&
		    unicode_class(c) & UNICODE_HEEDED)
			to += len;
		if (buf_put(out, p + i, from - i, e) < 0 ||
		    put_piece(p + from, to - from, out, work, e) < 0)
			goto undo;
		i = to;
	}
	if (buf_put(out, p + i, n - i, e) == 0)
		return 0;
undo:
	out->n = was;
	return -1;
}
