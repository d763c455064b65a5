/* Measure: the numbers of plain loops, whatever blocks they come in. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "measure.h"

#define N 5003
#define LONG 600000

static struct measure m, other;
static float x[6 * N];
static int16_t narrow[LONG];
static float wide[LONG];
static size_t bad;

static int
setup(void **state)
{
	(void)state;
	srand(7);
	for (size_t i = 0; i < 6 * N; i++)
		x[i] = (float)rand() / (float)RAND_MAX - 0.4f;
	return 0;
}

static void
peak_mean_and_rms_are_those_of_a_plain_loop(void **state)
{
	double sum = 0, squares = 0, peak = 0;

	(void)state;
	for (size_t i = 0; i < N; i++) {
		double v = (double)x[i];

		sum += v;
		squares += v * v;
		peak = fabs(v) > peak ? fabs(v) : peak;
	}
	measure_start(&m, 1, 1);
	assert_int_equal(measure_add(&m, x, N, &bad), 0);
	assert_int_equal(m.samples, N);
	assert_true((double)m.peak == peak);
	assert_true(fabs(measure_mean(&m) - sum / N) < 1e-14);
	assert_true(fabs(measure_rms(&m) - sqrt(squares / N)) < 1e-14);
	assert_true(m.varies);
	assert_int_equal(m.clipped, 0);
}

static void
blocks_make_no_difference(void **state)
{
	(void)state;
	measure_start(&m, 3, 0.59f);
	assert_int_equal(measure_add(&m, x, 2 * N, &bad), 0);
	for (size_t block = 1; block < 1000; block = block * 3 + 1) {
		measure_start(&other, 3, 0.59f);
		for (size_t i = 0; i < 2 * N; i += block)
			assert_int_equal(measure_add(&other, x + 3 * i,
			    2 * N - i < block ? 2 * N - i : block, &bad), 0);
		assert_int_equal(other.samples, m.samples);
		assert_true(other.peak == m.peak);
		assert_true(measure_mean(&other) == measure_mean(&m));
		assert_true(measure_rms(&other) == measure_rms(&m));
		assert_int_equal(other.clipped, m.clipped);
	}
}

static void
nothing_measures_as_nothing(void **state)
{
	(void)state;
	measure_start(&m, 2, 1);
	assert_int_equal(measure_add(&m, x, 0, &bad), 0);
	assert_true(measure_mean(&m) == 0 && measure_rms(&m) == 0);
	assert_true(m.peak == 0);
	assert_false(m.varies);
}

/* Feed N samples at V, one channel; the count of clipped ones. */
static uint64_t
clipped(const float *v, size_t n)
{
	measure_start(&m, 1, 1);
	for (size_t i = 0; i < n; i++)		/* runs go on across blocks */
		assert_int_equal(measure_add(&m, v + i, 1, &bad), 0);
	measure_start(&other, 1, 1);
	assert_int_equal(measure_add(&other, v, n, &bad), 0);
	assert_int_equal(m.clipped, other.clipped);
	return m.clipped;
}

static void
three_in_a_row_at_full_scale_are_clipped(void **state)
{
	static const float two[] = { 0, 1, 1, 0, 1, 1, 0 };
	static const float three[] = { 0, 1, -1, 1, 0, 1 };
	static const float five[] = { 1, 1, 2, 1, 1 };
	static const float twice[] = { 1, 1, 1, 0.5f, -1, -1, -1, -1 };

	(void)state;
	assert_int_equal(clipped(two, 7), 0);
	assert_int_equal(clipped(three, 6), 3);
	assert_int_equal(clipped(five, 5), 5);
	assert_int_equal(clipped(twice, 8), 7);
}

static void
each_channel_has_its_own_runs(void **state)
{
	/* Left: never three.  Right: four. */
	static const float stereo[] = {
		1, 1, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0,
	};

	(void)state;
	measure_start(&m, 2, 1);
	assert_int_equal(measure_add(&m, stereo, 6, &bad), 0);
	assert_int_equal(m.clipped, 4);
}

