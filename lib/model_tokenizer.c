#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "jsonscan.h"
#include "model_core.h"

/*
 * How transformers' AutoTokenizer makes a Qwen2Tokenizer of a directory: of
 * tokenizer.json it takes the vocabulary and the merges, and the rest is
 * its own (and ours: see bpe_check.c).  The added tokens are those of
 * tokenizer_config.json's added_tokens_decoder, or of tokenizer.json where
 * there is none; and each token that has a name (eos_token) or is listed
 * (additional_special_tokens) is special.
 */
static const char config_name[] = "tokenizer_config.json";

/* What is being put together. */
struct setup {
	struct jsonspan config;		/* tokenizer_config.json */
	struct buf texts;		/* of all tokens, each with its NUL */
	size_t *text_at;		/* where each begins */
	struct bpe_added *added;
	size_t n_added;
	size_t *special_at;
	const char **special;
	size_t n_special, special_cap;
};

/* A fault of tokenizer_config.json: KEY is V, not WANTED. */
static int
refuse(const char *key, struct jsonspan v, const char *wanted, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	return err_set(e, ERR_MODEL, "%s: %s is %s, which is not implemented: "
	    "only %s is", config_name, key, v.n == 0 ? "not there" :
	    err_quote(quoted, sizeof quoted, v.p, v.n), wanted);
}

/* Whether V is absent, null or false. */
static bool
is_off(struct jsonspan v)
{
	enum json_type t = jsonscan_type(v);
	bool b;

	return t == JSON_NONE || t == JSON_NULL ||
	    (jsonscan_bool(v, &b) && !b);
}

/* Check what would make another tokenizer than the one that we are. */
static int
check_config(struct jsonspan config, struct err *e)
{
	static const char *const off[] = {
		"add_prefix_space", "auto_map", "fast_tokenizer_files",
		"tokenizer_file", "tokenizer_object", "gguf_file", "vocab",
		"merges", "init_inputs",
	};
	struct jsonspan v = jsonscan_get(config, "tokenizer_class");

	if (jsonscan_type(config) != JSON_OBJECT)
		return err_set(e, ERR_MODEL, "%s: is %s, not an object",
		    config_name, jsonscan_type_name(jsonscan_type(config)));
	if (!jsonscan_is(v, "Qwen2Tokenizer") &&
	    !jsonscan_is(v, "Qwen2TokenizerFast"))
		return refuse("tokenizer_class", v, "\"Qwen2Tokenizer\"", e);
	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		v = jsonscan_get(config, off[i]);
		if (!is_off(v) && !(strcmp(off[i], "init_inputs") == 0 &&
		    jsonscan_type(v) == JSON_ARRAY && jsonscan_count(v) == 0))
			return refuse(off[i], v, "null", e);
	}
	return 0;
}

/* Append the string V to the texts, and a NUL; *AT is where it begins. */
static int
put_text(struct setup *s, struct jsonspan v, size_t *at, struct err *e)
{
	*at = s->texts.n;
	if (jsonscan_string(v, &s->texts, e) < 0)
		return -1;
	if (memchr(s->texts.p + *at, '\0', s->texts.n - *at) != NULL)
		return err_set(e, ERR_MODEL, "%s: a token holds a NUL",
		    config_name);
	return buf_putc(&s->texts, '\0', e);
}

/*
 * One entry of added_tokens_decoder, "id": {…}, as AddedToken(**entry) takes
 * it; what is absent there is false, and normalized where it is not special.
 */
static int
read_added(struct setup *s, struct jsonspan key, struct jsonspan v,
    struct err *e)
{
	static const char *const unknown[] = {
		"single_word", "lstrip", "rstrip"
	};
	struct bpe_added *t = &s->added[s->n_added];
	struct jsonspan content = jsonscan_get(v, "content");
	struct jsonspan flag = jsonscan_get(v, "special");
	int64_t id;

	/* The key is a string that holds a number. */
	if (key.n < 3 || !jsonscan_int((struct jsonspan){ key.p + 1,
	    key.n - 2 }, 0, INT32_MAX, &id))
		return refuse("a key of added_tokens_decoder", key,
		    "a token's id", e);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		if (!is_off(jsonscan_get(v, unknown[i])))
			return refuse(unknown[i], v, "false", e);
	if (jsonscan_type(content) != JSON_STRING ||
	    (flag.n > 0 && !jsonscan_bool(flag, &t->special)))
		return refuse("an added token", v,
		    "an object with content and special", e);
	t->id = (int32_t)id;
	t->normalized = !t->special;
	flag = jsonscan_get(v, "normalized");
	if (flag.n > 0 && !jsonscan_bool(flag, &t->normalized))
		return refuse("normalized", v, "a boolean", e);
	return put_text(s, content, &s->text_at[s->n_added++], e);
}

