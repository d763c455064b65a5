/*
 * message: the lines that a person reads on stderr.
 *
 *	data.json:17: error: 2 <audio> tags but 1 entry in audios [audio-count]
 *	  hint: ...
 *
 * They are gathered in a buf, so that a run can print them in the order of
 * its input.  What came from the data is escaped.
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include <stdbool.h>

#include "jsonscan.h"

struct buf;
struct record;

/*
 * Append where R came from: "file:line", "file@offset" where the line is
 * not known; nothing, and *KNOWN false, where R does not say.
 */
int message_place(struct buf *out, const struct record *r, bool *known,
    struct err *e) ERR_CHECK;

/*
 * Append what R's FAULT says, the object that is its error or (NOTE) one of
 * its notes.  PROGRAM stands in for a place that R does not give.
 */
int message_record(struct buf *out, const char *program,
    const struct record *r, struct jsonspan fault, bool note, struct err *e)
    ERR_CHECK;

/* Append a message about no record: RANK is "error" or "warning". */
int message_program(struct buf *out, const char *program, const char *rank,
    const struct err *fault, struct err *e) ERR_CHECK;

/* Print to stderr; that it can't be printed is nobody's news. */
void message_print(const struct buf *b);

#endif
