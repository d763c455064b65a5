/*
 * melspec, whole: any content of a frame through it.
 */
int melspec_main(int argc, char *argv[]);
#define main melspec_main
#include "../../bin/melspec.c"
#undef main

#include "program.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = {
		"melspec", "-q", "-j1", "--fragment", "-m",
		"examples/demo/model", NULL,
	};

	program_filter(melspec_main, argv, data, size);
	return 0;
}
