/*
 * faults: calls for memory and reads that fail when they are told to.
 *
 * The linker puts the functions below in place of the library's calls
 * (--wrap, which the Makefile asks for).
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <sys/types.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum fault { NO_MEMORY, NO_READ, INTERRUPTED, IN_PIECES, FAULTS };

static struct {
	enum fault fault;
	long left;	/* calls that still succeed */
	bool on, met;	/* it is in force; it has happened */
	long live;	/* allocations that have not been freed */
} plan;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t to, size_t n);
int __real_posix_memalign(void **p, size_t to, size_t n);
char *__real_strdup(const char *text);
void __real_free(void *p);
ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __real_pread(int fd, void *p, size_t n, off_t at);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t to, size_t n);
int __wrap_posix_memalign(void **p, size_t to, size_t n);
char *__wrap_strdup(const char *text);
void __wrap_free(void *p);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap_pread(int fd, void *p, size_t n, off_t at);

/* Whether this call, of those that FAULT may hit, is the one. */
static bool
hit(enum fault fault)
{
	if (!plan.on || plan.fault != fault || plan.left-- != 0)
		return false;
	plan.met = true;
	return true;
}

void *
__wrap_malloc(size_t n)
{
	if (hit(NO_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	plan.live++;
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	if (hit(NO_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	plan.live++;
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	if (hit(NO_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	plan.live += p == NULL;
	return __real_realloc(p, n);
}

void *
__wrap_aligned_alloc(size_t to, size_t n)
{
	if (hit(NO_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	plan.live++;
	return __real_aligned_alloc(to, n);
}

int
__wrap_posix_memalign(void **p, size_t to, size_t n)
{
	if (hit(NO_MEMORY))
		return ENOMEM;
	plan.live++;
	return __real_posix_memalign(p, to, n);
}

char *
__wrap_strdup(const char *text)
{
	if (hit(NO_MEMORY)) {
		errno = ENOMEM;
		return NULL;
	}
	plan.live++;
	return __real_strdup(text);
}

void
__wrap_free(void *p)
{
	plan.live -= p != NULL;
	__real_free(p);
}

/* What a read of *N bytes does instead, or 1. */
static int
instead(size_t *n)
{
	if (hit(NO_READ)) {
		errno = EIO;
		return -1;
	}
	if (hit(INTERRUPTED)) {
		errno = EINTR;
		return -1;
	}
	if (*n > 1 && hit(IN_PIECES))
		*n = 1;
	return 1;
}

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	int rc = instead(&n);

	return rc < 0 ? rc : __real_read(fd, p, n);
}

ssize_t
__wrap_pread(int fd, void *p, size_t n, off_t at)
{
	int rc = instead(&n);

	return rc < 0 ? rc : __real_pread(fd, p, n, at);
}

#endif
