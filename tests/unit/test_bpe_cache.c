/*
 * What bpe remembers and how it merges, against a byte-pair encoding that
 * remembers nothing and looks through the whole word for each merge.
 */
#include <stdlib.h>
#include <string.h>

#include "bpe_cache.h"
#include "bpe_core.h"
#include "bpe_merge.h"
#include "vocabs.h"

/* Lines of words by B are what V makes of them, one by one and together;
 * the second time from memory.  An end of line, which no merge has, may be
 * a part of the word before it. */
static void
compare(const struct vocab *v, const struct bpe *b, unsigned longest)
{
	static char text[30 * (WORD_MAX + 1)];
	static unsigned want[30 * (WORD_MAX + 1)];
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	size_t n = 0, sum = 0;

	assert_non_null(c);
	for (int i = 0; i < 30; i++) {
		size_t len = roll_word(text + n, longest), count;

		text[n + len++] = '\n';
		count = encode_slowly(v, text + n, len, want + sum);
		makes(b, c, text + n, len - 1, want + sum, count - 1);
		n += len;
		sum += count;
	}
	makes(b, c, text, n, want, sum);
	makes(b, c, text, n, want, sum);
	bpe_cache_free(c);
}

static void
ids_are_those_of_the_plainest_way(void **state)
{
	static const unsigned longest[] = { 4, 9, 30, 199 };
	struct vocab *v = malloc(sizeof *v);

	(void)state;
	assert_non_null(v);
	seed = 1;
	for (unsigned i = 0; i < 60; i++) {
		struct bpe *b;

		roll_vocab(v, i == 0 ? 0 : 1 + roll(MERGES), i % 3 != 2);
		b = load(v);
		for (size_t k = 0; k < 4; k++)
			compare(v, b, longest[k]);
		bpe_free(b);
	}
	free(v);
}

/* A text of N words, behind a blank each, which no merge has, is what V makes
 * of it for a cache that has seen none of them; and for one that has. */
static void
compare_unseen(const struct vocab *v, const struct bpe *b, unsigned n,
    unsigned longest)
{
	char *text = malloc(n * (WORD_MAX + 1));
	unsigned *want = malloc(n * (WORD_MAX + 1) * sizeof *want);
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	size_t at = 0, sum = 0;

	assert_true(text != NULL && want != NULL && c != NULL);
	while (n-- > 0) {
		size_t len;

		text[at] = ' ';
		len = 1 + roll_word(text + at + 1, longest);
		sum += encode_slowly(v, text + at, len, want + sum);
		at += len;
	}
	makes(b, c, text, at, want, sum);
	makes(b, c, text, at, want, sum);
	bpe_cache_free(c);
	free(text);
	free(want);
}

/* Many are merged together, and there is a border behind so many of them:
 * words, and the units that long ones are taken in. */
static void
words_that_are_new_together_are_each_as_it_is_alone(void **state)
{
	static const struct { unsigned words, longest; } sizes[] = {
		{ 1, 20 }, { 2, 20 }, { 7, 20 }, { 8, 20 }, { 9, 20 },
		{ 16, 12 }, { 17, 12 }, { 127, 9 }, { 128, 9 }, { 129, 9 },
		{ 260, 14 }, { 700, 7 }, { 40, 60 }, { 12, 190 },
	};
	struct vocab *v = malloc(sizeof *v);

	(void)state;
	assert_non_null(v);
	seed = 4;
	for (unsigned i = 0; i < 12; i++) {
		struct bpe *b;

		/* The fewer merges, the more units in a word. */
		roll_vocab(v, i % 3 == 0 ? 8 : 1 + roll(MERGES), i % 2 == 0);
		b = load(v);
		for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
			compare_unseen(v, b, sizes[k].words,
			    sizes[k].longest);
		bpe_free(b);
	}
	free(v);
}

/* A word of each length, up to the longest that is merged in the quick way
 * and well beyond, of a kind each. */
