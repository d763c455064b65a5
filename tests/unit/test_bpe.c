#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tokenizers.h"

#define ADDED(id, text, flags) "{\"id\":" id ",\"content\":\"" text \
	"\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false," flags "}"
#define PLAIN "\"normalized\":false,\"special\":false"
#define SIGN "\"normalized\":false,\"special\":true"

/* Every line of a golden file, by the tokenizer of a file: twice, since the
 * second time all words are remembered. */
static void
compare(const char *golden, const char *tokenizer, size_t least)
{
	struct bpe *b = bpe_of_file(tokenizer);
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	struct buf text = { 0 };

	assert_non_null(c);
	assert_int_equal(buf_reserve(&text, 1, &e), 0);
	for (int time = 0; time < 2; time++) {
		struct golden g = golden_open(golden);
		struct jsonspan line;

		while (golden_next(&g, &line)) {
			buf_clear(&text);
			assert_int_equal(jsonscan_string(jsonscan_at(line, 0),
			    &text, &e), 0);
			assert_ids(b, c, text.p, text.n, jsonscan_at(line, 1));
		}
		golden_close(&g, least);
	}
	buf_free(&text);
	bpe_cache_free(c);
	bpe_free(b);
}

static void
ids_are_those_of_transformers(void **state)
{
	(void)state;
	compare("tests/golden/bpe.txt", "examples/demo/model/tokenizer.json",
	    270);
}

static void
a_vocabulary_in_no_order_is_read_as_tokenizers_reads_it(void **state)
{
	(void)state;
	compare("tests/golden/bpe_odd.txt", "tests/golden/bpe_odd.json", 350);
}

/* Merging may begin with whole characters, but not where tokens end within
 * one. */
static void
tokens_may_end_within_characters(void **state)
{
	(void)state;
	compare("tests/golden/bpe_random.txt", "tests/golden/bpe_random.json",
	    400);
}

/* Load TEXT, which is freed. */
static struct bpe *
load(struct buf text)
{
	struct err e = { 0 };
	struct bpe *b = bpe_load(text.p, text.n, NULL, &e);

	if (b == NULL)
		fail_msg("%s", e.text);
	buf_free(&text);
	return b;
}

/* Assert that B makes WANT, JSON, of TEXT. */
static void
assert_text(const struct bpe *b, const char *text, const char *want)
{
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);

	assert_non_null(c);
	assert_ids(b, c, text, strlen(text),
	    jsonscan_value(want, strlen(want)));
	bpe_cache_free(c);
}

static void
the_lowest_rank_is_merged_first_and_the_leftmost(void **state)
{
	struct bpe *b = load(tokenizer_text(
	    "\"bc\":256,\"ab\":257,\"aa\":258,\"aaa\":259",
	    "[\"b\",\"c\"],[\"a\",\"b\"],[\"a\",\"a\"],[\"aa\",\"a\"]", ""));

	(void)state;
	assert_text(b, "abc", "[97,256]");
	assert_text(b, "abab", "[257,257]");
	assert_text(b, "aaaaa", "[258,259]");
	assert_text(b, "aab", "[97,257]");
	bpe_free(b);
}

static void
merges_may_be_written_as_one_string(void **state)
{
	struct bpe *b = load(tokenizer_text("\"ab\":256,\"\\u0120a\":257",
	    "\"a b\", \"\\u0120 a\"", ""));

	(void)state;
	assert_text(b, "ab a", "[256,257]");
	bpe_free(b);
}

