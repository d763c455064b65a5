/*
 * model: the directory of a model, as far as data depend on it.
 *
 * Files are read when they are first asked for, once, and their sha256 kept
 * for the provenance.  Whatever they ask for that is not implemented to the
 * letter is ERR_MODEL, and says what and where: never guessed.  A model is
 * used by one thread until it is set up; what it returned is constant, and
 * good until model_free.
 */
#ifndef MODEL_H
#define MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct bpe;
struct model;

/*
 * The model NAME: a directory, else org/name in the local Hugging Face cache
 * ($HF_HUB_CACHE, $HF_HOME/hub, $XDG_CACHE_HOME/huggingface/hub,
 * ~/.cache/huggingface/hub).  NULL on failure.
 */
struct model *model_open(const char *name, struct err *e);
void model_free(struct model *m);

/* The directory that NAME was found to be. */
const char *model_dir(const struct model *m);

/* What the feature extractor is asked for; all else is WhisperFeature-
 * Extractor's: 16 kHz, n_fft 400, hop 160, 30 s. */
struct model_features {
	unsigned n_mels;	/* 80 or 128 */
};

/* Read preprocessor_config.json (or what processor_config.json has of it). */
const struct model_features *model_features(struct model *m, struct err *e);

/* The tokenizer, as transformers' AutoTokenizer loads it. */
const struct bpe *model_tokenizer(struct model *m, struct err *e);

/* A token by its text and its id. */
struct model_token {
	const char *text;
	int32_t id;
};

/*
 * The tokens that an audio becomes, as transformers' Qwen2AudioProcessor has
 * them, and those that end a text (eos is tokenizer_config.json's: a
 * template may take another).  An id is -1 and the text NULL where the
 * model has no eos or pad token.
 */
struct model_tokens {
	struct model_token audio;
	struct model_token audio_bos;
	struct model_token audio_eos;
	struct model_token eos;
	struct model_token pad;
};

const struct model_tokens *model_tokens(struct model *m, struct err *e);

/* The files read so far, in the order of their first reading. */
struct model_file {
	const char *name;	/* within the directory: "tokenizer.json" */
	const char *sha256;	/* in hexadecimal */
};

size_t model_files(const struct model *m);
const struct model_file *model_file(const struct model *m, size_t i);

#endif
