#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "content.h"
#include "frame.h"
#include "jsonscan.h"
#include "le.h"
#include "ossicle.h"
#include "provenance.h"
#include "record.h"
#include "shard.h"
#include "stream.h"
#include "view.h"

/* Records without tensors are gathered to frames of as much. */
#define GATHER (64u << 10)

#define HEAD 8		/* of a skippable frame */

/* The public types, in the order of ours. */
_Static_assert((int)OSSICLE_F32 == DTYPE_F32 &&
    (int)OSSICLE_F16 == DTYPE_F16 && (int)OSSICLE_BF16 == DTYPE_BF16 &&
    (int)OSSICLE_I16 == DTYPE_I16 && (int)OSSICLE_I32 == DTYPE_I32,
    "a type is the same number inside and outside");

/* A record as it is given to the caller. */
struct given {
	struct view *view;
	struct ossicle_tensor tensors[RECORD_TENSORS_MAX];
};

struct ossicle_reader {
	struct stream_reader *stream;
	struct frame_codec *codec;
	struct given given;
	struct frame frame;
	struct buf plain;
	struct content content;
	uint64_t records, errors;	/* of the frame, so far */
	bool open;			/* the frame is not read to its end */
	bool ended;
	struct buf programs;		/* struct ossicle_text */
};

struct ossicle_shard {
	int fd;
	struct shard *shard;
	struct given given;
};

struct ossicle_writer {
	struct stream_writer *stream;
	struct frame_codec *codec;
	struct view *view;
	int level;
	struct buf own;			/* our provenance, as a frame */
	struct buf chain;
	struct buf lines;		/* gathered records */
	struct buf rows;		/* struct stream_lengths of them */
	struct buf audio;		/* u32 */
	uint32_t records, errors;
	struct buf image, packed;
};

const char *
ossicle_version(void)
{
	return OSSICLE_VERSION;
}

/* Tell the caller of E: always -1. */
static int
tell(struct ossicle_error *out, const struct err *e)
{
	switch (e->kind) {
	case ERR_MEMORY:
		out->kind = OSSICLE_MEMORY;
		break;
	case ERR_TRUNCATED:
		out->kind = OSSICLE_TRUNCATED;
		break;
	case ERR_DAMAGED:
		out->kind = OSSICLE_DAMAGED;
		break;
	case ERR_ABSENT:
		out->kind = OSSICLE_ABSENT;
		break;
	case ERR_USAGE:
	case ERR_RECORD:
		out->kind = OSSICLE_ARGUMENT;
		break;
	default:
		out->kind = OSSICLE_SYSTEM;
	}
	_Static_assert(sizeof out->text == sizeof e->text &&
	    sizeof out->hint == sizeof e->hint, "texts are not cut");
	memcpy(out->text, e->text, sizeof out->text);
	memcpy(out->hint, e->hint, sizeof out->hint);
	return -1;
}

/* Give R, of a frame, to the caller as RECORD. */
static int
give(struct given *g, const struct content_record *r,
    struct ossicle_record *record, struct err *e)
{
	const struct tensor *t;
	struct jsonspan json;
	size_t n;

	if (view_open(g->view, r, e) < 0)
		return -1;
	t = view_tensors(g->view, &n);
	for (size_t i = 0; i < n; i++)
		g->tensors[i] = (struct ossicle_tensor){
			.name = t[i].name,
			.type = (enum ossicle_type)t[i].dtype,
			.rank = t[i].rank,
			.shape = { t[i].shape[0], t[i].shape[1] },
			.data = t[i].data, .n_bytes = t[i].n_bytes,
		};
	json = view_json(g->view);
	*record = (struct ossicle_record){ json.p, json.n, g->tensors, n };
	return 0;
}

struct ossicle_reader *
ossicle_reader_open(int fd, uint64_t max_frame, int fragment,
    struct ossicle_error *error)
{
	struct ossicle_reader *r = calloc(1, sizeof *r);
	struct err e = { 0 };

