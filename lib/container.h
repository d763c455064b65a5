/*
 * container: whether a sound file was cut.
 *
 * libsndfile takes what is left of a cut file for the whole (99.9 % of cuts
 * of a WAV), so what the file says of its own length is compared with what
 * there is: the sizes of chunks (WAV, RF64, W64, AIFF, CAF, AU, NIST, VOC,
 * 8SVX), the blocks of FLAC's header, the chain of MPEG frames and the count
 * in its Xing or VBRI header, the last pages of Ogg streams.  A size that
 * the writer could not know, since it wrote to a pipe, says nothing.
 */
#ifndef CONTAINER_H
#define CONTAINER_H

#include "err.h"

struct filebuf;

/*
 * Walk B.  -1 with ERR_RECORD audio-truncated where it was cut; 0 where it
 * was not, where that cannot be told, and where it is no sound file at all.
 * A data size of 0 that stands for the rest of the file is patched in B.
 */
int container_check(struct filebuf *b, struct err *e) ERR_CHECK;

#endif
