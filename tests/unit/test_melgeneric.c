/*
 * melgeneric: the path that the others are held against.  That its numbers
 * are Whisper's is in test_mel.c.
 */
#include <math.h>

#include "unit.h"

#include "melpaths.h"

/* Every power but bins 0 and 200: where the kernel leaves them. */
static unsigned
all_powers(struct melkernel_tables *t)
{
	unsigned n = 0;

	for (unsigned real = 0; real < 50; real += 25) {
		t->power_at[n++] = (uint16_t)(real + 1);
		t->power_at[n++] = (uint16_t)(real + 2);
		for (unsigned i = 0; i < 5; i++) {
			t->power_at[n++] = (uint16_t)(real + 5 + i);
			t->power_at[n++] = (uint16_t)(real + 15 + i);
		}
	}
	for (unsigned row = 0; row < 35; row++)
		for (unsigned i = 0; i < 5; i++)
			t->power_at[n++] = (uint16_t)(50 + row * 10 + i);
	return n;
}

/* Parseval: 400 times the sum of the squares of what was windowed. */
static double
total_power(const float *x)
{
	double sum = 0, zero = 0, half = 0;

	for (unsigned n = 0; n < 400; n++) {
		double y = (double)x[n] / (1 + n);

		sum += y * y;
		zero += y;
		half += n % 2 == 0 ? y : -y;
	}
	return 400 * sum - zero * zero - half * half;
}

static void
powers_add_up_to_those_of_the_samples(void **state)
{
	enum { N = MELKERNEL_HOP * (MELKERNEL_BLOCK + 2) };
	struct melkernel_tables *t = new_zeros(sizeof *t);
	struct melkernel_room *r = new_zeros(sizeof *r);
	static int16_t x[N];
	static float f[N], out[MELKERNEL_BLOCK];

	(void)state;
	make_tables(t);
	t->bands = t->runs = 1;
	t->first[0] = 0;
	t->end[0] = 1;
	t->n[0] = (uint8_t)all_powers(t);
	assert_int_equal(t->n[0], 199);
	for (unsigned i = 0; i < 199; i++)
		t->weight[i] = 2;
	make_noise(x, N, 30000);
	to_f32(f, x, N);
	melgeneric_kernel.run(t, r, f, false, 1, out, MELKERNEL_BLOCK, -10);
	for (unsigned c = 0; c < MELKERNEL_BLOCK; c++)
		assert_float_equal(out[c],
		    log10(total_power(f + c * MELKERNEL_HOP)), 1e-6);
	free(t);
	free(r);
}

static void
silence_is_the_floor(void **state)
{
	enum { N = MELKERNEL_HOP * (MELKERNEL_BLOCK + 2) };
	struct melkernel_tables *t = new_zeros(sizeof *t);
	struct melkernel_room *r = new_zeros(sizeof *r);
	static int16_t x[N];
	static float out[MELKERNEL_BANDS * MELKERNEL_BLOCK];

	(void)state;
	make_tables(t);
	assert_true(melgeneric_kernel.run(t, r, x, true, 1, out,
	    MELKERNEL_BLOCK, -11) == -10);
	for (unsigned i = 0; i < MELKERNEL_BANDS * MELKERNEL_BLOCK; i++)
		assert_true(out[i] == -10);
	free(t);
	free(r);
}

/* What X, which comes from the logarithm 4 X - 4, is as TYPE. */
static uint32_t
finished(float x, enum dtype type)
{
	const float log = 4 * x - 4;
	uint32_t bits = 0;

	melgeneric_kernel.finish(&log, 1, -1e9f, type, &bits);
	return bits;
}

static void
f16_is_rounded_to_nearest_ties_to_even(void **state)
{
	static const struct {
		double x;
		unsigned bits;
	} cases[] = {
		{ 0, 0 }, { 1, 0x3c00 }, { -1.5, 0xbe00 },
		{ 0x1p-14, 0x0400 }, { 0x1p-24, 0x0001 }, { -0x1p-23, 0x8002 },
		{ 0x1p-14 - 0x1p-24, 0x03ff }, { 0x1p-22, 0x0004 },
		{ 1 + 0x1p-11, 0x3c00 }, { 1 + 0x3p-11, 0x3c02 },
		{ 1 + 0x1p-11 + 0x1p-20, 0x3c01 }, { -1 - 0x3p-11, 0xbc02 },
		{ 2048, 0x6800 }, { 65504, 0x7bff }, { 65519, 0x7bff },
		{ 65520, 0x7c00 }, { -65536, 0xfc00 }, { 1e30, 0x7c00 },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_int_equal(finished((float)cases[i].x, DTYPE_F16),
		    cases[i].bits);
}

static void
bf16_is_rounded_to_nearest_ties_to_even(void **state)
{
	(void)state;
	assert_int_equal(finished(1, DTYPE_BF16), 0x3f80);
	assert_int_equal(finished(1 + 0x1p-8f, DTYPE_BF16), 0x3f80);
	assert_int_equal(finished(1 + 0x3p-8f, DTYPE_BF16), 0x3f82);
	assert_int_equal(finished(1 + 0x1p-8f + 0x1p-20f, DTYPE_BF16), 0x3f81);
	assert_int_equal(finished(-1.5f, DTYPE_BF16), 0xbfc0);
}

static void
values_below_the_least_are_raised_to_it(void **state)
{
	const float logs[3] = { -10, -8, 2 };
	float out[3];

	(void)state;
	melgeneric_kernel.finish(logs, 3, -6, DTYPE_F32, out);
	assert_true(out[0] == -0.5f && out[1] == -0.5f && out[2] == 1.5f);
}

static void
it_works_everywhere(void **state)
{
	(void)state;
	assert_true(melgeneric_kernel.works());
	assert_path_like_generic(&melgeneric_kernel);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(powers_add_up_to_those_of_the_samples),
		cmocka_unit_test(silence_is_the_floor),
		cmocka_unit_test(f16_is_rounded_to_nearest_ties_to_even),
		cmocka_unit_test(bf16_is_rounded_to_nearest_ties_to_even),
		cmocka_unit_test(values_below_the_least_are_raised_to_it),
		cmocka_unit_test(it_works_everywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
