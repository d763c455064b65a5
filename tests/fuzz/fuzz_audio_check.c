/*
 * audio-check, whole: any content of a frame through it.  Clips that a record
 * may name are those of the demo, which decoders of its own read; what files
 * may hold is fuzz_wav's matter.
 */
int audio_check_main(int argc, char *argv[]);
#define main audio_check_main
#include "../../bin/audio-check.c"
#undef main

#include "program.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const argv[] = {
		"audio-check", "-q", "-j1", "--fragment", "--root",
		"examples/demo", NULL,
	};

	program_filter(audio_check_main, argv, data, size);
	return 0;
}
