#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio.h"
#include "audiofact.h"
#include "buf.h"
#include "mel.h"
#include "record.h"

/* Fewer give no audio token (mel_tokens). */
#define TOKEN_SAMPLES 321

uint64_t
audiofact_samples(double seconds)
{
	double n = ceil(seconds * RESAMPLE_HZ - 1e-6);

	return n < 0x1p60 ? (uint64_t)n : (uint64_t)1 << 60;
}

int
audiofact_real(double v, struct buf *out, struct err *e)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	/* A real number looks like one, whatever its value. */
	return buf_printf(out, e, "%s%s", text,
	    strpbrk(text, ".e") == NULL ? ".0" : "");
}

/* Append ,"NAME":V. */
static int
put_real(struct buf *out, const char *name, double v, struct err *e)
{
	if (buf_printf(out, e, ",\"%s\":", name) < 0)
		return -1;
	return audiofact_real(v, out, e);
}

/* The samples that the record has: what --clip leaves. */
static uint64_t
left(const struct clip_facts *f, const struct audiofact_rules *r)
{
	uint64_t clip = audiofact_samples(r->clip_s);

	return f->samples < clip ? f->samples : clip;
}

/* What was done to come to 16 kHz. */
static const char *
resampled(const struct clip_facts *f, const struct audiofact_rules *r)
{
	return f->rate_hz == RESAMPLE_HZ ? "none" :
	    r->resample == RESAMPLE_SINC ? "sinc" : "soxr";
}

int
audiofact_put(const struct clip_facts *f, const struct audiofact_rules *r,
    struct jsonspan path, struct buf *out, struct err *e)
{
	uint64_t n = left(f, r);
	uint32_t frames = mel_frames(n);

	if (buf_puts(out, "{\"path\":", e) < 0 ||
	    buf_put(out, path.p, path.n, e) < 0 ||
	    buf_printf(out, e, ",\"format\":\"%s\",\"subtype\":\"%s\","
	    "\"rate\":%" PRIu32 ",\"channels\":%" PRIu32
	    ",\"samples_in\":%" PRIu64, audio_format_name(f->format),
	    audio_subtype_name(f->format), f->rate_hz, f->channels,
	    f->samples_in) < 0 ||
	    put_real(out, "seconds", (double)f->samples_in / f->rate_hz,
	    e) < 0 ||
	    buf_printf(out, e, ",\"samples\":%" PRIu64 ",\"resample\":\"%s\"",
	    n, resampled(f, r)) < 0 ||
	    put_real(out, "peak", f->peak, e) < 0 ||
	    put_real(out, "rms", f->rms, e) < 0 ||
	    put_real(out, "dc", f->dc, e) < 0)
		return -1;
	return buf_printf(out, e, ",\"clipped\":%" PRIu64 ",\"frames\":%"
	    PRIu32 ",\"tokens\":%" PRIu32 "}", f->clipped, frames,
	    mel_tokens(frames));
}

int
audiofact_check(const struct clip_facts *f, const struct audiofact_rules *r,
    struct err *e)
{
	double seconds = (double)f->samples_in / f->rate_hz;

	if (f->samples < audiofact_samples(r->min_s)) {
		(void)err_record(e, CODE_AUDIO_SHORT, "the audio is too "
		    "short: %.4g s, which are %" PRIu64 " of at least %"
		    PRIu64 " samples at 16 kHz", seconds, f->samples,
		    audiofact_samples(r->min_s));
		return err_hint(e, f->samples < TOKEN_SAMPLES ?
		    "fewer than %d give no audio token" :
		    "--min sets the limit", TOKEN_SAMPLES);
	}
	if (seconds > r->max_s) {
		(void)err_record(e, CODE_AUDIO_LONG,
		    "the audio is longer than %.15g s", r->max_s);
		return err_hint(e, "--max sets the limit");
	}
	return 0;
}

/* Add the note CODE, whose text is NAME, ": " and TEXT. */
static int
note(struct record *record, const char *stage, enum code code,
    const char *name, const char *text, const char *hint, struct err *e)
{
	char message[ERR_TEXT_MAX];

	(void)snprintf(message, sizeof message, "%s: %s", name, text);
	return record_note(record, stage, code, message, hint, e);
}

int
audiofact_note(const struct clip_facts *f, const struct audiofact_rules *r,
    const char *stage, const char *name, struct record *record,
    struct err *e)
{
	char text[200];

	if (f->samples > left(f, r)) {
		(void)snprintf(text, sizeof text, "the audio is %.9g s long, "
		    "and cut at %.9g s", (double)f->samples_in / f->rate_hz,
		    r->clip_s);
		if (note(record, stage, CODE_AUDIO_LONG, name, text,
		    "split the recording", e) < 0)
			return -1;
	}
	if (f->constant) {
		(void)snprintf(text, sizeof text, f->peak == 0 ?
		    "every sample is 0" : "every sample is the same, %.9g",
		    f->dc);
		if (note(record, stage, CODE_AUDIO_SILENT, name, text,
		    "look at the recording", e) < 0)
			return -1;
	}
	if (f->clipped > 0 && !f->constant) {
		(void)snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64
		    " samples are clipped", f->clipped,
		    f->samples_in * f->channels);
		if (note(record, stage, CODE_AUDIO_CLIPPED, name, text,
		    "record again at a lower level", e) < 0)
			return -1;
	}
	return 0;
}

int
audiofact_put_pad(struct jsonspan facts, float pad, struct buf *out,
    struct err *e)
{
	const struct jsonspan was = jsonscan_get(facts, "pad");
	size_t before = facts.n - 1, after = before;	/* the brace */

	if (was.n > 0) {
		before = (size_t)(was.p - facts.p);
		after = before + was.n;
	}
	if (buf_put(out, facts.p, before, e) < 0 || (was.n == 0 &&
	    buf_puts(out, jsonscan_count(facts) > 0 ? ",\"pad\":" :
	    "\"pad\":", e) < 0) || audiofact_real((double)pad, out, e) < 0)
		return -1;
	return buf_put(out, facts.p + after, facts.n - after, e);
}
