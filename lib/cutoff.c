#include "cutoff.h"

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

struct cutoff
cutoff_infer(size_t source, size_t target, uint64_t limit)
{
	uint64_t most = limit;	/* of the answer */
	struct cutoff keep;

	/* Python's / is one rounding of the exact quotient, as here, and its
	 * int() cuts off; the order of operations counts. */
	if (target * 2 < limit)
		;
	else if (source * 2 < limit)
		most = limit - source;
	else
		most = (uint64_t)((double)limit * ((double)target /
		    (double)(source + target)));
	keep.target = (size_t)least(most, target);
	keep.source = (size_t)least(limit - keep.target, source);
	return keep;
}
