/*
 * lengths: how long a record is, in tokens: what a shard's lengths frame
 * says of it, so that batches can be planned before anything is read.
 *
 * A row is u32 after u32: ids of chosen, of rejected, the number of audios,
 * the tokens of each audio.  What a record does not have counts as zero.
 */
#ifndef LENGTHS_H
#define LENGTHS_H

#include "jsonscan.h"

struct stream_lengths;
struct tensor;

/*
 * Append the row of a record with the facts AUDIO (may be none) and the
 * tensors CHOSEN and REJECTED of its ids (may be NULL).
 */
int lengths_put(struct buf *out, struct jsonspan audio,
    const struct tensor *chosen, const struct tensor *rejected,
    struct err *e) ERR_CHECK;

/* The row at P, which holds one; returns where the next one is. */
const char *lengths_row(const char *p, struct stream_lengths *row);

#endif
