/*
 * forkserver: processes forked on request by one that has no threads.
 *
 * A process with threads should not fork and go on: a lock may be held by a
 * thread that the child lacks.  So a server is forked before there are any;
 * it forks children when asked, over a socket, and buries them.  A child
 * runs one function with a number and its end of a socket pair, and holds no
 * other descriptor (0, 1 and 2 are /dev/null).  Server and children ignore
 * the signals of the terminal, and end when the process that made the server
 * does.  Threads may share one.
 */
#ifndef FORKSERVER_H
#define FORKSERVER_H

#include <sys/types.h>

#include "err.h"

struct forkserver;

typedef void forkserver_child(void *self, unsigned number, int sock);

/* Fork the server; what CHILD gets of SELF is as it is now.  NULL on
 * failure. */
struct forkserver *forkserver_new(forkserver_child *child, void *self,
    struct err *e) ERR_CHECK;

/* End the server and its children.  F may be NULL. */
void forkserver_free(struct forkserver *f);

/* Have a child forked; the caller's end of its socket pair to *SOCK. */
int forkserver_spawn(struct forkserver *f, unsigned number, int *sock,
    pid_t *pid, struct err *e) ERR_CHECK;

/* Kill the child PID, unless it is dead already; *STATUS as of waitpid. */
int forkserver_end(struct forkserver *f, pid_t pid, int *status,
    struct err *e) ERR_CHECK;

#endif