static void
words_of_every_length_are_merged_right(void **state)
{
	static const char *const chars[] = { "a", "ab", "\xc3\xa9",
	    "a\xe4\xbd\xa0", "\xe4\xbd\xbf" };
	struct vocab *v = malloc(sizeof *v);
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;

	(void)state;
	assert_non_null(v);
	seed = 5;
	roll_vocab(v, 200, true);
	add_merge(v, 0xc3, 0xa9);
	b = load(v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (size_t i = 0; i < sizeof chars / sizeof *chars; i++)
		for (size_t n = 1; n < 150; n++) {
			char text[160];
			unsigned want[160];
			size_t m = strlen(chars[i]), len = 0;

			while (len < n || len % m > 0) {
				text[len] = chars[i][len % m];
				len++;
			}
			makes(b, c, text, len, want, encode_slowly(v, text,
			    len, want));
		}
	bpe_cache_free(c);
	bpe_free(b);
	free(v);
}

/* Ids and ranks may be any that 21 bits hold, and come some at a time. */
static void
pairs_of_any_ids_have_their_ranks(void **state)
{
	static struct bpe_merge m[16384];
	const size_t n = sizeof m / sizeof *m;

	(void)state;
	for (unsigned step = 1; step < n; step *= 7) {
		/* In a row, as they nearly always are; or not, at the end. */
		bool row = step % 2 == 0 || step < 100;
		struct bpe b = { .n_vocab = step };
		struct err e = { 0 };

		seed = 6;
		for (size_t i = 0; i < n; i++)
			m[i] = (struct bpe_merge){ roll(0x200000),
			    i % 2 == 0 ? 0x1fffff - (unsigned)i :
			    roll(0x200000), 700 + (unsigned)i };
		if (!row)
			m[n - 1].made = 5;
		assert_int_equal(bpe_merge_begin(&b, &e), 0);
		for (size_t i = 0; i < n; i += step)
			assert_int_equal(bpe_merge_add(&b, m + i,
			    i + step < n ? step : n - i, &e), 0);
		assert_int_equal(b.n_merges, n);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(bpe_rank(&b, m[i].left, m[i].right),
			    i);
			assert_int_equal(bpe_made(&b, (uint32_t)i),
			    m[i].made);
			assert_int_equal(bpe_rank(&b, m[i].left,
			    m[i].right ^ 1), BPE_NONE);
			assert_int_equal(bpe_rank(&b, m[i].left ^ 0x100000,
			    m[i].right), BPE_NONE);
		}
		bpe_table_free(&b.pairs);
		free(b.merged);
		free(b.joined);
		free(b.byte_rank);
	}
}

/* Ranks for which 20 bits are too few order merges as others do. */
static void
a_million_merges_are_not_too_many(void **state)
{
	enum { BEFORE = 1100000, STEP = 1000, PAIR = 1000 + BEFORE };
	static struct bpe_merge m[STEP];
	const struct bpe_merge last[] = { { 'a', 'b', PAIR },
	    { PAIR, PAIR, PAIR + 1 }, { 'b', 'a', PAIR + 2 } };
	struct bpe b = { .n_vocab = 1 };
	struct err e = { 0 };
	struct buf work = { 0 };

	(void)state;
	for (unsigned i = 0; i < 256; i++)
		b.byte_id[i] = i;
	assert_int_equal(bpe_merge_begin(&b, &e), 0);
	for (uint32_t i = 0; i < BEFORE; i += STEP) {
		for (uint32_t k = 0; k < STEP; k++)
			m[k] = (struct bpe_merge){ 256 + i + k, 'x',
			    1000 + i + k };
		assert_int_equal(bpe_merge_add(&b, m, STEP, &e), 0);
	}
	assert_int_equal(bpe_merge_add(&b, last, 3, &e), 0);
	memset(b.byte_rank, 0xff, 65536 * sizeof *b.byte_rank);
	b.byte_rank['a' << 8 | 'b'] = BEFORE;
	b.byte_rank['b' << 8 | 'a'] = BEFORE + 2;
	for (size_t n = 4; n <= 400; n += 4) {
		char word[400];
		int32_t out[400];

		for (size_t i = 0; i < n; i++)
			word[i] = i % 2 == 0 ? 'a' : 'b';
		assert_int_equal(bpe_merge_word(&b, word, n, out, &work, &e),
		    n / 4);
		for (size_t i = 0; i < n / 4; i++)
			assert_int_equal(out[i], PAIR + 1);
	}
	buf_free(&work);
	bpe_table_free(&b.pairs);
	free(b.merged);
	free(b.joined);
	free(b.byte_rank);
}

/* Empty but for the bytes. */
static void
bytes_alone(struct vocab *v)
{
	seed = 2;
	roll_vocab(v, 0, true);
}

