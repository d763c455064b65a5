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

#include "audiofact.h"
#include "decoder.h"
#include "err.h"

struct listen;
struct listen_worker;
struct record;
struct roots;

struct listen_rules {
	const char *stage;	/* the program's name, for its notes */
	struct audiofact_rules fact;
	bool pcm;		/* pass samples on */
	enum decoder_sandbox sandbox;
	/* Where audio may be: the caller's.  None: where a record's data is. */
	const struct roots *roots;
};

/*
 * Make ready for THREADS workers.  Call it before there are threads: it
 * forks.  NULL on failure.
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
 * it is.
 */
int listen_record(struct listen_worker *w, struct record *r, struct err *e)
    ERR_CHECK;

#endif
