/*
 * model_core: what a struct model is made of, for the files model*.c alone.
 */
#ifndef MODEL_CORE_H
#define MODEL_CORE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "digest.h"
#include "json.h"
#include "model.h"

#define MODEL_FILES_MAX 8

struct model_read {
	struct model_file file;
	char sha256[DIGEST_HEX_SIZE];
};

struct model {
	char *dir;
	struct model_read read[MODEL_FILES_MAX];
	size_t n_read;

	struct json_doc *processor;	/* NULL where there is no such file */
	bool processor_read;

	bool features_read;
	struct model_features features;

	struct bpe *bpe;
	struct model_tokens tokens;
	struct buf texts[5];		/* of the tokens, in their order */
};

/* Whether the model has a file NAME. */
bool model_has(const struct model *m, const char *name);

/* Append the content of file NAME (a constant) to OUT, and note its sum. */
int model_read(struct model *m, const char *name, struct buf *out,
    struct err *e) ERR_CHECK;

/*
 * As model_read, for a file of many megabytes: the sum is worked out beside
 * what the caller does, which must not touch OUT, until model_read_end.
 */
struct model_summing {
	struct model_read *read;	/* NULL: nothing is going on */
	const char *p;
	size_t n;
	pthread_t thread;
	bool alone;			/* no thread could be had */
};

int model_read_begin(struct model *m, const char *name, struct buf *out,
    struct model_summing *s, struct err *e) ERR_CHECK;
void model_read_end(struct model_summing *s);

/* Put processor_config.json into M, if there is one. */
int model_read_processor(struct model *m, struct err *e) ERR_CHECK;

#endif
