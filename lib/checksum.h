/*
 * checksum: XXH64 with seed 0, in pieces: what the checksums of zstd frames
 * and the digests of streams are made of.
 */
#ifndef CHECKSUM_H
#define CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

struct checksum;

/* Of no bytes yet.  NULL where there is no memory. */
struct checksum *checksum_new(struct err *e) ERR_CHECK;
void checksum_free(struct checksum *c);	/* C may be NULL */

void checksum_update(struct checksum *c, const void *p, size_t n);
uint64_t checksum_value(const struct checksum *c);
void checksum_reset(struct checksum *c);

#endif
