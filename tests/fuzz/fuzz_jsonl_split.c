/*
 * jsonl-split, whole: any bytes on its standard input.
 */
int jsonl_split_main(int argc, char *argv[]);
#define main jsonl_split_main
#include "../../bin/jsonl-split.c"
#undef main

#include "program.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = { "jsonl-split", "-q", "-j1", NULL };
	int out;

	if (program_run(jsonl_split_main, argv, data, size, &out) == 0)
		program_verify(out);
	else
		(void)close(out);
	return 0;
}
