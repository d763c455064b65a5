/*
 * bpe: text to token ids and back, as the tokenizer.json of a Qwen2 model
 * has it: added tokens are split off, what is left is normalized (NFC),
 * split into words, and each word is merged by byte-pair encoding.  The ids
 * are those of Hugging Face tokenizers 0.22.2.
 *
 * A struct bpe is constant once loaded and serves any number of threads; a
 * struct bpe_cache remembers words, and serves one.  What can fail returns
 * -1 and fills in E.
 */
#ifndef BPE_H
#define BPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;
struct bpe;
struct bpe_cache;

/* Ids that grow: { 0 } is empty, bpe_ids_free makes it so again. */
struct bpe_ids {
	int32_t *p;
	size_t n;
	size_t cap;
};

/* A token that is looked for in text before all else. */
struct bpe_added {
	int32_t id;		/* the id that it must come to have */
	bool special;		/* no text, but a sign to the model */
	bool normalized;	/* looked for after NFC, not before */
	const char *text;	/* UTF-8, of N bytes */
	size_t n;
};

/*
 * What a tokenizer_config.json says beside the tokenizer.json: the added
 * tokens, ascending by id, in place of the file's own (ADDED is NULL where
 * it does not); and those of the added tokens that are special whatever
 * their flags say, by their texts.
 */
struct bpe_config {
	const struct bpe_added *added;
	size_t n_added;
	const char *const *special;
	size_t n_special;
};

/*
 * A tokenizer from the N bytes of tokenizer.json at P, and CONFIG, which may
 * be NULL; neither is needed afterwards.  Anything in them that is not
 * implemented to the letter is ERR_MODEL, and named.  NULL on failure.
 */
struct bpe *bpe_load(const char *p, size_t n, const struct bpe_config *config,
    struct err *e);
void bpe_free(struct bpe *b);

/* How many ids there are: the greatest, and one. */
size_t bpe_size(const struct bpe *b);

/*
 * A cache for one thread, which grows to some 9 MiB.  NULL where there is no
 * memory.
 */
struct bpe_cache *bpe_cache_new(const struct bpe *b, struct err *e);
void bpe_cache_free(struct bpe_cache *c);

/*
 * Append to IDS the tokens of the N bytes of UTF-8 at TEXT.  CACHE must be
 * of B.  Text that is not UTF-8 is ERR_RECORD, bad-utf8; on failure IDS is
 * as long as it was.
 */
int bpe_encode(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n, struct bpe_ids *ids, struct err *e) ERR_CHECK;

/*
 * Append to OUT the bytes that the N ids at IDS stand for; an id that has no
 * token is ERR_DAMAGED.  The bytes need not be UTF-8: a token may end in
 * the middle of a character.
 */
int bpe_decode(const struct bpe *b, const int32_t *ids, size_t n,
    struct buf *out, struct err *e) ERR_CHECK;

/*
 * The id of the token that is written as the N bytes at TEXT (in
 * tokenizer.json's way: a blank within a word is U+0120), or -1.  No token
 * is written in more than BPE_TEXT_MAX bytes.
 */
#define BPE_TEXT_MAX 1024
int32_t bpe_id(const struct bpe *b, const char *text, size_t n);

/* Whether ID is an added token; one that is special. */
bool bpe_is_added(const struct bpe *b, int32_t id);
bool bpe_is_special(const struct bpe *b, int32_t id);

/* An added token found in a text. */
struct bpe_found {
	size_t at;	/* its first byte */
	size_t n;	/* its length */
	int32_t id;
};

/*
 * Find the first added token in the N bytes at TEXT, from byte FROM on: what
 * bpe_encode would make one id of instead of text.  False if there is none.
 * (Text that becomes one by NFC only is not found.)
 */
bool bpe_find_added(const struct bpe *b, const char *text, size_t n,
    size_t from, struct bpe_found *found);

/* The memory of IDS. */
int bpe_ids_reserve(struct bpe_ids *ids, size_t more, struct err *e)
    ERR_CHECK;
void bpe_ids_free(struct bpe_ids *ids);

#endif
