#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "endmark.h"
#include "file.h"
#include "le.h"
#include "provenance.h"
#include "source.h"
#include "stream.h"
#include "tally.h"

/* Small frames are gathered to as much, larger ones written as they are. */
#define GATHER (64u << 10)

/* The programs that data have passed take no more than this. */
#define CHAIN_MAX (64u << 20)

/* The last frame that was read, unknown ones aside. */
enum place {
	AT_START,		/* none, of this section */
	AFTER_PROVENANCE,
	AFTER_PREFIX,
	AFTER_DATA,
	AFTER_LENGTHS,
	AFTER_END		/* and a seek table is due */
};

/* A seek table as it should be, made as its frames go by: its checksum. */
struct expected {
	struct checksum *sum;
	uint64_t entries;
};

struct stream_reader {
	struct source *source;
	bool fragment;
	enum place place;
	bool ahead;		/* frame has been read, not treated yet */
	struct frame frame;
	struct buf chain;	/* in force, as the caller knows it */
	struct buf next;	/* as it was read last */
	uint64_t section;	/* the one being read */
	uint64_t data_section;	/* of the last data frame */
	uint64_t frames;	/* of data, in this section */
	struct checksum *digest;
	/* With the frames of unknown kinds, and without: whoever put one in
	 * may have been an ossicle to come, or a tool that knows of none. */
	struct expected with, without;
	struct stream_sums sums;
	struct tally *tally;
};

struct stream_writer {
	int fd;
	struct table *table;	/* NULL: none is asked for */
	struct checksum *digest;
	struct stream_sums sums;
	struct buf gather;
	struct buf chain;	/* as written last */
	struct buf next;	/* to be written before the next data frame */
	bool pending;
};

struct stream_reader *
stream_reader_new(int fd, uint64_t plain_max, bool fragment, struct err *e)
{
	struct stream_reader *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	r->fragment = fragment;
	if ((r->source = source_new(fd, plain_max, e)) == NULL ||
	    (r->tally = tally_new(e)) == NULL ||
	    (r->digest = checksum_new(e)) == NULL ||
	    (r->with.sum = checksum_new(e)) == NULL ||
	    (r->without.sum = checksum_new(e)) == NULL ||
	    tally_begin(r->tally, e) < 0) {
		stream_reader_free(r);
		return NULL;
	}
	return r;
}

void
stream_reader_free(struct stream_reader *r)
{
	if (r == NULL)
		return;
	source_free(r->source);
	tally_free(r->tally);
	checksum_free(r->digest);
	checksum_free(r->with.sum);
	checksum_free(r->without.sum);
	buf_free(&r->frame.raw);
	buf_free(&r->chain);
	buf_free(&r->next);
	free(r);
}

static bool
is_same(const struct buf *a, const struct buf *b)
{
	return a->n == b->n && (a->n == 0 || memcmp(a->p, b->p, a->n) == 0);
}

/* The fault WHAT, at the frame just read. */
static int
fault(const struct stream_reader *r, const char *what, struct err *e)
{
	return err_set(e, ERR_DAMAGED, "frame at byte %llu: %s",
	    (unsigned long long)r->frame.offset, what);
}

static void
expect(struct expected *x, uint64_t size, uint64_t plain)
{
	char entry[TABLE_ENTRY];

	table_entry(entry, size, plain);
	checksum_update(x->sum, entry, sizeof entry);
	x->entries++;
}

/* The frame just read has an entry in the seek table. */
static void
enter(struct stream_reader *r)
{
	expect(&r->with, r->frame.size, r->frame.plain);
	expect(&r->without, r->frame.size, r->frame.plain);
}

/* Add the frame just read, whole, to the digest. */
static int
digest_whole(struct stream_reader *r, struct err *e)
{
	int rc;

	do
		checksum_update(r->digest, r->frame.raw.p, r->frame.raw.n);
	while ((rc = source_read_on(r->source, &r->frame, e)) > 0);
	return rc;
}

static void
forget_table(struct expected *x)
{
	checksum_reset(x->sum);
	x->entries = 0;
}

/* A section has been read to its end. */
static int
next_section(struct stream_reader *r, struct err *e)
{
	r->place = AT_START;
	r->section++;
	r->frames = 0;
	checksum_reset(r->digest);
	forget_table(&r->with);
	forget_table(&r->without);
	return tally_begin(r->tally, e);
}

