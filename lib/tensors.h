/*
 * tensors: the named tensors of one record, and the memory of those that
 * were made here.
 *
 * { 0 } is empty; tensors_free makes it so again.  Data is either borrowed
 * (from an image, which must stand) or owned; owned memory is kept from
 * record to record, up to TENSORS_KEEP bytes.  One thread at a time.
 */
#ifndef TENSORS_H
#define TENSORS_H

#include "safetensors.h"

#define TENSORS_MAX 260		/* 4 of ids, 64 audios' pcm and mel, spare */
#define TENSORS_KEEP (32u << 20)

struct tensors_memory {
	struct buf b;
	int used;
};

struct tensors {
	struct tensor t[TENSORS_MAX];	/* any order: writers sort them */
	size_t n;
	struct tensors_memory pool[TENSORS_MAX];
	size_t n_pool;
};

/* No tensors; owned memory is kept for the next ones. */
void tensors_clear(struct tensors *s);
void tensors_free(struct tensors *s);

/* The tensor of NAME, or NULL. */
const struct tensor *tensors_find(const struct tensors *s, const char *name);

/*
 * Room for a tensor of NAME, to be filled by the caller, in place of one of
 * that name.  D1 counts only where RANK is 2.  NULL on failure: S is then
 * without that tensor.
 */
void *tensors_put(struct tensors *s, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, struct err *e) ERR_CHECK;

/*
 * The same, but what it holds is at DATA, which is the caller's and must
 * stand while S has the tensor.
 */
int tensors_lend(struct tensors *s, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, const void *data, struct err *e)
    ERR_CHECK;

/* Drop the tensor of NAME, if there is one. */
void tensors_drop(struct tensors *s, const char *name);

#endif
