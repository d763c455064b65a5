/*
 * melspec: log-mel spectrograms of each audio of each record, in place of
 * its samples.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audiofact.h"
#include "buf.h"
#include "mel.h"
#include "model.h"
#include "option.h"
#include "outlet.h"
#include "record.h"
#include "stage.h"

#define NAME "melspec"
#define MELS "128"	/* Qwen2-Audio's, where there is no -m */

struct melspec {
	const char *model;
	const char *type_name;
	enum dtype type;
	struct mel_plan *plan;
};

/* What a thread has. */
struct own {
	struct mel_work *work;
	struct buf facts;
};

static const struct opt options[] = {
	OPT(struct melspec, model, "model", 'm', "MODEL", 0, 0,
	    "take the number of mel bands from MODEL (" MELS ")"),
	OPT_CHOICE(struct melspec, type_name, "type", 0, "f32|f16|bf16",
	    "type of the values (f32)"),
	OPT_END
};

/* The bands that MODEL's feature extractor has; its files are noted. */
static int
read_model(const char *name, struct stage_run *run, unsigned *mels,
    struct err *e)
{
	struct model *m = model_open(name, e);
	const struct model_features *f = m == NULL ? NULL :
	    model_features(m, e);
	int rc = -1;

	if (f != NULL) {
		*mels = f->n_mels;
		rc = stage_model(run, m, e);
	}
	model_free(m);
	return rc;
}

/* The environment may ask for a path, as the tests do. */
static int
choose_path(struct mel_plan *plan, struct err *e)
{
	const char *want = getenv("OSSICLE_MEL");

	if (want == NULL || *want == '\0')
		return 0;
	for (int i = 0; i < MEL_PATHS; i++)
		if (strcmp(want, mel_path_name((enum mel_path)i)) == 0 &&
		    mel_path_works((enum mel_path)i)) {
			mel_plan_force(plan, (enum mel_path)i);
			return 0;
		}
	return err_set(e, ERR_USAGE, "OSSICLE_MEL: there is no such code "
	    "here: %.40s", want);
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct melspec *s = self;
	unsigned mels = (unsigned)strtoul(MELS, NULL, 10);
	char text[16];

	if (strcmp(s->type_name, "f16") == 0)
		s->type = DTYPE_F16;
	else if (strcmp(s->type_name, "bf16") == 0)
		s->type = DTYPE_BF16;
	if (s->model != NULL && read_model(s->model, run, &mels, e) < 0)
		return -1;
	s->plan = mel_plan_new(mels, e);
	if (s->plan == NULL || choose_path(s->plan, e) < 0)
		return -1;
	(void)snprintf(text, sizeof text, "%u", mels);
	if (stage_option(run, "mels", text, e) < 0)
		return -1;
	(void)snprintf(text, sizeof text, "\"%s\"", s->type_name);
	return stage_option(run, "type", text, e);
}

static void
stop(void *self)
{
	struct melspec *s = self;

	mel_plan_free(s->plan);
}

static void
own_free(void *self)
{
	struct own *own = self;

	if (own == NULL)
		return;
	mel_work_free(own->work);
	buf_free(&own->facts);
	free(own);
}

static void *
own_new(void *self, struct err *e)
{
	struct own *own = calloc(1, sizeof *own);

	(void)self;
	if (own == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	if ((own->work = mel_work_new(e)) == NULL) {
		own_free(own);
		return NULL;
	}
	return own;
}

/* The record lacks what audio-check adds: its samples, or its facts. */
static int
no_samples(size_t k, const char *what, struct err *e)
{
	(void)err_set(e, ERR_DAMAGED, "audios[%zu] comes without %s", k, what);
	return err_hint(e, "put audio-check, without --no-pcm, before melspec");
}

/* The spectrogram of audio K in place of its samples; *PAD goes with it. */
static int
put_features(const struct melspec *s, struct own *own, struct record *r,
    size_t k, float *pad, struct err *e)
{
	char name[SAFETENSORS_NAME_MAX];
	const struct tensor *found;
	struct tensor pcm;
	void *out;

	(void)snprintf(name, sizeof name, "pcm.%zu", k);
	if ((found = record_tensor(r, name)) == NULL)
		return no_samples(k, "its samples", e);
	if (found->rank != 1 ||
	    (found->dtype != DTYPE_F32 && found->dtype != DTYPE_I16))
		return err_set(e, ERR_DAMAGED, "%s is no row of F32 or I16",
		    name);
	pcm = *found;
	(void)snprintf(name, sizeof name, "input_features.%zu", k);
	out = record_put_tensor(r, name, s->type, 2, mel_plan_mels(s->plan),
	    mel_columns(pcm.shape[0]), e);
	if (out == NULL)
		return -1;
	mel_compute(s->plan, own->work, pcm.dtype, pcm.data, pcm.shape[0],
	    s->type, out, pad);
	record_drop_tensor(r, pcm.name);
	return 0;
}

static int
each(void *self, void *mine, struct record *r, struct outlet *out,
    struct err *e)
{
	const struct melspec *s = self;
	struct own *own = mine;
	const size_t n = jsonscan_count(record_get(r, RECORD_AUDIOS));
	struct jsonwalk facts = jsonwalk_start(record_get(r, RECORD_AUDIO));

	buf_clear(&own->facts);
	for (size_t k = 0; k < n; k++) {
		float pad = 0;

		if (!jsonwalk_next(&facts) ||
		    jsonscan_type(facts.value) != JSON_OBJECT)
			return no_samples(k, "what audio-check says of it", e);
		if (put_features(s, own, r, k, &pad, e) < 0 ||
		    buf_putc(&own->facts, k == 0 ? '[' : ',', e) < 0 ||
		    audiofact_put_pad(facts.value, pad, &own->facts, e) < 0)
			return -1;
	}
	if (n > 0 && (buf_putc(&own->facts, ']', e) < 0 ||
	    record_set(r, RECORD_AUDIO, own->facts.p, own->facts.n, e) < 0))
		return -1;
	return outlet_put(out, r, e);
}

int
main(int argc, char *argv[])
{
	static const struct stage stage = {
		.name = NAME, .about = "log-mel spectrograms of the samples",
		.options = options, .grain = STAGE_RECORDS,
		.start = start, .stop = stop, .each = each,
		.own_new = own_new, .own_free = own_free,
	};
	struct melspec s = { .type_name = "f32", .type = DTYPE_F32 };

	return stage_main(&stage, &s, argc, argv);
}
