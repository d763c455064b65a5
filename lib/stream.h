/*
 * stream: the sections of an ossicle stream (ossicle(5)), in order.
 *
 *	section = (provenance+ data*)+ [lengths] end [seek-table]
 *
 * The reader hands out data frames, still compressed, and says when the
 * provenance changes; it checks the grammar, the counts and the digest of
 * every section on the way.  The writer makes what the reader checks.  -1 fills
 * in E, and the object may then only be freed.  Each serves one thread.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdbool.h>

#include "frame.h"
#include "table.h"

/* Sums of what has passed: of a section, or of all sections read. */
struct stream_sums {
	uint64_t frames;	/* data frames */
	uint64_t records;
	uint64_t errors;	/* records that carry an error */
	uint64_t rejected;	/* records that -r has taken out on the way */
};

enum stream_event {
	STREAM_ENDED,		/* the input ended where it may */
	STREAM_PROVENANCE,	/* what follows comes from elsewhere */
	STREAM_DATA		/* a data frame */
};

struct stream_reader;

/*
 * Read FD, which stays the caller's.  FRAGMENT waives provenance, the end
 * marker and, where one is met, its sums.  NULL on failure.
 */
struct stream_reader *stream_reader_new(int fd, uint64_t plain_max,
    bool fragment, struct err *e) ERR_CHECK;
void stream_reader_free(struct stream_reader *r);

/* Whether stream_read has something at hand, before it would read FD. */
bool stream_reader_pending(const struct stream_reader *r);

/*
 * The next EVENT.  STREAM_PROVENANCE: the chain of programs is another from
 * here on; FRAME is not touched, and stream_reader_provenance gives the
 * bytes of the chain, as frames.
 * STREAM_DATA: FRAME holds it.  STREAM_ENDED comes once, for good.
 * The records and errors of a section can be checked only when its frames
 * have been opened: the caller adds them with stream_reader_count, in any
 * thread, and calls stream_reader_settle after STREAM_ENDED.
 */
int stream_read(struct stream_reader *r, enum stream_event *event,
    struct frame *frame, struct err *e) ERR_CHECK;

/* The provenance frames, whole, in force for the data that follow. */
const struct buf *stream_reader_provenance(const struct stream_reader *r);

/* The number, from 0, of the section that the last data frame was in. */
uint64_t stream_reader_section(const struct stream_reader *r);

/* RECORDS and ERRORS more were found in SECTION.  Thread-safe. */
void stream_reader_count(struct stream_reader *r, uint64_t section,
    uint64_t records, uint64_t errors);

/* Check the counts of every section against its end marker. */
int stream_reader_settle(struct stream_reader *r, struct err *e) ERR_CHECK;

/* The sums announced by the end markers read so far. */
struct stream_sums stream_reader_sums(const struct stream_reader *r);

struct stream_writer;

/* Write to FD, which stays the caller's.  TABLE: a shard, which keeps an
 * index and ends with lengths, end marker and seek table. */
struct stream_writer *stream_writer_new(int fd, bool table, struct err *e)
    ERR_CHECK;
void stream_writer_free(struct stream_writer *w);

/*
 * Provenance frames (whole, as from stream_reader_provenance and
 * provenance_frame) of the data that follow; they are written with the next
 * data frame, or the end.  Nothing is where the last chain was the same.
 */
int stream_write_provenance(struct stream_writer *w, const struct buf *chain,
    struct err *e) ERR_CHECK;

/*
 * One data frame: its prefix and itself, as frame_compress gives them, which
 * hold PLAIN bytes and RECORDS records, ERRORS of them with an error.
 * LENGTHS has an entry a record (may be NULL without a table).
 */
int stream_write_data(struct stream_writer *w, const void *frame, size_t n,
    uint64_t plain, uint32_t records, uint32_t errors,
    const struct stream_lengths *lengths, struct err *e) ERR_CHECK;

/* Write what small frames have been gathered, where there will be no end. */
int stream_write_flush(struct stream_writer *w, struct err *e) ERR_CHECK;

/* The end: REJECTED is what -r has taken out, here and upstream.  Without it
 * nothing that was written is a whole stream. */
int stream_write_end(struct stream_writer *w, uint64_t rejected,
    struct err *e) ERR_CHECK;

/* Sums so far. */
struct stream_sums stream_writer_sums(const struct stream_writer *w);

#endif