/* Merges where what looks like a short cut is none. */
static void
borders_and_characters_are_no_short_cut(void **state)
{
	static const char *const texts[] = {
		"aaaaaaaa\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		"baaaaaaaa\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9",
		"\xe4\xbd\xa0", "a\xe4\xbd\xa0\xe4\xbd\xa0",
		"\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0\xe4\xbd\xa0",
		/* The end of a character, and ASCII. */
		"\xe5\xa5\xbd\xe5\xa5\xbd\xe5\xa5\xbd\xe4\xbd\x80z\xe5\xa5\xbd",
		"\xe5\xa5\xbd\xe5\xa5\xbd\xe5\xa5\xbdz\xe5\xa5\xbd\xe5\xa5\xbd",
		"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x81",
		/* The last that has three bytes, and the first with four. */
		"\xef\xbf\xbf", "\xf0\x90\x80\x80",
	};
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;

	(void)state;
	bytes_alone(&v);
	add_merge(&v, 'a', 'a');	/* 256 */
	add_merge(&v, 256, 256);
	add_merge(&v, 257, 257);	/* 258 has eight */
	add_merge(&v, 258, 0xc3);
	add_merge(&v, 0xe4, 0xbd);	/* 260, which goes before */
	add_merge(&v, 0xbd, 0xa0);
	add_merge(&v, 0xe4, 261);
	add_merge(&v, 0x80, 'z');
	add_merge(&v, 'z', 0xe5);
	add_merge(&v, 0xf0, 0x9f);
	add_merge(&v, v.made[v.merges - 1], 0x98);
	add_merge(&v, v.made[v.merges - 1], 0x80);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		unsigned want[64];
		size_t n = strlen(texts[i]);

		makes(b, c, texts[i], n, want, encode_slowly(&v, texts[i], n,
		    want));
	}
	bpe_cache_free(c);
	bpe_free(b);
}

/* A token for a character is none of the text's where no merges make it of
 * bytes, whatever stands behind it in the vocabulary. */
static void
a_character_that_no_merges_make_stays_bytes(void **state)
{
	static const struct {
		const char *vocab, *merges, *text, *want;
	} is[] = {
		{ "\"\xc3\x83\xc2\xa9\":256,\"x\xc2\xa9\":257,"
		    "\"\xc2\xa9x\":258,\"\xc3\x83\xc2\xa9x\":259",
		    "[\"\xc2\xa9\",\"x\"],[\"\xc3\x83\",\"\xc2\xa9x\"]",
		    "\xc3\xa9", "[195,169]" },
		{ "\"\xc3\x83\xc2\xa9\":256,\"\xc3\x83x\":257",
		    "[\"\xc3\x83\",\"x\"]", "\xc3\xa9", "[195,169]" },
		{ "\"\xc3\xa4\xc2\xbd\xc2\xbf\":256,"
		    "\"x\xc2\xbf\":257,\"\xc3\xa4\xc2\xbd\":258,"
		    "\"\xc3\xa4\xc2\xbdx\":259",
		    "[\"\xc3\xa4\",\"\xc2\xbd\"],"
		    "[\"\xc3\xa4\xc2\xbd\",\"x\"]",
		    "\xe4\xbd\xbf", "[258,191]" },
		{ "\"\xc3\xa4\xc2\xbd\xc2\xbf\":256,"
		    "\"\xc2\xbd\xc2\xbf\":257", "[\"\xc2\xbd\","
		    "\"\xc2\xbf\"]", "\xe4\xbd\xbf", "[228,257]" },
		{ "\"\xc3\xa4\xc2\xbd\xc2\xbf\":256", "",
		    "\xe4\xbd\xbf", "[228,189,191]" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		struct buf text = tokenizer_text(is[i].vocab, is[i].merges,
		    "");
		struct err e = { 0 };
		struct bpe *b = bpe_load(text.p, text.n, NULL, &e);
		struct bpe_cache *c;

		if (b == NULL)
			fail_msg("%s", e.text);
		c = bpe_cache_new(b, &e);
		assert_non_null(c);
		assert_ids(b, c, is[i].text, strlen(is[i].text),
		    jsonscan_value(is[i].want, strlen(is[i].want)));
		bpe_cache_free(c);
		bpe_free(b);
		buf_free(&text);
	}
}

/* Merges that would join two words show where words end. */
static void
words_end_where_they_should(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		unsigned want[8];
	} texts[] = {
		{ "I'lxy", 4, { 'I', '\'', 'l', 256 } },
		{ "I'llxy", 5, { 'I', '\'', 'l', 'l', 256 } },
		{ "I'lly", 5, { 'I', '\'', 'l', 'l', 'y' } },
		{ "  \n  a", 6, { ' ', ' ', '\n', ' ', ' ', 'a' } },
		{ "  \r  a", 6, { ' ', ' ', '\r', ' ', ' ', 'a' } },
	};
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;

	(void)state;
	bytes_alone(&v);
	add_merge(&v, 'x', 'y');	/* 256 */
	add_merge(&v, 'l', 'y');
	add_merge(&v, '\n', ' ');
	add_merge(&v, '\r', ' ');
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		makes(b, c, texts[i].text, strlen(texts[i].text),
		    texts[i].want, texts[i].n);
	bpe_cache_free(c);
	bpe_free(b);
}

