/*
 * bench_mel [SECONDS [PATH]]: what mel_compute takes for a clip of 30 s (or
 * SECONDS) in each path and type: the best of many runs, and the median, in
 * ms.  With PATH (generic, avx2, avx512), only 128 mels from f32 to f32 in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

/* Bench PATH with MELS bands, all types or only F32 to F32. */
static int
bench_path(enum mel_path path, unsigned mels, bool all, struct mel_work *work,
    const float *f32, const int16_t *i16, size_t n, float *out)
{
	static const enum dtype types[] = { DTYPE_F32, DTYPE_BF16, DTYPE_F16 };
	struct err e = { 0 };
	struct mel_plan *plan = mel_plan_new(mels, &e);

	if (plan == NULL)
		return -1;
	mel_plan_force(plan, path);
	for (unsigned t = 0; t < (all ? 3 : 1); t++)
		bench(plan, work, "F32", DTYPE_F32, f32, n, types[t], out);
	if (all)
		bench(plan, work, "I16", DTYPE_I16, i16, n, DTYPE_F32, out);
	mel_plan_free(plan);
	return 0;
}

int
main(int argc, char *argv[])
{
	static float f32[MEL_SAMPLES_MAX];
	static int16_t i16[MEL_SAMPLES_MAX];
	static float out[128 * MEL_COLUMNS_MAX];
	const double seconds = argc > 1 ? strtod(argv[1], NULL) : 30;
	const char *only = argc > 2 ? argv[2] : NULL;
	size_t n = MEL_SAMPLES_MAX;
	struct err e = { 0 };
	struct mel_work *work = mel_work_new(&e);
	int rc = work == NULL ? -1 : 0;

	if (seconds >= 0 && seconds < 30)
		n = (size_t)(seconds * MEL_RATE_HZ);
	make_clip(f32, i16, n);
	(void)printf("%-28s  %7s %7s\n", "", "best", "median");
	for (enum mel_path p = 0; rc == 0 && p < MEL_PATHS; p++) {
		if (!mel_path_works(p) ||
		    (only != NULL && strcmp(only, mel_path_name(p)) != 0))
			continue;
		rc = bench_path(p, 128, only == NULL, work, f32, i16, n, out);
		if (rc == 0 && only == NULL)
			rc = bench_path(p, 80, true, work, f32, i16, n, out);
	}
	mel_work_free(work);
	return rc == 0 ? 0 : 1;
}
