#include <string.h>

#include "tensors.h"

/* The memory that DATA is in, or NULL where it is borrowed. */
static struct tensors_memory *
owner(struct tensors *s, const void *data)
{
	for (size_t i = 0; i < s->n_pool; i++)
		if (s->pool[i].used && s->pool[i].b.p == data)
			return &s->pool[i];
	return NULL;
}

/*
 * Memory that is not in use, of at least N bytes: the smallest that is large
 * enough, else the largest, which grows.  NULL where there is none.
 */
static struct tensors_memory *
spare(struct tensors *s, size_t n, struct err *e)
{
	struct tensors_memory *best = NULL;

	for (size_t i = 0; i < s->n_pool; i++) {
		struct tensors_memory *m = &s->pool[i];

		if (m->used)
			continue;
		if (best == NULL ||
		    (best->b.cap < n ? m->b.cap > best->b.cap :
		    m->b.cap >= n && m->b.cap < best->b.cap))
			best = m;
	}
	if (best == NULL) {
		if (s->n_pool == TENSORS_MAX) {
			(void)err_set(e, ERR_DAMAGED,
			    "a record of more than %d tensors", TENSORS_MAX);
			return NULL;
		}
		best = &s->pool[s->n_pool++];
	}
	buf_clear(&best->b);
	if (buf_reserve(&best->b, n > 0 ? n : 1, e) < 0)
		return NULL;
	return best;
}

void
tensors_clear(struct tensors *s)
{
	size_t kept = 0;

	s->n = 0;
	for (size_t i = 0; i < s->n_pool; i++) {
		struct tensors_memory *m = &s->pool[i];

		m->used = 0;
		if (m->b.cap > TENSORS_KEEP - kept)
			buf_free(&m->b);
		kept += m->b.cap;
	}
}

void
tensors_free(struct tensors *s)
{
	s->n = 0;
	for (size_t i = 0; i < s->n_pool; i++)
		buf_free(&s->pool[i].b);
	s->n_pool = 0;
}

const struct tensor *
tensors_find(const struct tensors *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->t[i].name, name) == 0)
			return &s->t[i];
	return NULL;
}

/* The bytes of D0 x D1 elements of DTYPE to N; -1 where they overflow. */
static int
size_of(enum dtype dtype, uint64_t d0, uint64_t d1, size_t *n,
    struct err *e)
{
	size_t size = dtype_size(dtype);

	if (d1 != 0 && d0 > SIZE_MAX / size / d1)
		return err_memory(e);
	*n = (size_t)(d0 * d1) * size;
	return 0;
}

/* Write the tensor that comes next, all but its data, and do not count it. */
static struct tensor *
add(struct tensors *s, const char *name, enum dtype dtype, unsigned rank,
    uint64_t d0, uint64_t d1, struct err *e)
{
	struct tensor *t = &s->t[s->n];
	size_t n = 0;

	if (rank < 2)
		d1 = 1;
	if (strlen(name) >= SAFETENSORS_NAME_MAX) {
		(void)err_set(e, ERR_DAMAGED, "a tensor's name is too long");
		return NULL;
	}
	if (s->n == TENSORS_MAX) {
		(void)err_set(e, ERR_DAMAGED,
		    "a record of more than %d tensors", TENSORS_MAX);
		return NULL;
	}
	if (size_of(dtype, d0, d1, &n, e) < 0)
		return NULL;
	*t = (struct tensor){
		.dtype = dtype, .rank = rank, .shape = { d0, d1 },
		.n_bytes = n,
	};
	memcpy(t->name, name, strlen(name) + 1);
	return t;
}

void *
tensors_put(struct tensors *s, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, struct err *e)
{
	struct tensors_memory *m;
	struct tensor *t;

	tensors_drop(s, name);
	t = add(s, name, dtype, rank, d0, d1, e);
	if (t == NULL)
		return NULL;
	m = spare(s, t->n_bytes, e);
	if (m == NULL)
		return NULL;
	m->used = 1;
	t->data = m->b.p;
	s->n++;
	return m->b.p;
}

int
tensors_lend(struct tensors *s, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, const void *data, struct err *e)
{
	struct tensor *t;

	tensors_drop(s, name);
	t = add(s, name, dtype, rank, d0, d1, e);
	if (t == NULL)
		return -1;
	t->data = data;
	s->n++;
	return 0;
}

void
tensors_drop(struct tensors *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++) {
		struct tensors_memory *m;

		if (strcmp(s->t[i].name, name) != 0)
			continue;
		m = owner(s, s->t[i].data);
		if (m != NULL)
			m->used = 0;
		s->t[i] = s->t[--s->n];
		return;
	}
}
