/*
 * err: what went wrong, said where it was found.
 *
 * Functions that can fail take a struct err * last and return 0 or -1 (or
 * NULL).  The module that finds a fault writes its text, in the data's own
 * words and numbers; a caller adds where it was met (err_wrap).  Nothing in
 * lib/ prints or exits.  An err starts as { 0 } and owns no memory.
 */
#ifndef ERR_H
#define ERR_H

#include <stddef.h>

#include "code.h"

enum err_kind {
	ERR_NONE,
	ERR_RECORD,	/* of one record: it goes on with its code; exit 0 */
	ERR_USAGE,	/* the command line; exit 2 */
	ERR_SYSTEM,	/* the system said no; exit 3 */
	ERR_MEMORY,	/* no memory; exit 3 */
	ERR_TRUNCATED,	/* the stream ends before its end marker; exit 3 */
	ERR_DAMAGED,	/* the stream is not what its writer wrote; exit 3 */
	ERR_MODEL,	/* the model directory, or what is not supported; exit 3 */
	ERR_PIPE,	/* the reader of our stdout went away: as SIGPIPE */
	ERR_ABSENT,	/* no such record in the shard; exit 1 */
	ERR_REJECTS	/* more rejects than allowed; exit 1 */
};

#define ERR_TEXT_MAX 1024
#define ERR_HINT_MAX 400

struct err {
	enum err_kind kind;
	enum code code;		/* with ERR_RECORD */
	char text[ERR_TEXT_MAX];
	char hint[ERR_HINT_MAX];	/* what to do about it, or "" */
};

#if defined(__GNUC__)
#define ERR_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define ERR_CHECK __attribute__((warn_unused_result))
#else
#define ERR_PRINTF(f, a)
#define ERR_CHECK
#endif

/* Fill in E; always returns -1, so that a fault is one return statement. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
    ERR_PRINTF(3, 4);

/* A fault of the record, of CODE. */
int err_record(struct err *e, enum code code, const char *fmt, ...)
    ERR_PRINTF(3, 4);

/* ERR_SYSTEM (ERR_MEMORY for ENOMEM), the text followed by strerror(errno). */
int err_errno(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* ERR_MEMORY. */
int err_memory(struct err *e);

/* Say what to do about it; returns -1. */
int err_hint(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/* Put "WHERE: " before E's text; returns -1. */
int err_wrap(struct err *e, const char *fmt, ...) ERR_PRINTF(2, 3);

/*
 * N bytes at S for a person to read, in OUT (of SIZE bytes, ended by a NUL):
 * control characters, invalid UTF-8 and backslashes escaped, and at most
 * ERR_QUOTE_MAX bytes of it, then "...".  Returns OUT.
 */
#define ERR_QUOTE_MAX 200
#define ERR_QUOTE_SIZE (ERR_QUOTE_MAX + 8)
const char *err_quote(char *out, size_t size, const char *s, size_t n);

#endif