static int
read_provenance(struct stream_reader *r, struct err *e)
{
	const char *body;
	size_t n;

	if (r->place != AT_START && r->place != AFTER_PROVENANCE &&
	    r->place != AFTER_DATA && !r->fragment)
		return fault(r, "provenance where none may be", e);
	body = frame_body(&r->frame, &n);
	if (provenance_check(body, n, e) < 0)
		return err_wrap(e, "frame at byte %llu",
		    (unsigned long long)r->frame.offset);
	if (r->place != AFTER_PROVENANCE)
		buf_clear(&r->next);
	if (r->next.n + r->frame.raw.n > CHAIN_MAX)
		return fault(r, "provenance of more than 64 MiB", e);
	if (buf_put(&r->next, r->frame.raw.p, r->frame.raw.n, e) < 0)
		return -1;
	enter(r);
	r->place = AFTER_PROVENANCE;
	return digest_whole(r, e);
}

static int
read_prefix(struct stream_reader *r, struct err *e)
{
	if (r->place == AT_START && !r->fragment)
		return fault(r, "data without provenance before them", e);
	if (r->place != AT_START && r->place != AFTER_PROVENANCE &&
	    r->place != AFTER_DATA && !r->fragment)
		return fault(r, "data where none may be", e);
	enter(r);
	r->place = AFTER_PREFIX;
	return 0;
}

static int
read_lengths(struct stream_reader *r, struct err *e)
{
	if (r->place != AFTER_PROVENANCE && r->place != AFTER_DATA &&
	    !r->fragment)
		return fault(r, "lengths where none may be", e);
	enter(r);
	r->place = AFTER_LENGTHS;
	return digest_whole(r, e);
}

/* Check the end marker M against what was read. */
static int
check_end(struct stream_reader *r, const struct endmark *m, struct err *e)
{
	if (m->frames != r->frames)
		return err_set(e, ERR_DAMAGED, "frame at byte %llu: the end "
		    "marker says %llu data frames, but %llu were read",
		    (unsigned long long)r->frame.offset,
		    (unsigned long long)m->frames,
		    (unsigned long long)r->frames);
	if (m->digest != checksum_value(r->digest))
		return fault(r, "the digest in the end marker is not that of "
		    "the frames before it", e);
	tally_end(r->tally, m->records, m->errors);
	r->sums.records += m->records;
	r->sums.errors += m->errors;
	r->sums.rejected += m->rejected;
	return 0;
}

static int
read_end(struct stream_reader *r, struct err *e)
{
	struct endmark m;
	const char *body;
	size_t n;

	if (r->place != AFTER_PROVENANCE && r->place != AFTER_DATA &&
	    r->place != AFTER_LENGTHS && !r->fragment)
		return fault(r, "an end marker where none may be", e);
	enter(r);
	body = frame_body(&r->frame, &n);
	if (endmark_parse(body, n, &m, e) < 0)
		return err_wrap(e, "frame at byte %llu",
		    (unsigned long long)r->frame.offset);
	if (r->fragment) {
		r->place = AT_START;
		return 0;
	}
	if (check_end(r, &m, e) < 0)
		return -1;
	r->place = AFTER_END;
	return m.table ? 0 : next_section(r, e);
}

/* Whether X was a seek table of SIZE bytes of which checksum GOT. */
static bool
is_expected(struct expected *x, uint64_t size, const struct checksum *got)
{
	char footer[TABLE_FOOTER];

	table_footer(footer, x->entries);
	checksum_update(x->sum, footer, sizeof footer);
	return size == 8 + x->entries * TABLE_ENTRY + TABLE_FOOTER &&
	    checksum_value(x->sum) == checksum_value(got);
}

static int
read_table(struct stream_reader *r, struct err *e)
{
	struct checksum *got;
	int rc;

	if (r->fragment) {
		r->place = AT_START;
		return 0;	/* source_read steps over it */
	}
	if (r->place != AFTER_END)
		return fault(r, "a seek table that no end marker announces", e);
	got = r->digest;	/* which is done */
	checksum_reset(got);
	while ((rc = source_read_on(r->source, &r->frame, e)) > 0)
		checksum_update(got, r->frame.raw.p, r->frame.raw.n);
	if (rc < 0)
		return -1;
	if (!is_expected(&r->with, r->frame.size, got) &&
	    !is_expected(&r->without, r->frame.size, got))
		return fault(r, "the seek table is not that of the frames "
		    "before it", e);
	return next_section(r, e);
}

