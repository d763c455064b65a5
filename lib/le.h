/*
 * le: little-endian integers in bytes that need not be aligned.
 */
#ifndef LE_H
#define LE_H

#include <stdint.h>

static inline uint32_t
le_get24(const void *p)
{
	const unsigned char *c = p;

	return (uint32_t)c[0] | (uint32_t)c[1] << 8 | (uint32_t)c[2] << 16;
}

static inline uint32_t
le_get32(const void *p)
{
	const unsigned char *c = p;

	return le_get24(p) | (uint32_t)c[3] << 24;
}

static inline uint64_t
le_get64(const void *p)
{
	return (uint64_t)le_get32((const unsigned char *)p + 4) << 32 |
	    le_get32(p);
}

static inline void
le_put24(void *p, uint32_t v)
{
	unsigned char *c = p;

	c[0] = (unsigned char)v;
	c[1] = (unsigned char)(v >> 8);
	c[2] = (unsigned char)(v >> 16);
}

static inline void
le_put32(void *p, uint32_t v)
{
	le_put24(p, v);
	((unsigned char *)p)[3] = (unsigned char)(v >> 24);
}

static inline void
le_put64(void *p, uint64_t v)
{
	le_put32(p, (uint32_t)v);
	le_put32((unsigned char *)p + 4, (uint32_t)(v >> 32));
}

#endif
