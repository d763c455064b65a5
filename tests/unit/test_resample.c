/*
 * Resample: librosa's samples and torchaudio's, in whatever pieces they come
 * and however many are wanted.  tests/golden/make_audio.py made what they
 * are compared with.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>

#include "unit.h"

#include "resample.h"
#include "sinc.h"

#define MOST 300000

static struct resample *soxr, *sinc;
static float in[MOST], out[MOST], whole[MOST];
static struct err e;

/* The golden inputs: see signal() in make_audio.py. */
static void
make_signal(size_t n)
{
	uint32_t state = 1;

	for (size_t i = 0; i < n; i++) {
		state = state * 1664525u + 1013904223u;
		in[i] = (float)(state >> 8) / 16777216.0f - 0.5f;
	}
}

static int
setup(void **state)
{
	(void)state;
	make_signal(MOST);
	soxr = resample_new(RESAMPLE_SOXR, &e);
	sinc = resample_new(RESAMPLE_SINC, &e);
	return soxr == NULL || sinc == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	resample_free(soxr);
	resample_free(sinc);
	resample_free(NULL);
	return 0;
}

/* Resample N samples of IN in pieces of PIECE, at most MAX of them to OUT. */
static size_t
run(struct resample *r, uint32_t rate, size_t n, size_t piece, size_t max)
{
	size_t got;

	assert_int_equal(resample_start(r, rate, out, max, &e), 0);
	for (size_t i = 0; i < n && !resample_full(r); i += piece)
		assert_int_equal(resample_push(r, in + i,
		    n - i < piece ? n - i : piece, &e), 0);
	assert_int_equal(resample_finish(r, n, &got, &e), 0);
	return got;
}

/* FNV-1a over the bytes of N floats. */
static uint64_t
digest(const float *x, size_t n)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < n; i++) {
		uint32_t bits;

		memcpy(&bits, &x[i], sizeof bits);
		for (int k = 0; k < 32; k += 8)
			h = (h ^ (bits >> k & 0xff)) * 0x100000001b3;
	}
	return h;
}

static void
soxr_gives_the_bits_of_librosa_and_sinc_is_near_torchaudio(void **state)
{
	FILE *f = fopen("tests/golden/resample.txt", "r");
	unsigned rate, lines = 0;
	size_t n, length, sinc_n;
	uint64_t want;
	double worst = 0;

	(void)state;
	assert_non_null(f);
	while (fscanf(f, "%u %zu %zu %" SCNx64 " %zu", &rate, &n, &length,
	    &want, &sinc_n) == 5) {
		assert_int_equal(run(soxr, rate, n, 4096, MOST), length);
#if defined(__x86_64__)
		assert_int_equal(digest(out, length), want);
#endif
		assert_int_equal(run(sinc, rate, n, 4096, MOST), sinc_n);
		for (size_t k = 0; k < 8; k++) {
			uint32_t bits;
			float v;
			double d;

			assert_int_equal(fscanf(f, "%" SCNx32, &bits), 1);
			memcpy(&v, &bits, sizeof v);
			d = fabs((double)v - (double)out[sinc_n * k / 8]);
			worst = d > worst ? d : worst;
		}
		lines++;
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(lines, 33);
	assert_true(worst <= 5e-7);
}

static void
lengths_are_theirs_to_the_last_rounding(void **state)
{
	FILE *f = fopen("tests/golden/lengths.txt", "r");
	uint64_t n, want_soxr, want_sinc;
	unsigned rate, lines = 0;

	(void)state;
	assert_non_null(f);
	while (fscanf(f, "%u %" SCNu64 " %" SCNu64 " %" SCNu64, &rate, &n,
	    &want_soxr, &want_sinc) == 4) {
		assert_int_equal(resample_length(RESAMPLE_SOXR, n, rate),
		    want_soxr);
		assert_int_equal(resample_length(RESAMPLE_SINC, n, rate),
		    want_sinc);
		lines++;
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(lines, 128);
}

/* Rates up, down, coprime with 16 kHz, and far from it. */
static const uint32_t rates[] = {
	16000, 8000, 44100, 48000, 22050, 11025, 192000, 15999, 44101, 96000,
};

static void
pieces_make_no_difference(void **state)
{
	static const size_t pieces[] = { 1, 7, 160, 1000, 8191 };

	(void)state;
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
			struct resample *r = kind == 0 ? soxr : sinc;
			size_t n = run(r, rates[i], 20011, 20011, MOST);

			memcpy(whole, out, n * sizeof *out);
			for (size_t p = 0; p < 5; p++) {
				assert_int_equal(run(r, rates[i], 20011,
				    pieces[p], MOST), n);
				assert_memory_equal(out, whole,
				    n * sizeof *out);
			}
		}
}

static void
the_beginning_is_that_of_the_whole(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
			struct resample *r = kind == 0 ? soxr : sinc;
			size_t n = run(r, rates[i], 20011, 4096, MOST);

			memcpy(whole, out, n * sizeof *out);
			for (size_t max = 0; max < n; max += n / 7) {
				out[max] = 99;
				assert_int_equal(run(r, rates[i], 20011, 512,
				    max), max);
				assert_memory_equal(out, whole,
				    max * sizeof *out);
				assert_true(out[max] == 99);
			}
		}
}

