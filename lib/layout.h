/*
 * layout: a record as it was found, in one of the usual layouts, to a pair.
 *
 * sharegpt, openai and alpaca are read as LLaMA-Factory's converters read
 * them (converter.py), trl and swift so that the same content gives the same
 * pair.  A field that is absent is null, as it is in LLaMA-Factory where
 * another record of the file has it.  Faults are ERR_RECORD in the data's
 * own words.  A struct layout is a thread's own; { 0 } is ready.
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#include "chat.h"
#include "dataset.h"
#include "pair.h"

struct layout {
	struct buf members;	/* of the record, in order */
	struct chat chat;
};

void layout_free(struct layout *l);

/*
 * Read DATA, an object, whose columns and roles D names, into P, which rests
 * on DATA then.  What DATA holds beside becomes P's extra.  Where D's format
 * is auto, they are the usual ones of the layout that its fields tell.
 */
int layout_read(struct layout *l, const struct dataset *d,
    struct jsonspan data, struct pair *p, struct err *e) ERR_CHECK;

#endif
