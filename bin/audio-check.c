/*
 * audio-check: open each audio of each record, measure it, and pass its
 * samples on at 16 kHz.  The only program of the pipe that opens audio.
 */
#include <math.h>
#include <string.h>

#include "audio.h"
#include "audiofact.h"
#include "buf.h"
#include "listen.h"
#include "option.h"
#include "outlet.h"
#include "record.h"
#include "resample.h"
#include "sandbox.h"
#include "stage.h"

#define NAME "audio-check"

struct check {
	struct listen_rules rules;
	struct opt_list root;
	const char *resample, *sandbox;
	struct listen *listen;
};

static const struct opt options[] = {
	OPT(struct check, root, "root", 0, "DIR", 0, 0,
	    "open audio below DIR only"),
	OPT(struct check, rules.facts_only, "no-pcm", 0, NULL, 0, 0,
	    "measure, pass no samples on"),
	OPT_CHOICE(struct check, resample, "resample", 0, "soxr|sinc",
	    "as librosa (soxr) or torchaudio (sinc) does"),
	OPT(struct check, rules.fact.min_s, "min", 0, "S", 0, 3600,
	    "shortest clip, in seconds (321 samples)"),
	OPT(struct check, rules.fact.max_s, "max", 0, "S", 0, INFINITY,
	    "longest clip, in seconds (inf)"),
	OPT(struct check, rules.fact.clip_s, "clip", 0, "S", 0.001, 1000,
	    "seconds of a clip that are passed on (30)"),
	OPT_CHOICE(struct check, sandbox, "sandbox", 0, "auto|require|off",
	    "where decoders run (auto)"),
	OPT_END
};

/* Say for the provenance the option NAME, whose value is V. */
static int
describe_real(struct stage_run *run, const char *name, double v,
    struct err *e)
{
	struct buf b = { 0 };
	int rc = audiofact_real(v, &b, e);

	if (rc == 0 && (rc = buf_putc(&b, '\0', e)) == 0)
		rc = stage_option(run, name, b.p, e);
	buf_free(&b);
	return rc;
}

/* What the provenance says of us. */
static int
describe(const struct check *c, struct stage_run *run, struct err *e)
{
	const struct audiofact_rules *r = &c->rules.fact;

	if (stage_library(run, "sndfile", audio_library_version(), e) < 0 ||
	    stage_library(run, "soxr", resample_library_version(), e) < 0 ||
	    (c->root.n > 0 && stage_option_texts(run, "root", c->root.v,
	    c->root.n, e) < 0) ||
	    (c->rules.facts_only &&
	    stage_option(run, "no-pcm", "true", e) < 0) ||
	    stage_option_text(run, "resample", c->resample, e) < 0 ||
	    describe_real(run, "min", r->min_s, e) < 0 ||
	    (isfinite(r->max_s) &&
	    describe_real(run, "max", r->max_s, e) < 0) ||
	    describe_real(run, "clip", r->clip_s, e) < 0)
		return -1;
	for (size_t i = 0; i < stage_operands(run); i++)
		if (stage_input(run, stage_operand(run, i), e) < 0)
			return -1;
	return 0;
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct check *c = self;
	unsigned missing;

	if (strcmp(c->resample, "sinc") == 0)
		c->rules.fact.resample = RESAMPLE_SINC;
	if (strcmp(c->sandbox, "auto") != 0)
		c->rules.sandbox = strcmp(c->sandbox, "off") == 0 ?
		    DECODER_OFF : DECODER_REQUIRE;
	c->rules.root = c->root.v;
	c->rules.n_roots = c->root.n;
	/* Files that the user names himself may be anywhere. */
	c->rules.anywhere = stage_operands(run) > 0;
	c->listen = listen_new(&c->rules, stage_threads(run), e);
	if (c->listen == NULL)
		return -1;
	missing = listen_missing(c->listen);
	for (unsigned wall = 1; wall <= missing; wall <<= 1)
		if ((missing & wall) != 0)
			stage_warn(run, "decoders run without %s, which this "
			    "system does not offer", sandbox_wall_name(wall));
	return describe(c, run, e);
}

static void
stop(void *self)
{
	struct check *c = self;

	listen_free(c->listen);
	option_list_free(&c->root);
}

static void *
own_new(void *self, struct err *e)
{
	struct check *c = self;

	return listen_worker_new(c->listen, e);
}

static void
own_free(void *own)
{
	listen_worker_free(own);
}

static int
each(void *self, void *own, struct record *r, struct outlet *out,
    struct err *e)
{
	(void)self;
	if (jsonscan_type(record_get(r, RECORD_DATA)) != JSON_NONE) {
		(void)err_set(e, ERR_DAMAGED,
		    "the record's data has not been read yet");
		return err_hint(e, "dpo-pair comes before " NAME);
	}
	if (listen_record(own, r, e) < 0)
		return -1;
	return outlet_put(out, r, e);
}

/* Whether audio files are the input, rather than a stream. */
static bool
feeds(const void *self, const struct stage_run *run)
{
	(void)self;
	return stage_operands(run) > 0;
}

/* A record of each audio file. */
static int
feed(void *self, struct stage_run *run, struct err *e)
{
	size_t n = stage_operands(run);
	struct buf b = { 0 };
	int rc = 0;

	(void)self;
	for (size_t i = 0; i < n && rc == 0; i++) {
		buf_clear(&b);
		rc = listen_put_file(stage_operand(run, i), &b, e);
		if (rc < 0 && e->kind == ERR_USAGE)
			rc = err_set(e, ERR_USAGE,
			    "the name of operand %zu is not UTF-8", i + 1);
		if (rc == 0)
			rc = stage_feed(run, b.p, b.n, i + 1, n, e);
	}
	buf_free(&b);
	return rc;
}

int
main(int argc, char *argv[])
{
	static const struct stage stage = {
		.name = NAME, .about = "measure each audio of each record",
		.operands = "[FILE...]", .options = options,
		.grain = STAGE_RECORDS, .start = start, .stop = stop,
		.own_new = own_new, .own_free = own_free, .each = each,
		.feed = feed, .feeds = feeds,
	};
	struct check c = {
		.rules = { .stage = NAME, .fact = { .min_s = 321 / 16000.0,
		    .max_s = INFINITY, .clip_s = 30 } },
		.resample = "soxr", .sandbox = "auto",
	};

	return stage_main(&stage, &c, argc, argv);
}
