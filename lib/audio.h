/*
 * audio: a sound file, decoded to its end in blocks.
 *
 * What libsndfile reads (WAV, FLAC, MP3, Ogg Vorbis and Opus, AIFF, CAF, AU,
 * ...), from a descriptor of the caller's: nothing is opened by name.
 * Samples are f32, full scale 1.0 (floats as they are in the file), channels
 * interleaved; a frame is one sample of each channel.  A file that was cut
 * is told from one that is whole, as far as that is possible (container.h).
 * One object serves one file after the other, in one thread.
 *
 * What is wrong with a file is ERR_RECORD: audio-empty, audio-format,
 * audio-truncated, audio-missing (it cannot be read).
 */
#ifndef AUDIO_H
#define AUDIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define AUDIO_CHANNELS_MAX 1024		/* libsndfile's own limit */
#define AUDIO_RATE_MAX 10000000		/* Hz; beyond that a header lies */

struct audio_info {
	int format;		/* libsndfile's number, for the names below */
	uint32_t rate_hz;
	uint32_t channels;
	bool i16;		/* audio_read_i16 says all there is to say */
	uint64_t announced;	/* frames; 0: not known before the end */
};

struct audio;

/* NULL on failure. */
struct audio *audio_new(struct err *e) ERR_CHECK;
void audio_free(struct audio *a);

/* Open FD, which stays the caller's, and must stand while it is read. */
int audio_open(struct audio *a, int fd, struct audio_info *info,
    struct err *e) ERR_CHECK;

/*
 * Decode up to MAX frames more to X; *N of them, 0 at the end.  At the end,
 * all is checked that can only be known then.
 */
int audio_read(struct audio *a, float *x, size_t max, size_t *n,
    struct err *e) ERR_CHECK;

/*
 * The same in i16, full scale 32768, for a file whose samples are i16's:
 * they are not even looked at on the way.
 */
int audio_read_i16(struct audio *a, int16_t *x, size_t max, size_t *n,
    struct err *e) ERR_CHECK;

/* Forget the file. */
void audio_close(struct audio *a);

/*
 * What FORMAT is called, as in Python's soundfile: "WAV" and "PCM_16"; NULL
 * for a number that is none.
 */
const char *audio_format_name(int format);
const char *audio_subtype_name(int format);

/* The magnitude from which on a sample of FORMAT is at full scale. */
float audio_full_scale(int format);

/* The version of the libsndfile in use: "1.2.0". */
const char *audio_library_version(void);

#endif
