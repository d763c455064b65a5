/*
 * melpaths: what the tests of mel and its paths share: clips, and a path
 * held against the generic one.
 */
#ifndef MELPATHS_H
#define MELPATHS_H

#include <stdlib.h>
#include <string.h>

#include "melkernel.h"
#include "unit.h"

/* N samples of noise as make_mel.py makes it, no louder than LOUDEST; than
 * the sample's number where that is 0. */
static inline void
make_noise(int16_t *x, size_t n, int64_t loudest)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < n; i++) {
		int64_t size = loudest > 0 ? loudest : (int64_t)(i % 8000);

		seed = seed * 1664525 + 1013904223;
		x[i] = (int16_t)((seed >> 16) % (2 * size + 1) - size);
	}
}

static inline void
to_f32(float *f, const int16_t *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f[i] = (float)x[i] / 32768;
}

/* Tables that are those of no plan, but such as a plan might have. */
static inline void
make_tables(struct melkernel_tables *t)
{
	size_t used = 0;

	memset(t, 0, sizeof *t);
	for (unsigned j = 0; j < 25; j++)
		for (unsigned i = 0; i < 16; i++) {
			unsigned n = (25 * i + 16 * j) % 400;

			t->window[j][i] = 1.0 / (1 + n);
			t->window_i16[j][i] = t->window[j][i] / 32768;
			t->at[j][i] = (uint16_t)(n % MELKERNEL_HOP *
			    MELKERNEL_ROWS + n / MELKERNEL_HOP);
		}
	/* Every power that there is, 50 to 55 and so on, once. */
	for (unsigned k = 0; k < MELKERNEL_BINS; k++)
		t->power_at[k] = (uint16_t)(50 + k % 35 * 10 + k / 35 % 5);
	t->bands = MELKERNEL_BANDS;
	for (unsigned m = 0; m < t->bands; m++) {
		unsigned n = 1 + m / 20;

		t->first[m] = (uint8_t)m;
		if (m % 20 == 0)
			t->n[t->runs++] = (uint8_t)n;
		t->end[t->runs - 1] = (uint8_t)(m + 1);
		for (unsigned i = 0; i < n && used < MELKERNEL_WEIGHTS; i++)
			t->weight[used++] = 1 + (m + i) % 7;
	}
}

static inline void *
new_zeros(size_t n)
{
	void *p = aligned_alloc(64, (n + 63) / 64 * 64);

	assert_non_null(p);
	memset(p, 0, n);
	return p;
}

/* BLOCKS blocks of noise, by K and by the generic path: the same bits. */
static inline void
assert_same_logs(const struct melkernel *k, bool i16, size_t blocks)
{
	const struct melkernel *g = &melgeneric_kernel;
	const size_t n = MELKERNEL_HOP * (MELKERNEL_BLOCK * blocks + 2);
	const size_t stride = MELKERNEL_BLOCK * blocks + 3;
	const size_t cells = MELKERNEL_BANDS * stride;
	struct melkernel_tables *t = new_zeros(sizeof *t);
	struct melkernel_room *r = new_zeros(sizeof *r);
	/* Nowhere that a vector is at home. */
	int16_t *x = (int16_t *)new_zeros(n * sizeof *x + 2) + 1;
	float *f = (float *)new_zeros(n * sizeof *f + 4) + 1;
	float *a = (float *)new_zeros(cells * sizeof *a + 4) + 1;
	float *b = (float *)new_zeros(cells * sizeof *b + 4) + 1;
	float top, max;

	make_tables(t);
	make_noise(x, n, 0);
	to_f32(f, x, n);
	top = g->run(t, r, i16 ? (void *)x : (void *)f, i16, blocks, a,
	    stride, -10);
	assert_true(top > -10);
	max = k->run(t, r, i16 ? (void *)x : (void *)f, i16, blocks, b,
	    stride, -10);
	assert_memory_equal(&top, &max, sizeof top);
	assert_memory_equal(a, b, cells * sizeof *a);

	/* And the largest is that of all that came before, or larger. */
	max = k->run(t, r, f, false, blocks, b, stride, top + 1);
	assert_true(max == top + 1);
	free(t);
	free(r);
	free(x - 1);
	free(f - 1);
	free(a - 1);
	free(b - 1);
}

/* N values that make_values made, finished by K and by the generic path. */
static inline void
assert_same_finish(const struct melkernel *k, const float *values, size_t n,
    float least, enum dtype type)
{
	const size_t size = n * dtype_size(type);
	unsigned char *a = malloc(size + 1), *b = malloc(size + 1);

	assert_non_null(a);
	assert_non_null(b);
	a[size] = b[size] = 77;
	melgeneric_kernel.finish(values, n, least, type, a);
	k->finish(values, n, least, type, b);
	assert_memory_equal(a, b, size + 1);
	assert_int_equal(b[size], 77);
	free(a);
	free(b);
}

/* Values of every size and sign that a finish can meet. */
static inline size_t
make_values(float **values)
{
	const size_t n = 200003;
	float *v = malloc(n * sizeof *v);
	uint32_t seed = 7;

	assert_non_null(v);
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		/* Times 4 less 4 is undone by the finish. */
		v[i] = (float)(seed >> 8) / 16777216 * 4;
		if (i % 3 == 1)
			v[i] /= (float)(1u << (i % 28));
		if (i % 3 == 2)
			v[i] = (float)(seed % 8192) / 4096;
		v[i] = (i % 2 == 0 ? v[i] : -v[i]) * 4 - 4;
	}
	*values = v;
	return n;
}

/* All that a path must do, where this processor has it. */
static inline void
assert_path_like_generic(const struct melkernel *k)
{
	static const enum dtype types[] = { DTYPE_F32, DTYPE_F16, DTYPE_BF16 };
	float *values;
	size_t n;

	if (!k->works())
		return;
	for (size_t blocks = 1; blocks < 4; blocks++) {
		assert_same_logs(k, false, blocks);
		assert_same_logs(k, true, blocks);
	}
	n = make_values(&values);
	for (unsigned t = 0; t < 3; t++) {
		for (size_t few = 0; few < 67; few++)
			assert_same_finish(k, values, few, -6, types[t]);
		assert_same_finish(k, values, n, -100, types[t]);
		assert_same_finish(k, values, n, 1e6f, types[t]);
	}
	free(values);
}

#endif
