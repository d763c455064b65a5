/*
 * wav: any bytes as a sound file: the walk through its container, and for a
 * WAV all that is done to it, from libsndfile to the samples that are kept.
 * (The other formats' decoders are libraries that have fuzzers of their own,
 * and are why decoders run in a sandbox.)
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clip.h"
#include "container.h"
#include "filebuf.h"
#include "resample.h"

#define KEEP 32000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Put N bytes at P into FD, and nothing else. */
static int
put(int fd, const uint8_t *p, size_t n)
{
	return ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n;
}

/* What is told of a clip that passes must be so. */
static void
check(const struct clip_facts *f)
{
	if (f->samples_in == 0 || f->channels == 0 || f->rate_hz == 0 ||
	    f->kept > KEEP || f->kept > f->samples || !isfinite(f->rms) ||
	    f->samples != resample_length(RESAMPLE_SOXR, f->samples_in,
	    f->rate_hz) || f->clipped > f->samples_in * f->channels ||
	    f->rms > f->peak * 1.0000001)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct clip_rules rules = { .max_s = 1e9, .keep = KEEP };
	static struct clip_work *work;
	static struct filebuf file;
	static float out[KEEP];
	static int fd = -1;
	volatile uint64_t progress = 0;
	struct clip_facts facts;
	struct err e = { 0 };

	if (fd < 0) {
		char name[] = "/tmp/ossicle-fuzz-XXXXXX";

		fd = mkstemp(name);
		if (fd < 0 || unlink(name) < 0 ||
		    (work = clip_work_new(&rules, &e)) == NULL)
			abort();
	}
	if (!put(fd, data, size) || filebuf_open(&file, fd, &e) < 0)
		abort();
	if (container_check(&file, &e) < 0 &&
	    e.code != CODE_AUDIO_TRUNCATED)
		abort();
	if (size < 12 || memcmp(data, "RIFF", 4) != 0 ||
	    memcmp(data + 8, "WAVE", 4) != 0)
		return 0;
	if (clip_decode(work, fd, out, &facts, &progress, &e) == 0)
		check(&facts);
	else if (e.kind != ERR_RECORD || e.text[0] == '\0')
		abort();
	return 0;
}
