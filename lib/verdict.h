/*
 * verdict: how a program ends: what it says of the fault that ended it, and
 * the exit status that this fault stands for.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include "err.h"

/* Print FAULT to stderr as PROGRAM's; RANK is "error" or "warning". */
void verdict_tell(const char *program, const char *rank,
    const struct err *fault);

/*
 * The exit status for FAULT: 0 none, 1 too many rejects or no such record, 2
 * usage, 3 the system, the stream or the model.  Where the reader of our
 * output went away it does not return: the process ends as by SIGPIPE.
 */
int verdict_status(const struct err *fault);

#endif
