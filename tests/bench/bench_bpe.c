/*
 * bench_bpe [MODEL [FILE...]]: how long the tokenizer takes to load, and how
 * many MB/s it encodes: with an empty cache, and when it has seen the text.
 *
 * MODEL is OSSICLE_MODEL_DIR or the demo's where it is not given.  Without
 * FILE, three texts are made of the model's own tokens, the same each time,
 * frequent ones more often as in a language; real text is somewhat slower,
 * since it has more rare words.  Texts are encoded in pieces of about 1 kB,
 * as records have them.  The best of several runs is shown.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bpe.h"
#include "buf.h"
#include "file.h"
#include "model.h"

enum { RUNS = 7, TEXT_SIZE = 2000000, PIECE = 1000, NAMES = 5000 };

/* Give up. */
static void
die(const struct err *e)
{
	(void)fprintf(stderr, "bench_bpe: %s\n", e->text);
	exit(3);
}

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* The sorts of text, by what their words are made of. */
enum sort { ENGLISH, CODE, CHINESE };

static const char *const sort_names[] = { "English", "code", "Chinese" };

/* Whether the bytes of T are a word of SORT. */
static bool
is_word(const struct buf *t, enum sort sort)
{
	const unsigned char *p = (const unsigned char *)t->p;
	size_t i = t->n > 0 && p[0] == ' ';

	/* English words have their blank with them; names in code have not. */
	if (t->n - i < 2 || (sort == ENGLISH && i == 0) ||
	    (sort == CODE && i == 1))
		return false;
	if (sort == CHINESE)
		return t->n % 3 == 0 && p[0] >= 0xe4 && p[0] <= 0xe9 &&
		    p[t->n - 3] >= 0xe4 && p[t->n - 3] <= 0xe9;
	for (; i < t->n; i++)
		if ((p[i] | 0x20) < 'a' || (p[i] | 0x20) > 'z')
			return false;
	return true;
}

/* A number from 0 to N-1, each less likely than the one before it. */
static size_t
draw(uint32_t *seed, size_t n)
{
	double u;

	*seed = *seed * 1664525 + 1013904223;
	u = (double)(*seed >> 8) / (1 << 24);
	return (size_t)(pow((double)n + 1, u) - 1) % n;
}

/* Put into OUT names as code has them, of one to three WORDS of N, each name
 * with its NUL; how many. */
static size_t
make_names(const struct bpe *b, const int32_t *words, size_t n,
    struct buf *out, size_t at[NAMES])
{
	struct err e = { 0 };
	uint32_t seed = 2;

	for (size_t i = 0; i < NAMES; i++) {
		at[i] = out->n;
		for (size_t k = 1 + draw(&seed, 3); k > 0; k--)
			if (bpe_decode(b, &words[draw(&seed, n)], 1, out,
			    &e) < 0 ||
			    (k > 1 && buf_putc(out, '_', &e) < 0))
				die(&e);
		if (buf_putc(out, '\0', &e) < 0)
			die(&e);
	}
	return NAMES;
}

/* Make a text of SORT of the tokens of B. */
static void
make_text(const struct bpe *b, enum sort sort, struct buf *out)
{
	static const char *const ends[][6] = {
		{ ",", ".", "\n", " (", "; it's", "" },
		{ " = ", "(", ");\n\t\t", "->", " + 1, ", ";\n" },
		{ "\xef\xbc\x8c", "\xe3\x80\x82", "\xe3\x80\x82\n", "",
		    "\xe3\x80\x81", " 42 " },
	};
	struct err e = { 0 };
	struct buf word = { 0 };
	size_t size = bpe_size(b), n = 0, n_names = 0;
	size_t name_at[NAMES];
	int32_t *words = malloc(size * sizeof *words);
	uint32_t seed = 1;

	if (words == NULL)
		exit(3);
	for (size_t i = 0; i < size; i++) {
		int32_t id = (int32_t)i;

		buf_clear(&word);
		if (bpe_decode(b, &id, 1, &word, &e) < 0)
			die(&e);
		if (!bpe_is_added(b, id) && is_word(&word, sort))
			words[n++] = id;
	}
	buf_clear(out);
	buf_clear(&word);
	if (n > 0 && sort == CODE)
		n_names = make_names(b, words, n, &word, name_at);
	while (n > 0 && out->n < TEXT_SIZE) {
		size_t count = 1 + draw(&seed, 12);

		if (n_names > 0 && buf_puts(out, word.p +
		    name_at[draw(&seed, n_names)], &e) < 0)
			die(&e);
		for (size_t i = 0; n_names == 0 && i < count; i++)
			if (bpe_decode(b, &words[draw(&seed, n)], 1, out,
			    &e) < 0)
				die(&e);
		if (buf_puts(out, ends[sort][draw(&seed, 6)], &e) < 0)
			die(&e);
	}
	buf_free(&word);
	free(words);
}