/* Ascending by id; ids are all different, as keys of an object are. */
static int
by_id(const void *x, const void *y)
{
	const struct bpe_added *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id;
}

/* Read added_tokens_decoder, V. */
static int
read_decoder(struct setup *s, struct jsonspan v, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	size_t n = jsonscan_count(v);

	if (jsonscan_type(v) != JSON_OBJECT)
		return refuse("added_tokens_decoder", v, "an object", e);
	s->added = calloc(n + 1, sizeof *s->added);
	s->text_at = calloc(n + 1, sizeof *s->text_at);
	if (s->added == NULL || s->text_at == NULL)
		return err_memory(e);
	while (s->n_added < n && jsonwalk_next(&w))
		if (read_added(s, w.key, w.value, e) < 0)
			return -1;
	return 0;
}

/* The text of a special token V: a string, or an AddedToken as it is saved.
 * None where it is null or absent. */
static int
token_text(const char *key, struct jsonspan v, struct jsonspan *text,
    struct err *e)
{
	enum json_type t = jsonscan_type(v);

	*text = (struct jsonspan){ 0 };
	if (t == JSON_STRING)
		*text = v;
	else if (t == JSON_OBJECT)
		*text = jsonscan_get(v, "content");
	else if (t == JSON_NULL || t == JSON_NONE)
		return 0;
	if (jsonscan_type(*text) != JSON_STRING)
		return refuse(key, v, "a token", e);
	if (t == JSON_OBJECT && (!is_off(jsonscan_get(v, "lstrip")) ||
	    !is_off(jsonscan_get(v, "rstrip")) ||
	    !is_off(jsonscan_get(v, "single_word"))))
		return refuse(key, v, "one without lstrip, rstrip and "
		    "single_word", e);
	return 0;
}

/* Note the special token V, if there is one. */
static int
put_special(struct setup *s, const char *key, struct jsonspan v,
    struct err *e)
{
	struct jsonspan text;

	if (token_text(key, v, &text, e) < 0)
		return -1;
	if (text.n == 0)
		return 0;
	if (s->n_special == s->special_cap) {
		size_t cap = s->special_cap * 2 + 16;
		size_t *more = realloc(s->special_at, cap * sizeof *more);

		if (more == NULL)
			return err_memory(e);
		s->special_at = more;
		s->special_cap = cap;
	}
	return put_text(s, text, &s->special_at[s->n_special++], e);
}

/* Note all special tokens in V, an array or an object of them, or absent. */
static int
put_specials(struct setup *s, const char *key, struct jsonspan v,
    struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	enum json_type t = jsonscan_type(v);

	if (t != JSON_ARRAY && t != JSON_OBJECT && !is_off(v))
		return refuse(key, v, "an array of tokens", e);
	while (jsonwalk_next(&w))
		if (put_special(s, key, w.value, e) < 0)
			return -1;
	return 0;
}

/* Whether KEY, with its quotes, ends in _token. */
static bool
names_token(struct jsonspan key)
{
	static const char end[] = "_token\"";

	return key.n >= sizeof end &&
	    memcmp(key.p + key.n - (sizeof end - 1), end, sizeof end - 1) == 0;
}

/* A token that Qwen2Tokenizer has where the configuration has no KEY. */
static struct jsonspan
named(struct jsonspan config, const char *key)
{
	static const char fallback[] = "\"<|endoftext|>\"";
	struct jsonspan v = jsonscan_get(config, key);

	return v.n > 0 ? v :
	    (struct jsonspan){ fallback, sizeof fallback - 1 };
}

/* Note the tokens that are special by name or by list. */
static int
read_special(struct setup *s, struct err *e)
{
	static const char *const defaults[] = {
		"eos_token", "unk_token", "pad_token"
	};
	struct jsonspan extra = jsonscan_get(s->config,
	    "extra_special_tokens");
	struct jsonwalk w = jsonwalk_start(s->config);

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		if (put_special(s, defaults[i], named(s->config, defaults[i]),
		    e) < 0)
			return -1;
	while (jsonwalk_next(&w))
		if (names_token(w.key) && !is_off(w.value) &&
		    jsonscan_type(w.value) != JSON_BOOL &&
		    put_special(s, "a token", w.value, e) < 0)
			return -1;
	if (extra.n == 0)
		extra = jsonscan_get(s->config, "additional_special_tokens");
	if (put_specials(s, "extra_special_tokens", extra, e) < 0 ||
	    put_specials(s, "model_specific_special_tokens",
	    jsonscan_get(s->config, "model_specific_special_tokens"), e) < 0)
		return -1;
	s->special = calloc(s->n_special + 1, sizeof *s->special);
	if (s->special == NULL)
		return err_memory(e);
	return 0;
}

