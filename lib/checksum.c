#include <xxhash.h>

#include "checksum.h"

/* struct checksum is libxxhash's state under another name. */
static XXH64_state_t *
state(struct checksum *c)
{
	return (XXH64_state_t *)c;
}

struct checksum *
checksum_new(struct err *e)
{
	XXH64_state_t *s = XXH64_createState();

	if (s == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	(void)XXH64_reset(s, 0);
	return (struct checksum *)s;
}

void
checksum_free(struct checksum *c)
{
	(void)XXH64_freeState(state(c));
}

void
checksum_update(struct checksum *c, const void *p, size_t n)
{
	(void)XXH64_update(state(c), p, n);
}

uint64_t
checksum_value(const struct checksum *c)
{
	return XXH64_digest((const XXH64_state_t *)c);
}

void
checksum_reset(struct checksum *c)
{
	(void)XXH64_reset(state(c), 0);
}