/* The end of the piece of TEXT that begins at FROM: after a line, or before
 * a character. */
static size_t
piece_end(const struct buf *text, size_t from)
{
	size_t to = from + PIECE;

	if (to >= text->n)
		return text->n;
	while (to < text->n && ((unsigned char)text->p[to] & 0xc0) == 0x80)
		to++;
	return to;
}

/* Encode TEXT; how many ms it takes. */
static double
encode(const struct bpe *b, struct bpe_cache *c, const struct buf *text,
    struct bpe_ids *ids)
{
	struct err e = { 0 };
	double from = now_ms();

	ids->n = 0;
	for (size_t at = 0, to; at < text->n; at = to) {
		to = piece_end(text, at);
		if (bpe_encode(b, c, text->p + at, to - at, ids, &e) < 0)
			die(&e);
	}
	return now_ms() - from;
}

static void
bench(const struct bpe *b, const char *name, const struct buf *text)
{
	struct bpe_ids ids = { 0 };
	struct err e = { 0 };
	double first = INFINITY, again = INFINITY;

	if (text->n == 0) {
		(void)printf("%-24s the vocabulary has no such words\n", name);
		return;
	}
	for (int run = 0; run < RUNS; run++) {
		struct bpe_cache *c = bpe_cache_new(b, &e);

		if (c == NULL)
			die(&e);
		first = fmin(first, encode(b, c, text, &ids));
		again = fmin(again, encode(b, c, text, &ids));
		bpe_cache_free(c);
	}
	(void)printf("%-24s %6.2f MB %8zu ids %7.1f MB/s first %7.1f again\n",
	    name, (double)text->n / 1e6, ids.n, (double)text->n / first / 1e3,
	    (double)text->n / again / 1e3);
	bpe_ids_free(&ids);
}

/* The tokenizer of NAME, loaded several times. */
static struct model *
load(const char *name, const struct bpe **b)
{
	struct err e = { 0 };
	struct model *m = NULL;
	double best = INFINITY;

	for (int run = 0; run < RUNS; run++) {
		double from = now_ms();

		model_free(m);
		m = model_open(name, &e);
		if (m == NULL || (*b = model_tokenizer(m, &e)) == NULL)
			die(&e);
		best = fmin(best, now_ms() - from);
	}
	(void)printf("load %zu tokens: %.1f ms of CPU, two threads\n",
	    bpe_size(*b), best);
	return m;
}

int
main(int argc, char *argv[])
{
	const char *name = argc > 1 ? argv[1] : getenv("OSSICLE_MODEL_DIR");
	const struct bpe *b;
	struct model *m;
	struct buf text = { 0 };
	struct err e = { 0 };

	m = load(name != NULL ? name : "examples/demo/model", &b);
	for (int i = 2; i < argc; i++) {
		buf_clear(&text);
		if (file_read(argv[i], UINT32_MAX, &text, &e) < 0)
			die(&e);
		bench(b, argv[i], &text);
	}
	for (enum sort s = ENGLISH; argc <= 2 && s <= CHINESE; s++) {
		make_text(b, s, &text);
		bench(b, sort_names[s], &text);
	}
	buf_free(&text);
	model_free(m);
	return 0;
}
