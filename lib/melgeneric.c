/*
 * The kernel of mel for any processor: two columns at a time, which is SSE2
 * on x86-64 and NEON on ARM64.
 */
#include <string.h>

#include "melkernel.h"

#define LANES 2
#define KERNEL melgeneric_kernel

typedef double vec __attribute__((vector_size(16)));
typedef uint64_t bits __attribute__((vector_size(16)));
typedef float floats __attribute__((vector_size(8)));
typedef float wide __attribute__((vector_size(16)));
typedef uint32_t words __attribute__((vector_size(16)));

#define fill(hops, pcm, i16) turn_hops(hops, pcm, i16, MELKERNEL_BLOCK)

static bool
works(void)
{
	return true;
}

static inline vec
largest(vec a, vec b)
{
	const bits m = (bits)(a > b);

	return (vec)(((bits)a & m) | ((bits)b & ~m));
}

static inline floats
largest_float(floats a, floats b)
{
	return (floats){ a[0] > b[0] ? a[0] : b[0],
	    a[1] > b[1] ? a[1] : b[1] };
}

static inline wide
largest_wide(wide a, wide b)
{
	const words m = (words)(a > b);

	return (wide)(((words)a & m) | ((words)b & ~m));
}

static inline floats
to_floats(vec x)
{
	return (floats){ (float)x[0], (float)x[1] };
}

/* By the bits of 2^52 + 2048 + e: SSE2 converts no 64-bit integers. */
static inline vec
from_power(bits h, double c)
{
	const bits e = (h ^ 0x8000000000000000) >> 52 | 0x4330000000000000;

	return ((vec)e - (4503599627370496.0 + 2048)) * c;
}

static inline void
put_low(uint16_t *p, words x)
{
	for (unsigned i = 0; i < 2 * LANES; i++)
		p[i] = (uint16_t)x[i];
}

/* To nearest, ties to even; X is no NaN. */
static inline uint16_t
to_half(float x)
{
	const uint32_t sign = 0x80000000;
	uint32_t u, half_of_1 = 0x3f000000;
	float f;

	memcpy(&u, &x, sizeof u);
	memcpy(&f, &half_of_1, sizeof f);
	if ((u & ~sign) < 0x38800000) {
		/* Below 2^-14, f16 counts in 2^-24, as f32 does above 0.5. */
		f += x < 0 ? -x : x;
		memcpy(&half_of_1, &f, sizeof f);
		return (uint16_t)((u & sign) >> 16 | (half_of_1 - 0x3f000000));
	}
	if ((u & ~sign) >= 0x47800000)	/* 65536 */
		return (uint16_t)((u & sign) >> 16 | 0x7c00);
	return (uint16_t)((u & sign) >> 16 | ((u & ~sign) - 0x38000000 +
	    0xfff + ((u >> 13) & 1)) >> 13);
}

static inline void
put_half(uint16_t *p, wide x)
{
	for (unsigned i = 0; i < 2 * LANES; i++)
		p[i] = to_half(x[i]);
}

#include "melkernel.inc"
