/*
 * chunk: the formats that are made of chunks: WAV, RF64, W64, AIFF, 8SVX and
 * CAF.
 */
#ifndef CHUNK_H
#define CHUNK_H

#include <stdbool.h>

#include "err.h"

struct filebuf;

/*
 * Whether B is of such a format (*IS), and then whether it was cut: -1 with
 * ERR_RECORD audio-truncated.  A size of the samples that stands for the
 * rest of the file is patched in B.
 */
int chunk_check(struct filebuf *b, bool *is, struct err *e) ERR_CHECK;

#endif
