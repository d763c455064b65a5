/*
 * listen: the audios of a record, opened, decoded, measured and judged.
 *
 * Paths are opened below roots (roots.h), files read in sandboxed processes
 * (decoder.h), the last of them remembered (clipcache.h).  A struct listen
 * is for the whole program, a struct listen_worker for one of its threads.
 */
#ifndef LISTEN_H
#define LISTEN_H

#include <stdbool.h>
#include <stddef.h>

#include "audiofact.h"
#include "decoder.h"
#include "err.h"

struct buf;
struct listen;
struct listen_worker;
struct record;

struct listen_rules {
	const char *stage;	/* the program's name, for its notes */
	struct audiofact_rules fact;
	bool facts_only;	/* pass no samples on */
	enum decoder_sandbox sandbox;
	/*
	 * The folders below which audio may be.  None: where a record's data
	 * is, or ANYWHERE, paths being relative to the working directory.
	 */
	const char *const *root;
	size_t n_roots;
	bool anywhere;
};

/*
 * Make ready for THREADS workers.  Call it before there are threads: it
 * forks.  NULL on failure.  RULES is copied, and its folders are opened.
 */
struct listen *listen_new(const struct listen_rules *rules, unsigned threads,
    struct err *e) ERR_CHECK;
void listen_free(struct listen *l);

/* The walls that the decoders' sandbox lacks (sandbox.h), or 0. */
unsigned listen_missing(const struct listen *l);

/* One more worker.  NULL on failure. */
struct listen_worker *listen_worker_new(struct listen *l, struct err *e)
    ERR_CHECK;
void listen_worker_free(struct listen_worker *w);

/*
 * Set the `audio' of R from its `audios', add its notes, and its samples as
 * pcm.K where they are wanted.  ERR_RECORD where one of them is at fault;
 * R may then hold some of that already.  A record without audios stays as
 * it is.  Some of the samples are lent to R: it must be done with, or without
 * its tensors, when W is asked again, or freed.
 */
int listen_record(struct listen_worker *w, struct record *r, struct err *e)
    ERR_CHECK;

/*
 * Append, as a line, the record of one audio, which is FILE.  ERR_USAGE
 * where that name is not UTF-8, as JSON has to be.
 */
int listen_put_file(const char *file, struct buf *out, struct err *e)
    ERR_CHECK;

#endif
