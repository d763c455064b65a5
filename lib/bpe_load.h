/*
 * bpe_load: the vocabulary and the merges of a tokenizer.json.
 */
#ifndef BPE_LOAD_H
#define BPE_LOAD_H

#include <stddef.h>

#include "err.h"
#include "jsonscan.h"

struct bpe;

/*
 * Fill B, which is empty, from the N bytes at P, all but its added tokens:
 * their array in the file is given in ADDED (none where there is none).
 */
int bpe_load_model(struct bpe *b, const char *p, size_t n,
    struct jsonspan *added, struct err *e) ERR_CHECK;

#endif
