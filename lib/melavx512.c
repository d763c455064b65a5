/*
 * The kernel of mel for x86-64 with AVX-512 (F, DQ, BW and VL): eight
 * columns at a time.
 */
#include "melkernel.h"

#ifdef MELKERNEL_X86
#include <immintrin.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target( \
    "avx2,avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)
#else
#pragma GCC target("avx2,avx512f,avx512dq,avx512bw,avx512vl")
#endif

#define LANES 8
#define KERNEL melavx512_kernel

typedef double vec __attribute__((vector_size(64)));
typedef uint64_t bits __attribute__((vector_size(64)));
typedef float floats __attribute__((vector_size(32)));
typedef float wide __attribute__((vector_size(64)));
typedef uint32_t words __attribute__((vector_size(64)));

/* Eight doubles of row HALF of A, then of B. */
static inline void
put_eight(double *p, __m256 a, __m256 b, int half)
{
	_mm512_storeu_pd(p, _mm512_cvtps_pd(half ?
	    _mm256_permute2f128_ps(a, b, 0x31) :
	    _mm256_permute2f128_ps(a, b, 0x20)));
}

#include "melx86.inc"

static bool
works(void)
{
	return __builtin_cpu_supports("avx512f") &&
	    __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl") &&
	    __builtin_cpu_supports("avx2");
}

static inline vec
largest(vec a, vec b)
{
	return (vec)_mm512_max_pd((__m512d)a, (__m512d)b);
}

static inline floats
largest_float(floats a, floats b)
{
	return (floats)_mm256_max_ps((__m256)a, (__m256)b);
}

static inline wide
largest_wide(wide a, wide b)
{
	return (wide)_mm512_max_ps((__m512)a, (__m512)b);
}

static inline floats
to_floats(vec x)
{
	return (floats)_mm512_cvtpd_ps((__m512d)x);
}

static inline vec
from_power(bits h, double c)
{
	return (vec)_mm512_cvtepi64_pd((__m512i)h) * (c / 4503599627370496.0);
}

static inline void
put_low(uint16_t *p, words x)
{
	_mm256_storeu_si256((void *)p, _mm512_cvtepi32_epi16((__m512i)x));
}

static inline void
put_half(uint16_t *p, wide x)
{
	_mm256_storeu_si256((void *)p, _mm512_maskz_cvtps_ph(0xffff,
	    (__m512)x, 0));
}

#include "melkernel.inc"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
