/*
 * bpe_check: whether a part of tokenizer.json is what bpe implements.
 *
 * V is the part's value, checked JSON.  What is not implemented to the
 * letter is ERR_MODEL: the text names the part and what it holds.
 */
#ifndef BPE_CHECK_H
#define BPE_CHECK_H

#include "err.h"
#include "jsonscan.h"

/* NFC, and nothing else. */
int bpe_check_normalizer(struct jsonspan v, struct err *e) ERR_CHECK;

/* The Qwen2 words, then the byte alphabet. */
int bpe_check_pre_tokenizer(struct jsonspan v, struct err *e) ERR_CHECK;

/* What adds nothing to a text that is encoded without special tokens. */
int bpe_check_post_processor(struct jsonspan v, struct err *e) ERR_CHECK;

/* The byte alphabet. */
int bpe_check_decoder(struct jsonspan v, struct err *e) ERR_CHECK;

/* A member of "model" other than the vocabulary and the merges. */
int bpe_check_model(struct jsonspan key, struct jsonspan v, struct err *e)
    ERR_CHECK;

/* ERR_MODEL: PART is V, and only WANTED is implemented. */
int bpe_check_refuse(const char *part, struct jsonspan v, const char *wanted,
    struct err *e);

#endif
