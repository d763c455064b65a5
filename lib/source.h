/*
 * source: the frames of a descriptor, read one after the other.
 *
 * Every size is checked before memory is taken for it.  -1 fills in E
 * (ERR_TRUNCATED where the input ends inside a frame), and the source may
 * then only be freed.  One source serves one thread.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "frame.h"

struct source;

/*
 * Read FD, which stays the caller's.  A data frame of more than PLAIN_MAX
 * bytes of content is refused.  NULL on failure.
 */
struct source *source_new(int fd, uint64_t plain_max, struct err *e)
    ERR_CHECK;
void source_free(struct source *s);	/* S may be NULL */

/* Whether bytes of FD have been read that no frame has had yet. */
bool source_pending(const struct source *s);

/*
 * Read the next frame into F, whose memory is reused.  1; 0 at the end of
 * the input, between frames; -1.  A data frame is refused if it has no
 * content size or no checksum, if it takes more bytes than its content can
 * need, or if it is not as long as the prefix before it says.
 *
 * Prefix, provenance and end marker come whole.  Of any other skippable
 * frame, which may be as long as 4 GiB, F's raw is the header alone;
 * source_read_on puts the next piece in its place (1, or 0 where there is
 * no more), and what is not asked for is stepped over.
 */
int source_read(struct source *s, struct frame *f, struct err *e) ERR_CHECK;
int source_read_on(struct source *s, struct frame *f, struct err *e)
    ERR_CHECK;

/*
 * Go on at OFFSET, where a frame begins: FD must be a file.  Its own offset
 * is neither used nor changed from then on.
 */
void source_seek(struct source *s, uint64_t offset);

#endif
