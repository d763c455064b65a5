/*
 * stage_work: the threads that treat records, and write.
 */
#ifndef STAGE_WORK_H
#define STAGE_WORK_H

#include "err.h"

struct stage_run;

/*
 * Run RUN's threads until its queue is empty or stopped.  A fault of the run
 * is left in run->fault; -1 where not even the threads could be had.
 */
int stage_work_run(struct stage_run *run, struct err *e) ERR_CHECK;

#endif
