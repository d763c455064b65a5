#include <stdio.h>
#include <string.h>

#include "model_core.h"

/* Say that the features would need what is not implemented. */
static int
refuse(const char *key, const char *value, const char *wanted, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	err_set(e, ERR_MODEL, "%s is %s, which is not implemented: only %s is",
	    key, err_quote(quoted, sizeof quoted, value, strlen(value)),
	    wanted);
	return err_hint(e, "use the preprocessor_config.json of Qwen2-Audio "
	    "as it was published");
}

/*
 * Check that member KEY of V is a number, one of the N at VALUES (all the
 * same type, whole or not); *X is it.
 */
static int
check_number(struct json v, const char *key, bool whole, const double *values,
    size_t n, double *x, struct err *e)
{
	char text[32], wanted[64] = "";
	int64_t i;

	if (json_typeof(json_get(v, key)) == JSON_NULL)
		return refuse(key, "null", "a number", e);
	if (whole) {
		if (json_get_int(v, key, INT64_MIN, INT64_MAX, &i, e) < 0)
			return -1;
		*x = (double)i;
	} else if (json_get_real(v, key, -1e300, 1e300, x, e) < 0) {
		return -1;
	}
	for (size_t k = 0; k < n; k++)
		if (*x >= values[k] && *x <= values[k])
			return 0;
	for (size_t k = 0; k < n; k++) {
		size_t at = strlen(wanted);

		(void)snprintf(wanted + at, sizeof wanted - at, "%s%g",
		    k > 0 ? " or " : "", values[k]);
	}
	(void)snprintf(text, sizeof text, "%.10g", *x);
	return refuse(key, text, wanted, e);
}

/* Check that member KEY, V, is the text WANTED. */
static int
check_text(const char *key, struct json v, const char *wanted, struct err *e)
{
	const char *text = json_text(v);

	if (text != NULL && strcmp(text, wanted) == 0)
		return 0;
	return refuse(key, text != NULL ? text :
	    jsonscan_type_name(json_typeof(v)), wanted, e);
}

/* Check one member of the feature extractor's configuration V. */
static int
check_member(struct json v, const char *key, struct json value, double *mels,
    struct err *e)
{
	static const struct {
		const char *key;
		bool whole;
		double value;
	} numbers[] = {
		{ "sampling_rate", true, 16000 }, { "n_fft", true, 400 },
		{ "hop_length", true, 160 }, { "chunk_length", true, 30 },
		{ "padding_value", false, 0 }, { "dither", false, 0 },
	};
	/* WhisperFeatureExtractor works these out anew, or has no use for
	 * them; LLaMA-Factory asks for the mask, whatever is said here. */
	static const char *const idle[] = {
		"n_samples", "nb_max_frames", "mel_filters",
		"return_attention_mask", "processor_class",
	};
	static const double sizes[] = { 80, 128 };
	double x;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(key, numbers[i].key) == 0)
			return check_number(v, key, numbers[i].whole,
			    &numbers[i].value, 1, &x, e);
	for (size_t i = 0; i < sizeof idle / sizeof *idle; i++)
		if (strcmp(key, idle[i]) == 0)
			return 0;
	if (strcmp(key, "feature_size") == 0)
		return check_number(v, key, true, sizes, 2, mels, e);
	if (strcmp(key, "padding_side") == 0)
		return check_text(key, value, "right", e);
	if (strcmp(key, "feature_extractor_type") == 0)
		return check_text(key, value, "WhisperFeatureExtractor", e);
	return refuse("a member", key, "what WhisperFeatureExtractor has", e);
}

/* Take the features from the configuration V. */
static int
take(struct model *m, struct json v, const char *name, struct err *e)
{
	struct json_walk w = json_walk_start(v);
	double mels = 80;	/* where feature_size is absent */

	if (json_typeof(v) != JSON_OBJECT)
		return err_set(e, ERR_MODEL, "%s: the configuration of the "
		    "feature extractor is %s, not an object", name,
		    jsonscan_type_name(json_typeof(v)));
	if (json_typeof(json_get(v, "feature_extractor_type")) == JSON_NONE)
		return err_set(e, ERR_MODEL, "%s: there is no "
		    "feature_extractor_type", name);
	while (json_walk_next(&w))
		if (check_member(v, w.key, w.value, &mels, e) < 0)
			return err_wrap(e, "%s", name);
	m->features.n_mels = (unsigned)mels;
	m->features_read = true;
	return 0;
}

/*
 * What transformers 5 saves has the feature extractor within
 * processor_config.json, which then counts before the file of its own.
 */
static int
load(struct model *m, struct err *e)
{
	static const char name[] = "preprocessor_config.json";
	struct buf text = { 0 };
	struct json_doc *doc = NULL;
	struct json v = { 0 };
	int rc = -1;

	if (model_read_processor(m, e) < 0)
		return -1;
	if (m->processor != NULL) {
		v = json_get(json_root(m->processor), "feature_extractor");
		if (json_typeof(v) == JSON_NONE)
			v = json_get(json_root(m->processor),
			    "audio_processor");
		if (json_typeof(v) != JSON_NONE)
			return take(m, v, "processor_config.json", e);
	}
	if (model_read(m, name, &text, e) == 0)
		doc = json_doc_new(text.p, text.n, name, ERR_MODEL, e);
	if (doc != NULL)
		rc = take(m, json_root(doc), name, e);
	json_doc_free(doc);
	buf_free(&text);
	return rc;
}

const struct model_features *
model_features(struct model *m, struct err *e)
{
	if (!m->features_read && load(m, e) < 0)
		return NULL;
	return &m->features;
}
