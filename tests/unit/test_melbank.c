/*
 * melbank: held against the formulas of the original, with the C library's
 * functions.
 */
#include <math.h>

#include "unit.h"

#include "melbank.h"

static const double pi = 3.14159265358979323846;

static void
window_is_hanns_and_periodic(void **state)
{
	double w[MELBANK_WINDOW];

	(void)state;
	melbank_window(w);
	assert_true(w[0] == 0 && w[200] == 1);
	for (unsigned i = 0; i < MELBANK_WINDOW; i++)
		assert_true(fabs(w[i] - (0.5 - 0.5 * cos(2 * pi * i / 400))) <
		    5e-16);
	for (unsigned i = 1; i < 200; i++)
		assert_true(w[i] == w[400 - i] && w[i] > w[i - 1]);
}

/* librosa's and transformers' mel_to_hertz, "slaney". */
static double
hertz(double mel)
{
	return mel < 15 ? 200 * mel / 3 :
	    1000 * exp(log(6.4) / 27 * (mel - 15));
}

static double
weight(unsigned mels, unsigned m, unsigned k)
{
	const double top = 15 + log(8) * (27 / log(6.4));
	const double from = hertz(m * top / (mels + 1));
	const double peak = hertz((m + 1) * top / (mels + 1));
	const double to = hertz((m + 2) * top / (mels + 1));
	const double up = (40.0 * k - from) / (peak - from);
	const double down = (to - 40.0 * k) / (to - peak);

	return fmax(0, fmin(up, down)) * 2 / (to - from);
}

static void
filters_are_slaneys(void **state)
{
	static double w[128 * MELBANK_BINS];

	(void)state;
	for (unsigned mels = 80; mels <= 128; mels += 48) {
		melbank_filters(mels, w);
		for (unsigned m = 0; m < mels; m++)
			for (unsigned k = 0; k < MELBANK_BINS; k++)
				assert_true(fabs(w[m * MELBANK_BINS + k] -
				    weight(mels, m, k)) < 1e-15);
	}
}

/* The kernel leaves out bins 0 and 200, and takes a band's bins together. */
static void
bands_are_whole_and_leave_the_ends_out(void **state)
{
	static double w[128 * MELBANK_BINS];
	unsigned used = 0;

	(void)state;
	melbank_filters(128, w);
	for (unsigned m = 0; m < 128; m++) {
		const double *band = w + m * MELBANK_BINS;
		unsigned runs = 0;

		assert_true(band[0] == 0 && band[MELBANK_BINS - 1] == 0);
		for (unsigned k = 1; k < MELBANK_BINS; k++) {
			runs += band[k] > 0 && band[k - 1] <= 0;
			used += band[k] > 0;
		}
		assert_int_equal(runs, 1);
	}
	assert_int_equal(used, 394);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_is_hanns_and_periodic),
		cmocka_unit_test(filters_are_slaneys),
		cmocka_unit_test(bands_are_whole_and_leave_the_ends_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
