/* Clip: a file in, samples at 16 kHz and true facts out. */
#include <float.h>
#include <math.h>

#include "unit.h"

#include "audio.h"
#include "clip.h"
#include "measure.h"
#include "sounds.h"

#define KEEP 480000

static struct clip_work *soxr, *sinc, *facts_only;
static struct clip_facts f;
static float out[KEEP], in[200000];
static int16_t narrow[200000];
static volatile uint64_t progress;
static struct err e;

static int
setup(void **state)
{
	struct clip_rules rules = { .max_s = (double)INFINITY, .keep = KEEP };

	(void)state;
	soxr = clip_work_new(&rules, &e);
	rules.resample = RESAMPLE_SINC;
	sinc = clip_work_new(&rules, &e);
	rules.keep = 0;
	facts_only = clip_work_new(&rules, &e);
	srand(5);
	for (size_t i = 0; i < 200000; i++) {
		narrow[i] = (int16_t)(rand() % 20000 - 10000);
		in[i] = (float)narrow[i] / 32768;
	}
	return soxr == NULL || sinc == NULL || facts_only == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	clip_work_free(soxr);
	clip_work_free(sinc);
	clip_work_free(facts_only);
	clip_work_free(NULL);
	return 0;
}

/* Decode FD, which is closed then. */
static int
decode(struct clip_work *w, int fd)
{
	int rc;

	e = (struct err){ 0 };
	memset(out, 0x55, sizeof out);
	rc = clip_decode(w, fd, out, &f, &progress, &e);
	assert_int_equal(close(fd), 0);
	return rc;
}

/* FD is refused with CODE. */
static void
refuses(struct clip_work *w, int fd, enum code code)
{
	assert_int_equal(decode(w, fd), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, code);
	assert_true(e.text[0] != '\0' && e.hint[0] != '\0');
}

static void
sixteen_bits_at_16_khz_stay_as_they_are(void **state)
{
	(void)state;
	assert_int_equal(decode(soxr, sound_i16(narrow, 70001, 1, 16000)), 0);
	assert_int_equal(f.kept, 70001);
	assert_int_equal(f.samples, 70001);
	assert_int_equal(f.samples_in, 70001);
	assert_int_equal(f.i16, 1);
	assert_memory_equal(out, narrow, 70001 * sizeof *narrow);
	assert_true(audio_format_name(f.format) != NULL);
	/* The same as floats are the same i16. */
	assert_int_equal(decode(sinc, sound_f32(in, 70001, 1, 16000)), 0);
	assert_int_equal(f.i16, 1);
	assert_memory_equal(out, narrow, 70001 * sizeof *narrow);
}

static void
one_sample_that_is_no_i16_makes_all_f32(void **state)
{
	static const float odd[] = {
		0.5f / 32768, 1, -1.00001f, 32767.5f / 32768, 1e-20f, 2,
		-3e30f,
	};
	static const float even[] = { -1, 32767 / 32768.0f, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof odd / sizeof odd[0]; i++)
		for (size_t at = 0; at < 9001; at += 4500) {
			float was = in[at];

			in[at] = odd[i];
			assert_int_equal(decode(soxr, sound_f32(in, 9001, 1,
			    16000)), 0);
			assert_int_equal(f.i16, 0);
			assert_memory_equal(out, in, 9001 * sizeof *in);
			in[at] = was;
		}
	for (size_t i = 0; i < sizeof even / sizeof even[0]; i++) {
		float was = in[77];

		in[77] = even[i];
		assert_int_equal(decode(soxr, sound_f32(in, 9001, 1, 16000)),
		    0);
		assert_int_equal(f.i16, 1);
		in[77] = was;
	}
}

static void
i16_and_the_same_f32_come_to_the_same(void **state)
{
	static const unsigned rates[] = { 16000, 44100, 8000 };
	static float first[KEEP];

	(void)state;
	for (size_t i = 0; i < 12; i++) {
		struct clip_work *w = i < 9 ? soxr : sinc;
		unsigned channels = (unsigned)i % 3 + 1;
		struct clip_facts was;

		assert_int_equal(decode(w, sound_i16(narrow, 150000,
		    channels, rates[i / 3 % 3])), 0);
		was = f;
		memcpy(first, out, sizeof first);
		assert_int_equal(decode(w, sound_f32(in, 150000, channels,
		    rates[i / 3 % 3])), 0);
		assert_true(f.kept == was.kept && f.i16 == was.i16);
		assert_true(f.peak == was.peak && f.rms == was.rms &&
		    f.dc == was.dc);
		assert_memory_equal(out, first, f.kept * (f.i16 != 0 ?
		    sizeof(int16_t) : sizeof(float)));
	}
}

