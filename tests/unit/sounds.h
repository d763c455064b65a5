/*
 * sounds: the sound files of tests/bad/audio, and others like them, for unit
 * tests.  Tests run at the top of the tree.
 */
#ifndef SOUNDS_H
#define SOUNDS_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOUNDS "tests/bad/audio/"

struct sound {
	unsigned char *p;
	size_t n;
};

/* The file NAME of tests/bad/audio. */
static inline struct sound
sound_read(const char *name)
{
	char path[256];
	struct sound s = { NULL, 0 };
	FILE *f;
	long n;

	(void)snprintf(path, sizeof path, SOUNDS "%s", name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	n = ftell(f);
	assert_true(n >= 0);
	rewind(f);
	s.n = (size_t)n;
	s.p = malloc(s.n + 1);
	assert_non_null(s.p);
	assert_int_equal(fread(s.p, 1, s.n, f), s.n);
	assert_int_equal(fclose(f), 0);
	return s;
}

/* A descriptor of a nameless file that holds N bytes at P. */
static inline int
sound_fd(const void *p, size_t n)
{
	char name[] = "/tmp/ossicle-sound-XXXXXX";
	int fd = mkstemp(name);

	assert_true(fd >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(pwrite(fd, p, n, 0), n);
	return fd;
}

/* The lowest N bytes of V to P, little-endian. */
static inline void
sound_le(unsigned char *p, unsigned long v, unsigned n)
{
	for (unsigned i = 0; i < n; i++, v >>= 8)
		p[i] = (unsigned char)v;
}

#define SOUND_HEADER 44

/*
 * Write the header of a WAV of N bytes of samples to P: TAG is 1 for
 * integers and 3 for floats.
 */
static inline void
sound_wav(unsigned char *p, unsigned tag, unsigned channels, unsigned rate,
    unsigned bits, size_t n)
{
	unsigned block = channels * bits / 8;

	memcpy(p, "RIFF....WAVEfmt ....................data....", 44);
	sound_le(p + 4, 36 + n, 4);
	sound_le(p + 16, 16, 4);
	sound_le(p + 20, tag, 2);
	sound_le(p + 22, channels, 2);
	sound_le(p + 24, rate, 4);
	sound_le(p + 28, (unsigned long)rate * block, 4);
	sound_le(p + 32, block, 2);
	sound_le(p + 34, bits, 2);
	sound_le(p + 40, n, 4);
}

/* A WAV of N f32 at X, as a descriptor. */
static inline int
sound_f32(const float *x, size_t n, unsigned channels, unsigned rate)
{
	unsigned char *p = malloc(SOUND_HEADER + n * sizeof *x);
	int fd;

	assert_non_null(p);
	sound_wav(p, 3, channels, rate, 32, n * sizeof *x);
	memcpy(p + SOUND_HEADER, x, n * sizeof *x);
	fd = sound_fd(p, SOUND_HEADER + n * sizeof *x);
	free(p);
	return fd;
}

/* The same of N i16. */
static inline int
sound_i16(const int16_t *x, size_t n, unsigned channels, unsigned rate)
{
	unsigned char *p = malloc(SOUND_HEADER + n * sizeof *x);
	int fd;

	assert_non_null(p);
	sound_wav(p, 1, channels, rate, 16, n * sizeof *x);
	memcpy(p + SOUND_HEADER, x, n * sizeof *x);
	fd = sound_fd(p, SOUND_HEADER + n * sizeof *x);
	free(p);
	return fd;
}

#endif
