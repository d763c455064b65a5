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
