/*
 * roots: the folders below which files from the data may be opened.
 *
 * A path from the data is a stranger's word.  What it leads to, links and
 * all, must be a regular file below one of the roots, or it is not opened:
 * no pipe that waits for ever, no device, nothing from elsewhere.  The file
 * that is checked is the one that is opened, whatever happens to the names
 * on the way in the meantime.
 *
 * { 0 } has no roots; roots_free makes it so again.  Once filled, threads
 * may share one.
 */
#ifndef ROOTS_H
#define ROOTS_H

#include <stddef.h>

#include "err.h"

struct root;

struct roots {
	struct root *v;
	size_t n;
};

/* Add the folder DIR.  ERR_SYSTEM, and errno, where it is none. */
int roots_add(struct roots *r, const char *dir, struct err *e) ERR_CHECK;

/*
 * Let absolute paths, and links, lead to what is below DIR too.  No relative
 * path is tried from there.
 */
int roots_allow(struct roots *r, const char *dir, struct err *e) ERR_CHECK;

/*
 * Open for reading the regular file that the N bytes at PATH name: an
 * absolute path, or one relative to the first root where it leads to a file
 * that may be opened.  The descriptor is the caller's.  -1 with ERR_RECORD
 * (audio-missing, audio-outside, audio-not-a-file; audio-inline for a URL),
 * or ERR_SYSTEM where the process has no descriptors left.
 */
int roots_open(const struct roots *r, const char *path, size_t n,
    struct err *e) ERR_CHECK;

void roots_free(struct roots *r);

#endif