/* Treat the skippable frame just read. */
static int
read_skippable(struct stream_reader *r, struct err *e)
{
	if (r->place == AFTER_PREFIX)
		return fault(r, "the prefix before it announces data", e);
	switch (r->frame.magic) {
	case FRAME_MAGIC_PROVENANCE:
		return read_provenance(r, e);
	case FRAME_MAGIC_PREFIX:
		return read_prefix(r, e);
	case FRAME_MAGIC_LENGTHS:
		return read_lengths(r, e);
	case FRAME_MAGIC_END:
		return read_end(r, e);
	case FRAME_MAGIC_TABLE:
		return read_table(r, e);
	default:
		/* Unknown: source_read steps over it. */
		expect(&r->with, r->frame.size, 0);
		return 0;
	}
}

/* Hand the data frame just read to FRAME. */
static int
read_data(struct stream_reader *r, struct frame *frame, struct err *e)
{
	unsigned char sum[4];
	struct frame swap = *frame;

	if (r->place != AFTER_PREFIX)
		return fault(r, "data without a prefix before them", e);
	if (r->frame.plain == 0)
		return fault(r, "a data frame that holds nothing", e);
	le_put32(sum, frame_checksum(&r->frame));
	checksum_update(r->digest, sum, sizeof sum);
	enter(r);
	r->place = AFTER_DATA;
	r->data_section = r->section;
	r->frames++;
	r->sums.frames++;
	*frame = r->frame;
	r->frame = swap;
	return 0;
}

/* The input ends between frames: whether it may. */
static int
read_eof(struct stream_reader *r, struct err *e)
{
	if (r->fragment && r->place != AFTER_PREFIX)
		return 0;
	if (r->place == AT_START && r->section > 0)
		return 0;
	if (r->place != AT_START)
		return err_set(e, ERR_TRUNCATED,
		    "the stream ends without %s", r->place == AFTER_END ?
		    "the seek table that its end marker announces" :
		    "its end marker");
	(void)err_set(e, ERR_TRUNCATED, "the input is empty");
	return err_hint(e, "the program before this one in the pipe has "
	    "failed, and said why");
}

int
stream_read(struct stream_reader *r, enum stream_event *event,
    struct frame *frame, struct err *e)
{
	for (;;) {
		int rc = r->ahead ? 1 : source_read(r->source, &r->frame, e);

		if (rc < 0)
			return -1;
		r->ahead = false;
		/* Of provenance, the last frame is known by what follows. */
		if (r->place == AFTER_PROVENANCE && !(rc > 0 &&
		    r->frame.magic == FRAME_MAGIC_PROVENANCE) &&
		    !is_same(&r->next, &r->chain)) {
			buf_clear(&r->chain);
			if (buf_put(&r->chain, r->next.p, r->next.n, e) < 0)
				return -1;
			r->ahead = rc > 0;
			*event = STREAM_PROVENANCE;
			return 0;
		}
		if (rc == 0) {
			*event = STREAM_ENDED;
			return read_eof(r, e);
		}
		if (r->frame.magic == FRAME_MAGIC_ZSTD) {
			*event = STREAM_DATA;
			return read_data(r, frame, e);
		}
		if (read_skippable(r, e) < 0)
			return -1;
	}
}

bool
stream_reader_pending(const struct stream_reader *r)
{
	return r->ahead || source_pending(r->source);
}

const struct buf *
stream_reader_provenance(const struct stream_reader *r)
{
	return &r->chain;
}

uint64_t
stream_reader_section(const struct stream_reader *r)
{
	return r->data_section;
}

void
stream_reader_count(struct stream_reader *r, uint64_t section,
    uint64_t records, uint64_t errors)
{
	if (!r->fragment)
		tally_found(r->tally, section, records, errors);
}

/*
 * The section that next_section began behind the last one has not ended,
 * but it announces what it holds: nothing.
 */
int
stream_reader_settle(struct stream_reader *r, struct err *e)
{
	if (r->fragment)
		return 0;
	tally_end(r->tally, 0, 0);
	return tally_settle(r->tally, e);
}

struct stream_sums
stream_reader_sums(const struct stream_reader *r)
{
	return r->sums;
}

struct stream_writer *
stream_writer_new(int fd, bool table, struct err *e)
{
	struct stream_writer *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	w->fd = fd;
	if ((w->digest = checksum_new(e)) == NULL ||
	    (table && (w->table = table_new(e)) == NULL)) {
		stream_writer_free(w);
		return NULL;
	}
	return w;
}

