/*
 * resample: mono f32 samples at any rate, a block at a time, to 16 kHz.
 *
 * RESAMPLE_SOXR gives what librosa.load(sr=16000) gives, RESAMPLE_SINC what
 * torchaudio.functional.resample does; the number of samples too is theirs,
 * and audio that is at 16 kHz stays as it is.  Only the beginning of a clip
 * is computed, as far as it is wanted; it is the same as that of the whole.
 * One resampler serves one clip after the other, in one thread, and is
 * cheapest where these have the same rate.
 */
#ifndef RESAMPLE_H
#define RESAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define RESAMPLE_HZ 16000

enum resample_kind { RESAMPLE_SOXR, RESAMPLE_SINC };

struct resample;

/* NULL on failure. */
struct resample *resample_new(enum resample_kind kind, struct err *e)
    ERR_CHECK;
void resample_free(struct resample *r);

/*
 * Begin a clip at RATE_HZ, of which the first MAX samples at 16 kHz are
 * wanted, at OUT, which is the caller's.
 */
int resample_start(struct resample *r, uint32_t rate_hz, float *out,
    size_t max, struct err *e) ERR_CHECK;

/* Take N samples more.  Once resample_full, that changes nothing. */
int resample_push(struct resample *r, const float *x, size_t n,
    struct err *e) ERR_CHECK;
bool resample_full(const struct resample *r);

/*
 * The clip is over, N_IN samples long in all: write what is still to come.
 * *N is how many samples are at OUT now.
 */
int resample_finish(struct resample *r, uint64_t n_in, size_t *n,
    struct err *e) ERR_CHECK;

/* The samples at 16 kHz that N at RATE_HZ become by KIND. */
uint64_t resample_length(enum resample_kind kind, uint64_t n,
    uint32_t rate_hz);

/* The version of the soxr library in use: "0.1.3". */
const char *resample_library_version(void);

#endif
