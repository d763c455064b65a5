/*
 * Containers: a whole file passes, one that is cut anywhere does not, and a
 * size that its writer could not know says nothing.
 */
#include <stdbool.h>

#include "unit.h"

#include "container.h"
#include "filebuf.h"
#include "sounds.h"

/* All formats whose length is told somewhere in the file. */
static const char *const whole[] = {
	"ok-whole.wav", "ok-whole.24.wav", "ok-whole.float.wav",
	"ok-whole.ulaw.wav", "ok-whole.ima.wav", "ok-whole.wavex.wav",
	"ok-whole.rf64", "ok-whole.w64", "ok-whole.aiff", "ok-whole.au",
	"ok-whole.caf", "ok-whole.nist", "ok-whole.voc", "ok-whole.svx",
	"ok-whole.flac", "ok-whole.ogg", "ok-whole.opus", "ok-whole.mp3",
};

static struct filebuf file;
static struct err e;

static int
teardown(void **state)
{
	(void)state;
	filebuf_free(&file);
	return 0;
}

/* Check the file FD, which is closed then. */
static int
check(int fd)
{
	int rc;

	e = (struct err){ 0 };
	assert_int_equal(filebuf_open(&file, fd, &e), 0);
	rc = container_check(&file, &e);
	assert_int_equal(close(fd), 0);
	if (rc < 0) {
		assert_int_equal(e.kind, ERR_RECORD);
		assert_int_equal(e.code, CODE_AUDIO_TRUNCATED);
		assert_true(e.text[0] != '\0' && e.hint[0] != '\0');
	}
	return rc;
}

/* Check N bytes at P. */
static int
check_bytes(const void *p, size_t n)
{
	return check(sound_fd(p, n));
}

static void
a_whole_file_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct sound s = sound_read(whole[i]);

		if (check_bytes(s.p, s.n) != 0)
			fail_msg("%s: %s", whole[i], e.text);
		free(s.p);
	}
}

/*
 * From the bytes on that tell what kind of file it is, each cut is found.
 * (What is shorter is no sound file, and the decoder says so.)
 */
static void
a_file_that_is_cut_anywhere_does_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct sound s = sound_read(whole[i]);
		int fd = sound_fd(s.p, s.n);

		for (size_t n = s.n; n-- > 8;) {
			assert_int_equal(ftruncate(fd, (off_t)n), 0);
			if (check(dup(fd)) == 0 &&
			    strcmp(whole[i], "ok-whole.flac") != 0)
				fail_msg("%s passes when cut at %zu",
				    whole[i], n);
		}
		assert_int_equal(close(fd), 0);
		free(s.p);
	}
}

/* What is cut in FLAC's frames is the decoder's to count; not its header. */
static void
flac_is_checked_up_to_its_frames(void **state)
{
	struct sound s = sound_read("ok-whole.flac");
	size_t at = 4;
	bool last = false;

	(void)state;
	while (!last) {
		last = (s.p[at] & 0x80) != 0;
		at += 4 + (size_t)filebuf_number(s.p + at + 1, 3, true);
	}
	for (size_t n = 8; n <= at; n++)
		assert_int_equal(check_bytes(s.p, n), -1);
	assert_int_equal(check_bytes(s.p, at + 1), 0);
	free(s.p);
}

static void
what_came_through_a_pipe_is_not_cut(void **state)
{
	static const char *const piped[] = {
		"ok-piped-zero.wav", "ok-piped-ones.wav", "ok-piped-sox.wav",
		"ok-piped-header-only.wav", "ok-piped.w64", "ok-piped.caf",
		"ok-piped.aiff", "ok-piped.au", "ok-piped.flac",
		"ok-piped.mp3",
	};

	(void)state;
	for (size_t i = 0; i < sizeof piped / sizeof piped[0]; i++) {
		struct sound s = sound_read(piped[i]);

		if (check_bytes(s.p, s.n) != 0)
			fail_msg("%s: %s", piped[i], e.text);
		free(s.p);
	}
}

static void
a_size_that_stands_for_the_rest_reads_as_what_it_is(void **state)
{
	struct sound s = sound_read("ok-piped-zero.wav");
	int fd = sound_fd(s.p, s.n);
	unsigned char size[4];

	(void)state;
	assert_int_equal(filebuf_open(&file, fd, &e), 0);
	assert_int_equal(filebuf_read(&file, 40, size, 4), 4);
	assert_int_equal(filebuf_number(size, 4, false), 0);
	assert_int_equal(container_check(&file, &e), 0);
	assert_int_equal(filebuf_read(&file, 40, size, 4), 4);
	assert_int_equal(filebuf_number(size, 4, false), s.n - 44);
	/* Also when it is read anew, and in part. */
	assert_int_equal(filebuf_read(&file, 42, size, 2), 2);
	assert_memory_equal(size, "\0\0", 2);
	assert_int_equal(close(fd), 0);
	free(s.p);
}

static void
no_samples_and_then_other_chunks_are_no_samples(void **state)
{
	struct sound s = sound_read("audio-empty-tags.wav");
	int fd = sound_fd(s.p, s.n);
	unsigned char size[4];

	(void)state;
	assert_int_equal(filebuf_open(&file, fd, &e), 0);
	assert_int_equal(container_check(&file, &e), 0);
	assert_int_equal(filebuf_read(&file, 40, size, 4), 4);
	assert_int_equal(filebuf_number(size, 4, false), 0);
	assert_int_equal(close(fd), 0);
	free(s.p);
}