void
stream_writer_free(struct stream_writer *w)
{
	if (w == NULL)
		return;
	table_free(w->table);
	checksum_free(w->digest);
	buf_free(&w->gather);
	buf_free(&w->chain);
	buf_free(&w->next);
	free(w);
}

/* Write what was gathered. */
static int
flush(struct stream_writer *w, struct err *e)
{
	size_t n = w->gather.n;

	buf_clear(&w->gather);
	return n == 0 ? 0 : file_write(w->fd, w->gather.p, n, e);
}

int
stream_write_flush(struct stream_writer *w, struct err *e)
{
	return flush(w, e);
}

/* Write N bytes at P, or gather them. */
static int
put(struct stream_writer *w, const void *p, size_t n, struct err *e)
{
	if (w->gather.n + n > GATHER && flush(w, e) < 0)
		return -1;
	if (n > GATHER / 2)
		return flush(w, e) < 0 ? -1 : file_write(w->fd, p, n, e);
	return buf_put(&w->gather, p, n, e);
}

/* A table_sink: put. */
static int
sink_put(void *self, const void *p, size_t n, struct err *e)
{
	return put(self, p, n, e);
}

/* A table_sink of the lengths: put, and into the digest. */
static int
sink_lengths(void *self, const void *p, size_t n, struct err *e)
{
	struct stream_writer *w = self;

	checksum_update(w->digest, p, n);
	return put(w, p, n, e);
}

int
stream_write_provenance(struct stream_writer *w, const struct buf *chain,
    struct err *e)
{
	buf_clear(&w->next);
	if (buf_put(&w->next, chain->p, chain->n, e) < 0)
		return -1;
	w->pending = !is_same(&w->next, &w->chain);
	return 0;
}

/* Write the chain that is pending, if one is. */
static int
put_provenance(struct stream_writer *w, struct err *e)
{
	struct buf swap = w->chain;

	if (w->chain.n == 0 && !w->pending)
		return err_set(e, ERR_SYSTEM,
		    "a stream without provenance cannot be written");
	if (!w->pending)
		return 0;
	checksum_update(w->digest, w->next.p, w->next.n);
	if (put(w, w->next.p, w->next.n, e) < 0)
		return -1;
	for (size_t at = 0; w->table != NULL && at < w->next.n; ) {
		size_t n = 8 + (size_t)le_get32(w->next.p + at + 4);

		if (table_add_skippable(w->table, n, e) < 0)
			return -1;
		at += n;
	}
	w->chain = w->next;
	w->next = swap;
	w->pending = false;
	return 0;
}

int
stream_write_data(struct stream_writer *w, const void *frame, size_t n,
    uint64_t plain, uint32_t records, uint32_t errors,
    const struct stream_lengths *lengths, struct err *e)
{
	const char *p = frame;

	if (put_provenance(w, e) < 0)
		return -1;
	if (w->table != NULL && table_add_data(w->table, n - 12, plain,
	    records, lengths, e) < 0)
		return -1;
	checksum_update(w->digest, p + n - 4, 4);
	w->sums.frames++;
	w->sums.records += records;
	w->sums.errors += errors;
	return put(w, p, n, e);
}

/* Write the end marker. */
static int
put_end(struct stream_writer *w, struct err *e)
{
	struct endmark m = {
		.frames = w->sums.frames, .records = w->sums.records,
		.errors = w->sums.errors, .rejected = w->sums.rejected,
		.table = w->table != NULL,
		.digest = checksum_value(w->digest),
	};
	struct buf frame = { 0 };
	int rc = -1;

	if (endmark_frame(&m, &frame, e) < 0)
		goto out;
	if (w->table != NULL && table_add_skippable(w->table, frame.n, e) < 0)
		goto out;
	rc = put(w, frame.p, frame.n, e);
out:
	buf_free(&frame);
	return rc;
}

int
stream_write_end(struct stream_writer *w, uint64_t rejected, struct err *e)
{
	struct table_sink lengths = { sink_lengths, w };
	struct table_sink plain = { sink_put, w };

	/* A chain without data is kept only where there is no other. */
	if (w->chain.n == 0 && put_provenance(w, e) < 0)
		return -1;
	w->sums.rejected = rejected;
	if (w->table != NULL && table_put_lengths(w->table, &lengths, e) < 0)
		return -1;
	if (put_end(w, e) < 0)
		return -1;
	if (w->table != NULL && table_put(w->table, &plain, e) < 0)
		return -1;
	return flush(w, e);
}

struct stream_sums
stream_writer_sums(const struct stream_writer *w)
{
	return w->sums;
}
