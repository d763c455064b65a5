/*
 * mel: the bits of WhisperFeatureExtractor's numpy path (tests/golden/mel.txt,
 * by make_mel.py), on each path that this processor has, whatever the clip's
 * length; and what holds without an original.
 */
#include <math.h>
#include <stdio.h>

#include "unit.h"

#include "digest.h"
#include "golden.h"
#include "mel.h"
#include "melpaths.h"

enum { ROOM = 128 * MEL_COLUMNS_MAX, CLIP = 500000 };

/* One for each path that works, and both numbers of bands. */
struct set {
	struct mel_plan *plans[2 * MEL_PATHS];
	unsigned n;
	struct mel_work *work;
	int16_t i16[CLIP];
	float f32[CLIP];
	float out[ROOM], other[ROOM];
};

static int
set_up(void **state)
{
	struct set *s = malloc(sizeof *s);
	struct err e = { 0 };

	if (s == NULL)
		return -1;
	s->n = 0;
	for (int path = 0; path < MEL_PATHS; path++)
		for (unsigned mels = 80; mels <= 128; mels += 48) {
			if (!mel_path_works((enum mel_path)path))
				continue;
			s->plans[s->n] = mel_plan_new(mels, &e);
			assert_non_null(s->plans[s->n]);
			mel_plan_force(s->plans[s->n++], (enum mel_path)path);
		}
	s->work = mel_work_new(&e);
	assert_non_null(s->work);
	*state = s;
	return 0;
}

static int
tear_down(void **state)
{
	struct set *s = *state;

	for (unsigned i = 0; i < s->n; i++)
		mel_plan_free(s->plans[i]);
	mel_work_free(s->work);
	free(s);
	return 0;
}

/* The clips of make_mel.py. */
static void
make_clip(struct set *s, struct jsonspan kind, size_t n)
{
	assert_true(n <= CLIP);
	if (jsonscan_is(kind, "noise"))
		make_noise(s->i16, n, 0);
	else if (jsonscan_is(kind, "quiet"))
		make_noise(s->i16, n, 1);
	else
		for (size_t i = 0; i < n; i++)
			s->i16[i] = jsonscan_is(kind, "square") ?
			    (i / 40 % 2 == 0 ? 32767 : -32768) :
			    jsonscan_is(kind, "chirp") ?
			    (int16_t)((int)(i * i / 64 % 65536) - 32768) :
			    jsonscan_is(kind, "click") && i == 0 ? 32767 : 0;
	to_f32(s->f32, s->i16, n);
}

static size_t
number(struct jsonspan line, const char *key)
{
	int64_t n = -1;

	assert_true(jsonscan_int(jsonscan_get(line, key), 0, 1 << 20, &n));
	return (size_t)n;
}

/* Whether the string V is the f32 X in hexadecimal. */
static bool
is_float(struct jsonspan v, float x)
{
	uint32_t bits;
	char hex[9];

	memcpy(&bits, &x, sizeof bits);
	(void)snprintf(hex, sizeof hex, "%08lx", (unsigned long)bits);
	return jsonscan_is(v, hex);
}

/* What is in s->out, of PLAN, is what LINE says. */
static void
assert_golden(const struct set *s, struct jsonspan line, size_t mels,
    enum dtype type, const char *hash, float pad)
{
	const size_t columns = number(line, "columns");
	struct jsonspan wanted = jsonscan_get(line, "pad");
	char hex[DIGEST_HEX_SIZE];
	struct jsonwalk w = jsonwalk_start(jsonscan_get(line, "cells"));

	while (type == DTYPE_F32 && jsonwalk_next(&w)) {
		int64_t m, c;

		assert_true(jsonscan_int(jsonscan_at(w.value, 0), 0, 127, &m));
		assert_true(jsonscan_int(jsonscan_at(w.value, 1), 0, 2999,
		    &c));
		assert_true(is_float(jsonscan_at(w.value, 2),
		    s->out[(size_t)m * columns + (size_t)c]));
	}
	digest_sha256(s->out, mels * columns * dtype_size(type), hex);
	assert_true(jsonscan_is(jsonscan_get(line, hash), hex));
	if (type == DTYPE_F32 && jsonscan_type(wanted) == JSON_STRING)
		assert_true(is_float(wanted, pad));
}

