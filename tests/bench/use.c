/*
 * use FILE PROGRAM [ARGUMENT...]: run PROGRAM, and write to FILE what it used,
 * with the children that it waited for: seconds of user, system and wall
 * time, and the bytes of memory at the peak of the largest single process.
 *
 * Exits as PROGRAM did.  Linux counts the memory that a process has before
 * exec towards its peak, so that a large parent, as Python is, cannot see how
 * little a small program needs; hence this one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* ru_maxrss is in KiB but on macOS, where it is in bytes. */
#ifdef __APPLE__
enum { PEAK_UNIT = 1 };
#else
enum { PEAK_UNIT = 1024 };
#endif

int
main(int argc, char *argv[])
{
	struct rusage used;
	double start = now();
	FILE *out;
	pid_t child;
	int status;

	if (argc < 3) {
		(void)fputs("usage: use FILE PROGRAM [ARGUMENT...]\n", stderr);
		return 2;
	}
	if ((child = fork()) == 0) {
		(void)execvp(argv[2], argv + 2);
		(void)fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	/* What it reads and writes is not ours: its end must be seen. */
	(void)close(0);
	(void)close(1);
	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			child = -1;
	if (child < 0 || getrusage(RUSAGE_CHILDREN, &used) < 0 ||
	    (out = fopen(argv[1], "w")) == NULL) {
		perror("use");
		return 3;
	}
	(void)fprintf(out, "%.6f %.6f %.6f %ld\n", seconds(used.ru_utime),
	    seconds(used.ru_stime), now() - start,
	    used.ru_maxrss * PEAK_UNIT);
	if (fclose(out) != 0) {
		perror("use");
		return 3;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}
