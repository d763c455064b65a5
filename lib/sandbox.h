/*
 * sandbox: a process gives up what it does not need, for good.
 *
 * What is left is to compute, to read the descriptors it holds, and to
 * answer on one socket.  Three walls, each of use without the others:
 *   Landlock  no file can be opened, made or removed, no TCP port used;
 *   seccomp   only the system calls of a computation; any other kills;
 *   limits    memory; no files written, no processes, no cores.
 * Who is root gives its capabilities up besides.  On other systems than Linux
 * there are the limits alone.  A build with a sanitizer has none of the
 * three: it needs files, threads and terabytes of addresses.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stdint.h>

#include "err.h"

enum {
	SANDBOX_LANDLOCK = 1,
	SANDBOX_SECCOMP = 2,
	SANDBOX_LIMITS = 4,
	SANDBOX_ALL = 7
};

struct sandbox {
	unsigned walls;		/* of the above */
	int sock;		/* answers go here alone */
	uint64_t memory_max;	/* bytes of address space */
};

/* The walls that this system has to offer; none in a sanitizer's build. */
unsigned sandbox_available(void);

/* The walls that it should offer: where one is missing, users are told. */
unsigned sandbox_expected(void);

/* "Landlock", "seccomp", "resource limits": the lowest wall in WALLS. */
const char *sandbox_wall_name(unsigned walls);

/* Enter it.  On -1, ERR_SYSTEM, some walls may be up. */
int sandbox_enter(const struct sandbox *s, struct err *e) ERR_CHECK;

#endif
