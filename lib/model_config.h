/*
 * model_config: what tokenizer_config.json says of a tokenizer.
 *
 * How transformers' AutoTokenizer makes a Qwen2Tokenizer of a directory: of
 * tokenizer.json it takes the vocabulary and the merges, and the rest is
 * its own (and ours: see bpe_check.c).  The added tokens are those of
 * tokenizer_config.json's added_tokens_decoder, or of tokenizer.json where
 * there is none; and each token that has a name (eos_token) or is listed
 * (additional_special_tokens) is special.
 */
#ifndef MODEL_CONFIG_H
#define MODEL_CONFIG_H

#include <stddef.h>

#include "bpe.h"
#include "buf.h"
#include "jsonscan.h"

struct model;

/* A member of tokenizer_config.json. */
struct model_member {
	struct jsonspan key, value;
};

struct model_config {
	struct buf text;		/* the file */
	struct model_member *member;	/* all, since it has 600 kB */
	size_t n_members;
	struct buf texts;		/* of all tokens, each with its NUL */
	size_t *text_at;		/* where each begins */
	struct bpe_added *added;	/* NULL without added_tokens_decoder */
	size_t n_added;
	size_t *special_at;
	const char **special;
	size_t n_special, special_cap;
};

/*
 * Read M's into C, which is { 0 }.  ERR_MODEL where it asks for what is not
 * implemented.  C must be freed all the same.
 */
int model_config_read(struct model *m, struct model_config *c, struct err *e)
    ERR_CHECK;
void model_config_free(struct model_config *c);

/* The member KEY, or none. */
struct jsonspan model_config_get(const struct model_config *c,
    const char *key);

/* The member KEY, which names a token, or what Qwen2Tokenizer has where it is
 * absent: "<|endoftext|>". */
struct jsonspan model_config_named(const struct model_config *c,
    const char *key);

/* The text of the special token V, the value of KEY: a string, or an
 * AddedToken as it is saved.  None where it is null or absent. */
int model_config_token(const char *key, struct jsonspan v,
    struct jsonspan *text, struct err *e) ERR_CHECK;

#endif
