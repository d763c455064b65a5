#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "clip.h"
#include "measure.h"
#include "mix.h"

/* Samples of a block, of all channels: 128 KiB. */
#define BLOCK 32768

struct clip_work {
	struct clip_rules rules;
	struct audio *audio;
	struct resample *resample;
	mix_fn *mix;
	struct measure measure;
	float *pcm;		/* what is kept, before it is told to be i16 */
	float block[BLOCK];
	float mono[BLOCK];
};

void
clip_work_free(struct clip_work *w)
{
	if (w == NULL)
		return;
	audio_free(w->audio);
	resample_free(w->resample);
	free(w->pcm);
	free(w);
}

struct clip_work *
clip_work_new(const struct clip_rules *rules, struct err *e)
{
	struct clip_work *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	w->rules = *rules;
	w->mix = rules->resample == RESAMPLE_SINC ? mix_torch : mix_numpy;
	w->audio = audio_new(e);
	if (w->audio != NULL)
		w->resample = resample_new(rules->resample, e);
	if (w->resample == NULL) {
		clip_work_free(w);
		return NULL;
	}
	w->pcm = malloc((rules->keep + 1) * sizeof *w->pcm);
	if (w->pcm == NULL) {
		(void)err_memory(e);
		clip_work_free(w);
		return NULL;
	}
	return w;
}

/* The sample BAD of the block, behind FRAMES frames, is no number. */
static int
not_finite(const struct clip_work *w, uint64_t frames, size_t bad,
    unsigned channels, struct err *e)
{
	uint64_t at = frames + bad / channels;
	const char *what = isnan(w->block[bad]) ? "NaN" :
	    w->block[bad] > 0 ? "infinite" : "minus infinite";

	if (channels == 1)
		(void)err_record(e, CODE_AUDIO_NONFINITE,
		    "sample %" PRIu64 " is %s", at, what);
	else
		(void)err_record(e, CODE_AUDIO_NONFINITE, "sample %" PRIu64
		    " of channel %zu is %s", at, bad % channels + 1, what);
	return err_hint(e, "write the file again with finite samples");
}

/* Decode, measure, mix and resample all of the open file. */
static int
run(struct clip_work *w, const struct audio_info *info,
    struct clip_facts *facts, volatile uint64_t *progress, struct err *e)
{
	size_t n, bad, room = BLOCK / info->channels;
	double most = w->rules.max_s * info->rate_hz;

	for (;;) {
		const float *mono = w->block;

		if (audio_read(w->audio, w->block, room, &n, e) < 0)
			return -1;
		if (n == 0)
			return 0;
		if (measure_add(&w->measure, w->block, n, &bad) < 0)
			return not_finite(w, facts->samples_in, bad,
			    info->channels, e);
		facts->samples_in += n;
		if ((double)facts->samples_in > most) {
			(void)err_record(e, CODE_AUDIO_LONG,
			    "the audio is longer than %.15g s",
			    w->rules.max_s);
			return err_hint(e, "--max sets the limit");
		}
		++*progress;
		if (w->rules.keep == 0 || resample_full(w->resample))
			continue;
		if (info->channels > 1) {
			w->mix(w->block, n, info->channels, w->mono);
			mono = w->mono;
		}
		if (resample_push(w->resample, mono, n, e) < 0)
			return -1;
	}
}

/*
 * What N samples at X (8, or fewer) show of not being an i16's: OFF adds up
 * how far they are from whole once they are multiplied by 32768, which is 0
 * for whole ones alone and NaN for what is not finite; LOW and HIGH are how
 * far they go.  A float of this size is rounded to a whole number where 3 *
 * 2^22 is added to it and taken away again.
 */
static inline void
look_at(const float *x, size_t n, float *off, float *low, float *high)
{
	for (size_t k = 0; k < n; k++) {
		float v = x[k] * 32768, whole = v + 12582912.0f - 12582912.0f;

		off[k] += fabsf(whole - v);
		low[k] = v < low[k] ? v : low[k];
		high[k] = v > high[k] ? v : high[k];
	}
}

/* Whether N samples at X are all an i16's.  In eights, for the compiler. */
static bool
is_i16(const float *x, size_t n)
{
	float off[8] = { 0 }, low[8] = { 0 }, high[8] = { 0 };
	bool same = true;
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		look_at(x + i, 8, off, low, high);
	look_at(x + i, n - i, off, low, high);
	for (i = 0; i < 8; i++)
		same = same && off[i] == 0 && low[i] >= -32768 &&
		    high[i] <= 32767;
	return same;
}

/* Write N samples at X, each an i16's, as such. */
static void
put_i16(const float *x, size_t n, int16_t *out)
{
	size_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (size_t k = 0; k < 8; k++)
			out[i + k] = (int16_t)(x[i + k] * 32768);
	for (; i < n; i++)
		out[i] = (int16_t)(x[i] * 32768);
}

/* Hand over what was kept, as i16 or f32. */
static void
keep(const struct clip_work *w, size_t n, void *out, struct clip_facts *facts)
{
	bool i16 = true;
	size_t i;

	facts->kept = n;
	for (i = 0; i < n && i16; i += 4096)
		i16 = is_i16(w->pcm + i, n - i < 4096 ? n - i : 4096);
	facts->i16 = i16;
	if (i16) {
		put_i16(w->pcm, n, out);
		return;
	}
	if (n > 0)
		memcpy(out, w->pcm, n * sizeof *w->pcm);
}

/* What follows from the whole file, once it is read. */
static int
conclude(struct clip_work *w, struct clip_facts *facts, void *out,
    struct err *e)
{
	const struct measure *m = &w->measure;
	size_t kept = 0;

	if (facts->samples_in == 0) {
		(void)err_record(e, CODE_AUDIO_EMPTY,
		    "the file holds no samples");
		return err_hint(e, "take the record out");
	}
	if ((double)m->peak * facts->channels > (double)FLT_MAX / 16) {
		(void)err_record(e, CODE_AUDIO_NONFINITE, "samples go up to "
		    "%.3g, and would be infinite once mixed and resampled",
		    (double)m->peak);
		return err_hint(e, "scale the samples to 1.0 at most");
	}
	facts->samples = resample_length(w->rules.resample,
	    facts->samples_in, facts->rate_hz);
	facts->peak = (double)m->peak;
	facts->rms = measure_rms(m);
	facts->dc = measure_mean(m);
	facts->clipped = m->clipped;
	facts->constant = !m->varies;
	if (w->rules.keep > 0 && resample_finish(w->resample,
	    facts->samples_in, &kept, e) < 0)
		return -1;
	keep(w, kept, out, facts);
	return 0;
}

int
clip_decode(struct clip_work *w, int fd, void *out, struct clip_facts *facts,
    volatile uint64_t *progress, struct err *e)
{
	struct audio_info info;
	int rc = -1;

	*facts = (struct clip_facts){ 0 };
	if (audio_open(w->audio, fd, &info, e) < 0)
		return -1;
	facts->format = info.format;
	facts->rate_hz = info.rate_hz;
	facts->channels = info.channels;
	measure_start(&w->measure, info.channels,
	    audio_full_scale(info.format));
	if ((w->rules.keep == 0 || resample_start(w->resample, info.rate_hz,
	    w->pcm, w->rules.keep, e) == 0) &&
	    run(w, &info, facts, progress, e) == 0)
		rc = conclude(w, facts, out, e);
	audio_close(w->audio);
	return rc;
}
