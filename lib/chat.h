/*
 * chat: arrays of messages, as layouts have them, to the turns of a pair.
 *
 * A message is an object with a role and a content, whatever these are
 * called (dataset).  A struct chat says what more a layout allows.  Faults
 * are ERR_RECORD in the data's own words.
 */
#ifndef CHAT_H
#define CHAT_H

#include <stdbool.h>

#include "dataset.h"
#include "pair.h"

struct chat {
	const struct dataset *names;
	bool calls;		/* tool_calls make a function turn */
	bool join_tools;	/* observations in a row become one */
	bool drop_last_tools;	/* ... but are lost at the end: converter.py */
	bool parts;		/* content may be an array of parts */
	struct buf paths;	/* what audio parts name: ,"a","b" */
	size_t n_paths;
	struct buf work;
};

void chat_free(struct chat *c);

/*
 * Append the first N messages of the array V, which is FIELD, to the turns
 * of P; a first message of the system's becomes P's system text, in place of
 * what it was, and *SYSTEM true.
 */
int chat_prompt(struct chat *c, struct jsonspan v, size_t n,
    const char *field, struct pair *p, bool *system, struct err *e) ERR_CHECK;

/* Make the message V, found at FIELD[INDEX], the answer T. */
int chat_answer(struct chat *c, struct jsonspan v, const char *field,
    size_t index, struct pair *p, struct pair_turn *t, struct err *e)
    ERR_CHECK;

/* Whether two messages say the same, whatever the order of their keys: 1, 0
 * or -1. */
int chat_same(struct chat *c, struct jsonspan a, struct jsonspan b,
    struct err *e) ERR_CHECK;

#endif