	if (r == NULL) {
		(void)err_memory(&e);
		(void)tell(error, &e);
		return NULL;
	}
	if ((r->stream = stream_reader_new(fd, max_frame > 0 ? max_frame :
	    FRAME_PLAIN_MAX, fragment != 0, &e)) == NULL ||
	    (r->codec = frame_codec_new(&e)) == NULL ||
	    (r->given.view = view_new(&e)) == NULL) {
		ossicle_reader_close(r);
		(void)tell(error, &e);
		return NULL;
	}
	return r;
}

void
ossicle_reader_close(struct ossicle_reader *r)
{
	if (r == NULL)
		return;
	stream_reader_free(r->stream);
	frame_codec_free(r->codec);
	view_free(r->given.view);
	buf_free(&r->frame.raw);
	buf_free(&r->plain);
	buf_free(&r->programs);
	free(r);
}

/* Open the next data frame: 1; 0 at the end of the stream. */
static int
next_frame(struct ossicle_reader *r, struct err *e)
{
	enum stream_event event = STREAM_DATA;

	if (r->open)
		stream_reader_count(r->stream,
		    stream_reader_section(r->stream), r->records, r->errors);
	r->open = false;
	r->records = r->errors = 0;
	do {
		if (stream_read(r->stream, &event, &r->frame, e) < 0)
			return -1;
		if (event == STREAM_ENDED) {
			r->ended = true;
			return stream_reader_settle(r->stream, e);
		}
	} while (event != STREAM_DATA);
	if (frame_expand(r->codec, &r->frame, &r->plain, e) < 0)
		return -1;
	r->content = (struct content){ r->plain.p, r->plain.n, 0 };
	r->open = true;
	return 1;
}

int
ossicle_read(struct ossicle_reader *r, struct ossicle_record *record,
    struct ossicle_error *error)
{
	struct content_record next;
	struct err e = { 0 };

	if (r->ended)
		return 0;
	while (!r->open || !content_next(&r->content, &next)) {
		int rc = next_frame(r, &e);

		if (rc <= 0)
			return rc < 0 ? tell(error, &e) : 0;
	}
	if (give(&r->given, &next, record, &e) < 0) {
		(void)err_wrap(&e, "frame at byte %llu",
		    (unsigned long long)r->frame.offset);
		return tell(error, &e);
	}
	r->records++;
	r->errors += view_has_error(r->given.view);
	return 1;
}

int
ossicle_reader_provenance(struct ossicle_reader *r,
    struct ossicle_provenance *provenance, struct ossicle_error *error)
{
	const struct buf *chain = stream_reader_provenance(r->stream);
	struct err e = { 0 };

	buf_clear(&r->programs);
	for (size_t at = 0; at < chain->n; ) {
		struct ossicle_text t = { chain->p + at + HEAD,
		    le_get32(chain->p + at + 4) };

		if (buf_put(&r->programs, &t, sizeof t, &e) < 0)
			return tell(error, &e);
		at += HEAD + t.n;
	}
	provenance->programs = (const void *)r->programs.p;
	provenance->n = r->programs.n / sizeof *provenance->programs;
	return 0;
}

/* Fill in S of the file at PATH. */
static int
open_shard(struct ossicle_shard *s, const char *path, uint64_t max_frame,
    struct err *e)
{
	int rc;

	s->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return err_errno(e, "cannot open the shard");
	s->given.view = view_new(e);
	if (s->given.view == NULL)
		return -1;
	rc = shard_new(s->fd, max_frame > 0 ? max_frame : FRAME_PLAIN_MAX,
	    &s->shard, e);
	if (rc == 0) {
		(void)err_set(e, ERR_DAMAGED,
		    "the file has no seek table that adds up to it");
		(void)err_hint(e, "read it in order, or make a shard of it "
		    "with shard-cat -o");
	}
	return rc > 0 ? 0 : -1;
}

struct ossicle_shard *
ossicle_shard_open(const char *path, uint64_t max_frame,
    struct ossicle_error *error)
{
	struct ossicle_shard *s = calloc(1, sizeof *s);
	struct err e = { 0 };

	if (s == NULL) {
		(void)err_memory(&e);
		(void)tell(error, &e);
		return NULL;
	}
	if (open_shard(s, path, max_frame, &e) < 0) {
		ossicle_shard_close(s);
		(void)tell(error, &e);
		return NULL;
	}
	return s;
}

