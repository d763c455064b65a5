/*
 * bpe_words: a text without added tokens split into words, and their tokens
 * found, most of them in a cache.
 */
#ifndef BPE_WORDS_H
#define BPE_WORDS_H

#include <stddef.h>

#include "bpe.h"

/*
 * Append the tokens of the N bytes at P, which are UTF-8 in NFC, to IDS.
 */
int bpe_words_encode(const struct bpe *b, struct bpe_cache *c, const char *p,
    size_t n, struct bpe_ids *ids, struct err *e) ERR_CHECK;

#endif
