/*
 * stage: the loop that all filters share.
 *
 * A program is a table of options and a function that treats one record
 * (struct stage, in stage_program.h); the stage reads frames, runs the
 * function in -j threads, writes in order, takes out rejects, shows
 * progress, publishes -o, and turns faults into messages and an exit status.
 */
#ifndef STAGE_H
#define STAGE_H

#include <stdint.h>

#include "stage_program.h"

struct model;

/* Run the program; the exit status.  SELF is what the options fill. */
int stage_main(const struct stage *stage, void *self, int argc, char *argv[]);

/* The operands of the command line. */
size_t stage_operands(const struct stage_run *run);
const char *stage_operand(const struct stage_run *run, size_t i);

/* -j, as given or found. */
unsigned stage_threads(const struct stage_run *run);

/* --strict was given. (Notes become errors in the stage itself.) */
bool stage_strict(const struct stage_run *run);

/*
 * For the provenance: an option that changes the output, its value as JSON,
 * as a text (nothing is said where it is NULL), or as an array of N texts
 * (null where one is NULL); a library's version; an input's name; the sha256
 * of each file that was read of a model.
 */
int stage_option(struct stage_run *run, const char *name, const char *json,
    struct err *e) ERR_CHECK;
int stage_option_text(struct stage_run *run, const char *name,
    const char *text, struct err *e) ERR_CHECK;
int stage_option_texts(struct stage_run *run, const char *name,
    const char *const *text, size_t n, struct err *e) ERR_CHECK;
int stage_library(struct stage_run *run, const char *name,
    const char *version, struct err *e) ERR_CHECK;
int stage_input(struct stage_run *run, const char *name, struct err *e)
    ERR_CHECK;
int stage_model(struct stage_run *run, const struct model *m, struct err *e)
    ERR_CHECK;

/*
 * From feed: hand on the N bytes at P (copied).  DONE and TOTAL are for
 * --progress: input bytes so far and in all (0: not known).
 */
int stage_feed(struct stage_run *run, const void *p, size_t n, uint64_t done,
    uint64_t total, struct err *e) ERR_CHECK;

/*
 * From feed, before it reads from FD, a pipe perhaps: wait until there is
 * something to read.  -1 where the run has failed meanwhile, and nobody
 * wants it any more.
 */
int stage_wait(struct stage_run *run, int fd, struct err *e) ERR_CHECK;

/* A message to stderr that is about no record: a warning, once. */
void stage_warn(struct stage_run *run, const char *fmt, ...) ERR_PRINTF(2, 3);

#endif
