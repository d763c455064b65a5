/*
 * bpe_core: what a struct bpe is made of, for the files bpe*.c alone.
 *
 * A token is known by its id.  Its bytes are what it stands for in text: in
 * tokenizer.json each byte is written as a printable character (byte-level
 * BPE), which is undone when it is read.
 */
#ifndef BPE_CORE_H
#define BPE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "bpe.h"

#define BPE_NONE UINT32_MAX		/* no token, no rank */
#define BPE_TOKENS_MAX 0x1fffffu	/* ids and ranks have 21 bits */
#define BPE_EMPTY UINT64_MAX		/* a slot of a table with nothing */

/* Where a token's bytes lie in the pool. */
struct bpe_token {
	uint32_t at;
	uint32_t n : 29;
	uint32_t raw : 1;	/* text that no byte-level word can be */
	uint32_t added : 1;
	uint32_t special : 1;
};

/* Open addressing, 2^BITS slots, at most three in four taken. */
struct bpe_table {
	uint64_t *slot;
	unsigned bits;
};

/* An added token as it is written: N bytes of UTF-8 in the pool of texts. */
struct bpe_text {
	size_t at, n;
	int32_t id;
	bool normalized;
};

/*
 * Texts to look for, sorted by their bytes, so that those which begin with
 * the same bytes are neighbours.
 */
struct bpe_needles {
	struct bpe_text *p;
	size_t n;
	char *pool;
	size_t common;		/* bytes that all begin with, and none ends */
	uint32_t from[257];	/* those that go on with byte B: from[B].. */
	uint64_t pair[1024];	/* bit: some text begins with these two */
	int only;		/* the byte that all begin with, or -1 */
};

struct bpe {
	/* Tokens, by id: N_VOCAB of the vocabulary, then the added ones. */
	struct bpe_token *token;
	size_t size, token_cap, n_vocab;
	char *pool;
	size_t pool_n, pool_cap;

	/* By bytes: a hash, whose lowest 21 bits give way to the id.  HASHED
	 * where no two tokens have the same in their slots. */
	struct bpe_table words;
	bool hashed;
	uint32_t byte_id[256];

	/*
	 * Merges: left << 42 | right << 21 | rank, and what comes of a rank:
	 * MERGED[rank], or FIRST_MERGED + rank where MERGED is NULL.  FOUNDED
	 * where each is of tokens that earlier ones made.
	 */
	struct bpe_table pairs;
	uint32_t *merged, first_merged;
	size_t n_merges, merged_cap;
	bool founded;
	uint32_t *byte_rank;	/* of two bytes: [first << 8 | second] */

	/*
	 * Which neighbours some token joins: characters, as bits of a Bloom
	 * filter; and where a token holds but a part of a character, the
	 * last byte before the border and the first one after it.
	 */
	uint64_t *joined;
	uint64_t joined_part[1024];

	/* By code point below CHARS: the token that a character alone is, or
	 * BPE_NONE; NULL where merging may not begin with those. */
	uint32_t *char_id;

	struct bpe_text *added;
	size_t n_added, added_cap;
	struct bpe_table texts;		/* by text: hash << 32 | number */
	struct bpe_needles before_nfc, after_nfc;
	char *texts_pool;
	size_t texts_n, texts_cap;
};

#define BPE_JOINED_BITS 20
#define BPE_CHARS 0x10000u

/*
 * Tables are larger than the caches near the processor: whoever knows what
 * he will need says so some steps before.
 */
#if defined(__GNUC__)
#define BPE_PREFETCH(p) __builtin_prefetch(p)
#else
#define BPE_PREFETCH(p) ((void)(p))
#endif
#define BPE_AHEAD 16

static inline uint64_t
bpe_load8(const void *p)
{
	uint64_t w;

	memcpy(&w, p, 8);
	return w;
}

/* Spread the bits of H. */
static inline uint64_t
bpe_mix(uint64_t h)
{
	h *= UINT64_C(0x9e3779b97f4a7c15);
	return h ^ h >> 32;
}

/*
 * Make room in the array *P of *CAP elements of SIZE bytes for N of them.
 */
int bpe_grow(void *p, size_t *cap, size_t n, size_t size, struct err *e)
    ERR_CHECK;

/* Make T an empty table for N entries. */
int bpe_table_new(struct bpe_table *t, size_t n, struct err *e) ERR_CHECK;
void bpe_table_free(struct bpe_table *t);

/* The N bytes at P, less than 8, and only those: as a number that tells all
 * such apart which are as long. */
