/*
 * What bpe remembers and how it merges, against a byte-pair encoding that
 * remembers nothing and looks through the whole word for each merge.
 */
#include <stdlib.h>
#include <string.h>

#include "bpe_cache.h"
#include "tokenizers.h"

#define TOKENS 700	/* at most, bytes and all */
#define MERGES (TOKENS - 256)
#define WORD_MAX 800	/* bytes */

/* A vocabulary; bytes come first, each its own id. */
struct vocab {
	unsigned char text[TOKENS][32];
	size_t n[TOKENS];
	size_t tokens;
	struct { unsigned left, right; } merge[MERGES];
	size_t merges;
	unsigned made[MERGES];			/* by rank */
	unsigned short rank[TOKENS][TOKENS];	/* and one; 0: none */
};

static uint32_t seed;

static unsigned
roll(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* A word of at most MAX characters, of one to four bytes each, to P: its
 * length.  It is all letters, or all of what is no letter. */
static size_t
roll_word(char *p, unsigned max)
{
	static const char *const kinds[4][12] = {
		{ "a", "b", "c", "d" },
		{ "a", "a", "a", "a", "a", "a", "a", "\xc3\xa9" },
		{ "a", "b", "c", "d", "\xc3\xa9", "\xc3\x9f", "\xd0\x96",
		    "\xe4\xbd\xa0", "\xe5\xa5\xbd", "\xe4\xbd\xbf",
		    "\xf0\x90\x8d\x88" },
		{ "!", "\x7f", "\xc2\xa7", "\xe2\x82\xac",
		    "\xf0\x9f\x8d\x85" },
	};
	static const unsigned sizes[4] = { 4, 8, 11, 5 };
	unsigned n = 1 + roll(max), kind = roll(4);
	size_t at = 0;

	while (n-- > 0) {
		const char *c = kinds[kind][roll(sizes[kind])];

		memcpy(p + at, c, strlen(c));
		at += strlen(c);
	}
	return at;
}

/* The tokens of the N bytes at P, by V, to OUT: how many. */
static size_t
encode_slowly(const struct vocab *v, const char *p, size_t n, unsigned *out)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)p[i];
	for (;;) {
		unsigned least = MERGES + 1;
		size_t at = 0;

		for (size_t i = 0; i + 1 < n; i++) {
			unsigned r = v->rank[out[i]][out[i + 1]];

			if (r > 0 && r < least) {
				least = r;
				at = i;
			}
		}
		if (least > MERGES)
			return n;
		out[at] = v->made[least - 1];
		n--;
		memmove(out + at + 1, out + at + 2, (n - at - 1) *
		    sizeof *out);
	}
}

/* Add the merge of LEFT and RIGHT, if there is room for it. */
static void
add_merge(struct vocab *v, unsigned left, unsigned right)
{
	size_t n = v->n[left] + v->n[right];
	unsigned char text[64];
	unsigned made = 0;

	if (v->rank[left][right] > 0 || v->merges == MERGES ||
	    n > sizeof v->text[0] || v->tokens == TOKENS)
		return;
	memcpy(text, v->text[left], v->n[left]);
	memcpy(text + v->n[left], v->text[right], v->n[right]);
	/* Two merges may make one token. */
	while (made < v->tokens && (v->n[made] != n ||
	    memcmp(v->text[made], text, n) != 0))
		made++;
	if (made == v->tokens) {
		memcpy(v->text[made], text, n);
		v->n[made] = n;
		v->tokens++;
	}
	v->merge[v->merges].left = left;
	v->merge[v->merges].right = right;
	v->made[v->merges++] = made;
	v->rank[left][right] = (unsigned short)v->merges;
}

/* Put the merges of V in another order, in which one may need what a later
 * one makes. */
static void
shuffle(struct vocab *v)
{
	for (size_t i = v->merges; i-- > 1; ) {
		size_t k = roll((unsigned)i + 1);
		unsigned left = v->merge[i].left, right = v->merge[i].right;
		unsigned made = v->made[i];

		v->merge[i] = v->merge[k];
		v->made[i] = v->made[k];
		v->merge[k].left = left;
		v->merge[k].right = right;
		v->made[k] = made;
	}
	for (size_t i = 0; i < v->merges; i++)
		v->rank[v->merge[i].left][v->merge[i].right] =
		    (unsigned short)(i + 1);
}

