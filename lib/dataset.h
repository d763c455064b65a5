/*
 * dataset: how a data set names its columns and roles.
 *
 * dataset_info.json, LLaMA-Factory's own, is read as its parser.py reads it:
 * "columns" and "tags", where they are there, set all of theirs, to nothing
 * where they leave one out.  Without it each layout has its usual names.  A
 * struct dataset is constant once made; threads may share it.
 */
#ifndef DATASET_H
#define DATASET_H

#include "buf.h"
#include "jsonscan.h"

enum dataset_format {
	DATASET_AUTO, DATASET_SHAREGPT, DATASET_OPENAI, DATASET_ALPACA,
	DATASET_TRL, DATASET_SWIFT, DATASET_FORMATS
};

enum dataset_column {
	DATASET_PROMPT, DATASET_QUERY, DATASET_RESPONSE, DATASET_HISTORY,
	DATASET_MESSAGES, DATASET_SYSTEM, DATASET_TOOLS, DATASET_IMAGES,
	DATASET_VIDEOS, DATASET_AUDIOS, DATASET_CHOSEN, DATASET_REJECTED,
	DATASET_KTO,
	DATASET_OTHER,		/* swift's rejected_messages */
	DATASET_COLUMNS
};

enum dataset_tag {
	DATASET_ROLE, DATASET_CONTENT,		/* keys of a message */
	DATASET_USER, DATASET_ASSISTANT, DATASET_OBSERVATION,
	DATASET_FUNCTION, DATASET_SYSTEM_ROLE,	/* values of its role */
	DATASET_TAGS
};

struct dataset {
	enum dataset_format format;
	const char *column[DATASET_COLUMNS];	/* NULL: there is none */
	const char *tag[DATASET_TAGS];
	const char *also[DATASET_TAGS];		/* another word for it */
	struct buf text;			/* what the names are in */
};

/* The usual names of FORMAT, which are constant. */
const struct dataset *dataset_usual(enum dataset_format format);

/* "sharegpt" and so on, as --format takes them. */
const char *dataset_format_name(enum dataset_format format);
enum dataset_format dataset_format_find(const char *name);

/*
 * Make D what dataset_info.json at PATH says of NAME.  What would keep
 * LLaMA-Factory from training on any pair of it is ERR_USAGE.
 */
int dataset_read(struct dataset *d, const char *path, const char *name,
    struct err *e) ERR_CHECK;

/* The same from the N bytes of JSON at P. */
int dataset_parse(struct dataset *d, const char *p, size_t n,
    const char *name, struct err *e) ERR_CHECK;

void dataset_free(struct dataset *d);

#endif
