/*
 * Words are found in whole blocks of ASCII where the machine has vectors of
 * bytes: the same words as one after the other.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_split.h"

/* The same again, without blocks. */
#undef __SSE2__
#define bpe_split split_plainly
size_t split_plainly(const char *p, const char *end, struct bpe_word *word,
    size_t max);
#include "../../lib/bpe_split.c"
#undef bpe_split

#define ROOM 4096

/* What makes borders, in many mixtures. */
static const char *const parts[] = {
	" ", "  ", "    ", "\n", "\n\n", "\r\n", "\t", "\v", "a", "b", "Z",
	"foo", "barbaz", "'", "''", "'s", "'LL", "'re", "'d", "\"", "(", "((",
	" (", ";", "_", "1", "23", "\x01", "\x7f", "\xc3\xa9", "\xc2\xa0",
	"\xe3\x80\x80", "\xc5\xbf", "\xe4\xb8\xad",
};

#define N_PARTS (sizeof parts / sizeof *parts)
#define N_ASCII 29

static uint32_t
draw(uint32_t *state, uint32_t below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

static void
assert_split(const char *text, size_t n, size_t max)
{
	static struct bpe_word want[ROOM], got[ROOM];
	const char *p = text, *end = text + n;
	size_t k = split_plainly(text, end, want, ROOM), at = 0;

	while (p < end) {
		size_t some = bpe_split(p, end, got + at, max);

		assert_in_range(some, 1, max);
		at += some;
		p = got[at - 1].p + got[at - 1].n;
	}
	assert_int_equal(at, k);
	for (size_t i = 0; i < k; i++) {
		assert_ptr_equal(got[i].p, want[i].p);
		assert_int_equal(got[i].n, want[i].n);
	}
}

static void
blocks_have_the_words_that_one_after_the_other_has(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (int i = 0; i < 40000; i++) {
		char text[ROOM];
		size_t n = 0;
		uint32_t count = 1 + draw(&seed, 150);
		/* Blocks of nothing but ASCII are the most telling. */
		uint32_t from = i % 4 == 0 ? N_PARTS : N_ASCII;
		/* As are those in which few kinds of part meet. */
		uint32_t first = draw(&seed, from);
		uint32_t span = 1 + draw(&seed, from);

		while (count-- > 0) {
			const char *part = parts[(first +
			    draw(&seed, span)) % from];

			memcpy(text + n, part, strlen(part));
			n += strlen(part);
		}
		assert_split(text, n, 1 + draw(&seed, 200));
	}
}

/* The words of TEXT, with a bar between them. */
static void
assert_words(const char *text, const char *want)
{
	char joined[512];
	struct bpe_word word[128];
	size_t k = bpe_split(text, text + strlen(text), word, 128), n = 0;

	for (size_t i = 0; i < k; i++) {
		memcpy(joined + n, word[i].p, word[i].n);
		n += word[i].n;
		joined[n++] = '|';
	}
	joined[n - 1] = '\0';
	assert_string_equal(joined, want);
}

/* Long enough that the first block is looked at as one. */
#define TAIL " tail of a text which is longer than one block of bytes, so"
#define TAIL_WORDS \
	"| tail| of| a| text| which| is| longer| than| one| block| of| bytes" \
	"|,| so"

static void
words_are_those_of_the_regular_expression(void **state)
{
	(void)state;
	assert_words("if (x == 12):" TAIL,
	    "if| (|x| ==| |1|2|):" TAIL_WORDS);
	assert_words("f(x);\n\n    y->z" TAIL,
	    "f|(x|);\n\n|   | y|->|z" TAIL_WORDS);
	assert_words("a \n  \n\tb  (c\t.d" TAIL,
	    "a| \n  \n|\tb| | (|c|\t|.d" TAIL_WORDS);
	assert_words("don't I'LL 'tis ''s x'sy" TAIL,
	    "don|'t| I|'LL| '|tis| ''|s| x|'s|y" TAIL_WORDS);
	assert_words("a   7\n\nb" TAIL, "a|  | |7|\n\n|b" TAIL_WORDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    blocks_have_the_words_that_one_after_the_other_has),
		cmocka_unit_test(words_are_those_of_the_regular_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
