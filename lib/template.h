/*
 * template: how a model wants a conversation written, as LLaMA-Factory's
 * template.py has it.
 *
 * A turn is a row of slots.  A slot's text has {{content}} where the turn's
 * content goes and may have {{idx}}, the number of the turn; each slot is
 * tokenised by itself.  To add a template, add an entry to the table.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include <stdbool.h>

#include "err.h"

struct template_slot {
	const char *text;	/* NULL ends the row */
	bool token;		/* the one token that TEXT is, not text */
};

#define TEMPLATE_SLOTS 4	/* in a row, its end too */

struct template {
	const char *name;
	struct template_slot prefix[TEMPLATE_SLOTS];
	struct template_slot system[TEMPLATE_SLOTS];
	struct template_slot user[TEMPLATE_SLOTS];
	struct template_slot observation[TEMPLATE_SLOTS];
	struct template_slot assistant[TEMPLATE_SLOTS];
	struct template_slot function[TEMPLATE_SLOTS];

	/* What a function turn is where the tool format is named: template.py
	 * then forgets the assistant's slots. */
	struct template_slot named_function[TEMPLATE_SLOTS];

	const char *default_system;	/* may be "" */

	/* Special tokens that the texts above spell: a model must have them. */
	const char *tokens[TEMPLATE_SLOTS];
};

/* The template NAME, or NULL. */
const struct template *template_find(const char *name);

/* As template_find, but E is ERR_USAGE where there is none, and names those
 * that there are. */
const struct template *template_need(const char *name, struct err *e);

/* The I-th template, from 0, or NULL. */
const struct template *template_at(unsigned i);

#endif