static void
what_is_at_16_khz_stays_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(run(soxr, 16000, 5000, 333, MOST), 5000);
	assert_memory_equal(out, in, 5000 * sizeof *in);
	assert_int_equal(run(sinc, 16000, 5000, 333, 100), 100);
	assert_memory_equal(out, in, 100 * sizeof *in);
}

static void
a_clip_of_nothing_gives_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
		assert_int_equal(run(soxr, rates[i], 0, 1, MOST), 0);
		assert_int_equal(run(sinc, rates[i], 0, 1, MOST), 0);
	}
}

static void
a_clip_leaves_nothing_behind_for_the_next(void **state)
{
	size_t n;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		struct resample *r = kind == 0 ? soxr : sinc;

		n = run(r, 44100, 9000, 9000, MOST);
		memcpy(whole, out, n * sizeof *out);
		/* One that was full, one at another rate, one cut short. */
		(void)run(r, 44100, 30000, 1000, 5);
		(void)run(r, 8000, 300, 300, MOST);
		assert_int_equal(resample_start(r, 44100, out, MOST, &e), 0);
		assert_int_equal(resample_push(r, in + 500, 777, &e), 0);
		assert_int_equal(run(r, 44100, 9000, 9000, MOST), n);
		assert_memory_equal(out, whole, n * sizeof *out);
	}
}

/* 9,999,991 is prime: 16,000 phases of 7,500 taps, too many to keep. */
static void
any_pair_of_rates_can_be_had(void **state)
{
	static const uint32_t odd[] = { 1, 2, 3, 9999991, 10000000, 3333333 };

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		size_t n = odd[i] < 10 ? 10 : 200000, got;

		got = run(soxr, odd[i], n, 4096, MOST);
		assert_int_equal(got, resample_length(RESAMPLE_SOXR, n,
		    odd[i]));
		for (size_t k = 0; k < got; k++)
			assert_true(fabsf(out[k]) < 2);
		got = run(sinc, odd[i], n, 4096, 50);
		assert_true(got <= 50);
		for (size_t k = 0; k < got; k++)
			assert_true(fabsf(out[k]) < 2);
	}
}

/* A tone below both Nyquist frequencies comes out as that tone. */
static void
a_tone_stays_a_tone(void **state)
{
	(void)state;
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 1; i < sizeof rates / sizeof rates[0]; i++) {
			struct resample *r = kind == 0 ? soxr : sinc;
			size_t n = rates[i] / 2, got;
			double worst = 0;

			for (size_t k = 0; k < n; k++)
				in[k] = (float)sin(2 * 3.14159265358979 * 440 *
				    (double)k / rates[i]);
			got = run(r, rates[i], n, 4096, MOST);
			for (size_t k = 1000; k + 1000 < got; k++) {
				double d = fabs((double)out[k] -
				    sin(2 * 3.14159265358979 * 440 *
				    (double)k / 16000));

				worst = d > worst ? d : worst;
			}
			assert_true(worst < (kind == 0 ? 1e-5 : 5e-3));
		}
	make_signal(MOST);
}

static void
the_library_has_a_version(void **state)
{
	(void)state;
	assert_true(resample_library_version()[0] >= '0' &&
	    resample_library_version()[0] <= '9');
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
	    soxr_gives_the_bits_of_librosa_and_sinc_is_near_torchaudio),
		cmocka_unit_test(lengths_are_theirs_to_the_last_rounding),
		cmocka_unit_test(pieces_make_no_difference),
		cmocka_unit_test(the_beginning_is_that_of_the_whole),
		cmocka_unit_test(what_is_at_16_khz_stays_as_it_is),
		cmocka_unit_test(a_clip_of_nothing_gives_nothing),
		cmocka_unit_test(a_clip_leaves_nothing_behind_for_the_next),
		cmocka_unit_test(any_pair_of_rates_can_be_had),
		cmocka_unit_test(a_tone_stays_a_tone),
		cmocka_unit_test(the_library_has_a_version),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
