#include <stdbool.h>

#include "mix.h"

/* Two channels, the common case, where every order is the same. */
static void
mix_two(const float *x, size_t frames, float *mono)
{
	for (size_t i = 0; i < frames; i++)
		mono[i] = (x[2 * i] + x[2 * i + 1]) * 0.5f;
}

/*
 * numpy's pairwise sum: one after the other up to 8, eight running sums up
 * to 128, and halves (of a multiple of 8) beyond.  1,024 channels are three
 * halvings.
 */
static float
pairwise(const float *x, unsigned n)
{
	float r[8], sum;
	unsigned i, half;

	if (n < 8) {
		sum = x[0];
		for (i = 1; i < n; i++)
			sum += x[i];
		return sum;
	}
	if (n > 128) {
		half = n / 2 - n / 2 % 8;
		return pairwise(x, half) + pairwise(x + half, n - half);
	}
	for (i = 0; i < 8; i++)
		r[i] = x[i];
	for (; i < n - n % 8; i += 8)
		for (unsigned k = 0; k < 8; k++)
			r[k] += x[i + k];
	sum = ((r[0] + r[1]) + (r[2] + r[3])) +
	    ((r[4] + r[5]) + (r[6] + r[7]));
	for (; i < n; i++)
		sum += x[i];
	return sum;
}

/*
 * torch's cascade (aten/src/ATen/native/cpu/SumKernel.cpp): sums of 16, of
 * 16 such sums, and so on.
 */
static float
cascade(const float *x, unsigned n)
{
	float level[4] = { 0 };
	unsigned i = 0;

	while (i + 16 <= n) {
		for (unsigned end = i + 16; i < end; i++)
			level[0] += x[i];
		for (unsigned k = 1; k < 4; k++) {
			level[k] += level[k - 1];
			level[k - 1] = 0;
			if ((i & (15u << (4 * k))) != 0)
				break;
		}
	}
	for (; i < n; i++)
		level[0] += x[i];
	return level[0] + level[1] + level[2] + level[3];
}

void
mix_numpy(const float *x, size_t frames, unsigned channels, float *mono)
{
	float n = (float)channels;

	if (channels == 2) {
		mix_two(x, frames, mono);
		return;
	}
	for (size_t i = 0; i < frames; i++)
		mono[i] = pairwise(x + i * channels, channels) / n;
}

void
mix_torch(const float *x, size_t frames, unsigned channels, float *mono)
{
	float n = (float)channels;

	if (channels == 2) {
		mix_two(x, frames, mono);
		return;
	}
	for (size_t i = 0; i < frames; i++)
		mono[i] = cascade(x + i * channels, channels) / n;
}