static void
a_very_long_one_measures_the_same_too(void **state)
{
	size_t n = MEASURE_I16_MAX + 5;
	int16_t *x = malloc(n * sizeof *x);
	float *y = malloc(n * sizeof *y);
	struct clip_facts was;

	(void)state;
	assert_true(x != NULL && y != NULL);
	for (size_t i = 0; i < n; i++) {
		x[i] = (int16_t)(i % 7 == 0 ? 12345 : -32768 + (int)(i & 1));
		y[i] = (float)x[i] / 32768;
	}
	for (size_t k = 0; k < 2; k++, n -= 5) {
		assert_int_equal(decode(facts_only, sound_f32(y, n, 1,
		    16000)), 0);
		was = f;
		assert_int_equal(decode(facts_only, sound_i16(x, n, 1,
		    16000)), 0);
		assert_true(f.peak == was.peak && f.rms == was.rms &&
		    f.dc == was.dc);
		assert_int_equal(f.samples_in, n);
	}
	free(x);
	free(y);
}

static void
channels_are_averaged(void **state)
{
	(void)state;
	assert_int_equal(decode(soxr, sound_f32(in, 60000, 6, 16000)), 0);
	assert_int_equal(f.channels, 6);
	assert_int_equal(f.kept, 10000);
	for (size_t i = 0; i < 10000; i++) {
		double sum = 0;

		for (size_t c = 0; c < 6; c++)
			sum += (double)in[6 * i + c];
		assert_true(fabs((double)out[i] - sum / 6) < 1e-7);
	}
}

static void
no_more_is_kept_than_asked_for_but_all_is_measured(void **state)
{
	struct clip_rules rules = { .max_s = (double)INFINITY, .keep = 1000 };
	struct clip_work *w = clip_work_new(&rules, &e);
	float first[1000];

	(void)state;
	assert_non_null(w);
	assert_int_equal(decode(soxr, sound_f32(in, 150000, 1, 44100)), 0);
	memcpy(first, out, sizeof first);
	in[149999] = 0.99f;
	assert_int_equal(decode(w, sound_f32(in, 150000, 1, 44100)), 0);
	in[149999] = 0;
	assert_int_equal(f.kept, 1000);
	assert_int_equal(f.samples_in, 150000);
	assert_int_equal(f.samples, 54422);
	assert_memory_equal(out, first, sizeof first);
	assert_true(f.peak == (double)0.99f);
	/* Nor of i16's that are kept as they are. */
	narrow[149999] = 32000;
	assert_int_equal(decode(w, sound_i16(narrow, 150000, 1, 16000)), 0);
	assert_int_equal(f.kept, 1000);
	assert_memory_equal(out, narrow, 1000 * sizeof *narrow);
	assert_int_equal(((unsigned char *)out)[2000], 0x55);
	assert_int_equal(f.samples, 150000);
	assert_true(f.peak == 32000 / 32768.0);
	clip_work_free(w);
	assert_int_equal(decode(facts_only, sound_f32(in, 150000, 1, 44100)),
	    0);
	assert_int_equal(f.kept, 0);
	assert_int_equal(f.samples, 54422);
}

static void
every_rate_has_its_length(void **state)
{
	static const unsigned rates[] = { 1, 8000, 22050, 48000, 10000000 };

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		size_t n = rates[i] == 1 ? 3 : 9000;

		assert_int_equal(decode(soxr, sound_i16(narrow, n, 1,
		    rates[i])), 0);
		assert_int_equal(f.kept, resample_length(RESAMPLE_SOXR, n,
		    rates[i]));
		assert_int_equal(f.rate_hz, rates[i]);
	}
}

