#include "melbank.h"

/* exp(X) for X from 0 to 2.1, by its series, the small terms first. */
static double
exp_small(double x)
{
	double sum = 0;

	for (unsigned i = 40; i > 0; i--)
		sum = (sum + 1) * x / i;
	return sum + 1;
}

/* cos(2 pi I / 400), I from 0 to 399, by its series up to pi / 4. */
static double
cos_turn(unsigned i)
{
	const double pi = 3.14159265358979323846;
	double x, sum = 0;

	if (i > 200)
		i = 400 - i;
	if (i > 100)
		return -cos_turn(200 - i);
	if (i > 50) {	/* the sine of what is left of a quarter */
		x = pi * (100 - i) / 200;
		for (unsigned k = 20; k > 0; k -= 2)
			sum = (sum + 1) * -(x * x) / (k * (k + 1));
		return x * sum + x;
	}
	x = pi * i / 200;
	for (unsigned k = 20; k > 0; k -= 2)
		sum = (sum + 1) * -(x * x) / (k * (k - 1));
	return sum + 1;
}

void
melbank_window(double w[MELBANK_WINDOW])
{
	for (unsigned i = 0; i < MELBANK_WINDOW; i++)
		w[i] = 0.5 - 0.5 * cos_turn(i);
}

#define LOG_6_4 1.8562979903656261862	/* log(6.4): 27 mels in Slaney's */
#define LOG_8 2.0794415416798359283	/* log(8): 1000 to 8000 Hz */

/* Hertz of MEL on Slaney's scale: linear to 1000 Hz, then logarithmic. */
static double
hertz(double mel)
{
	if (mel < 15)
		return 200 * mel / 3;
	return 1000 * exp_small(LOG_6_4 / 27 * (mel - 15));
}

void
melbank_filters(unsigned mels, double *weights)
{
	const double top = 15 + LOG_8 * (27 / LOG_6_4);
	const double step = top / (mels + 1);

	for (unsigned m = 0; m < mels; m++) {
		const double from = hertz(m * step);
		const double peak = hertz((m + 1) * step);
		const double to = hertz(m == mels - 1 ? top : (m + 2) * step);
		const double norm = 2 / (to - from);

		for (unsigned k = 0; k < MELBANK_BINS; k++) {
			const double up = (k * 40.0 - from) / (peak - from);
			const double down = (to - k * 40.0) / (to - peak);
			const double w = up < down ? up : down;

			weights[m * MELBANK_BINS + k] = w > 0 ? w * norm : 0;
		}
	}
}
