#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sinc.h"

#define WIDTH 6			/* lowpass_filter_width */
#define ROLLOFF 0.99
#define KEPT_MAX ((uint64_t)16 << 20)	/* taps kept: 64 MiB */
#define PI 3.14159265358979323846

/*
 * The taps of one phase: sample k of the output, k being that phase modulo
 * the rate, is the sum of tap[i] * input[k / to * from + first + i].
 */
struct phase {
	int32_t first;
	int32_t n;		/* -1: not computed yet */
};

struct sinc {
	uint32_t asked_from, asked_to;	/* as sinc_start was called */
	uint32_t from, to;	/* reduced to lowest terms */
	uint32_t taps_max;	/* no phase has more */
	int32_t reach;		/* no tap is further from its frame's start */
	struct phase *phase;	/* one for each of TO */
	float *taps;		/* TAPS_MAX for each phase, or for one */
	bool kept;
	float *x;		/* input from sample X_AT on */
	size_t x_n, x_cap;
	uint64_t x_at;
	uint64_t out_at;	/* the next output sample */
	bool last;
};

struct sinc *
sinc_new(struct err *e)
{
	struct sinc *s = calloc(1, sizeof *s);

	if (s == NULL)
		(void)err_memory(e);
	return s;
}

void
sinc_free(struct sinc *s)
{
	if (s == NULL)
		return;
	free(s->phase);
	free(s->taps);
	free(s->x);
	free(s);
}

static uint32_t
gcd(uint32_t a, uint32_t b)
{
	while (b != 0) {
		uint32_t r = a % b;

		a = b;
		b = r;
	}
	return a;
}

/* Make room for the taps of another pair of rates. */
static int
plan(struct sinc *s, uint32_t from, uint32_t to, struct err *e)
{
	uint32_t g = gcd(from, to);
	double base;
	uint64_t all;

	s->asked_from = 0;
	free(s->phase);
	free(s->taps);
	s->phase = NULL;
	s->taps = NULL;
	s->from = from / g;
	s->to = to / g;
	base = (s->from < s->to ? s->from : s->to) * ROLLOFF;
	s->reach = (int32_t)ceil(WIDTH * (double)s->from / base);
	s->taps_max = 2 * (uint32_t)s->reach + 4;
	all = (uint64_t)s->taps_max * s->to;
	s->kept = all <= KEPT_MAX;
	s->phase = malloc(s->to * sizeof *s->phase);
	s->taps = malloc((s->kept ? all : s->taps_max) * sizeof *s->taps);
	if (s->phase == NULL || s->taps == NULL)
		return err_memory(e);
	for (uint32_t k = 0; k < s->to; k++)
		s->phase[k].n = -1;
	s->asked_from = from;
	s->asked_to = to;
	return 0;
}

int
sinc_start(struct sinc *s, uint32_t from, uint32_t to, struct err *e)
{
	if ((s->asked_from != from || s->asked_to != to) &&
	    plan(s, from, to, e) < 0)
		return -1;
	s->x_n = 0;
	s->x_at = 0;
	s->out_at = 0;
	s->last = false;
	return 0;
}

/*
 * Compute the taps of phase K to TAP.  Every line is one of torchaudio's,
 * each operation rounded to f32 as a tensor's is.
 */
static void
compute(struct sinc *s, uint32_t k, float *tap)
{
	struct phase *p = &s->phase[k];
	double base = (s->from < s->to ? s->from : s->to) * ROLLOFF;
	float scale = (float)(base / s->from);
	int64_t from = s->from, mid = (int64_t)k * from / s->to;
	int64_t lo = mid - s->reach - 1, hi = mid + s->reach + 1;

	if (lo < -s->reach)
		lo = -s->reach;
	if (hi > s->reach + from - 1)
		hi = s->reach + from - 1;
	p->n = 0;
	p->first = 0;
	for (int64_t i = lo; i <= hi; i++) {
		float idx = (float)i / (float)s->from;
		float t = -(float)k / (float)s->to + idx, window;

		t *= (float)base;
		if (t <= -WIDTH || t >= WIDTH)
			continue;
		window = cosf(t * (float)PI / WIDTH / 2);
		window *= window;
		t *= (float)PI;
		if (p->n == 0)
			p->first = (int32_t)i;
		tap[p->n++] = (t == 0 ? 1 : sinf(t) / t) * (window * scale);
	}
}

