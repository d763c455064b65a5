/*
 * bpe_added: the added tokens, which are looked for before all else.
 */
#ifndef BPE_ADDED_H
#define BPE_ADDED_H

#include <stdbool.h>
#include <stddef.h>

#include "bpe.h"
#include "jsonscan.h"

struct bpe_needles;

/*
 * Make of the tokenizer.json's own list V (added_tokens, or none) the array
 * *LIST of *N, ascending by id, whose texts are in POOL; the caller frees
 * both.
 */
int bpe_added_read(struct jsonspan v, struct bpe_added **list, size_t *n,
    struct buf *pool, struct err *e) ERR_CHECK;

/* Add the N tokens at LIST, each of which must get the id that it has. */
int bpe_added_put(struct bpe *b, const struct bpe_added *list, size_t n,
    struct err *e) ERR_CHECK;

/* Make special those of the added tokens that are written as the N TEXTS. */
int bpe_added_special(struct bpe *b, const char *const *texts, size_t n,
    struct err *e) ERR_CHECK;

/* Sort what is looked for; after bpe_added_put. */
int bpe_added_index(struct bpe *b, struct err *e) ERR_CHECK;

/*
 * The first of NEEDLES in the N bytes at P, from byte FROM on; of several
 * that begin there the longest.
 */
bool bpe_added_find(const struct bpe_needles *needles, const char *p,
    size_t n, size_t from, struct bpe_found *found);

/* The id of the added token written as the N bytes at TEXT, or -1. */
int32_t bpe_added_id(const struct bpe *b, const char *text, size_t n);

void bpe_added_free(struct bpe *b);

#endif
