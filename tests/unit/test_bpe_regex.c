/*
 * Where words end, against the regular expression's alternatives tried one
 * after the other, a character at a time.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_split.h"
#include "unicode.h"
#include "unit.h"

#define CHARS_MAX 400

/* A text, and what it is made of. */
struct text {
	char p[4 * CHARS_MAX];
	size_t n;				/* bytes */
	uint32_t c[CHARS_MAX];
	size_t at[CHARS_MAX + 1];		/* where each begins */
	size_t count;
};

static uint32_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void
add(struct text *t, uint32_t c)
{
	t->c[t->count] = c;
	t->at[t->count++] = t->n;
	t->n += unicode_encode((unsigned char *)t->p + t->n, c);
	t->at[t->count] = t->n;
}

/* The kind of character I, or of none behind the last: -1. */
static int
kind(const struct text *t, size_t i)
{
	return i < t->count ? (int)(unicode_class(t->c[i]) & UNICODE_KIND) :
	    -1;
}

/* Character I, small; 0 behind the last. */
static uint32_t
small(const struct text *t, size_t i)
{
	uint32_t c = i < t->count ? t->c[i] : 0;

	return c >= 'A' && c <= 'Z' ? c + 0x20 : c == 0x17f ? 's' : c;
}

static bool
ends_line(const struct text *t, size_t i)
{
	return i < t->count && (t->c[i] == '\r' || t->c[i] == '\n');
}

/* The first character from I on that is not of KIND. */
static size_t
run(const struct text *t, size_t i, int of)
{
	while (kind(t, i) == of)
		i++;
	return i;
}

/* (?i:'s|'t|'re|'ve|'m|'ll|'d) at I: how many characters, or 0. */
static size_t
contraction(const struct text *t, size_t i)
{
	uint32_t c = small(t, i + 1), d = small(t, i + 2);

	if (t->c[i] != '\'')
		return 0;
	if (c == 's' || c == 't' || c == 'm' || c == 'd')
		return 2;
	return ((c == 'r' || c == 'v') && d == 'e') ||
	    (c == 'l' && d == 'l') ? 3 : 0;
}

/* \s*[\r\n]+|\s+(?!\S)|\s+ at I. */
static size_t
end_of_spaces(const struct text *t, size_t i)
{
	size_t end = run(t, i, UNICODE_SPACE), last = end;

	while (last > i && !ends_line(t, last - 1))
		last--;
	if (last > i)
		return last;
	return end == t->count || end == i + 1 ? end : end - 1;
}

/* Where the word that begins with character I ends. */
static size_t
end_of_word(const struct text *t, size_t i)
{
	size_t n = contraction(t, i), from = i;

	if (n > 0)
		return i + n;
	/* [^\r\n\p{L}\p{N}]?\p{L}+ */
	if (kind(t, i) != UNICODE_LETTER && kind(t, i) != UNICODE_NUMBER &&
	    !ends_line(t, i))
		from++;
	if (kind(t, from) == UNICODE_LETTER)
		return run(t, from, UNICODE_LETTER);
	if (kind(t, i) == UNICODE_NUMBER)
		return i + 1;
	/* " "?[^\s\p{L}\p{N}]+[\r\n]* */
	from = t->c[i] == ' ' ? i + 1 : i;
	if (kind(t, from) == UNICODE_OTHER) {
		i = run(t, from, UNICODE_OTHER);
		while (ends_line(t, i))
			i++;
		return i;
	}
	return end_of_spaces(t, i);
}

/* T in words of which at most MAX are asked for at a time. */
static void
compare(const struct text *t, size_t max)
{
	static struct bpe_word word[CHARS_MAX];
	/* Of exactly so many bytes: none behind them is looked at. */
	char *copy = malloc(t->n);
	const char *p = copy, *end = copy + t->n;
	size_t i = 0;

	assert_non_null(copy);
	memcpy(copy, t->p, t->n);
	while (p < end) {
		size_t k = bpe_split(p, end, word, max);

		assert_in_range(k, 1, max);
		for (size_t j = 0; j < k; j++) {
			size_t next = end_of_word(t, i);

			if (word[j].p != p ||
			    word[j].n != t->at[next] - t->at[i])
				fail_msg("\"%.*s\": byte %zu: %zu, not %zu",
				    (int)t->n, t->p, t->at[i], word[j].n,
				    t->at[next] - t->at[i]);
			p += word[j].n;
			i = next;
		}
		/* All there is, or as many as were asked for. */
		assert_true(k == max || p == end);
	}
	assert_int_equal(i, t->count);
	free(copy);
}

