/*
 * layout_core: a record that is being read, for the files layout*.c alone.
 */
#ifndef LAYOUT_CORE_H
#define LAYOUT_CORE_H

#include <stdbool.h>

#include "layout.h"

struct layout_member {
	struct jsonspan key, value;
	bool used;	/* it is in the pair, so not in extra */
};

struct layout_reading {
	struct layout *l;
	const struct dataset *d;
	struct layout_member *m;
	size_t n;
	struct layout_member *column[DATASET_COLUMNS];	/* NULL: not there */
	struct pair *p;
};

/* The name of COLUMN in the data. */
const char *layout_name(const struct layout_reading *r,
    enum dataset_column column);

/* The value of COLUMN, with its place: none where it is absent or null. */
struct pair_text layout_take(struct layout_reading *r,
    enum dataset_column column);

/* The same to T, but COLUMN must be there. */
int layout_need(struct layout_reading *r, enum dataset_column column,
    struct pair_text *t, struct err *e) ERR_CHECK;

/*
 * There must be an answer, chosen or rejected, and no mark of KTO, which
 * would make LLaMA-Factory take one of them against an empty one.
 */
int layout_need_answers(struct layout_reading *r, struct err *e) ERR_CHECK;

/* T must be an array OF something. */
int layout_need_array(const struct pair_text *t, const char *of,
    struct err *e) ERR_CHECK;

/* The system column, unless a TURN of the system's stands for it. */
int layout_take_system(struct layout_reading *r, bool turn, struct err *e)
    ERR_CHECK;

/*
 * The tools column, as a string.  AS_JSON: an array or object is written as
 * one; in the openai converter even an empty one.
 */
int layout_take_tools(struct layout_reading *r, bool as_json, struct err *e)
    ERR_CHECK;

/* COLUMN is an answer: a message of its own; a string. */
int layout_take_answer(struct layout_reading *r, enum dataset_column column,
    struct pair_turn *turn, struct err *e) ERR_CHECK;
int layout_take_text(struct layout_reading *r, enum dataset_column column,
    struct pair_turn *turn, struct err *e) ERR_CHECK;

/* LLaMA-Factory's: SharegptDatasetConverter and its like. */
int layout_read_sharegpt(struct layout_reading *r, struct err *e) ERR_CHECK;
int layout_read_openai(struct layout_reading *r, struct err *e) ERR_CHECK;
int layout_read_alpaca(struct layout_reading *r, struct err *e) ERR_CHECK;

/* TRL's preference layout, with a prompt or without. */
int layout_read_trl(struct layout_reading *r, struct err *e) ERR_CHECK;

/* ms-swift's: the last of messages is the chosen answer. */
int layout_read_swift(struct layout_reading *r, struct err *e) ERR_CHECK;

#endif
