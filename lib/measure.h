/*
 * measure: peak, mean, power and clipping of a sound, block by block.
 *
 * Full scale is 1.0.  All channels count alike.  The result depends on the
 * samples alone, not on the processor: the sums are taken in f64, in four
 * lanes, and those of i16's are exact.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEASURE_CHANNELS_MAX 1024

/*
 * So many samples in a row at full scale are clipped: a single one, or two,
 * may well be what the microphone heard.
 */
#define MEASURE_RUN 3

/*
 * The squares of so many i16's, in units of 2^-30, add up to 2^53 at most,
 * so that an f64 holds their sum and all on the way to it.
 */
#define MEASURE_I16_MAX ((uint64_t)1 << 23)

struct measure {
	unsigned channels;
	float full;		/* what counts as full scale */
	uint64_t samples;	/* of all channels */
	float peak;		/* largest magnitude */
	double sum[4], squares[4];
	uint64_t clipped;	/* samples in runs at full scale */
	bool varies;		/* a sample differs from its channel's first */
	uint32_t run[MEASURE_CHANNELS_MAX];	/* the current ones */
	float first[MEASURE_CHANNELS_MAX];	/* of each channel */
};

/* Begin: CHANNELS of them, clipped where their magnitude reaches FULL. */
void measure_start(struct measure *m, unsigned channels, float full);

/*
 * Add FRAMES frames at X.  -1, and the index of the first bad sample to
 * *BAD, where one is NaN or infinite; M may then only be started anew.
 */
int measure_add(struct measure *m, const float *x, size_t frames,
    size_t *bad);

/*
 * As measure_add, for i16's, MEASURE_I16_MAX of them in all at most.  The
 * result is that of the same samples as f32.
 */
void measure_add_i16(struct measure *m, const int16_t *x, size_t frames);

double measure_mean(const struct measure *m);
double measure_rms(const struct measure *m);

#endif
