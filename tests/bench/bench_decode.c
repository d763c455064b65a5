/*
 * bench_decode [-n] FILE...: decode each file to its end with libsndfile, mix
 * it down, and resample it to 16 kHz by soxr HQ: the least that audio-check
 * has to do.  -n: decode only, as for audio-check --no-pcm.
 *
 * Nothing of ossicle's is called but the mixing.  One resampler serves all
 * files of a rate.  Prints how many samples there were, and the milliseconds
 * of CPU that each of the three took, as JSON.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sndfile.h>
#include <soxr.h>

#include "mix.h"

enum { BLOCK = 32768, KEEP = 480000, HZ = 16000 };

struct job {
	bool decode_only;
	soxr_t soxr;
	int rate;		/* that soxr was made for */
	unsigned long long samples, kept;
	double decode, mix, resample;	/* ms */
	float x[BLOCK], mono[BLOCK], out[KEEP];
};

static double
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Make the resampler ready for a file at RATE. */
static void
start(struct job *j, int rate)
{
	soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
	soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);

	if (j->rate == rate) {
		(void)soxr_clear(j->soxr);
		return;
	}
	soxr_delete(j->soxr);
	j->soxr = soxr_create(rate, HZ, 1, NULL, &io, &quality, NULL);
	j->rate = rate;
}

/* N samples more at X, NULL behind the last, to the clip of *KEPT samples. */
static void
take(struct job *j, const float *x, size_t n, size_t *kept)
{
	size_t done = 0;

	if (j->rate == HZ) {
		done = n < KEEP - *kept ? n : KEEP - *kept;
		memcpy(j->out + *kept, x, done * sizeof *x);
	} else if (*kept < KEEP) {
		(void)soxr_process(j->soxr, x, n, NULL, j->out + *kept,
		    KEEP - *kept, &done);
	}
	*kept += done;
}

/* Add to *SUM what has passed since *FROM, and go on from there. */
static void
lap(double *from, double *sum)
{
	double now = now_ms();

	*sum += now - *from;
	*from = now;
}

static int
decode(struct job *j, const char *path)
{
	SF_INFO info = { 0 };
	double from = now_ms();
	SNDFILE *f = sf_open(path, SFM_READ, &info);
	size_t kept = 0;
	sf_count_t n;

	if (f == NULL || info.channels > BLOCK) {
		(void)fprintf(stderr, "bench_decode: %s: %s\n", path,
		    sf_strerror(f));
		return -1;
	}
	lap(&from, &j->decode);
	if (!j->decode_only)
		start(j, info.samplerate);
	lap(&from, &j->resample);
	while ((n = sf_readf_float(f, j->x, BLOCK / info.channels)) > 0) {
		j->samples += (unsigned long long)n;
		lap(&from, &j->decode);
		if (j->decode_only)
			continue;
		if (info.channels > 1)
			mix_numpy(j->x, (size_t)n, (unsigned)info.channels,
			    j->mono);
		lap(&from, &j->mix);
		take(j, info.channels > 1 ? j->mono : j->x, (size_t)n, &kept);
		lap(&from, &j->resample);
	}
	if (!j->decode_only && j->rate != HZ)
		take(j, NULL, 0, &kept);
	lap(&from, &j->resample);
	(void)sf_close(f);
	lap(&from, &j->decode);
	j->kept += kept;
	return 0;
}

int
main(int argc, char *argv[])
{
	static struct job j;

	if (argc > 1 && strcmp(argv[1], "-n") == 0)
		j.decode_only = true;
	for (int i = j.decode_only ? 2 : 1; i < argc; i++)
		if (decode(&j, argv[i]) < 0)
			return 1;
	soxr_delete(j.soxr);
	(void)printf("{\"samples\": %llu, \"kept\": %llu, \"decode\": %.3f, "
	    "\"mix\": %.3f, \"resample\": %.3f}\n", j.samples, j.kept,
	    j.decode, j.mix, j.resample);
	return 0;
}
