/*
 * tokpack: token ids and labels of each pair, as LLaMA-Factory has them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "encode.h"
#include "model.h"
#include "option.h"
#include "outlet.h"
#include "pack.h"
#include "stage.h"
#include "template.h"

struct packing {
	const char *model_name, *template_name, *default_system, *tool_format;
	uint64_t cutoff;
	struct model *model;
	struct encoder encoder;
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

/* Tell the provenance what the ids depend on. */
static int
describe(const struct packing *s, struct stage_run *run, struct err *e)
{
	char cutoff[32];

	(void)snprintf(cutoff, sizeof cutoff, "%llu",
	    (unsigned long long)s->cutoff);
	if (stage_option_text(run, "template", s->template_name, e) < 0 ||
	    stage_option(run, "cutoff-len", cutoff, e) < 0 ||
	    stage_option_text(run, "default-system", s->default_system,
	    e) < 0 ||
	    stage_option_text(run, "tool-format", s->tool_format, e) < 0)
		return -1;
	return stage_model(run, s->model, e);
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct packing *s = self;
	const struct template *template;
	const struct bpe *bpe;
	const struct model_tokens *tokens;

	if (s->model_name == NULL) {
		(void)err_set(e, ERR_USAGE, "-m MODEL is needed");
		return err_hint(e, "MODEL is a directory with tokenizer.json, "
		    "or a name in the local Hugging Face cache");
	}
	if ((template = template_need(s->template_name, e)) == NULL ||
	    (s->model = model_open(s->model_name, e)) == NULL ||
	    (bpe = model_tokenizer(s->model, e)) == NULL ||
	    (tokens = model_tokens(s->model, e)) == NULL ||
	    encode_open(&s->encoder, template, bpe, tokens,
	    s->default_system, s->tool_format != NULL, e) < 0)
		return -1;
	return describe(s, run, e);
}

static void
own_free(void *own)
{
	if (own != NULL)
		pack_free(own);
	free(own);
}

static void *
own_new(void *self, struct err *e)
{
	struct packing *s = self;
	struct pack_work *own = calloc(1, sizeof *own);

	if (own == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	if (pack_begin(own, &s->encoder, e) < 0) {
		own_free(own);
		return NULL;
	}
	return own;
}

static int
each(void *self, void *own, struct record *r, struct outlet *out,
    struct err *e)
{
	const struct packing *s = self;

	return pack_record(&s->encoder, s->cutoff, own, r, e) < 0 ? -1 :
	    outlet_put(out, r, e);
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
