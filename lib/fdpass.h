/*
 * fdpass: a descriptor handed to another process over a Unix socket.
 */
#ifndef FDPASS_H
#define FDPASS_H

#include <stddef.h>

/*
 * Send the N bytes at P (at least 1) over SOCK, and FD with them unless it
 * is -1.  0, or -1 with errno; a peer that is gone is EPIPE, not a signal.
 */
int fdpass_send(int sock, int fd, const void *p, size_t n);

/*
 * Receive exactly N bytes to P; *FD is what came with them, or -1.  1; 0
 * where the peer has gone; -1 with errno.  FD may be NULL: then none is
 * taken, whatever the peer sends.
 */
int fdpass_receive(int sock, int *fd, void *p, size_t n);

#endif