static void
what_is_not_finite_is_found_where_it_is(void **state)
{
	static const float odd[] = { NAN, INFINITY, -INFINITY };

	(void)state;
	for (size_t at = 0; at < 40; at++)
		for (size_t k = 0; k < 3; k++) {
			float was = x[at];

			x[at] = odd[k];
			measure_start(&m, 1, 1);
			assert_int_equal(measure_add(&m, x, 40, &bad), -1);
			assert_int_equal(bad, at);
			x[at] = was;
		}
	x[100] = 3.4e38f;	/* large is not infinite */
	measure_start(&m, 1, 1);
	assert_int_equal(measure_add(&m, x, N, &bad), 0);
	assert_true(m.peak == 3.4e38f);
	x[100] = 0;
}

static void
constant_is_constant_in_each_channel(void **state)
{
	float flat[20];

	(void)state;
	for (size_t i = 0; i < 20; i++)
		flat[i] = i % 2 == 0 ? 0.25f : -0.5f;
	measure_start(&m, 2, 1);
	assert_int_equal(measure_add(&m, flat, 4, &bad), 0);
	assert_int_equal(measure_add(&m, flat, 6, &bad), 0);
	assert_false(m.varies);
	measure_start(&m, 1, 1);
	assert_int_equal(measure_add(&m, flat, 20, &bad), 0);
	assert_true(m.varies);
	/* A change at the seam of two blocks is one too. */
	measure_start(&m, 1, 1);
	assert_int_equal(measure_add(&m, flat, 1, &bad), 0);
	assert_int_equal(measure_add(&m, flat + 1, 1, &bad), 0);
	assert_true(m.varies);
}

/* The first N samples of NARROW measure the same as such and as f32. */
static void
both_measure_the_same(unsigned channels, size_t n, size_t block)
{
	float full = 32767 / 32768.0f;

	for (size_t i = 0; i < n; i++)
		wide[i] = (float)narrow[i] / 32768;
	measure_start(&m, channels, full);
	measure_start(&other, channels, full);
	assert_int_equal(measure_add(&m, wide, n / channels, &bad), 0);
	measure_add_i16(&other, narrow, 0);
	for (size_t i = 0; i < n / channels; i += block)
		measure_add_i16(&other, narrow + i * channels,
		    n / channels - i < block ? n / channels - i : block);
	assert_int_equal(other.samples, m.samples);
	assert_true(other.peak == m.peak);
	assert_true(measure_mean(&other) == measure_mean(&m));
	assert_true(measure_rms(&other) == measure_rms(&m));
	assert_int_equal(other.clipped, m.clipped);
	assert_int_equal(other.varies, m.varies);
}

static void
i16_measure_as_the_same_f32(void **state)
{
	static const int loud[] = { 100, 20000, 32768, 80000 };

	(void)state;
	for (size_t k = 0; k < 4; k++) {
		for (size_t i = 0; i < LONG; i++) {
			int v = (rand() % 65536 - 32768) * (loud[k] / 4) /
			    8192;

			narrow[i] = (int16_t)(v > 32767 ? 32767 :
			    v < -32768 ? -32768 : v);
		}
		both_measure_the_same(1, 1, 1);
		both_measure_the_same(1, 1003, 7);
		both_measure_the_same(2, 20000, 333);
		both_measure_the_same(3, 30000, 10000);
		both_measure_the_same(1, LONG, LONG);
	}
	for (size_t i = 0; i < LONG; i++)	/* the most there can be */
		narrow[i] = -32768;
	both_measure_the_same(1, LONG, LONG);
	both_measure_the_same(2, LONG, 100000);
	assert_false(other.varies);
	narrow[LONG - 1] = 32767;
	both_measure_the_same(1, LONG, LONG);
	assert_true(other.varies);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(peak_mean_and_rms_are_those_of_a_plain_loop),
		cmocka_unit_test(blocks_make_no_difference),
		cmocka_unit_test(nothing_measures_as_nothing),
		cmocka_unit_test(three_in_a_row_at_full_scale_are_clipped),
		cmocka_unit_test(each_channel_has_its_own_runs),
		cmocka_unit_test(what_is_not_finite_is_found_where_it_is),
		cmocka_unit_test(constant_is_constant_in_each_channel),
		cmocka_unit_test(i16_measure_as_the_same_f32),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
