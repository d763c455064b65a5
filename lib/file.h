/*
 * file: whole files, and files that appear whole or not at all.
 *
 * A new file is written as a temporary beside its final name, then fsynced,
 * renamed over what was there, and its folder fsynced: under the final name
 * there is the complete file or what was there before.  A program that has
 * called file_catch_signals leaves no temporary behind when SIGINT, SIGTERM
 * or SIGHUP ends it.
 */
#ifndef FILE_H
#define FILE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct buf;

/*
 * Append the content of PATH to OUT: a regular file of at most MAX bytes.
 */
int file_read(const char *path, uint64_t max, struct buf *out, struct err *e)
    ERR_CHECK;

/*
 * Write all N bytes at P to FD, through short writes and EINTR.  ERR_PIPE
 * where the reader is gone.
 */
int file_write(int fd, const void *p, size_t n, struct err *e) ERR_CHECK;

/* Read up to N bytes from FD: how many (0 at the end), or -1. */
int64_t file_read_some(int fd, void *p, size_t n, struct err *e) ERR_CHECK;

struct file_new;

/*
 * Begin a new file that will be PATH.  A link is followed; a PATH that is
 * there and no regular file is refused (it would be replaced).  NULL on
 * failure.
 */
struct file_new *file_new_open(const char *path, struct err *e) ERR_CHECK;

/* Its descriptor, open for reading and writing; closed by the two below. */
int file_new_fd(const struct file_new *f);

/* Make it what its name says, on disk.  Frees F, whatever happens; where it
 * fails the temporary is gone too. */
int file_new_publish(struct file_new *f, struct err *e) ERR_CHECK;

/* Throw it away.  F may be NULL. */
void file_new_discard(struct file_new *f);

/*
 * From now on SIGINT, SIGTERM and SIGHUP (where not ignored) remove the
 * temporaries and then end the process as they would have.
 */
void file_catch_signals(void);

#endif
