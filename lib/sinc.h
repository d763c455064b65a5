/*
 * sinc: torchaudio.functional.resample's windowed sinc, a block at a time.
 *
 * Its defaults: sinc_interp_hann, lowpass_filter_width 6, rolloff 0.99, with
 * a kernel computed in f32 step by step as there (one in f64 is 2.5e-5 off).
 * Only the taps that are not zero are kept, and where a pair of rates has
 * too many of them, they are computed anew for each sample.
 */
#ifndef SINC_H
#define SINC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct sinc;

/* One for any number of clips, one after the other.  NULL on failure. */
struct sinc *sinc_new(struct err *e) ERR_CHECK;
void sinc_free(struct sinc *s);

/* Begin a clip at FROM Hz that is to be at TO Hz. */
int sinc_start(struct sinc *s, uint32_t from, uint32_t to, struct err *e)
    ERR_CHECK;

/*
 * Take N samples at X more (LAST: and none will follow), and write what can
 * be computed by now, at most ROOM samples, to OUT; their number to *N_OUT.
 * Where there was no room, call again with N 0 for the rest.
 */
int sinc_push(struct sinc *s, const float *x, size_t n, bool last, float *out,
    size_t room, size_t *n_out, struct err *e) ERR_CHECK;

/* The samples that N at FROM Hz become: their length, rounding included. */
uint64_t sinc_length(uint64_t n, uint32_t from, uint32_t to);

#endif
