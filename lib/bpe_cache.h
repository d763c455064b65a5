/*
 * bpe_cache: what a thread remembers of the words that it has seen.
 *
 * Words of at most 16 bytes, nine in ten, lie in SHORTS, each in one of the
 * two places that its hash gives; the older makes room for a newer.  The
 * tokens of longer words, and of those with more than three tokens, lie in
 * the ROOM, which is written round and round: what was put AT a place is
 * there until HEAD is BPE_ROOM bytes further.
 */
#ifndef BPE_CACHE_H
#define BPE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "buf.h"

struct bpe;
struct bpe_cache;

#define BPE_SHORT_BITS 17
#define BPE_LONG_BITS 14
#define BPE_SHORT_MAX 15	/* bytes of a word in SHORTS */
#define BPE_LONG_MAX 1024	/* bytes of a word that is remembered */
#define BPE_INLINE 3		/* tokens in SHORTS */
#define BPE_ROOM ((size_t)4 << 20)

struct bpe_short {
	uint64_t low, high;	/* the word's bytes, zeros, its length */
	uint32_t n_ids;		/* 0 if there is no word */
	int32_t id[BPE_INLINE];	/* or, if there are more: where in ROOM */
};

struct bpe_long {
	uint64_t hash;
	uint64_t at;		/* in ROOM: tokens, then bytes */
	uint32_t n, n_ids;	/* bytes, 0 if none; tokens */
};

struct bpe_cache {
	struct bpe_short *shorts;	/* two to a line of the processor's */
	struct bpe_long *longs;
	char *room;
	uint64_t head;
	struct buf nfc, nfc_work, work;
};

/* A word to be encoded: N bytes at P, at least one. */
struct bpe_word {
	const char *p;
	size_t n;

	/* Where it is looked for; not for callers. */
	uint64_t low, high;	/* as in SHORTS; or LOW is its hash */
	struct bpe_short *place;	/* and the one behind it */
};

/* As many words at a time as keep memory busy; and as have some among them
 * that have not been seen before. */
#define BPE_NEAR 16
#define BPE_BATCH 128

/*
 * The tokens of the K words at W, which follow one another and may be read
 * up to END, to OUT, which has room for their bytes and BPE_INLINE more: how
 * many; 0 with E where there is no memory.
 */
size_t bpe_cache_encode(const struct bpe *b, struct bpe_cache *c,
    struct bpe_word *w, size_t k, const char *end, int32_t *out,
    struct err *e);

#endif
