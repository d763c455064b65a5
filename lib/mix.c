#include <stdbool.h>

#include "mix.h"

/*
 * Samples of an inner loop: of a fixed number, and a multiple of any vector,
 * so that the compiler makes it one of vectors.
 */
#define RUN 256

/* Two channels, the common case, where every order is the same. */
static inline void
mix_pairs(const float *restrict x, size_t frames, float *restrict mono)
{
	for (size_t i = 0; i < frames; i++)
		mono[i] = (x[2 * i] + x[2 * i + 1]) * 0.5f;
}

static void
mix_two(const float *x, size_t frames, float *mono)
{
	size_t i = 0;

	for (; i + RUN <= frames; i += RUN)
		mix_pairs(x + 2 * i, RUN, mono + i);
	mix_pairs(x + 2 * i, frames - i, mono + i);
}

/* CHANNELS, 1 or 2, of i16's, whose sum an f32 holds. */
static inline void
mix_narrow(const int16_t *x, size_t frames, unsigned channels, float *mono)
{
	for (size_t i = 0; i < frames; i++)
		mono[i] = channels == 1 ? (float)x[i] * 0x1p-15f :
		    (float)(x[2 * i] + x[2 * i + 1]) * 0x1p-16f;
}

void
mix_i16(const int16_t *x, size_t frames, unsigned channels, float *mono)
{
	size_t i = 0;

	if (channels == 1)
		for (; i + RUN <= frames; i += RUN)
			mix_narrow(x + i, RUN, 1, mono + i);
	else
		for (; i + RUN <= frames; i += RUN)
			mix_narrow(x + 2 * i, RUN, 2, mono + i);
	mix_narrow(x + i * channels, frames - i, channels, mono + i);
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