/* Words that differ in one bit of one byte are two words, wherever they
 * stand in a text. */
static void
words_that_differ_in_a_bit_are_not_taken_for_each_other(void **state)
{
	static const char pairs[][2] = { "bc", "df", "ae", "ai", "aq", "aA" };
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (size_t n = 1; n <= 40; n++)
		for (size_t at = 0; at < n; at++)
			for (unsigned bit = 0; bit < 6; bit++)
				for (unsigned k = 0; k < 4; k++) {
					char text[60];
					unsigned want[60];

					memset(text, pairs[bit][0], n);
					text[at] = pairs[bit][k & 1];
					/* Room behind it, and none. */
					memset(text + n, '\n', 20);
					(void)encode_slowly(&v, text, n + 20,
					    want);
					makes(b, c, text, n, want, n);
					makes(b, c, text, n + 20, want,
					    n + 20);
				}
	bpe_cache_free(c);
	bpe_free(b);
}

/* Nor is a word taken for one that begins with it, though they be in one
 * place; nor for one that has zeros more. */
static void
a_word_is_not_taken_for_a_longer_one(void **state)
{
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;
	char text[30] = "whatbeginsanothereach";
	unsigned want[30];

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (unsigned i = 0; i < 100000; i++) {
		for (size_t k = 20; k < 25; k++)
			text[k] = (char)('a' + roll(26));
		(void)encode_slowly(&v, text, 25, want);
		makes(b, c, text, 25, want, 25);
		makes(b, c, text, 20, want, 20);
	}
	for (size_t n = 1; n < 30; n++) {
		memset(text, '!', n);
		memset(text + n, 0, sizeof text - n);
		(void)encode_slowly(&v, text, sizeof text, want);
		for (size_t k = sizeof text; k >= n; k--)
			makes(b, c, text, k, want, k);
	}
	bpe_cache_free(c);
	bpe_free(b);
}

/* Whether C, which has seen the N bytes at TEXT, puts anything into its room
 * for them again. */
static bool
is_remembered(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n)
{
	struct bpe_ids ids = { 0 };
	struct err e = { 0 };
	uint64_t head;

	assert_int_equal(bpe_encode(b, c, text, n, &ids, &e), 0);
	head = c->head;
	assert_int_equal(bpe_encode(b, c, text, n, &ids, &e), 0);
	bpe_ids_free(&ids);
	return head > 0 && c->head == head;
}

/* Whatever stands behind it, and if nothing does. */
static void
a_word_is_the_same_at_the_end_of_a_text(void **state)
{
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	for (size_t n = BPE_INLINE + 1; n <= 40; n++) {
		struct bpe_cache *c = bpe_cache_new(b, &e);
		struct bpe_ids ids = { 0 };
		char text[60];
		uint64_t head;

		assert_non_null(c);
		memset(text, '\n', sizeof text);
		for (size_t i = 0; i < n; i++)
			text[i] = (char)('a' + i % 26);
		assert_int_equal(bpe_encode(b, c, text, sizeof text, &ids,
		    &e), 0);
		head = c->head;
		assert_int_equal(bpe_encode(b, c, text, n, &ids, &e), 0);
		assert_int_equal(bpe_encode(b, c, text, n + 3, &ids, &e), 0);
		assert_true(head > 0 && c->head == head);
		bpe_ids_free(&ids);
		bpe_cache_free(c);
	}
	bpe_free(b);
}

