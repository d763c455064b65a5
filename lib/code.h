/*
 * code: the table of what can be wrong with a record, or doubtful in it.
 *
 * A code's name is part of the contract with other people's scripts: it is
 * written in streams, rejects and messages, and never changes its meaning.
 * An error takes the record out of the shard; a note rides along with it
 * (--strict makes notes errors).  ossicle(5) prints this table.
 */
#ifndef CODE_H
#define CODE_H

#include <stddef.h>

enum code {
	CODE_NONE,
	CODE_BAD_JSON,
	CODE_BAD_UTF8,
	CODE_DUPLICATE_KEY,
	CODE_TOO_DEEP,
	CODE_RECORD_TOO_LONG,
	CODE_MISSING_FIELD,
	CODE_WRONG_TYPE,
	CODE_NOT_A_PAIR,
	CODE_ROLE_ORDER,
	CODE_EMPTY_RESPONSE,
	CODE_SAME_RESPONSE,
	CODE_CONTROL_TOKEN,	/* a note, but for the three audio tokens */
	CODE_PLACEHOLDER,
	CODE_BAD_TOOLS,
	CODE_MEDIA_UNSUPPORTED,
	CODE_AUDIO_COUNT,
	CODE_AUDIO_IN_SYSTEM,
	CODE_AUDIO_IN_ANSWER,
	CODE_AUDIO_INLINE,
	CODE_AUDIO_MISSING,
	CODE_AUDIO_OUTSIDE,
	CODE_AUDIO_NOT_A_FILE,
	CODE_AUDIO_FORMAT,
	CODE_AUDIO_TRUNCATED,
	CODE_AUDIO_EMPTY,
	CODE_AUDIO_SHORT,
	CODE_AUDIO_LONG,	/* a note where it is cut, an error past --max */
	CODE_AUDIO_SILENT,
	CODE_AUDIO_CLIPPED,
	CODE_AUDIO_NONFINITE,
	CODE_AUDIO_DECODER,
	CODE_CUTOFF,
	CODE_AUDIO_CUT,
	CODE_HEADER_CUT,
	CODE_N
};

enum code_rank { CODE_ERROR, CODE_NOTE, CODE_EITHER };

struct code_row {
	const char *name;	/* as written in streams: "bad-json" */
	enum code_rank rank;
	const char *cause;
	const char *cure;
	const char *original;	/* what LLaMA-Factory does with such a record */
};

/* The row of CODE, which is constant. */
const struct code_row *code_row(enum code code);

/* The code whose name is the N bytes at NAME; CODE_NONE if there is none. */
enum code code_find(const char *name, size_t n);

#endif
