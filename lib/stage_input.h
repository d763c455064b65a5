/*
 * stage_input: what is read, or fed, on its way into the queue.
 */
#ifndef STAGE_INPUT_H
#define STAGE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct stage_run;
struct task;

/* Read the next frame of the stream on standard input into T, which the queue
 * gave for that. */
void stage_input_read(struct stage_run *run, struct task *t);

/*
 * Let the program of RUN, a struct stage_run *, feed the queue, to the end or
 * until the run has failed: a thread's function.
 */
void *stage_input_feed_main(void *run);

/* What stage_wait and stage_feed do, in that thread. */
int stage_input_wait(struct stage_run *run, int fd, struct err *e) ERR_CHECK;
int stage_input_feed(struct stage_run *run, const void *p, size_t n,
    uint64_t done, uint64_t total, struct err *e) ERR_CHECK;

#endif
