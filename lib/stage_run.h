/*
 * stage_run: one run of a program, as the parts of the stage share it.
 *
 * stage.c sets it up and judges it, stage_input.c brings the input, and
 * stage_work.c has the threads.  These read it; what they change is behind
 * the queue, or belongs to whoever writes.
 */
#ifndef STAGE_RUN_H
#define STAGE_RUN_H

#include <stdatomic.h>

#include "buf.h"
#include "outlet_inside.h"
#include "reject.h"

struct file_new;
struct progress;
struct provenance;
struct queue;
struct stage;
struct stage_run;
struct stream_reader;
struct stream_writer;

/* The options that all programs have. */
struct stage_common {
	const char *output;	/* -o, or NULL */
	uint64_t threads;	/* -j; 0: what the system allows */
	int level;		/* -z */
	const char *rejects;	/* -r, or NULL */
	struct reject_limit limit;
	bool strict;
	bool fragment;
	uint64_t frame_max;
	bool progress;
	const char *stats;
	bool quiet;
	bool help, version;
	const char *completion;	/* a shell, or NULL */
};

struct stage_run {
	const struct stage *stage;
	void *self;
	struct stage_common common;
	char **operands;
	size_t n_operands;
	unsigned threads;

	struct provenance *provenance;
	struct buf own_chain;	/* our frame of provenance */
	struct buf chain;	/* what has been read, and ours */

	struct queue *queue;
	int stop[2];		/* a pipe: readable when the run has failed */
	struct outlet_rules rules;
	struct progress *progress;
	struct stream_reader *reader;	/* NULL: the program is a source */
	struct file_new *file;	/* of -o */
	struct reject *rejects;	/* of -r */

	/* Belongs to whoever writes. */
	struct stream_writer *writer;
	struct outlet *join;	/* lines of the items of one task */
	bool any_chain;		/* provenance has been written */
	uint64_t records, taken;
	struct err fault;	/* why the run has failed, if it has a kind */
};

#endif
