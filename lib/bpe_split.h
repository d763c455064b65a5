/*
 * bpe_split: the words of a text, as the regular expression in bpe_check.c
 * has them.
 */
#ifndef BPE_SPLIT_H
#define BPE_SPLIT_H

#include <stddef.h>

#include "bpe_cache.h"

/*
 * The first words of the text from P to END, which is UTF-8 and not empty: at
 * most MAX of them, one after the other, to WORD.  How many.
 */
size_t bpe_split(const char *p, const char *end, struct bpe_word *word,
    size_t max);

#endif
