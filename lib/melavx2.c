/*
 * The kernel of mel for x86-64 with AVX2 and F16C: four columns at a time.
 */
#include "melkernel.h"

#ifdef MELKERNEL_X86
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,f16c"))), \
    apply_to = function)
#else
#pragma GCC target("avx2,f16c")
#endif

#define LANES 4
#define KERNEL melavx2_kernel

typedef double vec __attribute__((vector_size(32)));
typedef uint64_t bits __attribute__((vector_size(32)));
typedef float floats __attribute__((vector_size(16)));
typedef float wide __attribute__((vector_size(32)));
typedef uint32_t words __attribute__((vector_size(32)));

/* Eight doubles of row HALF of A, then of B. */
static inline void
put_eight(double *p, __m256 a, __m256 b, int half)
{
	_mm256_storeu_pd(p, _mm256_cvtps_pd(half ?
	    _mm256_extractf128_ps(a, 1) : _mm256_castps256_ps128(a)));
	_mm256_storeu_pd(p + 4, _mm256_cvtps_pd(half ?
	    _mm256_extractf128_ps(b, 1) : _mm256_castps256_ps128(b)));
}

#include "melx86.inc"

static bool
works(void)
{
	unsigned a, b, c, d;

	/* The compilers' own names for F16C came late. */
	return __builtin_cpu_supports("avx2") &&
	    __get_cpuid(1, &a, &b, &c, &d) && (c & bit_F16C);
}

static inline vec
largest(vec a, vec b)
{
	return (vec)_mm256_max_pd((__m256d)a, (__m256d)b);
}

static inline floats
largest_float(floats a, floats b)
{
	return (floats)_mm_max_ps((__m128)a, (__m128)b);
}

static inline wide
largest_wide(wide a, wide b)
{
	return (wide)_mm256_max_ps((__m256)a, (__m256)b);
}

static inline floats
to_floats(vec x)
{
	return (floats)_mm256_cvtpd_ps((__m256d)x);
}

/* By the bits of 2^52 + 2048 + e: AVX2 converts no 64-bit integers. */
static inline vec
from_power(bits h, double c)
{
	const bits e = (h ^ 0x8000000000000000) >> 52 | 0x4330000000000000;

	return ((vec)e - (4503599627370496.0 + 2048)) * c;
}

static inline void
put_low(uint16_t *p, words x)
{
	const __m256i two = _mm256_packus_epi32((__m256i)x, (__m256i)x);

	_mm_storeu_si128((void *)p, _mm256_castsi256_si128(
	    _mm256_permute4x64_epi64(two, 0x08)));
}

static inline void
put_half(uint16_t *p, wide x)
{
	_mm_storeu_si128((void *)p, _mm256_cvtps_ph((__m256)x, 0));
}

#include "melkernel.inc"

#ifdef __clang__
#pragma clang attribute pop
#endif
#endif