/* Read the configuration, whose text goes to TEXT. */
static int
read_config(struct model *m, struct setup *s, struct buf *text,
    struct err *e)
{
	struct jsonspan decoder;
	struct err why = { 0 };

	if (model_read(m, config_name, text, e) < 0)
		return -1;
	if (jsonscan_check(text->p, text->n, NULL, &why) < 0)
		return why.kind == ERR_MEMORY ? err_memory(e) :
		    err_set(e, ERR_MODEL, "%s: %s", config_name, why.text);
	s->config = jsonscan_value(text->p, text->n);
	if (check_config(s->config, e) < 0)
		return -1;
	decoder = jsonscan_get(s->config, "added_tokens_decoder");
	if (decoder.n > 0)
		return read_decoder(s, decoder, e);
	if (model_has(m, "special_tokens_map.json") ||
	    model_has(m, "added_tokens.json")) {
		err_set(e, ERR_MODEL, "%s has no added_tokens_decoder, but "
		    "there is a special_tokens_map.json or added_tokens.json",
		    config_name);
		return err_hint(e, "save the tokenizer anew, in an empty "
		    "directory");
	}
	return 0;
}

/* Make the tokenizer. */
static int
make_bpe(struct model *m, struct setup *s, struct err *e)
{
	struct bpe_config config = { 0 };
	struct model_summing summing;
	struct buf text = { 0 };

	/* The texts have come to rest. */
	for (size_t i = 0; i < s->n_added; i++) {
		s->added[i].text = s->texts.p + s->text_at[i];
		s->added[i].n = strlen(s->added[i].text);
	}
	if (s->added != NULL)
		qsort(s->added, s->n_added, sizeof *s->added, by_id);
	for (size_t i = 0; i < s->n_special; i++)
		s->special[i] = s->texts.p + s->special_at[i];
	config.added = s->added;
	config.n_added = s->n_added;
	config.special = s->special;
	config.n_special = s->n_special;
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
audio_text(struct model *m, const struct setup *s, const char *key,
    const char *fallback, struct buf *out, struct err *e)
{
	static const char *const lists[] = {
		"model_specific_special_tokens", "extra_special_tokens"
	};
	struct jsonspan v = jsonscan_get(s->config, key), text;

	for (size_t i = 0; i < 2 && v.n == 0; i++)
		v = jsonscan_get(jsonscan_get(s->config, lists[i]), key);
	if (token_text(key, v, &text, e) < 0)
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
name_tokens(struct model *m, const struct setup *s, struct err *e)
{
	for (size_t i = 0; i < N_ROLES; i++) {
		struct model_token *t = (void *)((char *)&m->tokens +
		    roles[i].offset);
		struct buf *out = &m->texts[i];
		struct jsonspan text;

		*t = (struct model_token){ NULL, -1 };
		buf_clear(out);
		if (roles[i].fallback != NULL) {
			if (audio_text(m, s, roles[i].key, roles[i].fallback,
			    out, e) < 0)
				return -1;
		} else {
			if (token_text(roles[i].key, named(s->config,
			    roles[i].key), &text, e) < 0)
				return -1;
			if (text.n == 0)
				continue;
			if (jsonscan_string(text, out, e) < 0)
				return -1;
		}
		if (buf_putc(out, '\0', e) < 0)
			return -1;
		t->text = out->p;
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
	struct setup s = { 0 };
	struct buf text = { 0 };
	int rc = -1;

	if (model_read_processor(m, e) == 0 && check_processor(m, e) == 0 &&
	    read_config(m, &s, &text, e) == 0 && read_special(&s, e) == 0 &&
	    make_bpe(m, &s, e) == 0)
		rc = name_tokens(m, &s, e);
	if (rc < 0) {
		bpe_free(m->bpe);
		m->bpe = NULL;
	}
	buf_free(&text);
	buf_free(&s.texts);
	free(s.text_at);
	free(s.added);
	free(s.special_at);
	free(s.special);
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
