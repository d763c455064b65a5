/* Audiofact: what is written of a clip, refused of it, and noted. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "audiofact.h"
#include "buf.h"
#include "record.h"

#define WAV_16 0x10002		/* libsndfile's number of WAV, PCM_16 */

static const struct audiofact_rules usual = {
	.min_s = 321 / 16000.0, .max_s = (double)INFINITY, .clip_s = 30,
};

static struct buf b;
static struct record *record;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	record = record_new(&e);
	return record == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	record_free(record);
	buf_free(&b);
	return 0;
}

/* A clip of N samples at RATE, N16 at 16 kHz. */
static struct clip_facts
clip(uint64_t n, uint32_t rate, uint64_t n16)
{
	return (struct clip_facts){ .format = WAV_16, .rate_hz = rate,
	    .channels = 2, .samples_in = n, .samples = n16, .peak = 0.5,
	    .rms = 0.1, .dc = -1e-5 };
}

static void
the_object_has_its_fields_in_their_order(void **state)
{
	static const char path[] = "\"a\\u00e9.wav\"";
	struct clip_facts f = clip(66150, 44100, 24000);

	(void)state;
	f.clipped = 7;
	buf_clear(&b);
	assert_int_equal(audiofact_put(&f, &usual,
	    (struct jsonspan){ path, sizeof path - 1 }, &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	assert_string_equal(b.p, "{\"path\":\"a\\u00e9.wav\","
	    "\"format\":\"WAV\",\"subtype\":\"PCM_16\",\"rate\":44100,"
	    "\"channels\":2,\"samples_in\":66150,\"seconds\":1.5,"
	    "\"samples\":24000,\"resample\":\"soxr\",\"peak\":0.5,"
	    "\"rms\":0.1,\"dc\":-1e-05,\"clipped\":7,\"frames\":150,"
	    "\"tokens\":37}");
}

/* The field NAME, as far as its comma, of what is written of F. */
static void
field_is(const struct clip_facts *f, const struct audiofact_rules *r,
    const char *want)
{
	buf_clear(&b);
	assert_int_equal(audiofact_put(f, r, (struct jsonspan){ "\"\"", 2 },
	    &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	if (strstr(b.p, want) == NULL)
		fail_msg("no %s in %s", want, b.p);
}

static void
samples_frames_and_tokens_are_those_of_what_is_left(void **state)
{
	struct clip_facts f = clip(100 * 16000, 16000, 100 * 16000);
	struct audiofact_rules r = usual;

	(void)state;
	field_is(&f, &r, "\"samples\":480000,\"resample\":\"none\"");
	field_is(&f, &r, "\"frames\":3000,\"tokens\":750}");
	field_is(&f, &r, "\"seconds\":100.0,");
	r.clip_s = 2.5;
	field_is(&f, &r, "\"samples\":40000,");
	field_is(&f, &r, "\"frames\":250,\"tokens\":62}");
	r.resample = RESAMPLE_SINC;
	f = clip(321, 8000, 642);
	field_is(&f, &r, "\"resample\":\"sinc\"");
}

static void
a_number_is_as_short_as_it_can_be_and_reads_back(void **state)
{
	static const struct {
		double v;
		const char *text;
	} of[] = {
		{ 0, "0.0" }, { 1, "1.0" }, { -3, "-3.0" }, { 0.1, "0.1" },
		{ 1 / 3.0, "0.3333333333333333" }, { 1e22, "1e+22" },
		{ 5e-324, "4.94065645841247e-324" }, { 123456.789,
		"123456.789" }, { 0.1 + 0.2, "0.30000000000000004" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof of / sizeof of[0]; i++) {
		buf_clear(&b);
		assert_int_equal(audiofact_real(of[i].v, &b, &e), 0);
		assert_int_equal(buf_putc(&b, '\0', &e), 0);
		assert_string_equal(b.p, of[i].text);
	}
	srand(1);
	for (int i = 0; i < 10000; i++) {
		double v = (double)rand() / (double)rand() - 1;

		buf_clear(&b);
		assert_int_equal(audiofact_real(v, &b, &e), 0);
		assert_int_equal(buf_putc(&b, '\0', &e), 0);
		assert_true(strtod(b.p, NULL) == v);
	}
}

static void
seconds_become_samples_without_a_rounding_too_many(void **state)
{
	(void)state;
	assert_int_equal(audiofact_samples(321 / 16000.0), 321);
	for (unsigned n = 0; n < 200000; n += 7)
		assert_int_equal(audiofact_samples(n / 16000.0), n);
	assert_int_equal(audiofact_samples(0.02005), 321);
	assert_true(audiofact_samples((double)INFINITY) > 1ULL << 50);
}

static void
what_is_shorter_than_min_is_too_short(void **state)
{
	struct clip_facts f = clip(320, 16000, 320);
	struct audiofact_rules r = usual;

	(void)state;
	assert_int_equal(audiofact_check(&f, &r, &e), -1);
	assert_int_equal(e.code, CODE_AUDIO_SHORT);
	assert_non_null(strstr(e.text, "0.02 s, which are 320 of at least 321"));
	assert_non_null(strstr(e.hint, "no audio token"));
	f = clip(321, 16000, 321);
	assert_int_equal(audiofact_check(&f, &r, &e), 0);
	/* 883 samples at 44.1 kHz last less than 321 at 16, and become 321. */
	f = clip(883, 44100, 321);
	assert_int_equal(audiofact_check(&f, &r, &e), 0);
	r.min_s = 1;
	assert_int_equal(audiofact_check(&f, &r, &e), -1);
	assert_non_null(strstr(e.hint, "--min"));
	r.min_s = 0;
	f = clip(1, 16000, 1);
	assert_int_equal(audiofact_check(&f, &r, &e), 0);
}

static void
what_is_longer_than_max_is_too_long(void **state)
{
	struct clip_facts f = clip(44101, 44100, 16001);
	struct audiofact_rules r = usual;

	(void)state;
	r.max_s = 1;
	assert_int_equal(audiofact_check(&f, &r, &e), -1);
	assert_int_equal(e.code, CODE_AUDIO_LONG);
	f = clip(44100, 44100, 16000);
	assert_int_equal(audiofact_check(&f, &r, &e), 0);
}

/* The notes that F earns, to B. */
static const char *
notes(const struct clip_facts *f)
{
	struct jsonspan n;

	record_clear(record);
	buf_clear(&b);
	assert_int_equal(audiofact_note(f, &usual, "audio-check", "x.wav",
	    record, &e), 0);
	n = record_get(record, RECORD_NOTES);
	assert_int_equal(buf_put(&b, n.p, n.n, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	return b.p;
}

static void
what_is_doubtful_is_noted(void **state)
{
	struct clip_facts f = clip(16000, 16000, 16000);

	(void)state;
	assert_string_equal(notes(&f), "");
	f.samples_in = f.samples = 480001;
	assert_non_null(strstr(notes(&f), "\"audio-long\""));
	assert_non_null(strstr(notes(&f), "x.wav: the audio is 30.0000625 s "
	    "long, and cut at 30 s"));
	f.samples_in = f.samples = 480000;
	assert_string_equal(notes(&f), "");
	f.constant = 1;
	f.dc = f.peak = 0.25;
	assert_non_null(strstr(notes(&f), "every sample is the same, 0.25"));
	f.dc = f.peak = 0;
	assert_non_null(strstr(notes(&f), "every sample is 0"));
	assert_non_null(strstr(notes(&f), "\"audio-silent\""));
	f.constant = 0;
	f.clipped = 30;
	assert_non_null(strstr(notes(&f), "30 of 960000 samples"));
	assert_non_null(strstr(notes(&f), "\"audio-clipped\""));
}

static void
the_pad_is_put_in_or_replaced(void **state)
{
	static const char *const cases[][2] = {
		{ "{}", "{\"pad\":-0.5}" },
		{ "{\"a\":1}", "{\"a\":1,\"pad\":-0.5}" },
		{ "{\"pad\":1}", "{\"pad\":-0.5}" },
		{ "{\"a\":[],\"pad\":null,\"b\":\"\"}",
		    "{\"a\":[],\"pad\":-0.5,\"b\":\"\"}" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *in = cases[i][0], *want = cases[i][1];
		struct buf out = { 0 };

		assert_int_equal(audiofact_put_pad(jsonscan_value(in,
		    strlen(in)), -0.5F, &out, &e), 0);
		assert_int_equal(out.n, strlen(want));
		assert_memory_equal(out.p, want, out.n);
		buf_free(&out);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_object_has_its_fields_in_their_order),
		cmocka_unit_test(
		    samples_frames_and_tokens_are_those_of_what_is_left),
		cmocka_unit_test(
		    a_number_is_as_short_as_it_can_be_and_reads_back),
		cmocka_unit_test(
		    seconds_become_samples_without_a_rounding_too_many),
		cmocka_unit_test(what_is_shorter_than_min_is_too_short),
		cmocka_unit_test(what_is_longer_than_max_is_too_long),
		cmocka_unit_test(what_is_doubtful_is_noted),
		cmocka_unit_test(the_pad_is_put_in_or_replaced),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