/* Compact, indented, as one string, with escapes, in one file. */
static void
a_merge_is_read_however_it_is_written(void **state)
{
	static const char *const halves[][2] = {
		{ "a", "b" }, { "ab", "c" }, { "\xc4\xa0", "abc" },
		{ "abc", "abc" }, { "abcabc", "abcabc" },
		{ "abcabcabcabc", "abcabc" }, { "\\u0061", "abc" },
		{ "\xc4\xa0", "\xc3\xa9" },
		{ "\xc4\xa0\xc3\xa9", "\xc3\xa9" },
	};
	static const char *const ways[][3] = {
		{ "[\"", "\",\"", "\"]" }, { "\"", " ", "\"" },
		{ "\r\n\t                     [   \"", "\"\n,\n    \"",
		    "\"\n                  \n]\n" },
	};
	const size_t n = sizeof halves / sizeof *halves;

	(void)state;
	for (size_t way = 0; way < 4; way++) {
		struct buf merges = { 0 };
		struct err e = { 0 };
		struct bpe *b;

		for (size_t i = 0; i < n; i++) {
			const char *const *w = ways[(way + i * (way == 3)) %
			    3];

			assert_int_equal(buf_printf(&merges, &e,
			    "%s%s%s%s%s%s", i > 0 ? "," : "", w[0],
			    halves[i][0], w[1], halves[i][1], w[2]), 0);
		}
		assert_int_equal(buf_putc(&merges, '\0', &e), 0);
		b = load(tokenizer_text("\"ab\":256,\"abc\":257,"
		    "\"\xc4\xa0" "abc\":258,\"abcabc\":259,"
		    "\"abcabcabcabc\":260,\"abcabcabcabcabcabc\":261,"
		    "\"aabc\":262,\"\xc4\xa0\xc3\xa9\":263,"
		    "\"\xc4\xa0\xc3\xa9\xc3\xa9\":264", merges.p, ""));
		assert_text(b, " abc", "[258]");
		assert_text(b, "abcabcabcabcabcabcab", "[261,256]");
		assert_text(b, "aabc", "[262]");
		bpe_free(b);
		buf_free(&merges);
	}
}

/* What two halves make may be a token when a half is none. */
static void
halves_of_a_merge_must_be_tokens(void **state)
{
	static const char *const merges[] = {
		"[\"ab\",\"c\"]", "[\"a\",\"bc\"]", "\"ab c\"",
		"[\"\",\"abc\"]", "[\"abc\",\"\"]", "[\"a\",\"c\"]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof merges / sizeof *merges; i++) {
		struct buf text = tokenizer_text("\"abc\":256", merges[i],
		    "");
		struct err e = { 0 };

		assert_null(bpe_load(text.p, text.n, NULL, &e));
		assert_int_equal(e.kind, ERR_MODEL);
		assert_non_null(strstr(e.text, "does not have"));
		buf_free(&text);
	}
}

static void
there_may_be_more_merges_than_tokens(void **state)
{
	struct buf merges = { 0 };
	struct err e = { 0 };
	struct bpe *b;

	(void)state;
	assert_int_equal(buf_puts(&merges, "[\"b\",\"c\"]", &e), 0);
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_puts(&merges, ",[\"a\",\"b\"]", &e),
		    0);
	assert_int_equal(buf_put(&merges, "", 1, &e), 0);
	b = load(tokenizer_text("\"ab\":256,\"bc\":257", merges.p, ""));
	assert_text(b, "abc", "[97,257]");
	assert_text(b, "abab", "[256,256]");
	bpe_free(b);
	buf_free(&merges);
}

/* Of two lines for one pair the later counts: the first would let b,c win. */
static void
a_pair_named_twice_has_its_later_rank(void **state)
{
	struct bpe *b = load(tokenizer_text("\"ab\":256,\"bc\":257",
	    "[\"a\",\"b\"],[\"b\",\"c\"],[\"a\",\"b\"]", ""));

	(void)state;
	assert_text(b, "abc", "[97,257]");
	bpe_free(b);
}

static void
the_longest_added_token_is_taken_at_the_leftmost_place(void **state)
{
	struct bpe *b = load(tokenizer_text(NULL, "",
	    ADDED("256", "<a", PLAIN) "," ADDED("257", "<a><b", PLAIN) ","
	    ADDED("258", "a><b>", SIGN) "," ADDED("60", "<", PLAIN)));

	/* The vocabulary has "<", as a byte. */
	(void)state;
	assert_text(b, "<a><b>", "[257,62]");
	assert_text(b, "<a><a><b", "[256,62,257]");
	assert_text(b, "xa><b>", "[120,258]");
	assert_text(b, "<<a<", "[60,256,60]");
	assert_text(b, "<a><", "[256,62,60]");
	bpe_free(b);
}

/* An added token that is sought before NFC is sought in the text as it is;
 * the other kind in what NFC makes of it, and as NFC has it. */
