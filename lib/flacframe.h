/*
 * flacframe: the last frame of a FLAC file whose length its header leaves
 * open, since it was written to a pipe.
 */
#ifndef FLACFRAME_H
#define FLACFRAME_H

#include <stdint.h>

#include "err.h"

struct filebuf;

/*
 * Whether B, whose frames begin at AT, ends with a whole frame: each has a
 * CRC over all of it at its end (RFC 9639, 9.3).  -1 with ERR_RECORD
 * audio-truncated; 0 where it does, or where no frame is found in its last
 * 64 KiB.
 */
int flacframe_check(struct filebuf *b, uint64_t at, struct err *e) ERR_CHECK;

#endif
