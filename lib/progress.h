/*
 * progress: what a run has done so far, for a person and for a monitor.
 *
 * A thread of its own redraws one line on stderr and replaces a file (what
 * it says is in stats.h) once a second; the counters may be added to from any
 * thread.  Times are from the monotonic clock.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

struct progress;

/*
 * Begin.  LINE: draw the line on stderr.  STATS: the file to replace, or
 * NULL.  With neither no thread is started, and the calls cost nothing.
 */
struct progress *progress_new(const char *program, bool line,
    const char *stats, struct err *e) ERR_CHECK;

/* RECORDS more are through; ERRORS of them carry an error. */
void progress_add(struct progress *p, uint64_t records, uint64_t errors);

/* REJECTED more were taken out by -r. */
void progress_add_rejected(struct progress *p, uint64_t rejected);

/* DONE bytes of TOTAL (0: not known) of the input have been read. */
void progress_input(struct progress *p, uint64_t done, uint64_t total);

/* BYTES more have been written. */
void progress_output(struct progress *p, uint64_t bytes);

/*
 * Take the line off the screen for a message, until progress_resume: what
 * is printed between the two is not drawn over.
 */
void progress_pause(struct progress *p);
void progress_resume(struct progress *p);

/* The last line and the last file: STATE is "done" or "failed".  Frees P,
 * which may be NULL. */
void progress_end(struct progress *p, const char *state);

#endif
