/*
 * mpegframe: the chain of frames that an MPEG audio file (MP3) is.
 *
 * ISO/IEC 11172-3 and 13818-3: a frame's four bytes of header give its
 * length.  The first may hold no audio but a count of the others (Xing, Info
 * or VBRI).
 */
#ifndef MPEGFRAME_H
#define MPEGFRAME_H

#include <stdint.h>

#include "err.h"

struct filebuf;

/* Where the file goes on behind the ID3v2 tags that it begins with. */
uint64_t mpegframe_skip_tags(struct filebuf *b);

/*
 * Walk the frames from AT on.  -1 with ERR_RECORD audio-truncated where the
 * last is cut, or fewer are there than counted; 0 where not, and where there
 * are no frames at AT.
 */
int mpegframe_check(struct filebuf *b, uint64_t at, struct err *e) ERR_CHECK;

#endif
