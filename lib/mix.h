/*
 * mix: many channels into one, their mean, in f32, with the bits that the
 * Python originals give.
 *
 * Both divide the sum by the number of channels; they differ in the order in
 * which they add, which shows from 8 channels on.
 */
#ifndef MIX_H
#define MIX_H

#include <stddef.h>
#include <stdint.h>

/* Mix FRAMES frames of CHANNELS samples at X to FRAMES samples at MONO. */
typedef void mix_fn(const float *x, size_t frames, unsigned channels,
    float *mono);

/* As numpy's mean over contiguous channels: librosa.to_mono. */
mix_fn mix_numpy;

/*
 * As torch's mean over its first dimension, but for the last few samples of
 * a clip, where its order depends on how many threads it has.
 */
mix_fn mix_torch;

/* One or two channels of i16's, which either gives the same bits for. */
void mix_i16(const int16_t *x, size_t frames, unsigned channels, float *mono);

#endif
