/*
 * Audio: whole files decode to their end with the right names and numbers;
 * of files cut anywhere, none passes for a shorter one.
 */
#include <math.h>

#include "unit.h"

#include "audio.h"
#include "sounds.h"

static struct audio *audio;
static struct audio_info info;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	audio = audio_new(&e);
	return audio == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	audio_free(audio);
	audio_free(NULL);
	return 0;
}

/* Read all of FD, which is closed then: its frames to *FRAMES. */
static int
read_all(int fd, uint64_t *frames)
{
	static float x[4096];
	size_t n = 1;
	int rc;

	e = (struct err){ 0 };
	*frames = 0;
	rc = audio_open(audio, fd, &info, &e);
	while (rc == 0 && n > 0) {
		rc = audio_read(audio, x, 4096 / info.channels, &n, &e);
		*frames += n;
	}
	audio_close(audio);
	assert_int_equal(close(fd), 0);
	if (rc < 0) {
		assert_int_equal(e.kind, ERR_RECORD);
		assert_true(e.text[0] != '\0' && e.hint[0] != '\0');
	}
	return rc;
}

/* Read the file NAME of tests/bad/audio. */
static int
read_file(const char *name, uint64_t *frames)
{
	struct sound s = sound_read(name);
	int rc = read_all(sound_fd(s.p, s.n), frames);

	free(s.p);
	return rc;
}

static const struct {
	const char *file, *format, *subtype;
	unsigned frames;
} whole[] = {
	{ "ok-whole.wav", "WAV", "PCM_16", 800 },
	{ "ok-whole.24.wav", "WAV", "PCM_24", 800 },
	{ "ok-whole.float.wav", "WAV", "FLOAT", 800 },
	{ "ok-whole.ulaw.wav", "WAV", "ULAW", 800 },
	{ "ok-whole.ima.wav", "WAV", "IMA_ADPCM", 1017 },
	{ "ok-whole.wavex.wav", "WAVEX", "PCM_16", 800 },
	{ "ok-whole.rf64", "RF64", "PCM_16", 800 },
	{ "ok-whole.w64", "W64", "PCM_16", 800 },
	{ "ok-whole.aiff", "AIFF", "PCM_16", 800 },
	{ "ok-whole.au", "AU", "PCM_16", 800 },
	{ "ok-whole.caf", "CAF", "PCM_16", 800 },
	{ "ok-whole.nist", "NIST", "PCM_16", 800 },
	{ "ok-whole.voc", "VOC", "PCM_16", 800 },
	{ "ok-whole.svx", "SVX", "PCM_16", 800 },
	{ "ok-whole.flac", "FLAC", "PCM_16", 800 },
	{ "ok-whole.ogg", "OGG", "VORBIS", 800 },
	{ "ok-whole.opus", "OGG", "OPUS", 800 },
	{ "ok-whole.mp3", "MP3", "MPEG_LAYER_III", 800 },
	{ "ok-piped-zero.wav", "WAV", "PCM_16", 800 },
	{ "ok-piped-header-only.wav", "WAV", "PCM_16", 800 },
	{ "ok-piped-ones.wav", "WAV", "PCM_16", 800 },
	{ "ok-piped-sox.wav", "WAV", "PCM_16", 800 },
	{ "ok-piped.w64", "W64", "PCM_16", 800 },
	{ "ok-piped.caf", "CAF", "PCM_16", 800 },
	{ "ok-piped.aiff", "AIFF", "PCM_16", 800 },
	{ "ok-piped.au", "AU", "PCM_16", 800 },
	{ "ok-piped.flac", "FLAC", "PCM_16", 800 },
};

static void
a_whole_file_is_read_to_its_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		uint64_t frames;

		if (read_file(whole[i].file, &frames) < 0)
			fail_msg("%s: %s", whole[i].file, e.text);
		if (frames != whole[i].frames)
			print_error("%s\n", whole[i].file);
		assert_int_equal(frames, whole[i].frames);
		assert_int_equal(info.rate_hz, 16000);
		assert_int_equal(info.channels, 1);
		assert_string_equal(audio_format_name(info.format),
		    whole[i].format);
		assert_string_equal(audio_subtype_name(info.format),
		    whole[i].subtype);
	}
}

/* Where a file is cut, it is truncated, empty, or no longer a sound file. */
static void
a_file_cut_anywhere_never_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < 18; i++) {
		struct sound s = sound_read(whole[i].file);
		int fd = sound_fd(s.p, s.n);

		for (size_t n = s.n; n-- > 0;) {
			uint64_t frames;

			assert_int_equal(ftruncate(fd, (off_t)n), 0);
			if (read_all(dup(fd), &frames) == 0)
				fail_msg("%s passes when cut at %zu",
				    whole[i].file, n);
			assert_int_equal(e.code, n == 0 ? CODE_AUDIO_EMPTY :
			    n < 8 ? CODE_AUDIO_FORMAT : CODE_AUDIO_TRUNCATED);
		}
		assert_int_equal(close(fd), 0);
		free(s.p);
	}
}

static void
what_is_no_sound_is_refused(void **state)
{
	static const char *const names[] = {
		"audio-format-text.wav", "audio-format-page.mp3",
		"audio-format-m4a.m4a", "audio-format-no-channels.wav",
		"audio-format-many-channels.wav", "audio-format-rate-0.wav",
		"audio-format-rate-20MHz.wav", "audio-format-no-fmt.wav",
	};
	uint64_t frames;

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		assert_int_equal(read_file(names[i], &frames), -1);
		if (e.code != CODE_AUDIO_FORMAT)
			fail_msg("%s: %s", names[i], e.text);
	}
	assert_int_equal(read_file("audio-truncated-damaged.flac", &frames),
	    -1);
	assert_int_equal(e.code, CODE_AUDIO_TRUNCATED);
	assert_non_null(strstr(e.text, "announces 800 samples"));
}

