/*
 * tokpack: token ids and labels of each pair, as LLaMA-Factory has them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "cutcheck.h"
#include "encode.h"
#include "model.h"
#include "option.h"
#include "outlet.h"
#include "pair.h"
#include "record.h"
#include "stage.h"
#include "template.h"

#define IGNORE_INDEX (-100)	/* a label that is not learned */

struct packing {
	const char *model_name, *template_name, *default_system, *tool_format;
	uint64_t cutoff;
	struct model *model;
	struct encoder encoder;
};

/* A thread's own. */
struct own {
	struct pair pair;
	struct encode_work work;
	uint32_t lengths[RECORD_AUDIOS_MAX];
	size_t n_lengths;
};

static const struct opt options[] = {
	OPT(struct packing, model_name, "model", 'm', "MODEL", 0, 0,
	    "model directory, or its name in the local Hugging Face cache"),
	OPT(struct packing, template_name, "template", 0, "TEMPLATE", 0, 0,
	    "how the model wants a conversation written (qwen2_audio)"),
	OPT(struct packing, cutoff, "cutoff-len", 0, "N", 1, 1 << 30,
	    "most tokens of a pair's prompt and longer answer together"),
	OPT(struct packing, default_system, "default-system", 0, "TEXT", 0, 0,
	    "system text of records without one"),
	OPT_CHOICE(struct packing, tool_format, "tool-format", 0, "default",
	    "how tools are described, as LLaMA-Factory's tool_format"),
	OPT_END
};

/* Say option NAME, whose value is the text VALUE; nothing where it is NULL. */
static int
say(struct stage_run *run, const char *name, const char *value,
    struct err *e)
{
	struct buf b = { 0 };
	int rc = -1;

	if (value == NULL)
		return 0;
	if (buf_put_json(&b, value, strlen(value), e) == 0 &&
	    buf_putc(&b, '\0', e) == 0)
		rc = stage_option(run, name, b.p, e);
	buf_free(&b);
	return rc;
}

/* There is no template of the name NAME, but there are others. */
static int
unknown_template(const char *name, struct err *e)
{
	const struct template *t;
	struct buf names = { 0 };
	int rc = 0;

	for (unsigned i = 0; rc == 0 && (t = template_at(i)) != NULL; i++)
		rc = buf_printf(&names, e, " %s", t->name);
	if (rc == 0)
		rc = err_set(e, ERR_USAGE, "there is no template \"%s\"; "
		    "there are:%.*s", name, (int)names.n, names.p);
	buf_free(&names);
	return rc;
}

/* Tell the provenance what the ids depend on. */
static int
describe(const struct packing *s, struct stage_run *run, struct err *e)
{
	char cutoff[32];

	(void)snprintf(cutoff, sizeof cutoff, "%llu",
	    (unsigned long long)s->cutoff);
	if (say(run, "template", s->template_name, e) < 0 ||
	    stage_option(run, "cutoff-len", cutoff, e) < 0 ||
	    say(run, "default-system", s->default_system, e) < 0 ||
	    say(run, "tool-format", s->tool_format, e) < 0)
		return -1;
	for (size_t i = 0; i < model_files(s->model); i++) {
		const struct model_file *f = model_file(s->model, i);

		if (stage_model_file(run, f->name, f->sha256, e) < 0)
			return -1;
	}
	return 0;
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct packing *s = self;
	const struct template *template = template_find(s->template_name);
	const struct bpe *bpe;
	const struct model_tokens *tokens;

	if (s->model_name == NULL) {
		(void)err_set(e, ERR_USAGE, "-m MODEL is needed");
		return err_hint(e, "MODEL is a directory with tokenizer.json, "
		    "or a name in the local Hugging Face cache");
	}
	if (template == NULL)
		return unknown_template(s->template_name, e);
	s->model = model_open(s->model_name, e);
	if (s->model == NULL ||
	    (bpe = model_tokenizer(s->model, e)) == NULL ||
	    (tokens = model_tokens(s->model, e)) == NULL ||
	    encode_open(&s->encoder, template, bpe, tokens,
	    s->default_system, s->tool_format != NULL, e) < 0)
		return -1;
	return describe(s, run, e);
}

static void
own_free(void *p)
{
	struct own *own = p;

	if (own == NULL)
		return;
	pair_free(&own->pair);
	encode_free(&own->work);
	free(own);
}