static void
a_word_is_merged_once(void **state)
{
	static struct vocab v;
	char text[BPE_LONG_MAX + 2];
	struct err e = { 0 };
	struct bpe *b;

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	memset(text, 'x', sizeof text);
	for (size_t n = BPE_INLINE + 1; n <= BPE_LONG_MAX; n++) {
		struct bpe_cache *c = bpe_cache_new(b, &e);

		assert_non_null(c);
		if (!is_remembered(b, c, text, n))
			fail_msg("%zu bytes are not", n);
		bpe_cache_free(c);
		n += n > 40 ? 61 : 0;
	}
	bpe_free(b);
}

/* What is put behind a word leaves it whole. */
static void
many_words_are_remembered_side_by_side(void **state)
{
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;
	uint64_t head = 0;

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	for (int pass = 0; pass < 2; pass++) {
		for (size_t n = BPE_INLINE + 1; n < 300; n++) {
			char text[300];
			unsigned want[300];

			memset(text, 'a' + (int)(n % 26), n);
			text[n / 2] = 'Z';
			(void)encode_slowly(&v, text, n, want);
			makes(b, c, text, n, want, n);
		}
		/* Some may share a place, and drive each other out. */
		if (pass > 0)
			assert_true(c->head - head < head / 12);
		head = c->head;
	}
	bpe_cache_free(c);
	bpe_free(b);
}

/* Of two words in one place the older goes for a third, and both that are
 * there are found without being merged. */
static void
two_short_words_have_room_in_one_place(void **state)
{
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;
	const unsigned n = 1u << (BPE_SHORT_BITS - 1);
	uint64_t before;
	size_t kept = 0;

	(void)state;
	bytes_alone(&v);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	/* As many words of four tokens as there are places: by chance three
	 * in four share theirs with one other at most. */
	for (int pass = 0; pass < 2; pass++) {
		seed = 7;
		for (unsigned i = 0; i < n; i++) {
			char text[4];
			unsigned want[4];

			for (size_t k = 0; k < 4; k++)
				text[k] = (char)('a' + roll(26));
			(void)encode_slowly(&v, text, 4, want);
			before = c->head;
			makes(b, c, text, 4, want, 4);
			kept += pass == 1 && c->head == before;
		}
	}
	assert_in_range(kept, n / 10 * 7, n / 10 * 9);
	bpe_cache_free(c);
	bpe_free(b);
}

/* The room is written round and round: what is gone is merged again, and
 * what is there is right. */
static void
what_the_room_has_lost_is_found_again(void **state)
{
	static struct vocab v;
	struct err e = { 0 };
	struct bpe *b;
	struct bpe_cache *c;
	char word[WORD_MAX];
	unsigned want[WORD_MAX];

	(void)state;
	seed = 3;
	roll_vocab(&v, 100, true);
	b = load(&v);
	c = bpe_cache_new(b, &e);
	assert_non_null(c);
	while (c->head < 3 * BPE_ROOM) {
		uint32_t at = seed;
		size_t n = roll_word(word, roll(2) ? 190 : 8), count;

		count = encode_slowly(&v, word, n, want);
		makes(b, c, word, n, want, count);
		makes(b, c, word, n, want, count);
		/* And one of those of a while ago. */
		seed = (at & 0xff) * 0x10001;
		n = roll_word(word, 40);
		count = encode_slowly(&v, word, n, want);
		makes(b, c, word, n, want, count);
		seed = at * 5 + 1;
	}
	bpe_cache_free(c);
	bpe_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_those_of_the_plainest_way),
		cmocka_unit_test(
		    borders_and_characters_are_no_short_cut),
		cmocka_unit_test(
		    words_that_are_new_together_are_each_as_it_is_alone),
		cmocka_unit_test(words_of_every_length_are_merged_right),
		cmocka_unit_test(pairs_of_any_ids_have_their_ranks),
		cmocka_unit_test(a_million_merges_are_not_too_many),
		cmocka_unit_test(a_character_that_no_merges_make_stays_bytes),
		cmocka_unit_test(words_end_where_they_should),
		cmocka_unit_test(
		    words_that_differ_in_a_bit_are_not_taken_for_each_other),
		cmocka_unit_test(a_word_is_not_taken_for_a_longer_one),
		cmocka_unit_test(a_word_is_the_same_at_the_end_of_a_text),
		cmocka_unit_test(a_word_is_merged_once),
		cmocka_unit_test(many_words_are_remembered_side_by_side),
		cmocka_unit_test(two_short_words_have_room_in_one_place),
		cmocka_unit_test(what_the_room_has_lost_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
