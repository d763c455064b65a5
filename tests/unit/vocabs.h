/*
 * vocabs: vocabularies made at random, and a byte-pair encoding by them that
 * remembers nothing and looks through the whole word for each merge.
 */
#ifndef VOCABS_H
#define VOCABS_H

#include <stdlib.h>
#include <string.h>

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

static inline unsigned
roll(unsigned n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

/* A word of at most MAX characters, of one to four bytes each, to P: its
 * length.  It is all letters, or all of what is no letter. */
static inline size_t
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
static inline size_t
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
static inline void
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
static inline void
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
static inline void
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
static inline void
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
static inline struct bpe *
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
static inline void
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

#endif