static void
a_file_without_samples_opens_and_has_none(void **state)
{
	uint64_t frames;

	(void)state;
	assert_int_equal(read_file("audio-empty-file.wav", &frames), -1);
	assert_int_equal(e.code, CODE_AUDIO_EMPTY);
	assert_int_equal(read_file("audio-empty-data.wav", &frames), 0);
	assert_int_equal(frames, 0);
	assert_int_equal(read_file("audio-empty-data.flac", &frames), 0);
	assert_int_equal(frames, 0);
}

static void
the_limits_of_rates_and_channels_are_inside(void **state)
{
	static int16_t x[AUDIO_CHANNELS_MAX];
	uint64_t frames;

	(void)state;
	assert_int_equal(read_all(sound_i16(x, 4, 1, 1), &frames), 0);
	assert_int_equal(info.rate_hz, 1);
	assert_int_equal(read_all(sound_i16(x, 4, 1, AUDIO_RATE_MAX),
	    &frames), 0);
	assert_int_equal(info.rate_hz, AUDIO_RATE_MAX);
	assert_int_equal(read_all(sound_i16(x, 4, 1, AUDIO_RATE_MAX + 1),
	    &frames), -1);
	assert_int_equal(e.code, CODE_AUDIO_FORMAT);
	assert_int_equal(read_all(sound_i16(x, AUDIO_CHANNELS_MAX,
	    AUDIO_CHANNELS_MAX, 16000), &frames), 0);
	assert_int_equal(info.channels, AUDIO_CHANNELS_MAX);
	assert_int_equal(frames, 1);
}

static void
integers_are_divided_by_their_range_and_floats_are_not(void **state)
{
	static const int16_t x[] = { 0, 1, -1, 32767, -32768 };
	static const float y[] = { 0, 2, -3.5f, 1e-30f };
	float out[8];
	size_t n;
	int fd = sound_i16(x, 5, 1, 8000);

	(void)state;
	assert_int_equal(audio_open(audio, fd, &info, &e), 0);
	assert_int_equal(audio_read(audio, out, 8, &n, &e), 0);
	assert_int_equal(n, 5);
	for (size_t i = 0; i < 5; i++)
		assert_true(out[i] == (float)x[i] / 32768);
	assert_int_equal(close(fd), 0);
	fd = sound_f32(y, 4, 2, 8000);
	assert_int_equal(audio_open(audio, fd, &info, &e), 0);
	assert_int_equal(audio_read(audio, out, 4, &n, &e), 0);
	assert_int_equal(n, 2);		/* frames, of two channels */
	assert_memory_equal(out, y, sizeof y);
	assert_int_equal(close(fd), 0);
}

static void
full_scale_is_what_the_format_can_hold(void **state)
{
	uint64_t frames;

	(void)state;
	assert_int_equal(read_file("audio-clipped-8bit.wav", &frames), 0);
	assert_true(audio_full_scale(info.format) == 127 / 128.0f);
	assert_int_equal(read_file("ok-whole.wav", &frames), 0);
	assert_true(audio_full_scale(info.format) == 32767 / 32768.0f);
}

static void
names_are_known_for_known_numbers_only(void **state)
{
	(void)state;
	assert_null(audio_format_name(0));
	assert_null(audio_format_name(0x0fff0000));
	assert_null(audio_subtype_name(0x0000ffff));
	assert_true(audio_library_version()[0] >= '1');
}

static void
plain_i16_are_read_as_such(void **state)
{
	static int16_t x[900], more;
	static float y[900];
	unsigned plain = 0;

	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct sound s = sound_read(whole[i].file);
		int fd = sound_fd(s.p, s.n);
		size_t n;

		free(s.p);
		assert_int_equal(audio_open(audio, fd, &info, &e), 0);
		if (info.i16) {
			plain++;
			assert_string_equal(whole[i].subtype, "PCM_16");
			assert_int_equal(audio_read_i16(audio, x, 900, &n,
			    &e), 0);
			assert_int_equal(n, whole[i].frames);
			assert_int_equal(audio_read_i16(audio, &more, 1, &n,
			    &e), 0);
			assert_int_equal(n, 0);
			assert_int_equal(audio_open(audio, fd, &info, &e), 0);
			assert_int_equal(audio_read(audio, y, 900, &n, &e),
			    0);
			assert_int_equal(n, whole[i].frames);
			while (n-- > 0)
				assert_true(y[n] == (float)x[n] / 32768);
		}
		audio_close(audio);
		assert_int_equal(close(fd), 0);
	}
	assert_int_equal(plain, 15);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read_to_its_end),
		cmocka_unit_test(a_file_cut_anywhere_never_passes),
		cmocka_unit_test(what_is_no_sound_is_refused),
		cmocka_unit_test(a_file_without_samples_opens_and_has_none),
		cmocka_unit_test(the_limits_of_rates_and_channels_are_inside),
		cmocka_unit_test(
		    integers_are_divided_by_their_range_and_floats_are_not),
		cmocka_unit_test(full_scale_is_what_the_format_can_hold),
		cmocka_unit_test(names_are_known_for_known_numbers_only),
		cmocka_unit_test(plain_i16_are_read_as_such),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
