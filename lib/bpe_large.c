#ifdef __linux__
#define _DEFAULT_SOURCE		/* MAP_ANONYMOUS, madvise, MADV_HUGEPAGE */
#endif
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "bpe_large.h"

#ifdef MADV_HUGEPAGE

#define PAGE ((size_t)2 << 20)		/* a large one */
#define LITTLE (PAGE / 4)		/* what is not worth one */

/* N in whole pages. */
static size_t
whole(size_t n)
{
	return (n + PAGE - 1) / PAGE * PAGE;
}

void *
bpe_large_new(size_t n, struct err *e)
{
	size_t size = whole(n), before;
	char *p;

	if (n < LITTLE) {
		p = calloc(n > 0 ? n : 1, 1);
		if (p == NULL)
			err_memory(e);
		return p;
	}
	/* One page more than is needed, and then less at both ends. */
	p = mmap(NULL, size + PAGE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		err_memory(e);
		return NULL;
	}
	before = (PAGE - (uintptr_t)p % PAGE) % PAGE;
	if (before > 0)
		(void)munmap(p, before);
	(void)munmap(p + before + size, PAGE - before);
	(void)madvise(p + before, size, MADV_HUGEPAGE);
	return p + before;
}

void
bpe_large_free(void *p, size_t n)
{
	if (n < LITTLE)
		free(p);
	else if (p != NULL)
		(void)munmap(p, whole(n));
}

#else

void *
bpe_large_new(size_t n, struct err *e)
{
	void *p = calloc(n > 0 ? n : 1, 1);

	if (p == NULL)
		err_memory(e);
	return p;
}

void
bpe_large_free(void *p, size_t n)
{
	(void)n;
	free(p);
}

#endif
