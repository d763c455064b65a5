/*
 * clip: a sound file made ready: decoded to its end, measured, mixed down,
 * resampled to 16 kHz, and its beginning kept.
 *
 * This is all that a decoder's process does, and it does it in memory that
 * does not grow with the file.  One object serves one file after the other.
 */
#ifndef CLIP_H
#define CLIP_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "resample.h"

struct clip_rules {
	enum resample_kind resample;
	double max_s;		/* more is audio-long; may be infinite */
	size_t keep;		/* samples at 16 kHz that are kept, at most */
};

/* What there is to know about a file. */
struct clip_facts {
	int format;		/* audio_format_name and audio_subtype_name */
	uint32_t rate_hz, channels;
	uint64_t samples_in;	/* of each channel, in the file */
	uint64_t samples;	/* of all of it, at 16 kHz */
	double peak, rms, dc;	/* over all channels; full scale is 1.0 */
	uint64_t clipped;	/* samples in runs at full scale */
	uint32_t constant;	/* 1: all samples of a channel are the same */
	uint32_t i16;		/* 1: kept as i16, which says the same; or 0 */
	uint64_t kept;		/* samples kept */
};

struct clip_work;

/* NULL on failure.  RULES is copied. */
struct clip_work *clip_work_new(const struct clip_rules *rules, struct err *e)
    ERR_CHECK;
void clip_work_free(struct clip_work *w);

/*
 * Read the file FD; its samples to OUT, which has room for as many f32 as
 * are to be kept, and is worked in.  *PROGRESS is counted up with every
 * block.  ERR_RECORD (audio-*) where it is at fault: audio-long beyond max_s.
 */
int clip_decode(struct clip_work *w, int fd, void *out,
    struct clip_facts *facts, volatile uint64_t *progress, struct err *e)
    ERR_CHECK;

#endif