/* What words are told apart by; the first ones are ASCII. */
static const uint32_t all[] = {
	'a', 's', 'T', 'r', 'e', 'V', 'm', 'L', 'l', 'd', 'z', 'A', 'Z', 'x',
	'0', '9', '5', ' ', ' ', ' ', ' ', '\n', '\n', '\r', '\t', '\v',
	'\f', '\'', '\'', '\'', '.', '!', '\\', '@', '[', '`', '{', '/',
	':', 0x7f, 1, 0x1c, 0x1f, '\b', 0x0e, '\"',
	0xe9, 0x17f, 0x4f60, 0x3000, 0xa0, 0x85, 0x2028, 0xb2, 0x661, 0x20ac,
	0x1f345, 0x10348, 0xfb1d, 0xbf, 0x300, 0x41f, 0x1680, 0x212a,
};
#define ASCII 46

/* A text of at most MOST characters of some few sorts, to T. */
static void
roll_text(struct text *t, unsigned most)
{
	unsigned sorts = 1 + roll(9);
	unsigned of = roll(3) > 0 ? ASCII : sizeof all / sizeof *all;
	unsigned n = 1 + roll(most);
	uint32_t chosen[9];

	t->n = t->count = 0;
	for (unsigned i = 0; i < sorts; i++)
		chosen[i] = all[roll(of)];
	for (unsigned i = 0; i < n; i++)
		add(t, roll(40) == 0 ? all[roll(of)] : chosen[roll(sorts)]);
}

static void
words_are_those_of_the_regular_expression(void **state)
{
	static struct text t;

	(void)state;
	seed = 1;
	for (int i = 0; i < 60000; i++) {
		roll_text(&t, i % 4 == 0 ? 12 : i % 4 == 1 ? 70 : 250);
		compare(&t, i % 3 == 0 ? 1 + roll(20) : CHARS_MAX);
	}
}

/* All texts of a few characters, and behind so many letters that they stand
 * across the borders of what is looked at together. */
static void
every_short_text_is_in_words_wherever_it_stands(void **state)
{
	static const uint32_t sorts[] = { 'a', '1', ' ', '\n', '\'', 'l', '.',
	    '\t', 0xe9, 0x3000 };
	static const unsigned before[] = { 0, 13, 61, 62, 63, 125 };
	const unsigned n = sizeof sorts / sizeof *sorts;
	static struct text t;

	(void)state;
	for (unsigned i = 0; i < n * n * n * n; i++)
		for (size_t k = 0; k < sizeof before / sizeof *before; k++) {
			t.n = t.count = 0;
			for (unsigned m = 0; m < before[k]; m++)
				add(&t, m % 7 == 6 ? ' ' : 'b');
			for (unsigned m = i, j = 0; j < 4; j++, m /= n)
				add(&t, sorts[m % n]);
			compare(&t, CHARS_MAX);
			/* And in the middle. */
			for (unsigned m = 0; m < 70; m++)
				add(&t, m % 5 == 4 ? ' ' : 'b');
			compare(&t, CHARS_MAX);
		}
}

/* Every byte of ASCII is of one kind, whatever looks at it. */
static void
each_byte_of_ascii_is_of_its_kind(void **state)
{
	static struct text t;

	(void)state;
	for (uint32_t c = 0; c < 0x80; c++)
		for (unsigned n = 0; n < 150; n += n < 70 ? 1 : 40) {
			t.n = t.count = 0;
			for (unsigned i = 0; i < 150; i++)
				add(&t, i == n || i == n + 2 ? c : i % 9 < 7 ?
				    'b' : i % 9 == 7 ? ' ' : '.');
			compare(&t, CHARS_MAX);
		}
}

/* Characters of every first byte are of the kind that the table has them. */
static void
each_first_byte_begins_characters_of_several_kinds(void **state)
{
	static struct text t;

	(void)state;
	for (uint32_t c = 0x80; c < 0x110000; c += c < 0x3000 ? 1 : 61) {
		if (c >= 0xd800 && c < 0xe000)
			continue;
		t.n = t.count = 0;
		for (uint32_t k = 0; k < 3; k++) {
			add(&t, c);
			add(&t, (uint32_t)"a. "[k]);
		}
		add(&t, c);
		add(&t, c);
		add(&t, '1');
		add(&t, c);
		compare(&t, CHARS_MAX);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_are_those_of_the_regular_expression),
		cmocka_unit_test(
		    every_short_text_is_in_words_wherever_it_stands),
		cmocka_unit_test(each_byte_of_ascii_is_of_its_kind),
		cmocka_unit_test(
		    each_first_byte_begins_characters_of_several_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