/* The sum of N products of T and X. */
static float
dot(const float *t, const float *x, size_t n)
{
	float sum[8] = { 0 }, rest = 0;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t k = 0; k < 8; k++)
			sum[k] += t[i + k] * x[i + k];
	for (; i < n; i++)
		rest += t[i] * x[i];
	return ((sum[0] + sum[4]) + (sum[1] + sum[5])) +
	    ((sum[2] + sum[6]) + (sum[3] + sum[7])) + rest;
}

/* Drop the input before sample AT, and append N samples at X. */
static int
take(struct sinc *s, uint64_t at, const float *x, size_t n, struct err *e)
{
	if (at > s->x_at) {
		size_t drop = at - s->x_at < s->x_n ? (size_t)(at - s->x_at) :
		    s->x_n;

		s->x_n -= drop;
		s->x_at += drop;
		if (s->x_n > 0)
			memmove(s->x, s->x + drop, s->x_n * sizeof *s->x);
	}
	if (n > s->x_cap - s->x_n) {
		size_t cap = (s->x_n + n) * 2;
		float *p = realloc(s->x, cap * sizeof *p);

		if (p == NULL)
			return err_memory(e);
		s->x = p;
		s->x_cap = cap;
	}
	if (n > 0)
		memcpy(s->x + s->x_n, x, n * sizeof *x);
	s->x_n += n;
	return 0;
}

int
sinc_push(struct sinc *s, const float *x, size_t n, bool last, float *out,
    size_t room, size_t *n_out, struct err *e)
{
	uint64_t frame_at = s->out_at / s->to * s->from;
	uint64_t reach = (uint64_t)s->reach;

	*n_out = 0;
	s->last |= last;
	if (take(s, frame_at > reach ? frame_at - reach : 0, x, n, e) < 0)
		return -1;
	while (*n_out < room) {
		uint32_t k = (uint32_t)(s->out_at % s->to);
		float *tap = s->taps + (s->kept ? (size_t)k * s->taps_max : 0);
		uint64_t in = s->x_at + s->x_n;
		int64_t from, end, have = (int64_t)in, skip = 0, use;

		if (!s->kept || s->phase[k].n < 0)
			compute(s, k, tap);
		from = (int64_t)(s->out_at / s->to * s->from) +
		    s->phase[k].first;
		end = from + s->phase[k].n;
		if (end > have && !s->last)
			break;
		if (s->last && s->out_at >= (in / s->from + 1) * s->to)
			break;
		/* Before its first sample and after its last, a clip is 0. */
		if (from < (int64_t)s->x_at)
			skip = (int64_t)s->x_at - from;
		use = (end < have ? end : have) - from - skip;
		out[(*n_out)++] = use <= 0 ? 0 : dot(tap + skip,
		    s->x + (from + skip - (int64_t)s->x_at), (size_t)use);
		s->out_at++;
	}
	return 0;
}

/*
 * torchaudio computes the quotient in Python's f64 and rounds it to f32
 * before its ceil; and its convolution has no more than so many frames.
 */
uint64_t
sinc_length(uint64_t n, uint32_t from, uint32_t to)
{
	uint32_t g = gcd(from, to);
	uint64_t most = (n / (from / g) + 1) * (to / g);
	double length;

	if (from == to)
		return n;
	length = ceil((double)(float)((double)(to / g) * (double)n /
	    (double)(from / g)));
	return length < (double)most ? (uint64_t)length : most;
}