/* Make V of pairs that stand in random words. */
static void
roll_vocab(struct vocab *v, unsigned merges, bool in_order)
{
	char word[WORD_MAX];
	unsigned ids[WORD_MAX];

	memset(v, 0, sizeof *v);
	for (unsigned b = 0; b < 256; b++) {
		v->text[b][0] = (unsigned char)b;
		v->n[b] = 1;
	}
	v->tokens = 256;
	for (unsigned i = 0; i < 20 * merges && v->merges < merges; i++) {
		size_t n = encode_slowly(v, word, roll_word(word, 12), ids);
		unsigned at;

		if (n < 2)
			continue;
		at = roll((unsigned)n - 1);
		add_merge(v, ids[at], ids[at + 1]);
	}
	if (!in_order)
		shuffle(v);
}

/* Append token T of V as tokenizer.json writes it, without quotes. */
static void
put_token(struct buf *out, const struct vocab *v, unsigned t)
{
	struct err e = { 0 };

	for (size_t i = 0; i < v->n[t]; i++) {
		unsigned next = 0x100, c = 0;

		for (unsigned b = 0; b <= v->text[t][i]; b++)
			c = (b > 0x20 && b < 0x7f) || (b > 0xa0 && b != 0xad) ?
			    b : next++;
		assert_int_equal(buf_printf(out, &e, "\\u%04x", c), 0);
	}
}

/* V as bpe has it. */
static struct bpe *
load(const struct vocab *v)
{
	struct buf tokens = { 0 }, merges = { 0 }, text;
	struct err e = { 0 };
	struct bpe *b;

	for (unsigned t = 256; t < v->tokens; t++) {
		assert_int_equal(buf_puts(&tokens, t > 256 ? ",\"" : "\"",
		    &e), 0);
		put_token(&tokens, v, t);
		assert_int_equal(buf_printf(&tokens, &e, "\":%u", t), 0);
	}
	for (size_t i = 0; i < v->merges; i++) {
		assert_int_equal(buf_puts(&merges, i > 0 ? ",\"" : "\"", &e),
		    0);
		put_token(&merges, v, v->merge[i].left);
		assert_int_equal(buf_putc(&merges, ' ', &e), 0);
		put_token(&merges, v, v->merge[i].right);
		assert_int_equal(buf_putc(&merges, '"', &e), 0);
	}
	assert_int_equal(buf_putc(&tokens, '\0', &e), 0);
	assert_int_equal(buf_putc(&merges, '\0', &e), 0);
	text = tokenizer_text(v->tokens > 256 ? tokens.p : NULL, merges.p, "");
	b = bpe_load(text.p, text.n, NULL, &e);
	if (b == NULL)
		fail_msg("%s", e.text);
	buf_free(&tokens);
	buf_free(&merges);
	buf_free(&text);
	return b;
}

/* B makes of the N bytes at TEXT the ids at WANT. */
static void
makes(const struct bpe *b, struct bpe_cache *c, const char *text, size_t n,
    const unsigned *want, size_t n_want)
{
	struct bpe_ids ids = { 0 };
	struct err e = { 0 };
	/* Of exactly so many bytes: none behind them is looked at. */
	char *copy = malloc(n);

	assert_non_null(copy);
	memcpy(copy, text, n);
	assert_int_equal(bpe_encode(b, c, copy, n, &ids, &e), 0);
	for (size_t i = 0; i < ids.n && i < n_want; i++)
		if ((unsigned)ids.p[i] != want[i])
			fail_msg("%.*s: id %zu is %d, not %u", (int)n, text, i,
			    (int)ids.p[i], want[i]);
	assert_int_equal(ids.n, n_want);
	bpe_ids_free(&ids);
	free(copy);
}

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
		cmocka_unit_test(words_end_where_they_should),
		cmocka_unit_test(
		    words_that_differ_in_a_bit_are_not_taken_for_each_other),
		cmocka_unit_test(a_word_is_merged_once),
		cmocka_unit_test(what_the_room_has_lost_is_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
