/*
 * stage_input: the thread that reads.
 */
#ifndef STAGE_INPUT_H
#define STAGE_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct stage_run;

/*
 * Put the input of RUN, a struct stage_run *, into its queue, to the end or
 * until the run has failed: a thread's function.
 */
void *stage_input_main(void *run);

/* What stage_wait and stage_feed do, in that thread. */
int stage_input_wait(struct stage_run *run, int fd, struct err *e) ERR_CHECK;
int stage_input_feed(struct stage_run *run, const void *p, size_t n,
    uint64_t done, uint64_t total, struct err *e) ERR_CHECK;

#endif
