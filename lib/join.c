#include <stdlib.h>

#include "content.h"
#include "join.h"
#include "le.h"
#include "ossicle.h"
#include "provenance.h"
#include "safetensors.h"
#include "stream.h"
#include "view.h"

#define PREFIX 12

struct join {
	struct join_rules rules;
	struct stream_writer *writer;
	struct frame_codec *codec;
	struct view *view;
	struct frame frame;
	struct buf plain;
	struct buf packed;	/* the frame as it is to be written */
	struct buf rows;	/* struct stream_lengths of its records */
	struct buf audio;	/* u32: what their audio points to */
	uint64_t count;		/* of the inputs' records */
	uint64_t rejected;
};

/* Of a data frame: what is wanted of it. */
struct part {
	size_t at, end;		/* of its content */
	uint32_t records, errors;
};

struct join *
join_new(int fd, const struct join_rules *rules, struct err *e)
{
	struct join *j = calloc(1, sizeof *j);

	if (j == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	j->rules = *rules;
	if ((j->writer = stream_writer_new(fd, true, e)) == NULL ||
	    (j->codec = frame_codec_new(e)) == NULL ||
	    (j->view = view_new(e)) == NULL) {
		join_free(j);
		return NULL;
	}
	return j;
}

void
join_free(struct join *j)
{
	if (j == NULL)
		return;
	stream_writer_free(j->writer);
	frame_codec_free(j->codec);
	view_free(j->view);
	buf_free(&j->frame.raw);
	buf_free(&j->plain);
	buf_free(&j->packed);
	buf_free(&j->rows);
	buf_free(&j->audio);
	free(j);
}

uint64_t
join_count(const struct join *j)
{
	return j->count;
}

/* Remember the lengths of the record in view. */
static int
add_row(struct join *j, struct err *e)
{
	struct stream_lengths row;

	if (view_lengths(j->view, &row, e) < 0 ||
	    buf_put(&j->rows, &row, sizeof row, e) < 0)
		return -1;
	return row.n_audios == 0 ? 0 : buf_put(&j->audio, row.audio,
	    row.n_audios * sizeof *row.audio, e);
}

/* The rows of the frame's records, complete. */
static const struct stream_lengths *
rows(struct join *j)
{
	struct stream_lengths *row = (void *)j->rows.p;
	const uint32_t *audio = (const void *)j->audio.p;

	for (size_t i = 0; i < j->rows.n / sizeof *row; i++) {
		row[i].audio = audio;
		if (row[i].n_audios > 0)
			audio += row[i].n_audios;
	}
	return row;
}

/* Look at the records of the frame that was read, and see which PART of it
 * is wanted. */
static int
look(struct join *j, struct stream_reader *r, struct part *part,
    struct err *e)
{
	struct content content = { j->plain.p, j->plain.n, 0 };
	struct content_record record;
	uint64_t records = 0, errors = 0;

	*part = (struct part){ 0 };
	buf_clear(&j->rows);
	buf_clear(&j->audio);
	for (size_t at = 0; content_next(&content, &record);
	    at = content.at) {
		uint64_t number = j->count++;
		bool bad;

		if (view_open(j->view, &record, e) < 0)
			return err_wrap(e, "record %llu",
			    (unsigned long long)number);
		bad = view_has_error(j->view);
		records++;
		errors += bad;
		if (number < j->rules.first || number > j->rules.last)
			continue;
		if (part->records++ == 0)
			part->at = at;
		/* The last newline may be missing. */
		part->end = content.at < content.n ? content.at : content.n;
		part->errors += bad;
		if (add_row(j, e) < 0)
			return -1;
	}
	stream_reader_count(r, stream_reader_section(r), records, errors);
	return 0;
}

/* The data frame that was read goes over. */
static int
join_frame(struct join *j, struct stream_reader *r, struct err *e)
{
	struct frame *f = &j->frame;
	struct part part;
	char prefix[PREFIX];
	size_t n;
	int level;

	if (frame_expand(j->codec, f, &j->plain, e) < 0 ||
	    look(j, r, &part, e) < 0)
		return -1;
	if (part.records == 0)
		return 0;
	n = part.end - part.at;
	buf_clear(&j->packed);
	level = content_level(j->rules.level,
	    safetensors_is(j->plain.p, j->plain.n), n);
	if (j->rules.level != CONTENT_LEVEL_KEEP || f->stored ||
	    n < j->plain.n) {
		if (frame_compress(j->codec, level,
		    j->plain.p + part.at, n, &j->packed, e) < 0)
			return -1;
	} else {
		le_put32(prefix, FRAME_MAGIC_PREFIX);
		le_put32(prefix + 4, 4);
		le_put32(prefix + 8, (uint32_t)f->raw.n);
		if (buf_put(&j->packed, prefix, sizeof prefix, e) < 0 ||
		    buf_put(&j->packed, f->raw.p, f->raw.n, e) < 0)
			return -1;
	}
	return stream_write_data(j->writer, j->packed.p, j->packed.n, n,
	    part.records, part.errors, rows(j), e);
}

/* A part of a stream may come without provenance; a shard may not. */
static int
write_own_provenance(struct join *j, struct err *e)
{
	struct provenance *p = provenance_new("shard-cat", OSSICLE_VERSION,
	    e);
	struct buf chain = { 0 };
	int rc = -1;

	if (p != NULL && provenance_option(p, "fragment", "true", e) == 0 &&
	    provenance_frame(p, &chain, e) == 0)
		rc = stream_write_provenance(j->writer, &chain, e);
	provenance_free(p);
	buf_free(&chain);
	return rc;
}

int
join_input(struct join *j, int fd, struct err *e)
{
	struct stream_reader *r = stream_reader_new(fd, j->rules.frame_max,
	    j->rules.fragment, e);
	enum stream_event event = STREAM_DATA;
	int rc = -1;

	if (r == NULL)
		return -1;
	if (j->rules.fragment && write_own_provenance(j, e) < 0)
		goto out;
	do {
		if (stream_read(r, &event, &j->frame, e) < 0)
			goto out;
		if (event == STREAM_DATA && join_frame(j, r, e) < 0)
			goto out;
		if (event == STREAM_PROVENANCE && stream_write_provenance(
		    j->writer, stream_reader_provenance(r), e) < 0)
			goto out;
	} while (event != STREAM_ENDED);
	j->rejected += stream_reader_sums(r).rejected;
	rc = stream_reader_settle(r, e);
out:
	stream_reader_free(r);
	return rc;
}

int
join_end(struct join *j, struct err *e)
{
	return stream_write_end(j->writer, j->rejected, e);
}