void
ossicle_shard_close(struct ossicle_shard *s)
{
	if (s == NULL)
		return;
	shard_free(s->shard);
	view_free(s->given.view);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s);
}

uint64_t
ossicle_shard_records(const struct ossicle_shard *s)
{
	return shard_records(s->shard);
}

int
ossicle_shard_read(struct ossicle_shard *s, uint64_t number,
    struct ossicle_record *record, struct ossicle_error *error)
{
	struct content_record found;
	struct err e = { 0 };

	if (shard_read(s->shard, number, &found, &e) < 0 ||
	    give(&s->given, &found, record, &e) < 0)
		return tell(error, &e);
	return 0;
}

/* Fill in W. */
static int
open_writer(struct ossicle_writer *w, int fd, int table, int level,
    const char *program, const char *version, struct err *e)
{
	struct provenance *p;
	int rc = -1;

	if (level < FRAME_LEVEL_MIN || level > FRAME_LEVEL_MAX)
		return err_set(e, ERR_USAGE, "there is no level %d", level);
	w->level = level;
	if ((w->stream = stream_writer_new(fd, table != 0, e)) == NULL ||
	    (w->codec = frame_codec_new(e)) == NULL ||
	    (w->view = view_new(e)) == NULL)
		return -1;
	p = provenance_new(program, version, e);
	if (p != NULL &&
	    provenance_library(p, "ossicle", OSSICLE_VERSION, e) == 0 &&
	    provenance_library(p, "zstd", frame_library_version(), e) == 0 &&
	    provenance_frame(p, &w->own, e) == 0)
		rc = stream_write_provenance(w->stream, &w->own, e);
	provenance_free(p);
	return rc;
}

struct ossicle_writer *
ossicle_writer_open(int fd, int table, int level, const char *program,
    const char *version, struct ossicle_error *error)
{
	struct ossicle_writer *w = calloc(1, sizeof *w);
	struct err e = { 0 };

	if (w == NULL) {
		(void)err_memory(&e);
		(void)tell(error, &e);
		return NULL;
	}
	if (open_writer(w, fd, table, level, program, version, &e) < 0) {
		ossicle_writer_close(w);
		(void)tell(error, &e);
		return NULL;
	}
	return w;
}

void
ossicle_writer_close(struct ossicle_writer *w)
{
	if (w == NULL)
		return;
	stream_writer_free(w->stream);
	frame_codec_free(w->codec);
	view_free(w->view);
	buf_free(&w->own);
	buf_free(&w->chain);
	buf_free(&w->lines);
	buf_free(&w->rows);
	buf_free(&w->audio);
	buf_free(&w->image);
	buf_free(&w->packed);
	free(w);
}

/* Write a frame of CONTENT, which are the records whose rows are kept. */
static int
write_frame(struct ossicle_writer *w, const struct buf *content,
    struct err *e)
{
	struct stream_lengths *row = (void *)w->rows.p;
	const uint32_t *audio = (const void *)w->audio.p;
	int rc;

	for (uint32_t i = 0; i < w->records; i++) {
		row[i].audio = audio;
		if (row[i].n_audios > 0)
			audio += row[i].n_audios;
	}
	buf_clear(&w->packed);
	if (frame_compress(w->codec, w->level, content->p, content->n,
	    &w->packed, e) < 0)
		return -1;
	rc = stream_write_data(w->stream, w->packed.p, w->packed.n,
	    content->n, w->records, w->errors, row, e);
	w->records = w->errors = 0;
	buf_clear(&w->rows);
	buf_clear(&w->audio);
	return rc;
}

/* Write what is gathered. */
static int
flush(struct ossicle_writer *w, struct err *e)
{
	if (w->records == 0)
		return 0;
	if (write_frame(w, &w->lines, e) < 0)
		return -1;
	buf_clear(&w->lines);
	return 0;
}

/* Keep the lengths of the record in view. */
static int
add_row(struct ossicle_writer *w, struct err *e)
{
	struct stream_lengths row;

	if (view_lengths(w->view, &row, e) < 0 ||
	    buf_put(&w->rows, &row, sizeof row, e) < 0)
		return -1;
	if (row.n_audios > 0 && buf_put(&w->audio, row.audio,
	    row.n_audios * sizeof *row.audio, e) < 0)
		return -1;
	w->records++;
	w->errors += view_has_error(w->view);
	return 0;
}