static void *
own_new(void *self, struct err *e)
{
	struct packing *s = self;
	struct own *own = calloc(1, sizeof *own);

	if (own == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	if (encode_begin(&own->work, &s->encoder, e) < 0) {
		own_free(own);
		return NULL;
	}
	return own;
}

/* A record that lacks FIELD, which PROGRAM adds, ends the run. */
static int
lacks(const char *field, const char *program, struct err *e)
{
	(void)err_set(e, ERR_DAMAGED, "a record has no %s", field);
	return err_hint(e, "run %s before tokpack", program);
}

/* The tokens of each audio, from the facts that audio-check wrote. */
static int
read_lengths(struct own *own, const struct record *r, struct err *e)
{
	struct jsonspan facts = record_get(r, RECORD_AUDIO);
	size_t n = pair_audios(&own->pair);

	own->n_lengths = 0;
	if (n == 0)
		return 0;
	if (facts.p == NULL)
		return lacks("audio facts, though it has audios",
		    "audio-check", e);
	for (struct jsonwalk w = jsonwalk_start(facts); jsonwalk_next(&w); ) {
		int64_t tokens;

		if (!jsonscan_int(jsonscan_get(w.value, "tokens"), 0,
		    INT32_MAX, &tokens))
			return lacks("audio[].tokens", "audio-check", e);
		if (own->n_lengths == RECORD_AUDIOS_MAX)
			break;
		own->lengths[own->n_lengths++] = (uint32_t)tokens;
	}
	if (own->n_lengths == n)
		return 0;
	(void)err_set(e, ERR_DAMAGED, "a record has %zu audios, but audio "
	    "facts of %zu", n, own->n_lengths);
	return err_hint(e, "run audio-check before tokpack");
}

/* Note what is doubtful: a cut, or a special token in the text. */
static int
put_notes(const struct packing *s, const struct encode_work *w,
    const struct cutoff *keep, struct record *r, struct err *e)
{
	int32_t id = encode_find_added(&s->encoder, w);
	struct buf token = { 0 };
	struct err note = { 0 };
	char text[128], quoted[80];
	int rc;

	if (cutcheck_note(w, s->cutoff, keep, &note) &&
	    record_note(r, "tokpack", CODE_CUTOFF, note.text, note.hint,
	    e) < 0)
		return -1;
	if (id < 0)
		return 0;
	rc = bpe_decode(s->encoder.bpe, &id, 1, &token, e);
	if (rc == 0) {
		(void)snprintf(text, sizeof text, "the text holds %s",
		    err_quote(quoted, sizeof quoted, token.p, token.n));
		rc = record_note(r, "tokpack", CODE_CONTROL_TOKEN, text, "the "
		    "tokenizer makes the special token of it: take it out of "
		    "the text, unless it is meant", e);
	}
	buf_free(&token);
	return rc;
}

/* Join the ids of the prompt and of ANSWER to R, and their labels. */
static int
put_ids(struct record *r, const char *ids_name, const char *labels_name,
    const struct bpe_ids *prompt, const struct bpe_ids *answer,
    const struct cutoff *keep, struct err *e)
{
	size_t m = keep->source;
	size_t n = answer->n < keep->target ? answer->n : keep->target;
	int32_t *ids, *labels;

	ids = record_put_tensor(r, ids_name, DTYPE_I32, 1, m + n, 0, e);
	if (ids == NULL)
		return -1;
	memcpy(ids, prompt->p, m * sizeof *ids);
	memcpy(ids + m, answer->p, n * sizeof *ids);
	labels = record_put_tensor(r, labels_name, DTYPE_I32, 1, m + n, 0, e);
	if (labels == NULL)
		return -1;
	for (size_t i = 0; i < m; i++)
		labels[i] = IGNORE_INDEX;
	memcpy(labels + m, answer->p, n * sizeof *labels);
	return 0;
}

static int
each(void *self, void *p, struct record *r, struct outlet *out,
    struct err *e)
{
	const struct packing *s = self;
	struct own *own = p;
	struct encode_work *w = &own->work;
	struct cutoff keep;

	if (record_get(r, RECORD_MESSAGES).p == NULL)
		return lacks("messages", "dpo-pair", e);
	if (pair_read(&own->pair, r, e) < 0 || read_lengths(own, r, e) < 0 ||
	    encode_pair(&s->encoder, w, &own->pair, own->lengths,
	    own->n_lengths, e) < 0)
		return -1;
	if (cutcheck_run(&s->encoder, w, s->cutoff, &keep, e) < 0 ||
	    put_notes(s, w, &keep, r, e) < 0 ||
	    put_ids(r, "chosen_input_ids", "chosen_labels", &w->prompt,
	    &w->chosen, &keep, e) < 0 ||
	    put_ids(r, "rejected_input_ids", "rejected_labels", &w->prompt,
	    &w->rejected, &keep, e) < 0)
		return -1;
	return outlet_put(out, r, e);
}

static void
stop(void *self)
{
	model_free(((struct packing *)self)->model);
}

int
main(int argc, char *argv[])
{
	static const struct stage stage = {
		.name = "tokpack",
		.about = "join the token ids and labels of each pair",
		.options = options, .grain = STAGE_FRAMES, .packs = true,
		.start = start, .own_new = own_new, .own_free = own_free,
		.each = each, .stop = stop,
	};
	struct packing s = {
		.template_name = "qwen2_audio", .cutoff = 2048,
	};

	return stage_main(&stage, &s, argc, argv);
}
