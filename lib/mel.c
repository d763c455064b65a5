#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "mel.h"
#include "melbank.h"
#include "melkernel.h"

struct mel_plan {
	struct melkernel_tables tables;
	const struct melkernel *kernel;
	enum mel_path path;
};

enum {
	BLOCK = MELKERNEL_BLOCK,
	BLOCK_HOP = MELKERNEL_BLOCK * MEL_HOP,	/* samples */
	BLOCK_SEES = (MELKERNEL_BLOCK + 2) * MEL_HOP,
	MARGIN = MEL_WINDOW / 2		/* of a column's middle */
};

struct mel_work {
	struct melkernel_room room;
	float edge[BLOCK_SEES];		/* a block's samples, f32 or i16 */
	float part[MELKERNEL_BANDS * BLOCK];	/* its logarithms */
	float logs[MELKERNEL_BANDS * MEL_COLUMNS_MAX];
};

uint32_t
mel_frames(uint64_t samples)
{
	if (samples > MEL_SAMPLES_MAX)
		samples = MEL_SAMPLES_MAX;
	return (uint32_t)((samples + MEL_HOP - 1) / MEL_HOP);
}

uint32_t
mel_columns(uint64_t samples)
{
	if (samples > MEL_SAMPLES_MAX - MARGIN)
		return MEL_COLUMNS_MAX;
	return (uint32_t)((samples + MARGIN + MEL_HOP - 1) / MEL_HOP);
}

uint32_t
mel_tokens(uint32_t frames)
{
	/* What Python's floors come to, for every frames from 0. */
	return frames / 4 + (frames % 4 == 3);
}

/* The code of a path, or NULL where this build does not have it. */
static const struct melkernel *
kernel_of(enum mel_path path)
{
	switch (path) {
	case MEL_GENERIC:
		return &melgeneric_kernel;
#ifdef MELKERNEL_X86
	case MEL_AVX2:
		return &melavx2_kernel;
	case MEL_AVX512:
		return &melavx512_kernel;
#endif
	default:
		return NULL;
	}
}

const char *
mel_path_name(enum mel_path path)
{
	static const char *const names[] = { "generic", "avx2", "avx512" };

	return path < MEL_PATHS ? names[path] : "none";
}

bool
mel_path_works(enum mel_path path)
{
	const struct melkernel *k = kernel_of(path);

	return k != NULL && k->works();
}

/*
 * Where the kernel leaves the power of bin K: see melkernel.inc.  A bin and
 * 400 minus it have the same power, and one of them is k1 mod 16, from 0 to
 * 8, and so in the k1-th DFT of 25.  Its output c + 5 d is in row c.
 */
static uint16_t
power_at(unsigned k)
{
	unsigned k1 = k % 16, k2 = k % 25;

	if (k1 > 8) {
		k1 = 16 - k1;
		k2 = (25 - k2) % 25;
	}
	if (k1 % 8 != 0)
		return (uint16_t)(50 + (k1 - 1) * 50 + k2 % 5 * 10 + k2 / 5);
	/* Of reals, c is 0, 1 or 2. */
	if (k2 % 5 > 2 || (k2 % 5 == 0 && k2 / 5 > 2))
		k2 = 25 - k2;
	k1 = k1 / 8 * 25;
	if (k2 % 5 == 0)
		return (uint16_t)(k1 + k2 / 5);
	return (uint16_t)(k1 + 5 + (k2 % 5 - 1) * 10 + k2 / 5);
}

/* The order in which the kernel wants window and samples, and the bins. */
static void
plan_dft(struct melkernel_tables *t)
{
	double window[MELBANK_WINDOW];

	melbank_window(window);
	for (unsigned j = 0; j < 25; j++)
		for (unsigned i = 0; i < 16; i++) {
			const unsigned n = (25 * i + 16 * j) % MEL_WINDOW;

			t->window[j][i] = window[n];
			t->window_i16[j][i] = window[n] / 32768;
			t->at[j][i] = (uint16_t)(n % MEL_HOP * MELKERNEL_ROWS +
			    n / MEL_HOP);
		}
	for (unsigned k = 0; k < MELBANK_BINS; k++)
		t->power_at[k] = power_at(k);
}

/* The bands without the zeros around them, in runs of equal length. */
static void
plan_bands(struct melkernel_tables *t, const double *weights)
{
	unsigned n = 0;		/* bins in a band of this run */
	size_t used = 0;

	for (unsigned m = 0; m < t->bands; m++) {
		const double *w = weights + m * MELBANK_BINS;
		unsigned k = 0, end;

		while (w[k] <= 0)
			k++;
		for (end = k; w[end] > 0; end++)
			;
		if (end - k > n) {
			n = end - k;
			t->n[t->runs++] = (uint8_t)n;
		}
		t->end[t->runs - 1] = (uint8_t)(m + 1);
		t->first[m] = (uint8_t)k;
		for (unsigned i = 0; i < n; i++)
			t->weight[used++] = w[k + i];
	}
}

struct mel_plan *
mel_plan_new(unsigned mels, struct err *e)
{
	struct mel_plan *p;
	double *weights;

	if (mels != 80 && mels != 128) {
		err_set(e, ERR_MODEL, "%u mel bands are not supported", mels);
		return NULL;
	}
	weights = malloc(mels * MELBANK_BINS * sizeof *weights);
	p = calloc(1, sizeof *p);
	if (weights == NULL || p == NULL) {
		free(weights);
		free(p);
		err_memory(e);
		return NULL;
	}
	melbank_filters(mels, weights);
	p->tables.bands = mels;
	plan_bands(&p->tables, weights);
	free(weights);
	plan_dft(&p->tables);
	for (int path = 0; path < MEL_PATHS; path++)
		if (mel_path_works((enum mel_path)path))
			mel_plan_force(p, (enum mel_path)path);
	return p;
}

