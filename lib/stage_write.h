/*
 * stage_write: what is done when an item's turn has come.
 */
#ifndef STAGE_WRITE_H
#define STAGE_WRITE_H

#include <stdint.h>

#include "err.h"

struct frame_codec;
struct item;
struct stage_run;

/*
 * Print I's messages, write its rejects and its frames, add up its sums.
 * CODEC is the calling thread's.  -1, and run->fault, where the run ends.
 */
int stage_write_item(struct stage_run *run, struct item *i,
    struct frame_codec *codec) ERR_CHECK;

/* After a fault: what came before it is not held back. */
void stage_write_rest(struct stage_run *run);

/* The end of a run that went well, up to the end marker. */
int stage_write_end(struct stage_run *run, uint64_t rejected, struct err *e)
    ERR_CHECK;

#endif