static void
what_is_not_finite_is_refused_where_it_is(void **state)
{
	float was = in[12345];

	(void)state;
	in[12345] = NAN;
	refuses(soxr, sound_f32(in, 20000, 1, 16000), CODE_AUDIO_NONFINITE);
	assert_string_equal(e.text, "sample 12345 is NaN");
	in[12345] = -INFINITY;
	refuses(soxr, sound_f32(in, 20000, 2, 16000), CODE_AUDIO_NONFINITE);
	assert_string_equal(e.text,
	    "sample 6172 of channel 2 is minus infinite");
	in[12345] = INFINITY;
	refuses(facts_only, sound_f32(in, 99999, 3, 8000),
	    CODE_AUDIO_NONFINITE);
	assert_string_equal(e.text, "sample 4115 of channel 1 is infinite");
	/* So is what would be infinite only when it is added up. */
	in[12345] = FLT_MAX;
	refuses(soxr, sound_f32(in, 20000, 2, 16000), CODE_AUDIO_NONFINITE);
	refuses(facts_only, sound_f32(in, 20000, 1, 44100),
	    CODE_AUDIO_NONFINITE);
	in[12345] = was;
	assert_int_equal(decode(soxr, sound_f32(in, 20000, 1, 16000)), 0);
}

static void
nothing_and_too_much_are_refused(void **state)
{
	struct clip_rules rules = { .max_s = 2, .keep = KEEP };
	struct clip_work *w = clip_work_new(&rules, &e);

	(void)state;
	assert_non_null(w);
	refuses(soxr, sound_i16(narrow, 0, 1, 16000), CODE_AUDIO_EMPTY);
	assert_int_equal(decode(w, sound_i16(narrow, 32000, 1, 16000)), 0);
	refuses(w, sound_i16(narrow, 32001, 1, 16000), CODE_AUDIO_LONG);
	assert_non_null(strstr(e.text, "longer than 2 s"));
	clip_work_free(w);
}

static void
facts_are_those_of_the_file_and_not_of_what_became_of_it(void **state)
{
	static int16_t stereo[2000];

	(void)state;
	for (size_t i = 0; i < 1000; i++) {
		stereo[2 * i] = 16384;
		stereo[2 * i + 1] = -16384;
	}
	assert_int_equal(decode(soxr, sound_i16(stereo, 2000, 2, 44100)), 0);
	assert_true(f.peak == 0.5 && f.rms == 0.5 && f.dc == 0);
	assert_int_equal(f.constant, 1);
	assert_int_equal(f.clipped, 0);
	for (size_t i = 0; i < 10; i++)
		stereo[2 * i + 500] = 32767;
	assert_int_equal(decode(soxr, sound_i16(stereo, 2000, 2, 44100)), 0);
	assert_int_equal(f.clipped, 10);
	assert_int_equal(f.constant, 0);
}

static void
progress_is_counted(void **state)
{
	uint64_t before = progress;

	(void)state;
	assert_int_equal(decode(facts_only, sound_i16(narrow, 200000, 1,
	    16000)), 0);
	assert_true(progress >= before + 6);
}

static void
one_clip_leaves_nothing_for_the_next(void **state)
{
	static float first[30000];

	(void)state;
	assert_int_equal(decode(sinc, sound_f32(in, 50000, 1, 44100)), 0);
	memcpy(first, out, f.kept * sizeof *out < sizeof first ?
	    f.kept * sizeof *out : sizeof first);
	refuses(sinc, sound_i16(narrow, 0, 1, 44100), CODE_AUDIO_EMPTY);
	assert_int_equal(decode(sinc, sound_i16(narrow, 777, 1, 8000)), 0);
	assert_int_equal(decode(sinc, sound_f32(in, 50000, 1, 44100)), 0);
	assert_memory_equal(out, first, f.kept * sizeof *out < sizeof first ?
	    f.kept * sizeof *out : sizeof first);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(sixteen_bits_at_16_khz_stay_as_they_are),
		cmocka_unit_test(one_sample_that_is_no_i16_makes_all_f32),
		cmocka_unit_test(i16_and_the_same_f32_come_to_the_same),
		cmocka_unit_test(a_very_long_one_measures_the_same_too),
		cmocka_unit_test(channels_are_averaged),
		cmocka_unit_test(
		    no_more_is_kept_than_asked_for_but_all_is_measured),
		cmocka_unit_test(every_rate_has_its_length),
		cmocka_unit_test(what_is_not_finite_is_refused_where_it_is),
		cmocka_unit_test(nothing_and_too_much_are_refused),
		cmocka_unit_test(
	    facts_are_those_of_the_file_and_not_of_what_became_of_it),
		cmocka_unit_test(progress_is_counted),
		cmocka_unit_test(one_clip_leaves_nothing_for_the_next),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
