/*
 * bpe_merge: byte-pair encoding of one word.
 *
 * Bytes become tokens; then, over and over, of all neighbours that make a
 * token the pair of the lowest rank is merged, the leftmost first.
 */
#ifndef BPE_MERGE_H
#define BPE_MERGE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct bpe;
struct buf;

/* Two tokens, and what their merge makes. */
struct bpe_merge {
	uint32_t left, right, made;
};

/*
 * Make B's tables of its merges, when it has its vocabulary: begin, add them
 * all in their order, some at a time, and end.
 */
int bpe_merge_begin(struct bpe *b, struct err *e) ERR_CHECK;
int bpe_merge_add(struct bpe *b, const struct bpe_merge *m, size_t n,
    struct err *e) ERR_CHECK;
int bpe_merge_end(struct bpe *b, struct err *e) ERR_CHECK;

/*
 * The tokens of the word of N bytes at P (at least 1), to OUT, which has
 * room for N: how many; 0 where there is no memory, with E.  WORK is
 * scratch, whose memory is kept from call to call.
 */
size_t bpe_merge_word(const struct bpe *b, const char *p, size_t n,
    int32_t *out, struct buf *work, struct err *e);

/*
 * How much of the word of N bytes at P may be encoded alone: up to the first
 * border between two characters that no token joins.
 */
size_t bpe_merge_unit(const struct bpe *b, const char *p, size_t n);

/* A word of at most BPE_SHORT_JOB bytes to be merged: N bytes at P. */
#define BPE_SHORT_JOB 64

struct bpe_job {
	const char *p;
	size_t n;
	int32_t *out;		/* where its tokens go: room for N */
	size_t count;		/* and how many they are */
};

/* Merge the N words of JOB, some at a time. */
void bpe_merge_shorts(const struct bpe *b, struct bpe_job *job, size_t n);

#endif
