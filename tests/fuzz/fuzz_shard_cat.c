/*
 * shard-cat, whole: any bytes on its standard input, shown, checked, and
 * asked how long records are.  What --check finds no fault with is shown.
 */
int shard_cat_main(int argc, char *argv[]);
#define main shard_cat_main
#include "../../bin/shard-cat.c"
#undef main

#include "program.h"

/* Run it with OPTION, or none: its exit status. */
static int
show_all(const char *option, const uint8_t *data, size_t size)
{
	const char *const argv[] = { "shard-cat", option, NULL };
	int out, status = program_run(shard_cat_main, argv, data, size, &out);

	(void)close(out);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int good = show_all("--check", data, size);

	if ((show_all(NULL, data, size) == 0) != (good == 0))
		abort();
	if (good == 0 && show_all("--lengths", data, size) != 0)
		abort();
	(void)show_all("-n1-2", data, size);
	return 0;
}
