#include <stddef.h>
#include <string.h>

#include "bpe.h"
#include "model_config.h"
#include "model_core.h"

/* Make the tokenizer. */
static int
make_bpe(struct model *m, const struct model_config *c, struct err *e)
{
	struct bpe_config config = { 0 };
	struct model_summing summing;
	struct buf text = { 0 };

	config.added = c->added;
	config.n_added = c->n_added;
	config.special = c->special;
	config.n_special = c->n_special;
	if (model_read_begin(m, "tokenizer.json", &text, &summing, e) == 0)
		m->bpe = bpe_load(text.p, text.n, &config, e);
	model_read_end(&summing);
	buf_free(&text);
	return m->bpe == NULL ? -1 : 0;
}

/* The tokens of an audio and of an end, as members of struct model_tokens. */
static const struct {
	const char *key, *fallback;
	size_t offset;
} roles[] = {
	{ "audio_token", "<|AUDIO|>",
	    offsetof(struct model_tokens, audio) },
	{ "audio_bos_token", "<|audio_bos|>",
	    offsetof(struct model_tokens, audio_bos) },
	{ "audio_eos_token", "<|audio_eos|>",
	    offsetof(struct model_tokens, audio_eos) },
	{ "eos_token", NULL, offsetof(struct model_tokens, eos) },
	{ "pad_token", NULL, offsetof(struct model_tokens, pad) },
};

#define N_ROLES (sizeof roles / sizeof *roles)

_Static_assert(N_ROLES == sizeof ((struct model *)0)->texts /
    sizeof(struct buf), "struct model has a text for each");

/*
 * Append to OUT the text of an audio's token KEY: the tokenizer's, if it has
 * one by that name, else the processor's, else the usual.
 */
static int
audio_text(struct model *m, const struct model_config *c, const char *key,
    const char *fallback, struct buf *out, struct err *e)
{
	static const char *const lists[] = {
		"model_specific_special_tokens", "extra_special_tokens"
	};
	struct jsonspan v = model_config_get(c, key), text;

	for (size_t i = 0; i < 2 && v.n == 0; i++)
		v = jsonscan_get(model_config_get(c, lists[i]), key);
	if (model_config_token(key, v, &text, e) < 0)
		return -1;
	if (text.n > 0)
		return jsonscan_string(text, out, e);
	if (m->processor != NULL &&
	    json_get_string(json_root(m->processor), key, &fallback, e) < 0)
		return -1;
	return buf_puts(out, fallback, e);
}

/* Find the tokens of M by their texts. */
static int
name_tokens(struct model *m, const struct model_config *c, struct err *e)
{
	for (size_t i = 0; i < N_ROLES; i++) {
		struct model_token *t = (void *)((char *)&m->tokens +
		    roles[i].offset);
		struct buf *out = &m->texts[i];
		struct jsonspan text;

		*t = (struct model_token){ NULL, -1 };
		buf_clear(out);
		if (roles[i].fallback != NULL) {
			if (audio_text(m, c, roles[i].key, roles[i].fallback,
			    out, e) < 0)
				return -1;
		} else {
			if (model_config_token(roles[i].key,
			    model_config_named(c, roles[i].key), &text,
			    e) < 0)
				return -1;
			if (text.n == 0)
				continue;
			if (jsonscan_string(text, out, e) < 0)
				return -1;
		}
		if (buf_putc(out, '\0', e) < 0)
			return -1;
		t->text = out->p;
		/* LLaMA-Factory's template writes it so, whatever is said. */
		if (i == 0 && strcmp(t->text, roles[0].fallback) != 0)
			return err_set(e, ERR_MODEL, "%s is %s, which is not "
			    "implemented: only %s is", roles[0].key, t->text,
			    roles[0].fallback);
		t->id = bpe_id(m->bpe, out->p, out->n - 1);
		if (!bpe_is_added(m->bpe, t->id))
			return err_set(e, ERR_MODEL, "%s: %s is not an "
			    "added token", roles[i].key, t->text);
	}
	return 0;
}

/* Check that the processor is the one whose tokens we know. */
static int
check_processor(const struct model *m, struct err *e)
{
	const char *name = "Qwen2AudioProcessor";

	if (m->processor != NULL && json_get_string(json_root(m->processor),
	    "processor_class", &name, e) < 0)
		return -1;
	if (strcmp(name, "Qwen2AudioProcessor") == 0)
		return 0;
	return err_set(e, ERR_MODEL, "processor_config.json: processor_class "
	    "is %s, which is not implemented: only Qwen2AudioProcessor is",
	    name);
}

/* Put M's tokenizer into it, and the tokens that it names. */
static int
load_tokenizer(struct model *m, struct err *e)
{
	struct model_config c = { 0 };
	int rc = -1;

	if (model_read_processor(m, e) == 0 && check_processor(m, e) == 0 &&
	    model_config_read(m, &c, e) == 0 && make_bpe(m, &c, e) == 0)
		rc = name_tokens(m, &c, e);
	if (rc < 0) {
		bpe_free(m->bpe);
		m->bpe = NULL;
	}
	model_config_free(&c);
	return rc;
}

const struct bpe *
model_tokenizer(struct model *m, struct err *e)
{
	if (m->bpe == NULL && load_tokenizer(m, e) < 0)
		return NULL;
	return m->bpe;
}

const struct model_tokens *
model_tokens(struct model *m, struct err *e)
{
	return model_tokenizer(m, e) == NULL ? NULL : &m->tokens;
}