static void
added_tokens_are_sought_before_or_after_nfc(void **state)
{
	struct bpe *b = load(tokenizer_text(NULL, "",
	    ADDED("256", "\xc3\xa9!", PLAIN) ","
	    ADDED("257", "a\xcc\x8a",
	    "\"normalized\":true,\"special\":false")));

	(void)state;
	assert_text(b, "x\xc3\xa9!", "[120,256]");
	assert_text(b, "e\xcc\x81!", "[195,169,33]");
	assert_text(b, "\xc3\xa5", "[257]");
	assert_text(b, "a\xcc\x8a", "[257]");
	bpe_free(b);
}

/* What is in the vocabulary keeps its id; what is not gets the next ones. */
static void
added_tokens_may_be_of_the_vocabulary(void **state)
{
	struct bpe *b = load(tokenizer_text("\"<s>\":256,\"never\":257", "",
	    ADDED("256", "<s>", SIGN) "," ADDED("258", "<t>", PLAIN)));
	struct bpe_found found;

	(void)state;
	assert_text(b, "<s>a<t>never", "[256,97,258,110,101,118,101,114]");
	assert_int_equal(bpe_size(b), 259);
	assert_int_equal(bpe_id(b, "<s>", 3), 256);
	assert_int_equal(bpe_id(b, "<t>", 3), 258);
	assert_int_equal(bpe_id(b, "never", 5), 257);
	assert_int_equal(bpe_id(b, "\xc4\xa0", 2), 32);
	assert_int_equal(bpe_id(b, " ", 1), -1);
	assert_int_equal(bpe_id(b, "nowhere", 7), -1);
	assert_int_equal(bpe_id(b, "", 0), -1);
	assert_true(bpe_is_added(b, 256) && bpe_is_special(b, 256));
	assert_true(bpe_is_added(b, 258) && !bpe_is_special(b, 258));
	assert_false(bpe_is_added(b, 257) || bpe_is_added(b, -1) ||
	    bpe_is_added(b, 259) || bpe_is_special(b, -1));
	assert_true(bpe_find_added(b, "a<s><t>", 7, 0, &found));
	assert_int_equal(found.at, 1);
	assert_int_equal(found.n, 3);
	assert_int_equal(found.id, 256);
	assert_true(bpe_find_added(b, "a<s><t>", 7, 2, &found));
	assert_int_equal(found.id, 258);
	assert_false(bpe_find_added(b, "a<s><t>", 7, 5, &found));
	bpe_free(b);
}

/* However full the table of a vocabulary is, what is not in it is not found,
 * and what is is. */
static void
vocabularies_of_every_size_are_searched(void **state)
{
	static const unsigned sizes[] = { 257, 383, 384, 385, 511, 512, 513,
	    768, 769, 1023, 1024, 1025, 1536, 2048 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf more = { 0 };
		struct err e = { 0 };
		char name[16];
		struct bpe *b;

		for (unsigned id = 256; id < sizes[i]; id++)
			assert_int_equal(buf_printf(&more, &e, "%s\"t%u\":%u",
			    id > 256 ? "," : "", id, id), 0);
		assert_int_equal(buf_putc(&more, '\0', &e), 0);
		b = load(tokenizer_text(more.p, "", ""));
		assert_int_equal(bpe_size(b), sizes[i]);
		for (unsigned id = 256; id < 2 * sizes[i]; id++) {
			int n = snprintf(name, sizeof name, "t%u", id);

			assert_int_equal(bpe_id(b, name, (size_t)n),
			    id < sizes[i] ? (int)id : -1);
		}
		bpe_free(b);
		buf_free(&more);
	}
}

/* A name is as long as it may be, and no longer; one that holds what stands
 * for no byte is a token all the same. */
static void
names_may_have_1024_bytes(void **state)
{
	struct buf more = { 0 };
	struct err e = { 0 };
	char name[BPE_TEXT_MAX + 1];
	struct bpe *b;

	(void)state;
	memset(name, 'n', sizeof name);
	assert_int_equal(buf_printf(&more, &e,
	    "\"%.*s\":256,\"\xe6\xbc\xa2\":257", BPE_TEXT_MAX, name), 0);
	assert_int_equal(buf_putc(&more, '\0', &e), 0);
	b = load(tokenizer_text(more.p, "", ""));
	assert_int_equal(bpe_id(b, name, BPE_TEXT_MAX), 256);
	assert_int_equal(bpe_id(b, name, BPE_TEXT_MAX - 1), -1);
	assert_int_equal(bpe_id(b, name, BPE_TEXT_MAX + 1), -1);
	assert_int_equal(bpe_id(b, "\xe6\xbc\xa2", 3), 257);
	assert_int_equal(bpe_id(b, "\xe6\xbc\xa3", 3), -1);
	bpe_free(b);
	buf_free(&more);
}

