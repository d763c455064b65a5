/*
 * bpe_large: memory of megabytes, all zeros, in large pages where the system
 * has such: a thousand small ones take longer to get than to fill.
 */
#ifndef BPE_LARGE_H
#define BPE_LARGE_H

#include <stddef.h>

#include "err.h"

/* N bytes; NULL with E where there is no memory. */
void *bpe_large_new(size_t n, struct err *e);

/* Give back the N bytes at P, which may be NULL. */
void bpe_large_free(void *p, size_t n);

#endif
