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
	float block[BLOCK];
	float mono[BLOCK];
	int16_t narrow[BLOCK];	/* a block of i16's */
};

/* The file at hand. */
struct job {
	struct audio_info info;
	struct clip_facts *facts;
	void *out;
	bool i16;		/* read as i16's, ... */
	bool as_is;		/* ... which stay as they are */
};

void
clip_work_free(struct clip_work *w)
{
	if (w == NULL)
		return;
	audio_free(w->audio);
	resample_free(w->resample);
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

/* Read and measure N frames of f32's; *MONO is what they are once mixed. */
static int
read_f32(struct clip_work *w, const struct job *j, bool wanted, size_t *n,
    const float **mono, struct err *e)
{
	unsigned channels = j->info.channels;
	size_t bad;

	if (audio_read(w->audio, w->block, BLOCK / channels, n, e) < 0)
		return -1;
	if (measure_add(&w->measure, w->block, *n, &bad) < 0)
		return not_finite(w, j->facts->samples_in, bad, channels, e);
	*mono = w->block;
	if (wanted && channels > 1) {
		w->mix(w->block, *n, channels, w->mono);
		*mono = w->mono;
	}
	return 0;
}

/* The same of i16's. */
static int
read_i16(struct clip_work *w, const struct job *j, bool wanted, size_t *n,
    const float **mono, struct err *e)
{
	unsigned channels = j->info.channels;

	if (audio_read_i16(w->audio, w->narrow, BLOCK / channels, n, e) < 0)
		return -1;
	measure_add_i16(&w->measure, w->narrow, *n);
	if (wanted)
		mix_i16(w->narrow, *n, channels, w->mono);
	*mono = w->mono;
	return 0;
}

/* The same where they are kept as they are: they are read into place. */
static int
read_as_is(struct clip_work *w, const struct job *j, size_t *n,
    struct err *e)
{
	size_t room = w->rules.keep - j->facts->kept;
	int16_t *x = room == 0 ? w->narrow :
	    (int16_t *)j->out + j->facts->kept;

	if (room == 0 || room > BLOCK)
		room = BLOCK;
	if (audio_read_i16(w->audio, x, room, n, e) < 0)
		return -1;
	measure_add_i16(&w->measure, x, *n);
	if (x != w->narrow)
		j->facts->kept += *n;
	return 0;
}

/* Decode, measure, mix and resample all of the open file. */
static int
run(struct clip_work *w, const struct job *j, volatile uint64_t *progress,
    struct err *e)
{
	double most = w->rules.max_s * j->info.rate_hz;

	for (;;) {
		bool wanted = !j->as_is && w->rules.keep > 0 &&
		    !resample_full(w->resample);
		const float *mono = NULL;
		size_t n;

		if ((j->as_is ? read_as_is(w, j, &n, e) :
		    j->i16 ? read_i16(w, j, wanted, &n, &mono, e) :
		    read_f32(w, j, wanted, &n, &mono, e)) < 0)
			return -1;
		if (n == 0)
			return 0;
		j->facts->samples_in += n;
		if ((double)j->facts->samples_in > most) {
			(void)err_record(e, CODE_AUDIO_LONG,
			    "the audio is longer than %.15g s",
			    w->rules.max_s);
			return err_hint(e, "--max sets the limit");
		}
		++*progress;
		if (wanted && resample_push(w->resample, mono, n, e) < 0)
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

/* Make the N f32's at X, each an i16's, such, from X on. */
static void
narrow(float *x, size_t n)
{
	unsigned char *out = (unsigned char *)x;
	int16_t part[1024];
	size_t k;

	for (; n > 0; n -= k, x += k, out += k * sizeof part[0]) {
		k = n < 1024 ? n : 1024;
		for (size_t i = 0; i < k; i++)
			part[i] = (int16_t)(x[i] * 32768);
		memcpy(out, part, k * sizeof part[0]);
	}
}

/* Hand over what was resampled, as i16 where that says the same. */
static void
keep(float *x, size_t n, struct clip_facts *facts)
{
	bool i16 = true;

	for (size_t i = 0; i < n && i16; i += 4096)
		i16 = is_i16(x + i, n - i < 4096 ? n - i : 4096);
	facts->kept = n;
	facts->i16 = i16;
	if (i16)
		narrow(x, n);
}

/* What follows from the whole file, once it is read. */
static int
conclude(struct clip_work *w, const struct job *j, struct err *e)
{
	const struct measure *m = &w->measure;
	struct clip_facts *facts = j->facts;
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
	if (j->as_is) {
		facts->i16 = 1;
		return 0;
	}
	if (w->rules.keep > 0 && resample_finish(w->resample,
	    facts->samples_in, &kept, e) < 0)
		return -1;
	keep(j->out, kept, facts);
	return 0;
}

/* Make ready for the file that is open: how it is read, and where to. */
static int
prepare(struct clip_work *w, struct job *j, struct err *e)
{
	const struct audio_info *info = &j->info;

	j->facts->format = info->format;
	j->facts->rate_hz = info->rate_hz;
	j->facts->channels = info->channels;
	measure_start(&w->measure, info->channels,
	    audio_full_scale(info->format));
	j->i16 = info->i16 && info->channels <= 2 && info->announced > 0 &&
	    info->announced <= MEASURE_I16_MAX / info->channels;
	j->as_is = j->i16 && info->channels == 1 &&
	    info->rate_hz == RESAMPLE_HZ;
	return j->as_is || w->rules.keep == 0 ? 0 :
	    resample_start(w->resample, info->rate_hz, j->out,
	    w->rules.keep, e);
}

int
clip_decode(struct clip_work *w, int fd, void *out, struct clip_facts *facts,
    volatile uint64_t *progress, struct err *e)
{
	struct job j = { .facts = facts, .out = out };
	int rc = -1;

	*facts = (struct clip_facts){ 0 };
	if (audio_open(w->audio, fd, &j.info, e) < 0)
		return -1;
	if (prepare(w, &j, e) == 0 && run(w, &j, progress, e) == 0)
		rc = conclude(w, &j, e);
	audio_close(w->audio);
	return rc;
}
