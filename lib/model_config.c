#include <stdlib.h>
#include <string.h>

#include "model_config.h"
#include "model_core.h"

static const char config_name[] = "tokenizer_config.json";

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

struct jsonspan
model_config_get(const struct model_config *c, const char *key)
{
	for (size_t i = 0; i < c->n_members; i++)
		if (jsonscan_is(c->member[i].key, key))
			return c->member[i].value;
	return (struct jsonspan){ 0 };
}

/* Check what would make another tokenizer than the one that we are. */
static int
check_config(const struct model_config *c, struct err *e)
{
	static const char *const off[] = {
		"add_prefix_space", "auto_map", "fast_tokenizer_files",
		"tokenizer_file", "tokenizer_object", "gguf_file", "vocab",
		"merges", "init_inputs",
	};
	struct jsonspan v = model_config_get(c, "tokenizer_class");

	if (!jsonscan_is(v, "Qwen2Tokenizer") &&
	    !jsonscan_is(v, "Qwen2TokenizerFast"))
		return refuse("tokenizer_class", v, "\"Qwen2Tokenizer\"", e);
	for (size_t i = 0; i < sizeof off / sizeof *off; i++) {
		v = model_config_get(c, off[i]);
		if (!is_off(v) && !(strcmp(off[i], "init_inputs") == 0 &&
		    jsonscan_type(v) == JSON_ARRAY && jsonscan_count(v) == 0))
			return refuse(off[i], v, "null", e);
	}
	return 0;
}

/* Append the string V to the texts, and a NUL; *AT is where it begins. */
static int
put_text(struct model_config *c, struct jsonspan v, size_t *at, struct err *e)
{
	*at = c->texts.n;
	if (buf_reserve(&c->texts, 1, e) < 0 ||
	    jsonscan_string(v, &c->texts, e) < 0)
		return -1;
	if (memchr(c->texts.p + *at, '\0', c->texts.n - *at) != NULL)
		return err_set(e, ERR_MODEL, "%s: a token holds a NUL",
		    config_name);
	return buf_putc(&c->texts, '\0', e);
}

/* What an added token is in added_tokens_decoder. */
enum { CONTENT, SPECIAL, NORMALIZED, SINGLE_WORD, LSTRIP, RSTRIP, N_KEYS };

static const char *const keys[N_KEYS] = {
	"content", "special", "normalized", "single_word", "lstrip", "rstrip",
};

/*
 * One entry of added_tokens_decoder, "id": {...}, as AddedToken(**entry) takes
 * it; what is absent there is false, and normalized where it is not special.
 */
static int
read_added(struct model_config *c, struct jsonspan key, struct jsonspan v,
    struct err *e)
{
	struct bpe_added *t = &c->added[c->n_added];
	struct jsonspan value[N_KEYS] = { { 0 } };
	struct jsonwalk w = jsonwalk_start(v);
	int64_t id;

