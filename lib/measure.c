#include <math.h>
#include <string.h>

#include "measure.h"

void
measure_start(struct measure *m, unsigned channels, float full)
{
	*m = (struct measure){ .channels = channels, .full = full };
}

/* Count samples in runs at full scale, channel by channel. */
static void
count_clipped(struct measure *m, const float *x, size_t frames)
{
	for (size_t i = 0; i < frames; i++)
		for (unsigned c = 0; c < m->channels; c++, x++) {
			uint32_t *run = &m->run[c];

			if (fabsf(*x) < m->full)
				*run = 0;
			else if (*run == MEASURE_RUN)
				m->clipped++;
			else if (++*run == MEASURE_RUN)
				m->clipped += MEASURE_RUN;
		}
}

/* Whether FRAMES frames are each like the first of all. */
static bool
constant(struct measure *m, const float *x, size_t frames)
{
	size_t n = m->channels;

	if (m->samples == 0)
		memcpy(m->first, x, n * sizeof *x);
	return memcmp(m->first, x, n * sizeof *x) == 0 &&
	    memcmp(x, x + n, (frames - 1) * n * sizeof *x) == 0;
}

/* Add one sample, to the lane that its number gives. */
static void
add_one(struct measure *m, float x)
{
	unsigned lane = m->samples++ & 3;

	m->peak = fabsf(x) > m->peak ? fabsf(x) : m->peak;
	m->sum[lane] += (double)x;
	m->squares[lane] += (double)x * (double)x;
}

/* Add N samples, a multiple of 4, the first of which goes to lane 0. */
static void
add_fours(struct measure *m, const float *x, size_t n)
{
	double s[4], q[4];
	float peak[4] = { 0 };

	memcpy(s, m->sum, sizeof s);
	memcpy(q, m->squares, sizeof q);
	for (size_t i = 0; i < n; i += 4)
		for (unsigned k = 0; k < 4; k++) {
			float v = x[i + k], a = fabsf(v);
			double d = (double)v;

			peak[k] = a > peak[k] ? a : peak[k];
			s[k] += d;
			q[k] += d * d;
		}
	memcpy(m->sum, s, sizeof s);
	memcpy(m->squares, q, sizeof q);
	for (unsigned k = 0; k < 4; k++)
		m->peak = peak[k] > m->peak ? peak[k] : m->peak;
	m->samples += n;
}

int
measure_add(struct measure *m, const float *x, size_t frames, size_t *bad)
{
	size_t n = frames * m->channels, i = 0, fours;
	float before = m->peak;
	double all;

	if (n == 0)
		return 0;
	if (!m->varies)
		m->varies = !constant(m, x, frames);
	m->peak = 0;
	while (i < n && (m->samples & 3) != 0)
		add_one(m, x[i++]);
	fours = (n - i) & ~(size_t)3;
	add_fours(m, x + i, fours);
	for (i += fours; i < n; i++)
		add_one(m, x[i]);
	/* Squares of finite f32 add up to a finite f64; all else shows. */
	all = (m->squares[0] + m->squares[1]) +
	    (m->squares[2] + m->squares[3]);
	if (!isfinite(all)) {
		for (i = 0; i < n && isfinite(x[i]); i++)
			continue;
		*bad = i;
		return -1;
	}
	if (m->peak >= m->full)
		count_clipped(m, x, frames);
	else
		memset(m->run, 0, m->channels * sizeof m->run[0]);
	if (before > m->peak)
		m->peak = before;
	return 0;
}

#define SUMS_MAX ((size_t)1 << 18)	/* an i32 holds an eighth of them */

/* What i16's add up to, in their own units. */
struct sums {
	int64_t sum;
	uint64_t squares;
	int low, high;
};

/* Add N samples at X, at most SUMS_MAX of them, to T. */
static void
add_up(struct sums *t, const int16_t *x, size_t n)
{
	int32_t s[8] = { 0 };
	uint64_t q[4] = { 0 };
	int16_t low[8] = { 0 }, high[8] = { 0 };
	size_t i = 0;

	/* Lanes and short loops, for the compiler. */
	for (; i + 8 <= n; i += 8, x += 8) {
		uint32_t square[8];

		for (unsigned k = 0; k < 8; k++)
			square[k] = (uint32_t)((int32_t)x[k] * x[k]);
		for (unsigned k = 0; k < 4; k++)	/* 2^31 at most */
			square[k] += square[k + 4];
		for (unsigned k = 0; k < 4; k++)
			q[k] += square[k];
		for (unsigned k = 0; k < 8; k++)
			s[k] += x[k];
		for (unsigned k = 0; k < 8; k++)
			high[k] = x[k] > high[k] ? x[k] : high[k];
		for (unsigned k = 0; k < 8; k++)
			low[k] = x[k] < low[k] ? x[k] : low[k];
	}
	for (; i < n; i++, x++) {
		s[0] += *x;
		q[0] += (uint32_t)((int32_t)*x * *x);
		high[0] = *x > high[0] ? *x : high[0];
		low[0] = *x < low[0] ? *x : low[0];
	}
	for (unsigned k = 0; k < 8; k++) {
		t->sum += s[k];
		t->squares += k < 4 ? q[k] : 0;
		t->high = high[k] > t->high ? high[k] : t->high;
		t->low = low[k] < t->low ? low[k] : t->low;
	}
}

/* Whether FRAMES frames are each like the first of all. */
static bool
constant_i16(struct measure *m, const int16_t *x, size_t frames)
{
	size_t n = m->channels;

	for (size_t c = 0; c < n; c++) {
		float v = (float)x[c] / 32768;

		if (m->samples == 0)
			m->first[c] = v;
		else if (v < m->first[c] || v > m->first[c])
			return false;
	}
	return memcmp(x, x + n, (frames - 1) * n * sizeof *x) == 0;
}

/* As count_clipped: that is rare, and may take its time. */
static void
count_clipped_i16(struct measure *m, const int16_t *x, size_t frames)
{
	float wide[MEASURE_CHANNELS_MAX];

	for (; frames > 0; frames--, x += m->channels) {
		for (unsigned c = 0; c < m->channels; c++)
			wide[c] = (float)x[c] / 32768;
		count_clipped(m, wide, 1);
	}
}

void
measure_add_i16(struct measure *m, const int16_t *x, size_t frames)
{
	size_t n = frames * m->channels;
	struct sums t = { 0 };
	float peak;

	if (n == 0)
		return;
	if (!m->varies)
		m->varies = !constant_i16(m, x, frames);
	for (size_t i = 0; i < n; i += SUMS_MAX)
		add_up(&t, x + i, n - i < SUMS_MAX ? n - i : SUMS_MAX);
	peak = (float)(-t.low > t.high ? -t.low : t.high) / 32768;
	m->samples += n;
	m->sum[0] += (double)t.sum * 0x1p-15;
	m->squares[0] += (double)t.squares * 0x1p-30;
	if (peak >= m->full)
		count_clipped_i16(m, x, frames);
	else
		memset(m->run, 0, m->channels * sizeof m->run[0]);
	m->peak = peak > m->peak ? peak : m->peak;
}

double
measure_mean(const struct measure *m)
{
	if (m->samples == 0)
		return 0;
	return ((m->sum[0] + m->sum[1]) + (m->sum[2] + m->sum[3])) /
	    (double)m->samples;
}

double
measure_rms(const struct measure *m)
{
	if (m->samples == 0)
		return 0;
	return sqrt(((m->squares[0] + m->squares[1]) +
	    (m->squares[2] + m->squares[3])) / (double)m->samples);
}