static void
room_for_ids_is_made_or_there_is_no_memory(void **state)
{
	struct bpe_ids ids = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t n = 1; n < 3000; n += 1 + n / 3) {
		assert_int_equal(bpe_ids_reserve(&ids, n, &e), 0);
		assert_true(ids.cap >= ids.n + n);
		for (size_t i = 0; i < n; i++)
			ids.p[ids.n++] = (int32_t)i;
		assert_int_equal(ids.p[0], 0);
		assert_int_equal(ids.p[ids.n - 1], n - 1);
		/* There is some, and there may be enough. */
		assert_int_equal(bpe_ids_reserve(&ids, 0, &e), 0);
	}
	assert_int_equal(bpe_ids_reserve(&ids, SIZE_MAX / 4, &e), -1);
	assert_int_equal(e.kind, ERR_MEMORY);
	assert_int_equal(bpe_ids_reserve(&ids, SIZE_MAX, &e), -1);
	bpe_ids_free(&ids);
	assert_null(ids.p);
	assert_int_equal(ids.n + ids.cap, 0);
}

/* A token is found wherever it stands, whatever the first byte of others. */
static void
added_tokens_are_found_among_any_others(void **state)
{
	struct bpe *b = load(tokenizer_text(NULL, "",
	    ADDED("256", "<x>", PLAIN) "," ADDED("257", "[y]", PLAIN) ","
	    ADDED("258", "late", "\"normalized\":true,\"special\":false")));
	struct bpe_found found;

	(void)state;
	assert_text(b, "<[y]<x>[", "[60,257,256,91]");
	assert_true(bpe_find_added(b, "..late<x>", 9, 0, &found));
	assert_int_equal(found.id, 258);
	assert_true(bpe_find_added(b, "<x>late", 7, 1, &found));
	assert_int_equal(found.id, 258);
	bpe_free(b);
}

static void
a_list_from_elsewhere_takes_the_place_of_the_files_own(void **state)
{
	struct buf text = tokenizer_text(NULL, "",
	    ADDED("256", "<old>", SIGN));
	const struct bpe_added list[] = {
		{ .id = 256, .text = "<new>", .n = 5, .normalized = true },
		{ .id = 257, .text = "<too>", .n = 5 },
	};
	const char *const special[] = { "<new>" };
	const struct bpe_config config = { list, 2, special, 1 };
	struct err e = { 0 };
	struct bpe *b = bpe_load(text.p, text.n, &config, &e);

	(void)state;
	assert_non_null(b);
	buf_free(&text);
	assert_text(b, "<new><too>", "[256,257]");
	assert_int_equal(bpe_id(b, "<old>", 5), -1);
	assert_true(bpe_is_special(b, 256));
	assert_false(bpe_is_special(b, 257));
	bpe_free(b);
}

