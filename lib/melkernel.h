/*
 * melkernel: what the paths of mel have in common.
 *
 * Each path is melkernel.inc, compiled for one instruction set: the same
 * double operations in the same order, so the same bits.  Eight columns are
 * a block, which has its columns side by side in vector lanes.
 */
#ifndef MELKERNEL_H
#define MELKERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "safetensors.h"

/* The paths that this build has. */
#if defined(__GNUC__) && defined(__x86_64__)
#define MELKERNEL_X86
#endif

enum {
	MELKERNEL_BLOCK = 8,	/* columns */
	MELKERNEL_HOP = 160,
	MELKERNEL_BINS = 201,
	MELKERNEL_BANDS = 128,	/* at most */
	MELKERNEL_RUNS = 16,	/* at most: 9 or 14 */
	MELKERNEL_WEIGHTS = 512,	/* at most */
	MELKERNEL_ROWS = MELKERNEL_BLOCK + 2	/* hops a block sees */
};

/*
 * Constants of a plan.  A DFT of 400 is one of 16 by 25 (Good and Thomas, no
 * twiddle factors between): sample 25 i + 16 j mod 400 is input i of the j-th
 * 16-point DFT, and bin k is output k mod 25 of the (k mod 16)-th 25-point
 * DFT.
 */
struct melkernel_tables {
	/* The window in that order, as it is and for samples of i16. */
	double window[25][16], window_i16[25][16];
	uint16_t at[25][16];	/* where the sample is in room.hops */
	uint16_t power_at[MELKERNEL_BINS];	/* in room.spectrum, in vectors */

	/* Band M is a sum of bins from FIRST[M] on.  Run R ends before band
	 * END[R]; its bands sum N[R] bins each, some with a weight of 0, so
	 * that the kernel need not branch at every band. */
	unsigned bands, runs;
	uint8_t first[MELKERNEL_BANDS];
	uint8_t n[MELKERNEL_RUNS], end[MELKERNEL_RUNS];
	double weight[MELKERNEL_WEIGHTS];
};

/* Room to work in, for one thread; on a 64-byte boundary. */
struct melkernel_room {
	double hops[MELKERNEL_HOP * MELKERNEL_ROWS];	/* sample by hop */
	/* Outputs 0 and 8 of the DFTs of 16, then 1 to 7; then powers. */
	double spectrum[(2 * 25 + 7 * 25 * 2) * MELKERNEL_BLOCK];
};

/*
 * A path.  WORKS tells whether this processor has what it takes.  RUN writes
 * log10 of the bands of BLOCKS blocks to OUT, a band every STRIDE, from
 * 160 * (8 * BLOCKS + 2) samples at PCM, and returns the largest of these and
 * MAX.  FINISH makes the N values at LOGS what Whisper makes of them, none
 * below LEAST, and writes them as TYPE to OUT, which may be LOGS.
 */
struct melkernel {
	bool (*works)(void);
	float (*run)(const struct melkernel_tables *t,
	    struct melkernel_room *r, const void *pcm, bool i16,
	    size_t blocks, float *out, size_t stride, float max);
	void (*finish)(const float *logs, size_t n, float least,
	    enum dtype type, void *out);
};

extern const struct melkernel melgeneric_kernel;
#ifdef MELKERNEL_X86
extern const struct melkernel melavx2_kernel, melavx512_kernel;
#endif

#endif