int
ossicle_writer_provenance(struct ossicle_writer *w,
    const struct ossicle_provenance *provenance, struct ossicle_error *error)
{
	struct err e = { 0 };

	if (flush(w, &e) < 0)
		return tell(error, &e);
	buf_clear(&w->chain);
	for (size_t i = 0; i < provenance->n; i++) {
		const struct ossicle_text *t = &provenance->programs[i];

		if (provenance_check(t->p, t->n, &e) < 0 ||
		    frame_skippable(FRAME_MAGIC_PROVENANCE, t->p, t->n,
		    &w->chain, &e) < 0)
			return tell(error, &e);
	}
	if (buf_put(&w->chain, w->own.p, w->own.n, &e) < 0 ||
	    stream_write_provenance(w->stream, &w->chain, &e) < 0)
		return tell(error, &e);
	return 0;
}

/* Make the image of RECORD. */
static int
make_image(struct ossicle_writer *w, const struct ossicle_record *record,
    struct err *e)
{
	struct tensor t[RECORD_TENSORS_MAX] = { 0 };

	if (record->n_tensors > RECORD_TENSORS_MAX)
		return err_set(e, ERR_USAGE, "%zu tensors are more than %d",
		    record->n_tensors, RECORD_TENSORS_MAX);
	for (size_t i = 0; i < record->n_tensors; i++) {
		const struct ossicle_tensor *from = &record->tensors[i];
		size_t n = strlen(from->name);

		if (n == 0 || n >= sizeof t[i].name || from->rank < 1 ||
		    from->rank > 2 || (unsigned)from->type > DTYPE_I32)
			return err_set(e, ERR_USAGE,
			    "tensor %zu: its name, type or rank is none", i);
		memcpy(t[i].name, from->name, n);
		t[i].dtype = (enum dtype)from->type;
		t[i].rank = from->rank;
		memcpy(t[i].shape, from->shape, sizeof t[i].shape);
		t[i].data = from->data;
		t[i].n_bytes = from->n_bytes;
	}
	buf_clear(&w->image);
	return safetensors_write(t, record->n_tensors, record->json,
	    record->n_json, &w->image, e);
}

/* Write RECORD, which has tensors: a frame of its own. */
static int
write_image(struct ossicle_writer *w, const struct ossicle_record *record,
    struct err *e)
{
	struct content_record made;

	if (flush(w, e) < 0 || make_image(w, record, e) < 0)
		return -1;
	/* What we cannot read must not be written. */
	made = (struct content_record){ w->image.p, w->image.n, true };
	if (view_open(w->view, &made, e) < 0 || add_row(w, e) < 0)
		return -1;
	return write_frame(w, &w->image, e);
}

/* Gather RECORD. */
static int
write_line(struct ossicle_writer *w, const struct ossicle_record *record,
    struct err *e)
{
	struct content_record made = { record->json, record->n_json, false };

	if (view_open(w->view, &made, e) < 0)
		return -1;
	if (w->lines.n + record->n_json + 1 > GATHER && flush(w, e) < 0)
		return -1;
	if (add_row(w, e) < 0 ||
	    buf_put(&w->lines, record->json, record->n_json, e) < 0)
		return -1;
	return buf_putc(&w->lines, '\n', e);
}

int
ossicle_write(struct ossicle_writer *w, const struct ossicle_record *record,
    struct ossicle_error *error)
{
	struct err e = { 0 };
	int rc = record->n_tensors > 0 ? write_image(w, record, &e) :
	    write_line(w, record, &e);

	if (rc == 0)
		return 0;
	if (e.kind == ERR_DAMAGED)	/* not a stream: the caller's record */
		e.kind = ERR_USAGE;
	return tell(error, &e);
}

int
ossicle_writer_end(struct ossicle_writer *w, struct ossicle_error *error)
{
	struct err e = { 0 };

	if (flush(w, &e) < 0 || stream_write_end(w->stream, 0, &e) < 0)
		return tell(error, &e);
	return 0;
}