/* Decoding is the way back, for all but what NFC changes. */
static void
decoding_gives_the_bytes_back(void **state)
{
	struct bpe *b = bpe_of_file("tests/golden/bpe_odd.json");
	static const char text[] = "abcabcde <|a|>b c\n\xe4\xbd\xa0\xe5\xa5\xbd"
	    "\xf0\x9f\x98\x80 aaaa'S <|in|>";
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	struct bpe_ids ids = { 0 };
	struct buf out = { 0 };
	int32_t beyond = (int32_t)bpe_size(b), below = -1;

	(void)state;
	assert_int_equal(bpe_encode(b, c, text, sizeof text - 1, &ids, &e),
	    0);
	assert_int_equal(bpe_decode(b, ids.p, ids.n, &out, &e), 0);
	assert_int_equal(out.n, sizeof text - 1);
	assert_memory_equal(out.p, text, out.n);
	assert_int_equal(bpe_decode(b, &beyond, 1, &out, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(bpe_decode(b, &below, 1, &out, &e), -1);
	assert_int_equal(out.n, sizeof text - 1);
	buf_free(&out);
	bpe_ids_free(&ids);
	bpe_cache_free(c);
	bpe_free(b);
}

static void
what_is_not_utf8_is_refused_and_leaves_the_ids_alone(void **state)
{
	static const char *const texts[] = {
		"a\xff", "\xc3", "<|in|>\xed\xa0\x80", "\xc0\x80",
		"\xf4\x90\x80\x80", "e\xcc\x81 \xe2\x82", "\xf0\x9f\x98",
		"\xe4\xb8\xad\xe4\xb8",
	};
	struct bpe *b = bpe_of_file("tests/golden/bpe_odd.json");
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	struct bpe_ids ids = { 0 };

	(void)state;
	assert_int_equal(bpe_encode(b, c, "ab", 2, &ids, &e), 0);
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(bpe_encode(b, c, texts[i], strlen(texts[i]),
		    &ids, &e), -1);
		assert_int_equal(e.kind, ERR_RECORD);
		assert_int_equal(e.code, CODE_BAD_UTF8);
		assert_int_equal(ids.n, 1);
	}
	bpe_ids_free(&ids);
	bpe_cache_free(c);
	bpe_free(b);
}

/* More words than the cache holds, and words longer than it takes: each
 * twice, in another order. */
static void
a_cache_that_overflows_forgets_but_never_errs(void **state)
{
	struct bpe *b = bpe_of_file("examples/demo/model/tokenizer.json");
	struct err e = { 0 };
	struct bpe_cache *c = bpe_cache_new(b, &e);
	struct bpe_ids ids = { 0 };
	struct buf word = { 0 }, back = { 0 };
	uint32_t seed = 9;

	(void)state;
	for (int i = 0; i < 300000; i++) {
		size_t n = i % 1000 == 0 ? 1500 : 3 + (unsigned)i % 40;

		seed = i == 150000 ? 9 : seed;
		buf_clear(&word);
		ids.n = 0;
		for (size_t k = 0; k < n; k++) {
			seed = seed * 1664525 + 1013904223;
			assert_int_equal(buf_putc(&word,
			    (char)('a' + (seed >> 24) % 26), &e), 0);
		}
		assert_int_equal(bpe_encode(b, c, word.p, word.n, &ids, &e),
		    0);
		buf_clear(&back);
		assert_int_equal(bpe_decode(b, ids.p, ids.n, &back, &e), 0);
		assert_int_equal(back.n, word.n);
		assert_memory_equal(back.p, word.p, word.n);
		if (i % 5000 == 0) {
			struct bpe_cache *fresh = bpe_cache_new(b, &e);
			struct bpe_ids anew = { 0 };

			assert_int_equal(bpe_encode(b, fresh, word.p, word.n,
			    &anew, &e), 0);
			assert_int_equal(anew.n, ids.n);
			assert_memory_equal(anew.p, ids.p,
			    ids.n * sizeof *ids.p);
			bpe_ids_free(&anew);
			bpe_cache_free(fresh);
		}
	}
	buf_free(&word);
	buf_free(&back);
	bpe_ids_free(&ids);
	bpe_cache_free(c);
	bpe_free(b);
}

/* What is not implemented, or broken: what to replace, by what, and a part of
 * what is said. */
static const struct {
	const char *from, *to, *said;
} refused[] = {
	{ "\"NFC\"", "\"NFKC\"", "normalizer is {\"type\":\"NFKC\"}" },
	{ "{\"type\":\"NFC\"}", "null", "normalizer is null" },
	{ "\"normalizer\":{\"type\":\"NFC\"},", "",
	    "normalizer is not there" },
	{ "\"Sequence\"", "\"Row\"", "pre_tokenizer" },
	{ "'ll|", "", "pattern" },
	{ "\"Isolated\"", "\"Removed\"", "pretokenizers[0]" },
	{ "\"invert\":false", "\"invert\":true", "pretokenizers[0]" },
	{ "\"add_prefix_space\":false", "\"add_prefix_space\":true",
	    "pretokenizers[1]" },
	{ "\"use_regex\":false", "\"use_regex\":true", "pretokenizers[1]" },
	{ "\"post_processor\":{\"type\":\"ByteLevel\"",
	    "\"post_processor\":{\"type\":\"Bert\"", "post_processor" },
	{ "\"decoder\":{\"type\":\"ByteLevel\"",
	    "\"decoder\":{\"type\":\"WordPiece\"", "decoder" },
	{ "\"BPE\"", "\"Unigram\"", "model.type is \"Unigram\"" },
	{ "\"type\":\"BPE\",", "", "type" },
	{ "\"dropout\":null", "\"dropout\":0.1", "model.dropout is 0.1" },
	{ "\"unk_token\":null", "\"unk_token\":\"a\"", "model.unk_token" },
	{ "\"continuing_subword_prefix\":\"\"",
	    "\"continuing_subword_prefix\":\"##\"", "##" },
	{ "\"end_of_word_suffix\":\"\"", "\"end_of_word_suffix\":\"</w>\"",
	    "</w>" },
	{ "\"fuse_unk\":false", "\"fuse_unk\":true", "model.fuse_unk" },
	{ "\"byte_fallback\":false", "\"byte_fallback\":true",
	    "model.byte_fallback" },
	{ "\"ignore_merges\":false", "\"ignore_merges\":true",
	    "model.ignore_merges" },
	{ "\"ignore_merges\"", "\"new_thing\"", "new_thing" },
	{ "\"1.0\"", "\"2.0\"", "version is \"2.0\"" },
	{ "\"padding\"", "\"stuffing\"", "stuffing" },
	{ "\"padding\":null", "\"padding\":nil", "padding" },
	{ "\"padding\":null", "\"version\":\"1.0\"", "version: is there" },
	{ "\"single_word\":false", "\"single_word\":true", "single_word" },
	{ "\"lstrip\":false", "\"lstrip\":true", "lstrip" },
	{ "\"rstrip\":false", "\"rstrip\":true", "rstrip" },
	{ "\"rstrip\":false,", "", "rstrip" },
	{ "\"special\":true", "\"special\":1", "special" },
	{ "\"id\":257", "\"id\":300", "cannot have id 300" },
	{ "\"content\":\"<s>\"", "\"content\":\"\"", "0 bytes" },
	{ "\"content\":\"<s>\"", "\"content\":7", "content" },
	{ "\"added_tokens\":[", "\"added_tokens\":7,\"x\":[", "x" },
	{ "\"ab\":256", "\"ab\":255", "two tokens have one id" },
	{ "\"ab\":256", "\"ab\":999999", "greater than" },
	{ "\"ab\":256", "\"ab\":257", "gaps" },
	{ "\"ab\":256", "\"ab\":-1", "whole number" },
	{ "\"ab\":256", "\"ab\":256.5", "whole number" },
	{ "\"ab\":256", "\"ab\":0256", "whole number" },
	{ "\"ab\":256", "\"ab\":\"256\"", "whole number" },
	{ "\"ab\":256", "\"ab\":256,", "'\"' is missing" },
	{ "\"ab\":256", "\"\":256", "empty" },
	{ "\"ab\":256", "\"\\u0061\":256", "two ids have one token" },
	{ "\"ab\":256", "\"a\\u12\":256", "model.vocab" },
	{ "\"ab\":256", "\"\\ud800\":256", "model.vocab" },
	{ "\"ab\":256", "\"a\nb\":256", "model.vocab" },
	{ "\"ab\":256", "\"a\xff\":256", "model.vocab" },
	{ "\"ab\":256", "\"ac\":256", "the vocabulary does not have" },
	{ "\"\\u0100\":0", "\"zz\":0", "byte 0x00" },
	{ "[\"a\",\"b\"]", "[\"a\",\"\"]", "does not have" },
	{ "[\"a\",\"b\"]", "[\"a\",\"b\",\"c\"]", "']' is missing" },
	{ "[\"a\",\"b\"]", "[\"a\"]", "',' is missing" },
	{ "[\"a\",\"b\"]", "[\"a\",\"b\"],", "'\"' is missing" },
	{ "[\"a\",\"b\"]", "\"ab\"", "two tokens" },
	{ "[\"a\",\"b\"]", "\"a b c\"", "two tokens" },
	{ "[\"a\",\"b\"]", "[\"a\",\"\\u6f22\"]", "no bytes" },
	{ "[\"a\",\"b\"]", "7", "'\"' is missing" },
	{ "\"merges\"", "\"verges\"", "verges" },
	{ "\"vocab\"", "\"type\":\"BPE\",\"merges\":[],\"vocab\"",
	    "merges: is there twice" },
};

/* A whole tokenizer.json in which each of the above is found. */
static struct buf
sample(void)
{
	return tokenizer_text("\"ab\":256", "[\"a\",\"b\"]",
	    ADDED("257", "<s>", SIGN));
}

static void
what_is_not_implemented_is_named_and_refused(void **state)
{
	(void)state;
	bpe_free(load(sample()));
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct buf text = sample();
		struct err e = { 0 };
		const char *from = refused[i].from;

		replace(&text, from, refused[i].to);
		if (bpe_load(text.p, text.n, NULL, &e) != NULL)
			fail_msg("%s passes", refused[i].to);
		if (e.kind != ERR_MODEL || strstr(e.text,
		    refused[i].said) == NULL)
			fail_msg("%s: %s", refused[i].to, e.text);
		if (strstr(e.text, "tokenizer") == NULL)
			fail_msg("%s names no file", e.text);
		buf_free(&text);
	}
}

