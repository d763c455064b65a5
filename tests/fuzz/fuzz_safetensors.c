/*
 * An image from strangers: what is read lies inside it, and written again it
 * says the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "safetensors.h"

#define TENSORS 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether tensor T is somewhere in the N at V, with the same bytes. */
static int
is_among(const struct tensor *t, const struct tensor *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(t->name, v[i].name) == 0)
			return t->dtype == v[i].dtype &&
			    t->rank == v[i].rank &&
			    t->shape[0] == v[i].shape[0] &&
			    t->shape[1] == v[i].shape[1] &&
			    t->n_bytes == v[i].n_bytes &&
			    memcmp(t->data, v[i].data, t->n_bytes) == 0;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tensor t[TENSORS], again[TENSORS];
	struct buf record = { 0 }, image = { 0 }, text = { 0 };
	struct err e = { 0 };
	size_t n, m;

	if (safetensors_read(data, size, t, TENSORS, &n, &record, &e) == 0) {
		for (size_t i = 0; i < n; i++) {
			const uint8_t *p = t[i].data;

			if (p < data || t[i].n_bytes > size ||
			    (size_t)(p - data) > size - t[i].n_bytes)
				abort();
		}
		if (safetensors_write(t, n, record.p, record.n, &image,
		    &e) < 0)
			abort();
		if (!safetensors_is(image.p, image.n) ||
		    safetensors_read(image.p, image.n, again, TENSORS, &m,
		    &text, &e) < 0 || m != n || text.n != record.n ||
		    (text.n > 0 && memcmp(text.p, record.p, text.n) != 0))
			abort();
		for (size_t i = 0; i < n; i++)
			if (!is_among(&t[i], again, m))
				abort();
	} else if (e.kind != ERR_DAMAGED && e.kind != ERR_MEMORY) {
		abort();
	}
	buf_free(&record);
	buf_free(&image);
	buf_free(&text);
	return 0;
}