static void
bits_are_those_of_the_original(void **state)
{
	struct set *s = *state;
	struct golden g = golden_open("tests/golden/mel.txt");
	struct jsonspan line;

	while (golden_next(&g, &line)) {
		const size_t n = number(line, "samples");
		const size_t mels = number(line, "mels");
		float pad;

		make_clip(s, jsonscan_get(line, "kind"), n);
		assert_int_equal(mel_columns(n), number(line, "columns"));
		assert_int_equal(mel_frames(n), number(line, "frames"));
		for (unsigned i = 0; i < s->n; i++) {
			const struct mel_plan *p = s->plans[i];

			if (mel_plan_mels(p) != mels)
				continue;
			mel_compute(p, s->work, DTYPE_F32, s->f32, n,
			    DTYPE_F32, s->out, &pad);
			assert_golden(s, line, mels, DTYPE_F32, "f32", pad);
			mel_compute(p, s->work, DTYPE_I16, s->i16, n,
			    DTYPE_F32, s->out, &pad);
			assert_golden(s, line, mels, DTYPE_F32, "f32", pad);
			mel_compute(p, s->work, DTYPE_F32, s->f32, n,
			    DTYPE_F16, s->out, &pad);
			assert_golden(s, line, mels, DTYPE_F16, "f16", pad);
			mel_compute(p, s->work, DTYPE_I16, s->i16, n,
			    DTYPE_BF16, s->out, &pad);
			assert_golden(s, line, mels, DTYPE_BF16, "bf16", pad);
		}
	}
	golden_close(&g, 50);
}

/* Python's floor division. */
static int
half(int x)
{
	return x >= 0 ? x / 2 : (x - 1) / 2;
}

static void
tokens_are_pythons(void **state)
{
	(void)state;
	for (int frames = 0; frames <= MEL_COLUMNS_MAX; frames++)
		assert_int_equal(mel_tokens((uint32_t)frames),
		    half(half(frames - 1) + 1 - 2) + 1);
	assert_int_equal(mel_tokens(mel_frames(320)), 0);
	assert_int_equal(mel_tokens(mel_frames(321)), 1);
	assert_int_equal(mel_tokens(MEL_COLUMNS_MAX), 750);
}

static void
no_clip_has_more_than_30_seconds(void **state)
{
	(void)state;
	for (uint64_t n = 480000; n != 0; n <<= 1) {
		assert_int_equal(mel_frames(n), 3000);
		assert_int_equal(mel_columns(n), 3000);
	}
	assert_int_equal(mel_frames(UINT64_MAX), 3000);
	assert_int_equal(mel_columns(UINT64_MAX), 3000);
	assert_int_equal(mel_frames(479840), 2999);
	assert_int_equal(mel_columns(479640), 2999);
	assert_int_equal(mel_columns(479641), 3000);
	for (uint64_t n = 0; n < 480000; n += 7)
		assert_true(mel_frames(n) <= mel_columns(n));
}

/* The f16 or bf16 BITS, as a number. */
static float
widen(uint16_t bits, enum dtype type)
{
	const int exponent = bits >> 10 & 31;
	const uint32_t wide = (uint32_t)bits << 16;
	float f;

	if (type == DTYPE_BF16) {
		memcpy(&f, &wide, sizeof f);
		return f;
	}
	f = exponent > 0 ? ldexpf((float)(bits % 1024) + 1024, exponent - 25) :
	    ldexpf((float)(bits % 1024), -24);
	return bits & 0x8000 ? -f : f;
}

static float
cell(const struct set *s, size_t i, enum dtype type)
{
	uint16_t half_word;

	if (type == DTYPE_F32)
		return s->out[i];
	memcpy(&half_word, (const char *)s->out + 2 * i, 2);
	return widen(half_word, type);
}

/* The pad of N samples is what more columns hold if zeros follow. */
static void
assert_pad(struct set *s, const struct mel_plan *p, size_t n,
    enum dtype type)
{
	const size_t more = n + 1600, columns = mel_columns(more);
	float pad, same;

	mel_compute(p, s->work, DTYPE_F32, s->f32, n, type, s->out, &pad);
	memset(s->f32 + n, 0, 1600 * sizeof *s->f32);
	mel_compute(p, s->work, DTYPE_F32, s->f32, more, type, s->out, &same);
	assert_true(pad == same);
	for (size_t m = 0; m < mel_plan_mels(p); m++)
		for (size_t c = mel_columns(n); c < columns; c++)
			assert_true(cell(s, m * columns + c, type) == pad);
}

