/*
 * ossicle: read and write streams and shards of preference data.
 *
 * A stream is a .zst file of records (ossicle(5)); a shard is a stream with
 * a table, from which any record can be had at once.  This is the public
 * interface of libossicle.a, and needs no other header of it; link with
 * what `pkg-config --libs ossicle' says.
 *
 * Functions that can fail take a struct ossicle_error * last, which they
 * fill in, and return -1 or NULL; the object may then only be closed.  The
 * library prints nothing and never exits.  SIGPIPE is the caller's affair.
 * An object serves one thread at a time, and many objects many threads.
 * Sizes are in bytes; tensors are little-endian and row-major, as the
 * machine must be too.
 */
#ifndef OSSICLE_H
#define OSSICLE_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define OSSICLE_VERSION "0.1.0"

/* The version of the library in use. */
const char *ossicle_version(void);

enum ossicle_kind {
	OSSICLE_OK,
	OSSICLE_ARGUMENT,	/* an argument is not what it should be */
	OSSICLE_SYSTEM,		/* the system said no */
	OSSICLE_MEMORY,		/* no memory */
	OSSICLE_TRUNCATED,	/* the stream ends before its end marker */
	OSSICLE_DAMAGED,	/* bytes are not what its writer wrote */
	OSSICLE_ABSENT		/* no such record */
};

struct ossicle_error {
	enum ossicle_kind kind;
	char text[1024];	/* what is wrong, in English */
	char hint[400];		/* what to do about it, or "" */
};

enum ossicle_type {
	OSSICLE_F32, OSSICLE_F16, OSSICLE_BF16, OSSICLE_I16, OSSICLE_I32
};

struct ossicle_tensor {
	const char *name;	/* at most 63 bytes */
	enum ossicle_type type;
	unsigned rank;		/* 1 or 2 */
	uint64_t shape[2];
	const void *data;
	size_t n_bytes;
};

/* One record: its JSON object, without a newline, and its tensors. */
struct ossicle_record {
	const char *json;
	size_t n_json;
	const struct ossicle_tensor *tensors;
	size_t n_tensors;
};

/* What the data have been through: N programs, oldest first, a JSON object
 * each. */
struct ossicle_text {
	const char *p;
	size_t n;
};
struct ossicle_provenance {
	const struct ossicle_text *programs;
	size_t n;
};

/*
 * Reading in order.  FD stays the caller's.  MAX_FRAME is the most that a
 * frame may hold (0: 64 MiB), checked before memory is taken.  FRAGMENT
 * other than 0: the input is a part of a stream by intent, and needs
 * neither provenance nor end marker.
 */
struct ossicle_reader;
struct ossicle_reader *ossicle_reader_open(int fd, uint64_t max_frame,
    int fragment, struct ossicle_error *e);

/*
 * The next record: 1; 0 at the end of a finished stream; -1.  What RECORD
 * points to is the reader's, and good until the next call.  Only the 0 at
 * the end says that what was read is all there was.
 */
int ossicle_read(struct ossicle_reader *r, struct ossicle_record *record,
    struct ossicle_error *e);

/* The provenance of the record read last; good until the next read. */
int ossicle_reader_provenance(struct ossicle_reader *r,
    struct ossicle_provenance *provenance, struct ossicle_error *e);

void ossicle_reader_close(struct ossicle_reader *r);	/* R may be NULL */

/*
 * Any record of a shard at PATH, or of several joined by cat(1).  A file
 * whose tables do not add up to it is OSSICLE_DAMAGED: read it in order.
 */
struct ossicle_shard;
struct ossicle_shard *ossicle_shard_open(const char *path,
    uint64_t max_frame, struct ossicle_error *e);

/* How many records there are. */
uint64_t ossicle_shard_records(const struct ossicle_shard *s);

/* The record of NUMBER, from 0, as ossicle_read gives one. */
int ossicle_shard_read(struct ossicle_shard *s, uint64_t number,
    struct ossicle_record *record, struct ossicle_error *e);

void ossicle_shard_close(struct ossicle_shard *s);	/* S may be NULL */

/*
 * Writing.  FD stays the caller's.  PROGRAM and its VERSION, the caller's
 * own, stand in the provenance.  LEVEL is zstd's; 0 stores.  TABLE other
 * than 0: write a shard.
 */
struct ossicle_writer;
struct ossicle_writer *ossicle_writer_open(int fd, int table, int level,
    const char *program, const char *version, struct ossicle_error *e);

/*
 * Say what the records that follow have been through before PROGRAM: as
 * ossicle_reader_provenance gives it.
 */
int ossicle_writer_provenance(struct ossicle_writer *w,
    const struct ossicle_provenance *provenance, struct ossicle_error *e);

/*
 * Write RECORD: a JSON object on one line, in UTF-8, no key twice.  Records
 * without tensors are gathered, some 64 KiB to a frame.
 */
int ossicle_write(struct ossicle_writer *w,
    const struct ossicle_record *record, struct ossicle_error *e);

/*
 * Write what is gathered and the end marker.  A stream without it counts
 * as truncated: do not call this when the work has failed.
 */
int ossicle_writer_end(struct ossicle_writer *w, struct ossicle_error *e);

void ossicle_writer_close(struct ossicle_writer *w);	/* W may be NULL */

#ifdef __cplusplus
}
#endif

#endif
