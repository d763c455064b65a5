/*
 * decoder: sound files read in processes that may crash.
 *
 * Decoders have faults, and files are strangers' work.  So each thread has a
 * worker, a process that holds nothing but the file it is sent, in a sandbox
 * (sandbox.h), which does what clip.h says and answers in memory shared with
 * us.  A worker that crashes, loops or eats memory costs one record
 * (audio-decoder), and is replaced.  Nothing that a worker says is believed
 * without a look.
 */
#ifndef DECODER_H
#define DECODER_H

#include <stddef.h>
#include <stdint.h>

#include "clip.h"
#include "err.h"

struct buf;
struct decoder;
struct decoder_worker;

enum decoder_sandbox {
	DECODER_AUTO,		/* what the kernel has to offer */
	DECODER_REQUIRE,	/* all, or decoder_new fails */
	DECODER_OFF		/* processes, but no walls */
};

struct decoder_rules {
	struct clip_rules clip;
	enum decoder_sandbox sandbox;
	uint64_t memory_max;	/* bytes of a worker's address space */
	double stall_s;		/* processor time without a block decoded */
	double cpu_s;		/* processor time for a file */
	double idle_s;		/* time with neither */
};

/* Limits that no honest file comes near: ten hours of Opus take 130 s. */
#define DECODER_MEMORY_MAX ((uint64_t)1 << 30)
#define DECODER_STALL_S 10
#define DECODER_CPU_S 900
#define DECODER_IDLE_S 120

/*
 * Make ready for WORKERS workers.  Call it before there are threads.  NULL
 * on failure; ERR_SYSTEM where a sandbox is required and not to be had.
 */
struct decoder *decoder_new(const struct decoder_rules *rules,
    unsigned workers, struct err *e) ERR_CHECK;
void decoder_free(struct decoder *d);

/* The walls that a sandbox lacks here, wanted though they are; or 0. */
unsigned decoder_missing(const struct decoder *d);

/*
 * One more worker, for one thread; NULL when there are as many as agreed.
 * Its process is started when it is needed.
 */
struct decoder_worker *decoder_worker_new(struct decoder *d, struct err *e)
    ERR_CHECK;
void decoder_worker_free(struct decoder_worker *w);

/*
 * Have W read the file FD, which stays the caller's: its FACTS, and the
 * samples kept in place of what PCM held.  ERR_RECORD where the file is at
 * fault, or too much for the decoder.
 */
int decoder_read(struct decoder_worker *w, int fd, struct buf *pcm,
    struct clip_facts *facts, struct err *e) ERR_CHECK;

#endif