static inline uint64_t
bpe_load_few(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t low, high;

	if (n >= 4) {
		memcpy(&low, p, 4);
		memcpy(&high, p + n - 4, 4);
		return low | (uint64_t)high << 32;
	}
	return n == 0 ? 0 : (uint64_t)(u[0] | (uint32_t)u[n / 2] << 8 |
	    (uint32_t)u[n - 1] << 16);
}

/* A hash of the N bytes at P; only those are read. */
static inline uint64_t
bpe_hash(const char *p, size_t n)
{
	uint64_t h = n * UINT64_C(0xff51afd7ed558ccd);

	for (; n > 16; p += 8, n -= 8)
		h = bpe_mix(h ^ bpe_load8(p));
	if (n >= 8) {
		h = bpe_mix(h ^ bpe_load8(p));
		h ^= bpe_load8(p + n - 8) * UINT64_C(0xc2b2ae3d27d4eb4f);
	} else {
		h ^= bpe_load_few(p, n);
	}
	return bpe_mix(bpe_mix(h));
}

/* Whether the N bytes at P and at Q are the same. */
static inline bool
bpe_same(const char *p, const char *q, size_t n)
{
	if (n > 16)
		return memcmp(p, q, n) == 0;
	if (n >= 8)
		return bpe_load8(p) == bpe_load8(q) &&
		    bpe_load8(p + n - 8) == bpe_load8(q + n - 8);
	return bpe_load_few(p, n) == bpe_load_few(q, n);
}

/* Where in its table the pair KEY, left << 21 | right, is looked for: the
 * first of the eight places that lie together in a line of the processor's. */
#define BPE_LINE 8

static inline size_t
bpe_pair_place(const struct bpe *b, uint64_t key)
{
	return (size_t)((key * UINT64_C(0xff51afd7ed558ccd)) >>
	    (64 - b->pairs.bits)) & ~(size_t)(BPE_LINE - 1);
}

/*
 * The rank of merging LEFT and RIGHT, or BPE_NONE.  A line is looked through
 * without a branch, since nobody can tell where in it the pair is: what is
 * least once the pair is taken away is its rank, if it is there.
 */
static inline uint32_t
bpe_rank(const struct bpe *b, uint32_t left, uint32_t right)
{
	const uint64_t key = (uint64_t)left << 21 | right;
	const size_t mask = ((size_t)1 << b->pairs.bits) - 1;
	size_t at = bpe_pair_place(b, key);

	for (;; at = (at + BPE_LINE) & mask) {
		const uint64_t *line = b->pairs.slot + at;
		uint64_t least = line[0] ^ key << 21;

		for (int i = 1; i < BPE_LINE; i++) {
			uint64_t rest = line[i] ^ key << 21;

			least = rest < least ? rest : least;
		}
		if (least <= BPE_TOKENS_MAX)
			return (uint32_t)least;
		if (line[BPE_LINE - 1] == BPE_EMPTY)
			return BPE_NONE;
	}
}

/* What the merge of rank RANK makes. */
static inline uint32_t
bpe_made(const struct bpe *b, uint32_t rank)
{
	/* One look at far memory less, where it can be had. */
	return b->merged == NULL ? b->first_merged + rank : b->merged[rank];
}

/* The token of the vocabulary with the N bytes at P and hash H. */
static inline uint32_t
bpe_word(const struct bpe *b, const char *p, size_t n, uint64_t h, bool raw)
{
	const size_t mask = ((size_t)1 << b->words.bits) - 1;
	size_t i = (size_t)h & mask;

	for (;; i = (i + 1) & mask) {
		uint64_t slot = b->words.slot[i];
		uint32_t id = (uint32_t)slot & BPE_TOKENS_MAX;

		if (slot == BPE_EMPTY)
			return BPE_NONE;
		if (slot >> 21 == h >> 21 && b->token[id].n == n &&
		    b->token[id].raw == raw &&
		    bpe_same(b->pool + b->token[id].at, p, n))
			return id;
	}
}

/* Whether some token holds a part of a character beside a border between
 * bytes LEFT and RIGHT. */
static inline bool
bpe_joined_part(const struct bpe *b, unsigned char left, unsigned char right)
{
	unsigned bit = (unsigned)left << 8 | right;

	return (b->joined_part[bit >> 6] >> (bit & 63) & 1) != 0;
}

/* The bit of BPE.joined for two neighbouring code points. */
static inline uint32_t
bpe_joined_bit(uint32_t left, uint32_t right)
{
	uint64_t h = ((uint64_t)left << 21 | right) *
	    UINT64_C(0xd6e8feb86659fd93);

	return (uint32_t)(h >> (64 - BPE_JOINED_BITS));
}

#endif
