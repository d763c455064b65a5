#include <string.h>
#include <unistd.h>

#include "content.h"
#include "le.h"
#include "source.h"
#include "stream.h"
#include "verify.h"
#include "view.h"

#define PIECE (64u << 10)

/* A prefix and the magic of the frame behind it: what a search looks for. */
#define MARK 16

struct check {
	struct verify *verify;
	struct stream_reader *reader;	/* while frames come in order */
	struct frame_codec *codec;
	struct view *view;
	struct frame frame;
	struct buf plain;
};

/* Whether E is a fault of what was read. */
static bool
is_of_input(const struct err *e)
{
	return e->kind == ERR_DAMAGED || e->kind == ERR_TRUNCATED;
}

/* Tell of FAULT, if it is one of the input: 0, or -1 where it is not. */
static int
tell(struct verify *v, const struct err *fault)
{
	if (!is_of_input(fault))
		return -1;
	v->faults++;
	v->fault(v->self, fault);
	return 0;
}

/* Check the records of the data frame that was read and expanded. */
static int
check_content(struct check *c, struct err *e)
{
	struct content content = { c->plain.p, c->plain.n, 0 };
	struct content_record r;
	uint64_t records = 0, errors = 0;

	while (content_next(&content, &r)) {
		if (view_open(c->view, &r, e) < 0)
			return err_wrap(e, "frame at byte %llu: record %llu "
			    "of it", (unsigned long long)c->frame.offset,
			    (unsigned long long)records);
		records++;
		errors += view_has_error(c->view);
	}
	c->verify->records += records;
	c->verify->errors += errors;
	if (c->reader != NULL)
		stream_reader_count(c->reader,
		    stream_reader_section(c->reader), records, errors);
	return 0;
}

/* Check the data frame that was read. */
static int
check_frame(struct check *c, struct err *e)
{
	uint64_t number = c->verify->frames++;

	if (frame_expand(c->codec, &c->frame, &c->plain, e) == 0 &&
	    check_content(c, e) == 0)
		return 0;
	if (c->reader != NULL)
		(void)err_wrap(e, "data frame %llu",
		    (unsigned long long)number);
	return tell(c->verify, e);
}

/*
 * Check all frames while they come in order.  1 at the end; 0 where the
 * order is lost, somewhere before byte *SEEN; -1.
 */
static int
check_in_order(struct check *c, uint64_t *seen, struct err *e)
{
	enum stream_event event = STREAM_DATA;

	*seen = 0;
	do {
		if (stream_read(c->reader, &event, &c->frame, e) < 0)
			return tell(c->verify, e) < 0 ? -1 : 0;
		if (event != STREAM_DATA)
			continue;
		*seen = c->frame.offset + c->frame.size;
		if (check_frame(c, e) < 0)
			return -1;
	} while (event != STREAM_ENDED);
	c->verify->rejected = stream_reader_sums(c->reader).rejected;
	/* Frames that could not be opened have not been counted. */
	if (c->verify->faults == 0 && stream_reader_settle(c->reader, e) < 0)
		return tell(c->verify, e) < 0 ? -1 : 1;
	return 1;
}

/* Whether the MARK bytes at P are a prefix and what follows one. */
static bool
is_mark(const char *p)
{
	return le_get32(p) == FRAME_MAGIC_PREFIX && le_get32(p + 4) == 4 &&
	    le_get32(p + 12) == FRAME_MAGIC_ZSTD;
}

/* Find the next mark in FD from byte *AT on: 1, or 0 where there is none. */
static int
find_mark(int fd, uint64_t *at, struct err *e)
{
	char piece[PIECE];
	ssize_t n;

	while ((n = pread(fd, piece, sizeof piece, (off_t)*at)) >= MARK) {
		const char *p = piece, *end = piece + n - MARK + 1;

		while ((p = memchr(p, FRAME_MAGIC_PREFIX & 0xff,
		    (size_t)(end - p))) != NULL) {
			if (is_mark(p)) {
				*at += (uint64_t)(p - piece);
				return 1;
			}
			if (++p == end)
				break;
		}
		*at += (uint64_t)(end - piece);
	}
	if (n < 0)
		return err_errno(e, "cannot read at byte %llu",
		    (unsigned long long)*at);
	return 0;
}

/* Read what mark at AT announces: the data frame, or a fault. */
static int
read_marked(struct check *c, struct source *s, uint64_t at, struct err *e)
{
	int rc;

	source_seek(s, at);
	rc = source_read(s, &c->frame, e);
	if (rc > 0)
		rc = source_read(s, &c->frame, e);
	return rc > 0 ? 0 : -1;
}

/*
 * The order is lost behind byte AT of the file FD: check the data frames
 * that still can be found.
 */
static int
check_apart(struct check *c, int fd, uint64_t at, struct err *e)
{
	struct source *s = source_new(fd, c->verify->frame_max, e);
	int rc = -1;

	if (s == NULL)
		return -1;
	/* The fault that was told about must not be told about again. */
	for (bool known = true; (rc = find_mark(fd, &at, e)) > 0;
	    known = false) {
		if (read_marked(c, s, at, e) == 0) {
			at = c->frame.offset + c->frame.size;
			if (check_frame(c, e) < 0)
				break;
			continue;
		}
		if (!is_of_input(e) || (!known && tell(c->verify, e) < 0))
			break;
		at++;
	}
	source_free(s);
	return rc == 0 ? 0 : -1;
}

int
verify_input(struct verify *v, int fd, struct err *e)
{
	struct check c = { .verify = v };
	off_t start = lseek(fd, 0, SEEK_CUR);
	uint64_t seen;
	int rc = -1;

	v->frames = v->records = v->errors = v->rejected = v->faults = 0;
	c.reader = stream_reader_new(fd, v->frame_max, v->fragment, e);
	if (c.reader == NULL)
		goto out;
	c.codec = frame_codec_new(e);
	if (c.codec == NULL)
		goto out;
	c.view = view_new(e);
	if (c.view == NULL)
		goto out;
	rc = check_in_order(&c, &seen, e);
	if (rc == 0 && start >= 0) {
		stream_reader_free(c.reader);
		c.reader = NULL;
		rc = check_apart(&c, fd, (uint64_t)start + seen, e);
	}
out:
	stream_reader_free(c.reader);
	frame_codec_free(c.codec);
	view_free(c.view);
	buf_free(&c.frame.raw);
	buf_free(&c.plain);
	return rc < 0 ? -1 : 0;
}
