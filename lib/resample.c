#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <soxr.h>

#include "resample.h"
#include "sinc.h"

struct resample {
	enum resample_kind kind;
	struct sinc *sinc;
	soxr_t soxr;		/* for clips at SOXR_HZ; NULL at first */
	uint32_t soxr_hz;
	uint32_t rate_hz;	/* of the clip */
	float *out;
	size_t n, max;
};

struct resample *
resample_new(enum resample_kind kind, struct err *e)
{
	struct resample *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	r->kind = kind;
	if (kind == RESAMPLE_SINC && (r->sinc = sinc_new(e)) == NULL) {
		free(r);
		return NULL;
	}
	return r;
}

void
resample_free(struct resample *r)
{
	if (r == NULL)
		return;
	sinc_free(r->sinc);
	soxr_delete(r->soxr);
	free(r);
}

/* What soxr says, or 0. */
static int
check(soxr_error_t said, struct err *e)
{
	if (said == NULL)
		return 0;
	if (strstr(said, "alloc") != NULL || strstr(said, "memory") != NULL)
		return err_memory(e);
	return err_set(e, ERR_SYSTEM, "soxr: %s", said);
}

/*
 * A soxr for the rate, as Python's soxr makes it for librosa: HQ, one
 * channel of f32.  One that has been used and cleared gives the same bits as
 * a new one, whose filters take longer to design than a short clip to
 * resample.
 */
static int
start_soxr(struct resample *r, uint32_t rate_hz, struct err *e)
{
	soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
	soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
	soxr_error_t said = NULL;

	if (r->soxr != NULL && r->soxr_hz == rate_hz)
		return check(soxr_clear(r->soxr), e);
	soxr_delete(r->soxr);
	r->soxr = soxr_create(rate_hz, RESAMPLE_HZ, 1, &said, &io, &quality,
	    NULL);
	r->soxr_hz = rate_hz;
	if (r->soxr == NULL && said == NULL)
		return err_memory(e);
	return check(said, e);
}

int
resample_start(struct resample *r, uint32_t rate_hz, float *out, size_t max,
    struct err *e)
{
	r->rate_hz = rate_hz;
	r->out = out;
	r->max = max;
	r->n = 0;
	if (rate_hz == RESAMPLE_HZ)
		return 0;
	if (r->kind == RESAMPLE_SINC)
		return sinc_start(r->sinc, rate_hz, RESAMPLE_HZ, e);
	return start_soxr(r, rate_hz, e);
}

bool
resample_full(const struct resample *r)
{
	return r->n == r->max;
}

/* As resample_push; X is NULL where no more samples will follow. */
static int
push(struct resample *r, const float *x, size_t n, struct err *e)
{
	size_t done = 0, room = r->max - r->n;

	if (room == 0)
		return 0;
	if (r->rate_hz == RESAMPLE_HZ) {
		done = n < room ? n : room;
		if (done > 0)
			memcpy(r->out + r->n, x, done * sizeof *x);
	} else if (r->kind == RESAMPLE_SINC) {
		if (sinc_push(r->sinc, x, n, x == NULL, r->out + r->n, room,
		    &done, e) < 0)
			return -1;
	} else if (check(soxr_process(r->soxr, x, n, NULL, r->out + r->n,
	    room, &done), e) < 0)
		return -1;
	r->n += done;
	return 0;
}

int
resample_push(struct resample *r, const float *x, size_t n, struct err *e)
{
	return n == 0 ? 0 : push(r, x, n, e);
}

int
resample_finish(struct resample *r, uint64_t n_in, size_t *n, struct err *e)
{
	uint64_t length = resample_length(r->kind, n_in, r->rate_hz);

	if (push(r, NULL, 0, e) < 0)
		return -1;
	*n = length < r->max ? (size_t)length : r->max;
	/* soxr gives a sample less now and then; librosa fills up. */
	if (r->n < *n)
		memset(r->out + r->n, 0, (*n - r->n) * sizeof *r->out);
	return 0;
}

uint64_t
resample_length(enum resample_kind kind, uint64_t n, uint32_t rate_hz)
{
	if (rate_hz == RESAMPLE_HZ)
		return n;
	if (kind == RESAMPLE_SINC)
		return sinc_length(n, rate_hz, RESAMPLE_HZ);
	/* librosa: ceil(n * ratio) in f64, as it is rounded there. */
	return (uint64_t)ceil((double)n *
	    ((double)RESAMPLE_HZ / (double)rate_hz));
}

const char *
resample_library_version(void)
{
	const char *version = soxr_version();

	return strncmp(version, "libsoxr-", 8) == 0 ? version + 8 : version;
}
