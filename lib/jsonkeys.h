/*
 * jsonkeys: whether an object names a key twice.
 *
 * Keys of all the objects that are open at a moment lie on one stack.  The
 * first JSONKEYS_FEW of an object are compared as they come, which needs no
 * memory of its own; an object with more is sorted when it closes, so that
 * a million keys, chosen by an enemy or not, cost n log n comparisons.
 * Comparisons are exact, of the keys as they read once unescaped.
 */
#ifndef JSONKEYS_H
#define JSONKEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define JSONKEYS_FEW 24
#define JSONKEYS_INLINE 64

struct jsonkey {
	const char *p;		/* the content, without its quotes */
	size_t n;
	uint32_t hash;		/* equal for keys that read the same */
	bool escaped;		/* holds a backslash */
};

/* Ready once P is INLINE_KEYS, CAP is JSONKEYS_INLINE and N is 0. */
struct jsonkeys {
	struct jsonkey *p;
	size_t n, cap;
	struct jsonkey inline_keys[JSONKEYS_INLINE];
};

/* Make K ready; give its memory back. */
void jsonkeys_start(struct jsonkeys *k);
void jsonkeys_free(struct jsonkeys *k);

/*
 * Add to the object whose keys start at number FROM of the stack the key
 * whose N bytes of content are at P.  1; 0 where it is found to be there
 * already; -1 with ERR_MEMORY.
 */
int jsonkeys_add(struct jsonkeys *k, size_t from, const char *p, size_t n,
    bool escaped, struct err *e) ERR_CHECK;

/*
 * The object whose keys start at FROM has closed: take them off.  Returns
 * the later of two equal keys' content, the first such in the text, or NULL.
 */
const char *jsonkeys_close(struct jsonkeys *k, size_t from, size_t *n);

#endif