static void
a_file_cut_anywhere_is_refused(void **state)
{
	struct buf text = sample();
	char *part;

	(void)state;
	for (size_t n = 0; n < text.n; n++) {
		struct err e = { 0 };

		/* Of its own size, so that a byte too many is noticed. */
		part = malloc(n + (n == 0));
		assert_non_null(part);
		memcpy(part, text.p, n);
		assert_null(bpe_load(part, n, NULL, &e));
		assert_int_equal(e.kind, ERR_MODEL);
		free(part);
	}
	buf_free(&text);
}

static void
two_tokens_that_nfc_makes_one_are_refused(void **state)
{
	struct buf text = tokenizer_text(NULL, "", ADDED("256", "\xc3\xa9!",
	    "\"normalized\":true,\"special\":false") "," ADDED("257",
	    "e\xcc\x81!", "\"normalized\":true,\"special\":false"));
	struct err e = { 0 };

	(void)state;
	assert_null(bpe_load(text.p, text.n, NULL, &e));
	assert_int_equal(e.kind, ERR_MODEL);
	assert_non_null(strstr(e.text, "the same after NFC"));
	buf_free(&text);
}

static void
a_special_token_must_be_an_added_one(void **state)
{
	struct buf text = sample();
	const char *const special[] = { "<unknown>" };
	const struct bpe_config config = { NULL, 0, special, 1 };
	struct err e = { 0 };

	(void)state;
	assert_null(bpe_load(text.p, text.n, &config, &e));
	assert_int_equal(e.kind, ERR_MODEL);
	assert_non_null(strstr(e.text, "<unknown>"));
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_those_of_transformers),
		cmocka_unit_test(
		    a_vocabulary_in_no_order_is_read_as_tokenizers_reads_it),
		cmocka_unit_test(tokens_may_end_within_characters),
		cmocka_unit_test(
		    the_lowest_rank_is_merged_first_and_the_leftmost),
		cmocka_unit_test(merges_may_be_written_as_one_string),
		cmocka_unit_test(a_merge_is_read_however_it_is_written),
		cmocka_unit_test(halves_of_a_merge_must_be_tokens),
		cmocka_unit_test(there_may_be_more_merges_than_tokens),
		cmocka_unit_test(a_pair_named_twice_has_its_later_rank),
		cmocka_unit_test(
		    the_longest_added_token_is_taken_at_the_leftmost_place),
		cmocka_unit_test(added_tokens_are_sought_before_or_after_nfc),
		cmocka_unit_test(added_tokens_may_be_of_the_vocabulary),
		cmocka_unit_test(vocabularies_of_every_size_are_searched),
		cmocka_unit_test(names_may_have_1024_bytes),
		cmocka_unit_test(room_for_ids_is_made_or_there_is_no_memory),
		cmocka_unit_test(added_tokens_are_found_among_any_others),
		cmocka_unit_test(
		    a_list_from_elsewhere_takes_the_place_of_the_files_own),
		cmocka_unit_test(decoding_gives_the_bytes_back),
		cmocka_unit_test(
		    what_is_not_utf8_is_refused_and_leaves_the_ids_alone),
		cmocka_unit_test(
		    a_cache_that_overflows_forgets_but_never_errs),
		cmocka_unit_test(what_is_not_implemented_is_named_and_refused),
		cmocka_unit_test(a_file_cut_anywhere_is_refused),
		cmocka_unit_test(two_tokens_that_nfc_makes_one_are_refused),
		cmocka_unit_test(a_special_token_must_be_an_added_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
