/*
 * cutoff: what LLaMA-Factory keeps of a pair that is too long.
 *
 * Lengths are in tokens.  The answers count for more than the prompt, whose
 * tail goes first: processor_utils.py, infer_seqlen.
 */
#ifndef CUTOFF_H
#define CUTOFF_H

#include <stddef.h>
#include <stdint.h>

struct cutoff {
	size_t source;	/* of the prompt */
	size_t target;	/* of the longer answer */
};

/* What is kept of SOURCE and TARGET, which are not both 0, at LIMIT. */
struct cutoff cutoff_infer(size_t source, size_t target, uint64_t limit);

#endif