void
mel_plan_free(struct mel_plan *p)
{
	free(p);
}

unsigned
mel_plan_mels(const struct mel_plan *p)
{
	return p->tables.bands;
}

enum mel_path
mel_plan_path(const struct mel_plan *p)
{
	return p->path;
}

void
mel_plan_force(struct mel_plan *p, enum mel_path path)
{
	p->path = path;
	p->kernel = kernel_of(path);
}

struct mel_work *
mel_work_new(struct err *e)
{
	/* aligned_alloc wants a multiple of the alignment. */
	struct mel_work *w = aligned_alloc(64, (sizeof *w + 63) / 64 * 64);

	if (w == NULL)
		err_memory(e);
	return w;
}

void
mel_work_free(struct mel_work *w)
{
	free(w);
}

/* A clip, and where its logarithms go. */
struct job {
	const struct mel_plan *plan;
	struct mel_work *work;
	const char *pcm;
	size_t sample_size;
	size_t n;		/* samples */
	float *logs;
	size_t columns;
	float max;
};

/* COUNT blocks from block B on, whose samples are all at PCM. */
static void
run(struct job *j, const void *pcm, size_t b, size_t count)
{
	j->max = j->plan->kernel->run(&j->plan->tables, &j->work->room, pcm,
	    j->sample_size == 2, count, j->logs + b * BLOCK, j->columns,
	    j->max);
}

/*
 * The samples of block B where it reaches beyond the clip: zeros behind it up
 * to 30 s; mirrored at 0 and at 30 s, as numpy.pad does with mode="reflect".
 */
static void
fill_edge(const struct job *j, size_t b)
{
	char *edge = (char *)j->work->edge;
	const size_t size = j->sample_size;
	const int64_t start = (int64_t)(b * BLOCK_HOP) - MARGIN;

	memset(edge, 0, BLOCK_SEES * size);
	for (int64_t i = 0; i < BLOCK_SEES; i++) {
		int64_t from = start + i;

		if (from < 0)
			from = -from;
		if (from >= MEL_SAMPLES_MAX)
			from = 2 * (MEL_SAMPLES_MAX - 1) - from;
		if (from < (int64_t)j->n)
			memcpy(edge + (size_t)i * size,
			    j->pcm + (size_t)from * size, size);
	}
}

/* Block B, which reaches beyond the clip or the last column. */
static void
run_edge(struct job *j, size_t b)
{
	const size_t left = j->columns - b * BLOCK;
	struct job part = *j;

	fill_edge(j, b);
	if (left >= BLOCK) {
		run(j, j->work->edge, b, 1);
		return;
	}
	part.logs = j->work->part;
	part.columns = BLOCK;
	run(&part, j->work->edge, 0, 1);
	j->max = part.max;
	for (unsigned m = 0; m < j->plan->tables.bands; m++)
		memcpy(j->logs + m * j->columns + b * BLOCK,
		    part.logs + m * BLOCK, left * sizeof *part.logs);
}

/* What TYPE makes of the logarithm -10, which is that of silence. */
static float
pad_of(const struct melkernel *k, float least, enum dtype type)
{
	const float silence = -10;
	uint16_t bits;
	uint32_t wide;
	int exponent;
	float f;

	if (type == DTYPE_F16) {
		k->finish(&silence, 1, least, type, &bits);
		exponent = bits >> 10 & 31;
		f = exponent == 0 ? ldexpf((float)(bits & 0x3ff), -24) :
		    ldexpf((float)(bits & 0x3ff) + 1024, exponent - 25);
		return bits & 0x8000 ? -f : f;
	}
	if (type == DTYPE_BF16) {
		k->finish(&silence, 1, least, type, &bits);
		wide = (uint32_t)bits << 16;
		memcpy(&f, &wide, sizeof f);
		return f;
	}
	k->finish(&silence, 1, least, type, &f);
	return f;
}

void
mel_compute(const struct mel_plan *p, struct mel_work *w,
    enum dtype pcm_type, const void *pcm, uint64_t n, enum dtype type,
    void *out, float *pad)
{
	struct job j = {
		.plan = p, .work = w, .pcm = pcm,
		.sample_size = pcm_type == DTYPE_I16 ? 2 : 4,
		.n = n < MEL_SAMPLES_MAX ? (size_t)n : MEL_SAMPLES_MAX,
		.logs = type == DTYPE_F32 ? out : w->logs,
		.columns = mel_columns(n), .max = -10,
	};
	const size_t blocks = (j.columns + BLOCK - 1) / BLOCK;
	size_t inside = 1;	/* blocks up to this one see the clip alone */
	float least;

	if (j.n + MARGIN >= BLOCK_SEES)
		inside = (j.n + MARGIN - BLOCK_SEES) / BLOCK_HOP + 1;
	run_edge(&j, 0);
	if (inside > 1)
		run(&j, j.pcm + (BLOCK_HOP - MARGIN) * j.sample_size, 1,
		    inside - 1);
	for (size_t b = inside; b < blocks; b++)
		run_edge(&j, b);

	/* As numpy has it, where a float32 less 8.0 is a float32. */
	least = j.max - 8;
	*pad = pad_of(p->kernel, least, type);
	p->kernel->finish(j.logs, p->tables.bands * j.columns, least, type,
	    out);
}
