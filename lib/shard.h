/*
 * shard: any record of a file at once, by its seek tables.
 *
 * A file may be several shards joined by cat(1).  It is usable if each
 * section has a table and lengths and if their sizes add up to the file;
 * else it can only be read in order (stream.h).  What is read so is checked
 * frame by frame, not against the digest.  One shard serves one thread.
 */
#ifndef SHARD_H
#define SHARD_H

#include <stdint.h>

#include "err.h"

struct buf;
struct content_record;
struct shard;

/*
 * Make *S of the file FD, which stays the caller's and must stand while S
 * does; its own offset is not used.  1; 0 where it is not usable; -1.
 * PLAIN_MAX is the limit of a frame's content.
 */
int shard_new(int fd, uint64_t plain_max, struct shard **s, struct err *e)
    ERR_CHECK;
void shard_free(struct shard *s);	/* S may be NULL */

/* How many records, and data frames, there are. */
uint64_t shard_records(const struct shard *s);
uint64_t shard_frames(const struct shard *s);

/*
 * Record NUMBER, from 0, to RECORD, good until the next call.  ERR_ABSENT
 * where there is no such record.  The frame read last is remembered, so
 * reading on in order expands each frame once.
 */
int shard_read(struct shard *s, uint64_t number,
    struct content_record *record, struct err *e) ERR_CHECK;

/*
 * Append to OUT what the lengths frame of SECTION, from 0, holds: JSON as
 * ossicle(5) has it, not checked.  1; 0 where there is no such section.
 */
int shard_lengths(const struct shard *s, size_t section, struct buf *out,
    struct err *e) ERR_CHECK;

#endif