static void
pad_is_what_silence_behind_the_clip_gives(void **state)
{
	static const enum dtype types[] = { DTYPE_F32, DTYPE_F16, DTYPE_BF16 };
	struct set *s = *state;

	for (unsigned i = 0; i < s->n; i++)
		for (unsigned t = 0; t < 3; t++)
			/* Around 0, where the pad is subnormal as f16. */
			for (int loud = -400; loud <= 400; loud += 25) {
				make_noise(s->i16, 1000, 20000);
				to_f32(s->f32, s->i16, 1000);
				for (size_t k = 0; k < 1000; k++)
					s->f32[k] *= 8.6f +
					    (float)loud / 200;
				assert_pad(s, s->plans[i], 1000, types[t]);
			}
}

static void
clip_before_leaves_no_trace(void **state)
{
	struct set *s = *state;
	struct err e = { 0 };
	float pad;

	for (unsigned i = 0; i < s->n; i++) {
		struct mel_work *fresh = mel_work_new(&e);
		const size_t n = 4000, size = mel_plan_mels(s->plans[i]) *
		    mel_columns(n) * sizeof *s->out;

		assert_non_null(fresh);
		make_noise(s->i16, n, 9000);
		mel_compute(s->plans[i], fresh, DTYPE_I16, s->i16, n,
		    DTYPE_F32, s->out, &pad);
		for (size_t k = 0; k < 20000; k++)
			s->f32[k] = k % 3 == 0 ? NAN : INFINITY;
		mel_compute(s->plans[i], s->work, DTYPE_F32, s->f32, 20000,
		    DTYPE_F32, s->other, &pad);
		mel_compute(s->plans[i], s->work, DTYPE_I16, s->i16, n,
		    DTYPE_F32, s->other, &pad);
		assert_memory_equal(s->out, s->other, size);
		mel_work_free(fresh);
	}
}

/* audio-check lets no such sample through; should one come, it is no harm. */
static void
samples_that_are_no_numbers_do_no_harm(void **state)
{
	static const float bad[] = { NAN, INFINITY, -INFINITY, 3e38f, 1e-45f };
	struct set *s = *state;
	float pad;

	for (unsigned i = 0; i < s->n; i++)
		for (unsigned b = 0; b < sizeof bad / sizeof *bad; b++) {
			for (size_t k = 0; k < 8000; k++)
				s->f32[k] = k % 700 == 0 ? bad[b] : 0.25f;
			mel_compute(s->plans[i], s->work, DTYPE_F32, s->f32,
			    8000, DTYPE_F32, s->out, &pad);
			assert_true(isfinite(pad));
			for (size_t k = 0; k < mel_plan_mels(s->plans[i]) *
			    mel_columns(8000); k++)
				assert_true(isfinite(s->out[k]));
		}
}

static void
other_numbers_of_bands_are_refused(void **state)
{
	(void)state;
	for (unsigned mels = 0; mels < 300; mels++) {
		struct err e = { 0 };
		struct mel_plan *p = mel_plan_new(mels, &e);

		assert_int_equal(p != NULL, mels == 80 || mels == 128);
		if (p == NULL) {
			assert_int_equal(e.kind, ERR_MODEL);
		} else {
			assert_int_equal(mel_plan_mels(p), mels);
			assert_true(mel_path_works(mel_plan_path(p)));
		}
		mel_plan_free(p);
	}
	mel_work_free(NULL);
}

static void
paths_have_names_and_the_last_that_works_is_taken(void **state)
{
	struct err e = { 0 };
	struct mel_plan *p = mel_plan_new(128, &e);

	(void)state;
	assert_non_null(p);
	assert_true(mel_path_works(MEL_GENERIC));
	assert_false(mel_path_works(MEL_PATHS));
	assert_string_equal(mel_path_name(MEL_GENERIC), "generic");
	assert_string_equal(mel_path_name(MEL_AVX2), "avx2");
	assert_string_equal(mel_path_name(MEL_AVX512), "avx512");
	assert_string_equal(mel_path_name(MEL_PATHS), "none");
	for (int path = (int)mel_plan_path(p) + 1; path < MEL_PATHS; path++)
		assert_false(mel_path_works((enum mel_path)path));
	mel_plan_force(p, MEL_GENERIC);
	assert_int_equal(mel_plan_path(p), MEL_GENERIC);
	mel_plan_free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_are_those_of_the_original),
		cmocka_unit_test(tokens_are_pythons),
		cmocka_unit_test(no_clip_has_more_than_30_seconds),
		cmocka_unit_test(pad_is_what_silence_behind_the_clip_gives),
		cmocka_unit_test(clip_before_leaves_no_trace),
		cmocka_unit_test(samples_that_are_no_numbers_do_no_harm),
		cmocka_unit_test(other_numbers_of_bands_are_refused),
		cmocka_unit_test(
		    paths_have_names_and_the_last_that_works_is_taken),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