	/* The key is a string that holds a number. */
	if (key.n < 3 || !jsonscan_int((struct jsonspan){ key.p + 1,
	    key.n - 2 }, 0, INT32_MAX, &id))
		return refuse("a key of added_tokens_decoder", key,
		    "a token's id", e);
	while (jsonwalk_next(&w))
		for (size_t i = 0; i < N_KEYS; i++)
			if (jsonscan_is(w.key, keys[i]))
				value[i] = w.value;
	for (size_t i = SINGLE_WORD; i <= RSTRIP; i++)
		if (!is_off(value[i]))
			return refuse(keys[i], v, "false", e);
	if (jsonscan_type(value[CONTENT]) != JSON_STRING ||
	    (value[SPECIAL].n > 0 &&
	    !jsonscan_bool(value[SPECIAL], &t->special)))
		return refuse("an added token", v,
		    "an object with content and special", e);
	t->id = (int32_t)id;
	t->normalized = !t->special;
	if (value[NORMALIZED].n > 0 &&
	    !jsonscan_bool(value[NORMALIZED], &t->normalized))
		return refuse("normalized", v, "a boolean", e);
	return put_text(c, value[CONTENT], &c->text_at[c->n_added++], e);
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
read_decoder(struct model_config *c, struct jsonspan v, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	size_t n = jsonscan_count(v);

	if (jsonscan_type(v) != JSON_OBJECT)
		return refuse("added_tokens_decoder", v, "an object", e);
	c->added = calloc(n + 1, sizeof *c->added);
	c->text_at = calloc(n + 1, sizeof *c->text_at);
	if (c->added == NULL || c->text_at == NULL)
		return err_memory(e);
	while (c->n_added < n && jsonwalk_next(&w))
		if (read_added(c, w.key, w.value, e) < 0)
			return -1;
	return 0;
}

int
model_config_token(const char *key, struct jsonspan v, struct jsonspan *text,
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
put_special(struct model_config *c, const char *key, struct jsonspan v,
    struct err *e)
{
	struct jsonspan text;

	if (model_config_token(key, v, &text, e) < 0)
		return -1;
	if (text.n == 0)
		return 0;
	if (c->n_special == c->special_cap) {
		size_t cap = c->special_cap * 2 + 16;
		size_t *more = realloc(c->special_at, cap * sizeof *more);

		if (more == NULL)
			return err_memory(e);
		c->special_at = more;
		c->special_cap = cap;
	}
	return put_text(c, text, &c->special_at[c->n_special++], e);
}

/* Note all special tokens in V, an array or an object of them, or absent. */
static int
put_specials(struct model_config *c, const char *key, struct jsonspan v,
    struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	enum json_type t = jsonscan_type(v);

	if (t != JSON_ARRAY && t != JSON_OBJECT && !is_off(v))
		return refuse(key, v, "an array of tokens", e);
	while (jsonwalk_next(&w))
		if (put_special(c, key, w.value, e) < 0)
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

struct jsonspan
model_config_named(const struct model_config *c, const char *key)
{
	static const char fallback[] = "\"<|endoftext|>\"";
	struct jsonspan v = model_config_get(c, key);

	return v.n > 0 ? v :
	    (struct jsonspan){ fallback, sizeof fallback - 1 };
}

/* Note the tokens that are special by name or by list. */
static int
read_special(struct model_config *c, struct err *e)
{
	static const char *const defaults[] = {
		"eos_token", "unk_token", "pad_token"
	};
	struct jsonspan extra = model_config_get(c, "extra_special_tokens");

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		if (put_special(c, defaults[i],
		    model_config_named(c, defaults[i]), e) < 0)
			return -1;
	for (size_t i = 0; i < c->n_members; i++) {
		struct jsonspan v = c->member[i].value;

		if (names_token(c->member[i].key) && !is_off(v) &&
		    jsonscan_type(v) != JSON_BOOL &&
		    put_special(c, "a token", v, e) < 0)
			return -1;
	}
	if (extra.n == 0)
		extra = model_config_get(c, "additional_special_tokens");
	if (put_specials(c, "extra_special_tokens", extra, e) < 0 ||
	    put_specials(c, "model_specific_special_tokens",
	    model_config_get(c, "model_specific_special_tokens"), e) < 0)
		return -1;
	c->special = calloc(c->n_special + 1, sizeof *c->special);
	if (c->special == NULL)
		return err_memory(e);
	return 0;
}

/* Find the members of the configuration V. */
static int
read_members(struct model_config *c, struct jsonspan v, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	size_t cap = 0;

	if (jsonscan_type(v) != JSON_OBJECT)
		return err_set(e, ERR_MODEL, "%s: is %s, not an object",
		    config_name, jsonscan_type_name(jsonscan_type(v)));
	while (jsonwalk_next(&w)) {
		if (c->n_members == cap) {
			struct model_member *more;

			cap = 2 * cap + 32;
			more = realloc(c->member, cap * sizeof *more);
			if (more == NULL)
				return err_memory(e);
			c->member = more;
		}
		c->member[c->n_members].key = w.key;
		c->member[c->n_members++].value = w.value;
	}
	return 0;
}

/* Read the file, and the added tokens in it. */
static int
read_file(struct model *m, struct model_config *c, struct err *e)
{
	struct jsonspan decoder;
	struct err why = { 0 };

	if (model_read(m, config_name, &c->text, e) < 0)
		return -1;
	if (jsonscan_check(c->text.p, c->text.n, NULL, &why) < 0)
		return why.kind == ERR_MEMORY ? err_memory(e) :
		    err_set(e, ERR_MODEL, "%s: %s", config_name, why.text);
	if (read_members(c, jsonscan_value(c->text.p, c->text.n), e) < 0 ||
	    check_config(c, e) < 0)
		return -1;
	decoder = model_config_get(c, "added_tokens_decoder");
	if (decoder.n > 0)
		return read_decoder(c, decoder, e);
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

int
model_config_read(struct model *m, struct model_config *c, struct err *e)
{
	if (read_file(m, c, e) < 0 || read_special(c, e) < 0)
		return -1;
	/* The texts have come to rest. */
	for (size_t i = 0; i < c->n_added; i++) {
		c->added[i].text = c->texts.p + c->text_at[i];
		c->added[i].n = strlen(c->added[i].text);
	}
	if (c->added != NULL)
		qsort(c->added, c->n_added, sizeof *c->added, by_id);
	for (size_t i = 0; i < c->n_special; i++)
		c->special[i] = c->texts.p + c->special_at[i];
	return 0;
}

void
model_config_free(struct model_config *c)
{
	buf_free(&c->text);
	buf_free(&c->texts);
	free(c->member);
	free(c->text_at);
	free(c->added);
	free(c->special_at);
	free(c->special);
	*c = (struct model_config){ 0 };
}
