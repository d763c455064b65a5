/*
 * tokpack, whole: any content of a frame through it.
 */
int tokpack_main(int argc, char *argv[]);
#define main tokpack_main
#include "../../bin/tokpack.c"
#undef main

#include "program.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = {
		"tokpack", "-q", "-j1", "--fragment", "-m",
		"examples/demo/model", NULL,
	};

	program_filter(tokpack_main, argv, data, size);
	return 0;
}
