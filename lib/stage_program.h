/*
 * stage_program: what a program gives to the stage (stage.h).
 *
 *   each() returns 0 when it has put the record (once, as a rule); -1 with
 *   ERR_RECORD when the record is at fault: the stage then makes E its
 *   error and puts it; -1 with any other kind ends the program.
 *   Records that carry an error already never reach each().
 */
#ifndef STAGE_PROGRAM_H
#define STAGE_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct opt;
struct outlet;
struct record;
struct stage_run;

enum stage_grain {
	STAGE_FRAMES,	/* a thread takes a frame of records at a time */
	STAGE_RECORDS	/* a record: where one costs a millisecond */
};

struct stage {
	const char *name;
	const char *about;	/* one line for --help */
	const char *operands;	/* "[FILE...]", or NULL: none are taken */
	const struct opt *options;
	enum stage_grain grain;

	/*
	 * The program packs no record that carries an error: with -r these
	 * are taken out; without, the first of them ends the run with 1.
	 */
	bool packs;

	/* After the options: check them, load what is needed, say with
	 * stage_option and the like what goes into the provenance (later is
	 * too late).  May be NULL. */
	int (*start)(void *self, struct stage_run *run, struct err *e);

	/*
	 * A thread's own state.  All are made by the main thread, before
	 * others run.  NULL with E untouched where none is needed.
	 */
	void *(*own_new)(void *self, struct err *e);
	void (*own_free)(void *own);

	int (*each)(void *self, void *own, struct record *r,
	    struct outlet *out, struct err *e);

	/*
	 * A source instead of a filter: FEED runs in a thread of its own and
	 * hands on input with stage_feed; each batch comes to BATCH in some
	 * thread, which puts records.  With FEED and no BATCH, a batch is
	 * JSON Lines of records, as from a frame.  What one batch gives is
	 * one frame of the output, so it should be some 64 KiB.  A stage with
	 * FEED reads a stream all the same where feeds, if there is one, says
	 * false: then each() is called, and batch() is not.
	 */
	int (*feed)(void *self, struct stage_run *run, struct err *e);
	int (*batch)(void *self, void *own, const void *p, size_t n,
	    struct outlet *out, struct err *e);
	bool (*feeds)(const void *self, const struct stage_run *run);

	/* Called once, at the end, whatever happened.  May be NULL. */
	void (*stop)(void *self);
};

#endif
