/*
 * bench_mel [SECONDS]: what mel_compute takes for a clip of 30 s (or SECONDS)
 * in each path and type: the best of many runs, and the median, in ms.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "mel.h"

enum { RUNS = 101 };

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

static int
by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Noise that grows louder and softer, seeded. */
static void
make_clip(float *f32, int16_t *i16, size_t n)
{
	uint32_t seed = 1;

	for (size_t i = 0; i < n; i++) {
		seed = seed * 1664525 + 1013904223;
		i16[i] = (int16_t)((int32_t)(seed >> 16) % 32768 *
		    (int32_t)(i % 16000 + 1) / 16000);
		f32[i] = (float)i16[i] / 32768;
	}
}

static void
bench(struct mel_plan *plan, struct mel_work *work, const char *pcm_name,
    enum dtype pcm_type, const void *pcm, size_t n, enum dtype type,
    void *out)
{
	double ms[RUNS];
	float pad;

	for (unsigned i = 0; i < RUNS; i++) {
		ms[i] = now_ms();
		mel_compute(plan, work, pcm_type, pcm, n, type, out, &pad);
		ms[i] = now_ms() - ms[i];
	}
	qsort(ms, RUNS, sizeof *ms, by_value);
	(void)printf("%-8s %3u mels, %s to %-4s  %7.3f %7.3f\n",
	    mel_path_name(mel_plan_path(plan)), mel_plan_mels(plan), pcm_name,
	    dtype_name(type), ms[0], ms[RUNS / 2]);
}

int
main(int argc, char *argv[])
{
	static const unsigned mels[] = { 128, 80 };
	static const enum dtype types[] = { DTYPE_F32, DTYPE_BF16, DTYPE_F16 };
	static float f32[MEL_SAMPLES_MAX];
	static int16_t i16[MEL_SAMPLES_MAX];
	static float out[128 * MEL_COLUMNS_MAX];
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 30;
	size_t n = MEL_SAMPLES_MAX;
	struct err e = { 0 };
	struct mel_work *work = mel_work_new(&e);

	if (seconds >= 0 && seconds < 30)
		n = (size_t)(seconds * MEL_RATE_HZ);
	make_clip(f32, i16, n);
	(void)printf("%-28s  %7s %7s\n", "", "best", "median");
	for (int path = 0; path < MEL_PATHS; path++)
		for (unsigned m = 0; m < 2; m++) {
			struct mel_plan *plan = mel_plan_new(mels[m], &e);

			if (plan == NULL || work == NULL)
				return 1;
			if (!mel_path_works((enum mel_path)path)) {
				mel_plan_free(plan);
				continue;
			}
			mel_plan_force(plan, (enum mel_path)path);
			for (unsigned t = 0; t < 3; t++)
				bench(plan, work, "F32", DTYPE_F32, f32, n,
				    types[t], out);
			bench(plan, work, "I16", DTYPE_I16, i16, n, DTYPE_F32,
			    out);
			mel_plan_free(plan);
		}
	mel_work_free(work);
	return 0;
}
