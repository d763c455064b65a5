#include <stdbool.h>
#include <string.h>

#include "bpe_check.h"

/*
 * How Qwen2 splits a text into words, as bpe_split.c does it by hand.  (In
 * transformers' Qwen2Tokenizer, too, it is a constant.)
 */
static const char words[] = "(?i:'s|'t|'re|'ve|'m|'ll|'d)|"
    "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|"
    "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

int
bpe_check_refuse(const char *part, struct jsonspan v, const char *wanted,
    struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	err_set(e, ERR_MODEL, "tokenizer.json: %s is %s, which is not "
	    "implemented: only %s is", part, v.n == 0 ? "not there" :
	    err_quote(quoted, sizeof quoted, v.p, v.n), wanted);
	return err_hint(e, "use the tokenizer of a Qwen2 model "
	    "(Qwen2-Audio) as it was published");
}

/* Whether V is an object of the given type, with at most N members. */
static bool
is_typed(struct jsonspan v, const char *type, size_t n)
{
	return jsonscan_type(v) == JSON_OBJECT &&
	    jsonscan_is(jsonscan_get(v, "type"), type) &&
	    jsonscan_count(v) <= n;
}

/* Whether V is absent, null or the boolean WANTED. */
static bool
is_bool(struct jsonspan v, bool wanted)
{
	bool b;

	return jsonscan_type(v) == JSON_NONE ||
	    jsonscan_type(v) == JSON_NULL ||
	    (jsonscan_bool(v, &b) && b == wanted);
}

/* Whether V is absent or null, or the empty string where EMPTY. */
static bool
is_nothing(struct jsonspan v, bool empty)
{
	return jsonscan_type(v) == JSON_NONE ||
	    jsonscan_type(v) == JSON_NULL || (empty && jsonscan_is(v, ""));
}

int
bpe_check_normalizer(struct jsonspan v, struct err *e)
{
	if (is_typed(v, "NFC", 1))
		return 0;
	return bpe_check_refuse("normalizer", v, "{\"type\":\"NFC\"}", e);
}

/* The first step: isolate the words. */
static int
check_split(struct jsonspan v, struct err *e)
{
	struct jsonspan pattern = jsonscan_get(v, "pattern");
	bool inverted;

	if (!is_typed(v, "Split", 4) ||
	    !jsonscan_is(jsonscan_get(v, "behavior"), "Isolated") ||
	    !jsonscan_bool(jsonscan_get(v, "invert"), &inverted) || inverted)
		return bpe_check_refuse("pre_tokenizer.pretokenizers[0]", v,
		    "a Split that isolates what its pattern matches", e);
	if (jsonscan_type(pattern) != JSON_OBJECT ||
	    jsonscan_count(pattern) != 1 ||
	    !jsonscan_is(jsonscan_get(pattern, "Regex"), words))
		return bpe_check_refuse("the pattern of the pre_tokenizer",
		    pattern, "that of Qwen2", e);
	return 0;
}

/* The second: bytes, with no blank put before a text and no words sought. */
static bool
is_byte_level(struct jsonspan v)
{
	return is_typed(v, "ByteLevel", 4) &&
	    jsonscan_type(jsonscan_get(v, "add_prefix_space")) == JSON_BOOL &&
	    is_bool(jsonscan_get(v, "add_prefix_space"), false) &&
	    jsonscan_type(jsonscan_get(v, "use_regex")) == JSON_BOOL &&
	    is_bool(jsonscan_get(v, "use_regex"), false);
}

int
bpe_check_pre_tokenizer(struct jsonspan v, struct err *e)
{
	struct jsonspan steps = jsonscan_get(v, "pretokenizers");

	if (!is_typed(v, "Sequence", 2) ||
	    jsonscan_type(steps) != JSON_ARRAY || jsonscan_count(steps) != 2)
		return bpe_check_refuse("pre_tokenizer", v,
		    "a Sequence of Split and ByteLevel", e);
	if (check_split(jsonscan_at(steps, 0), e) < 0)
		return -1;
	if (!is_byte_level(jsonscan_at(steps, 1)))
		return bpe_check_refuse("pre_tokenizer.pretokenizers[1]",
		    jsonscan_at(steps, 1), "a ByteLevel with "
		    "add_prefix_space and use_regex false", e);
	return 0;
}

/*
 * A template adds special tokens, which LLaMA-Factory does not ask for; what
 * matters is that the text is in it, once, and nothing else is.
 */
static bool
is_plain_template(struct jsonspan v)
{
	struct jsonwalk w = jsonwalk_start(jsonscan_get(v, "single"));
	size_t texts = 0;

	if (!jsonscan_is(jsonscan_get(v, "type"), "TemplateProcessing"))
		return false;
	while (jsonwalk_next(&w)) {
		struct jsonspan text = jsonscan_get(w.value, "Sequence");

		if (jsonscan_is(jsonscan_get(text, "id"), "A"))
			texts++;
		else if (jsonscan_type(jsonscan_get(w.value,
		    "SpecialToken")) != JSON_OBJECT)
			return false;
	}
	return texts == 1;
}

int
bpe_check_post_processor(struct jsonspan v, struct err *e)
{
	/* ByteLevel trims offsets, of which there are none here. */
	if (is_nothing(v, false) || is_typed(v, "ByteLevel", 4) ||
	    is_plain_template(v))
		return 0;
	return bpe_check_refuse("post_processor", v,
	    "ByteLevel, or a template around the text", e);
}

int
bpe_check_decoder(struct jsonspan v, struct err *e)
{
	if (is_typed(v, "ByteLevel", 4))
		return 0;
	return bpe_check_refuse("decoder", v, "ByteLevel", e);
}

int
bpe_check_model(struct jsonspan key, struct jsonspan v, struct err *e)
{
	static const struct {
		const char *key;
		const char *wanted;
		bool is_flag, empty;
	} known[] = {
		{ "dropout", "null", false, false },
		{ "unk_token", "null", false, false },
		{ "continuing_subword_prefix", "null or \"\"", false, true },
		{ "end_of_word_suffix", "null or \"\"", false, true },
		{ "fuse_unk", "false", true, false },
		{ "byte_fallback", "false", true, false },
		{ "ignore_merges", "false", true, false },
	};
	char part[64] = "model.";

	if (jsonscan_is(key, "type")) {
		if (jsonscan_is(v, "BPE"))
			return 0;
		return bpe_check_refuse("model.type", v, "\"BPE\"", e);
	}
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!jsonscan_is(key, known[i].key))
			continue;
		if (known[i].is_flag ? is_bool(v, false) :
		    is_nothing(v, known[i].empty))
			return 0;
		(void)strcat(part, known[i].key);
		return bpe_check_refuse(part, v, known[i].wanted, e);
	}
	return bpe_check_refuse("a member of model", key,
	    "what a BPE has", e);
}
