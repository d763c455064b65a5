/*
 * tokenizers: tokenizer.json files for tests, and what they make of a text.
 */
#ifndef TOKENIZERS_H
#define TOKENIZERS_H

#include <string.h>

#include "bpe.h"
#include "buf.h"
#include "file.h"
#include "golden.h"

/* The tokenizer of the file at PATH. */
static inline struct bpe *
bpe_of_file(const char *path)
{
	struct buf text = { 0 };
	struct err e = { 0 };
	struct bpe *b;

	if (file_read(path, 16u << 20, &text, &e) < 0)
		fail_msg("%s", e.text);
	b = bpe_load(text.p, text.n, NULL, &e);
	if (b == NULL)
		fail_msg("%s: %s", path, e.text);
	buf_free(&text);
	return b;
}

/* Put into OUT a tokenizer.json's vocabulary: a token for each byte, its id
 * the byte, and then MORE ("\"ab\":256,..."), or NULL. */
static inline void
put_vocab(struct buf *out, const char *more)
{
	struct err e = { 0 };
	unsigned next = 0x100;

	assert_int_equal(buf_puts(out, "{", &e), 0);
	for (unsigned b = 0; b < 256; b++) {
		unsigned c = (b > 0x20 && b < 0x7f) ||
		    (b > 0xa0 && b != 0xad) ? b : next++;

		assert_int_equal(buf_printf(out, &e, "%s\"\\u%04x\":%u",
		    b > 0 ? "," : "", c, b), 0);
	}
	if (more != NULL)
		assert_int_equal(buf_printf(out, &e, ",%s", more), 0);
	assert_int_equal(buf_puts(out, "}", &e), 0);
}

#define WORDS "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\\\r\\\\n\\\\p{L}\\\\p{N}]?" \
	"\\\\p{L}+|\\\\p{N}| ?[^\\\\s\\\\p{L}\\\\p{N}]+[\\\\r\\\\n]*|" \
	"\\\\s*[\\\\r\\\\n]+|\\\\s+(?!\\\\S)|\\\\s+"
#define LEVEL "{\"type\":\"ByteLevel\",\"add_prefix_space\":false," \
	"\"trim_offsets\":false,\"use_regex\":false}"

/* A whole tokenizer.json, with MERGES and ADDED, the insides of arrays. */
static inline struct buf
tokenizer_text(const char *vocab, const char *merges, const char *added)
{
	struct buf out = { 0 };
	struct err e = { 0 };

	assert_int_equal(buf_printf(&out, &e, "{\"version\":\"1.0\","
	    "\"truncation\":null,\"padding\":null,\"added_tokens\":[%s],"
	    "\"normalizer\":{\"type\":\"NFC\"},\"pre_tokenizer\":{\"type\":"
	    "\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\",\"pattern\":"
	    "{\"Regex\":\"" WORDS "\"},\"behavior\":\"Isolated\",\"invert\":"
	    "false}," LEVEL "]},\"post_processor\":" LEVEL ",\"decoder\":"
	    LEVEL ",\"model\":{\"type\":\"BPE\",\"dropout\":null,"
	    "\"unk_token\":null,\"continuing_subword_prefix\":\"\","
	    "\"end_of_word_suffix\":\"\",\"fuse_unk\":false,"
	    "\"byte_fallback\":false,\"ignore_merges\":false,\"vocab\":",
	    added), 0);
	put_vocab(&out, vocab);
	assert_int_equal(buf_printf(&out, &e, ",\"merges\":[%s]}}", merges),
	    0);
	return out;
}

/* Replace the first FROM in TEXT by TO. */
static inline void
replace(struct buf *text, const char *from, const char *to)
{
	struct buf out = { 0 };
	struct err e = { 0 };
	char *at;

	assert_int_equal(buf_putc(text, '\0', &e), 0);
	at = strstr(text->p, from);
	if (at == NULL)
		fail_msg("no %s in %s", from, text->p);
	assert_int_equal(buf_put(&out, text->p, (size_t)(at - text->p), &e),
	    0);
	assert_int_equal(buf_puts(&out, to, &e), 0);
	assert_int_equal(buf_puts(&out, at + strlen(from), &e), 0);
	buf_free(text);
	*text = out;
}

/* Assert that B makes of the N bytes at TEXT the ids of the array WANT. */
static inline void
assert_ids(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n, struct jsonspan want)
{
	struct bpe_ids ids = { 0 };
	struct err e = { 0 };
	struct jsonwalk w = jsonwalk_start(want);
	size_t i = 0;
	int64_t id;

	if (bpe_encode(b, c, text, n, &ids, &e) < 0)
		fail_msg("%s", e.text);
	while (jsonwalk_next(&w)) {
		assert_true(jsonscan_int(w.value, 0, INT32_MAX, &id));
		if (i == ids.n || ids.p[i] != id)
			fail_msg("%.*s: id %zu of %zu is not %d", (int)n, text,
			    i, ids.n, (int)id);
		i++;
	}
	assert_int_equal(ids.n, i);
	bpe_ids_free(&ids);
}

#endif