/* The frame in which a cut falls is found, and so is a frame too few. */
static void
an_mp3_without_a_count_may_end_between_frames(void **state)
{
	struct sound s = sound_read("ok-piped.mp3");
	size_t passed = 0;

	(void)state;
	for (size_t n = 8; n < s.n; n++)
		passed += check_bytes(s.p, n) == 0;
	/* 1,600 samples and the encoder's delay are a handful of frames. */
	assert_true(passed >= 1 && passed <= 5);
	free(s.p);
}

static void
flac_through_a_pipe_may_end_between_frames(void **state)
{
	struct sound s = sound_read("ok-piped.flac");
	size_t passed = 0;

	(void)state;
	for (size_t n = 8; n < s.n; n++)
		passed += check_bytes(s.p, n) == 0;
	/* Where no header of a frame is left, nothing can be told. */
	assert_true(passed <= 20);
	free(s.p);
}

static void
tags_before_and_behind_do_no_harm(void **state)
{
	static const char *const names[] = {
		"ok-whole.mp3", "ok-piped.mp3", "ok-piped.flac",
		"ok-whole.ogg",
	};
	unsigned char before[10 + 300] = "ID3\4\0\0\0\0\2\54";

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct sound s = sound_read(names[i]);
		unsigned char *p = calloc(1, s.n + 310 + 128);

		assert_non_null(p);
		memcpy(p, before, 310);
		memcpy(p + 310, s.p, s.n);
		memcpy(p + 310 + s.n, "TAG", 3);
		assert_int_equal(check_bytes(p, 310 + s.n), 0);
		assert_int_equal(check_bytes(p, 310 + s.n + 128), 0);
		assert_int_equal(check_bytes(p, 300), -1);
		free(p);
		free(s.p);
	}
}

static void
an_mp3_may_have_a_gap(void **state)
{
	struct sound s = sound_read("ok-piped.mp3");
	unsigned char *p = calloc(1, 3 * s.n + 1000);

	(void)state;
	assert_non_null(p);
	memcpy(p, s.p, s.n);
	memcpy(p + s.n + 1000, s.p, s.n);
	assert_int_equal(check_bytes(p, 2 * s.n + 1000), 0);
	assert_int_equal(check_bytes(p, 2 * s.n + 999), -1);
	free(p);
	free(s.p);
}

static void
an_ogg_stream_needs_its_last_page(void **state)
{
	struct sound s = sound_read("ok-whole.ogg");
	size_t last = 0;

	(void)state;
	for (size_t i = 0; i + 4 < s.n; i++)
		if (memcmp(s.p + i, "OggS", 4) == 0)
			last = i;
	assert_int_equal(check_bytes(s.p, last), -1);
	assert_non_null(strstr(e.text, "no last page"));
	assert_int_equal(check_bytes(s.p, s.n - 1), -1);
	assert_non_null(strstr(e.text, "page is cut"));
	s.p[last + 5] &= (unsigned char)~4;	/* not the last, it says */
	assert_int_equal(check_bytes(s.p, s.n), -1);
	free(s.p);
}

/* No file makes the walk leave it, whatever its sizes say. */
static void
lying_sizes_are_walked_safely(void **state)
{
	(void)state;
	srand(1);
	for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
		struct sound s = sound_read(whole[i]);

		for (int round = 0; round < 400; round++) {
			size_t at = (size_t)rand() % (s.n < 120 ? s.n : 120);
			unsigned char was = s.p[at];

			s.p[at] = round % 3 == 0 ? 0xff : round % 3 == 1 ? 0 :
			    (unsigned char)rand();
			(void)check_bytes(s.p, s.n);
			s.p[at] = was;
		}
		free(s.p);
	}
}

static void
what_is_no_sound_is_not_judged(void **state)
{
	static const char *const names[] = {
		"audio-format-text.wav", "audio-format-page.mp3",
		"audio-format-m4a.m4a",
	};

	(void)state;
	assert_int_equal(check_bytes("", 0), 0);
	assert_int_equal(check_bytes("RIFF", 4), 0);
	for (size_t i = 0; i < 3; i++) {
		struct sound s = sound_read(names[i]);

		assert_int_equal(check_bytes(s.p, s.n), 0);
		free(s.p);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_passes),
		cmocka_unit_test(a_file_that_is_cut_anywhere_does_not),
		cmocka_unit_test(flac_is_checked_up_to_its_frames),
		cmocka_unit_test(what_came_through_a_pipe_is_not_cut),
		cmocka_unit_test(
		    a_size_that_stands_for_the_rest_reads_as_what_it_is),
		cmocka_unit_test(
		    no_samples_and_then_other_chunks_are_no_samples),
		cmocka_unit_test(
		    an_mp3_without_a_count_may_end_between_frames),
		cmocka_unit_test(flac_through_a_pipe_may_end_between_frames),
		cmocka_unit_test(tags_before_and_behind_do_no_harm),
		cmocka_unit_test(an_mp3_may_have_a_gap),
		cmocka_unit_test(an_ogg_stream_needs_its_last_page),
		cmocka_unit_test(lying_sizes_are_walked_safely),
		cmocka_unit_test(what_is_no_sound_is_not_judged),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
