/*
 * stage_options: the options that all programs share.
 */
#ifndef STAGE_OPTIONS_H
#define STAGE_OPTIONS_H

#include <stdbool.h>

#include "err.h"

struct stage_run;

/*
 * Parse ARGV into R and its program's own struct.  *DONE where --help or the
 * like has been answered on stdout, and there is nothing else to do.
 */
int stage_options_parse(struct stage_run *r, int argc, char *argv[],
    bool *done, struct err *e) ERR_CHECK;

#endif
