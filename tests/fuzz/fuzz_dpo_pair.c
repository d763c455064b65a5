/*
 * dpo-pair, whole: any content of a frame through it.
 */
int dpo_pair_main(int argc, char *argv[]);
#define main dpo_pair_main
#include "../../bin/dpo-pair.c"
#undef main

#include "program.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = {
		"dpo-pair", "-q", "-j1", "--fragment", NULL,
	};

	program_filter(dpo_pair_main, argv, data, size);
	return 0;
}
