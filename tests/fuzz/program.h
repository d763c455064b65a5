/*
 * program: a whole program as a fuzz target, in this process: its main, with
 * standard input and output in files that have no name.
 *
 * What comes out of a run that says it went well must be what it should be;
 * else the exit status must be one that ossicle(7) has.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "frame.h"
#include "verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Where reports go once stderr is away: the sanitizers have it. */
#if defined(__GNUC__)
extern void __sanitizer_set_report_fd(void *fd) __attribute__((weak));
#endif

#define AWAY 100	/* descriptors from here on are the fuzzer's own */

/* A file without a name that holds the N bytes at P, at its start. */
static inline int
program_file(const void *p, size_t n)
{
	char path[] = "/tmp/ossicle-fuzz-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0 || write(fd, p, n) != (ssize_t)n ||
	    lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

/* Put FD in the place of descriptor TO, which is saved at AWAY + TO. */
static inline void
program_put(int fd, int to)
{
	if (fcntl(AWAY + to, F_GETFD) < 0 &&
	    dup2(to, AWAY + to) < 0)
		abort();
	if (dup2(fd, to) < 0)
		abort();
}

/*
 * Run ENTRY, a main, with ARGV (ended by NULL) on the N bytes at P: its exit
 * status.  What it wrote is in *OUT, a descriptor.
 */
static inline int
program_run(int (*entry)(int argc, char *argv[]), const char *const argv[],
    const void *p, size_t n, int *out)
{
	int in = program_file(p, n), null = open("/dev/null", O_RDWR), status;
	char *args[16];
	int argc = 0;

	*out = program_file("", 0);
	for (; argv[argc] != NULL; argc++)
		args[argc] = (char *)argv[argc];
	args[argc] = NULL;
	program_put(in, 0);
	program_put(*out, 1);
	program_put(null, 2);
#if defined(__GNUC__)
	if (__sanitizer_set_report_fd != NULL)
		__sanitizer_set_report_fd((void *)(intptr_t)(AWAY + 2));
#endif
	status = entry(argc, args);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(AWAY + fd, fd) < 0)
			abort();
	(void)close(in);
	(void)close(null);
	if (status != 0 && status != 1 && status != 3)
		abort();
	return status;
}

static inline void
program_fault(void *self, const struct err *fault)
{
	(void)self;
	(void)fault;
	abort();
}

/* What is in OUT, which is closed, must be a stream without a fault. */
static inline void
program_verify(int out)
{
	struct verify v = { .frame_max = FRAME_PLAIN_MAX, .fragment = true,
	    .fault = program_fault };
	struct err e = { 0 };

	if (lseek(out, 0, SEEK_SET) < 0 || verify_input(&v, out, &e) < 0)
		abort();
	(void)close(out);
}

/*
 * As program_run, of a filter: the N bytes at P are the content of a frame;
 * what comes out is verified.
 */
static inline void
program_filter(int (*entry)(int argc, char *argv[]), const char *const argv[],
    const void *p, size_t n)
{
	struct buf in = { 0 };
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	int out;

	if (c == NULL || (n > 0 && frame_compress(c, 0, p, n, &in, &e) < 0))
		abort();
	frame_codec_free(c);
	if (program_run(entry, argv, in.n > 0 ? in.p : "", in.n, &out) == 0)
		program_verify(out);
	else
		(void)close(out);
	buf_free(&in);
}

#endif
