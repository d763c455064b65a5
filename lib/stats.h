/*
 * stats: how far a run is, as the text of the file that --stats keeps.
 *
 * For a program it is one JSON object.  For Prometheus it is what the
 * textfile collector of node_exporter takes: each family with its HELP and
 * TYPE, no timestamps (a file that has one is skipped whole), counters in
 * _total, base units, and no series twice.  The collector takes all files of
 * a folder as one, so each series is labelled with the file's own name too.
 */
#ifndef STATS_H
#define STATS_H

#include <stdint.h>

#include "err.h"

struct buf;

struct stats {
	const char *program;
	const char *state;	/* "running", "done" or "failed" */
	uint64_t records;	/* through */
	uint64_t errors;	/* of them carry an error */
	uint64_t rejected;	/* of them were taken out by -r */
	uint64_t bytes_read;
	uint64_t bytes_total;	/* of the input; 0: not known */
	uint64_t bytes_written;
	double seconds;		/* since the start */
	double records_per_second;
	double eta_seconds;	/* to go; less than 0: not known */
};

/* Append to OUT what the file PATH is to hold: for Prometheus where PATH ends
 * in ".prom", else JSON. */
int stats_put(const struct stats *s, const char *path, struct buf *out,
    struct err *e) ERR_CHECK;

#endif
