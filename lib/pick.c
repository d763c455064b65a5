#include "content.h"
#include "pick.h"
#include "shard.h"
#include "stream.h"
#include "view.h"

/* What reading in order needs. */
struct order {
	struct pick *pick;
	struct stream_reader *reader;
	struct frame_codec *codec;
	struct frame frame;
	struct buf plain;
	struct view *view;
};

/* Hand on V, the next record, if it is wanted. */
static int
hand_on(struct pick *p, struct view *v, struct err *e)
{
	uint64_t number = p->count++;
	struct stream_lengths row;

	if (number < p->first || number > p->last)
		return 0;
	if (p->each != NULL)
		return p->each(p->self, number, v, e);
	if (view_lengths(v, &row, e) < 0)
		return -1;
	return p->row(p->self, number, &row, e);
}

/* Hand on the records of the data frame that was read. */
static int
pick_frame(struct order *o, struct err *e)
{
	struct content content;
	struct content_record r;
	uint64_t records = 0, errors = 0;

	if (frame_expand(o->codec, &o->frame, &o->plain, e) < 0)
		return -1;
	content = (struct content){ o->plain.p, o->plain.n, 0 };
	while (content_next(&content, &r)) {
		if (view_open(o->view, &r, e) < 0)
			return err_wrap(e, "record %llu",
			    (unsigned long long)o->pick->count);
		records++;
		errors += view_has_error(o->view);
		if (hand_on(o->pick, o->view, e) < 0)
			return -1;
	}
	stream_reader_count(o->reader, stream_reader_section(o->reader),
	    records, errors);
	return 0;
}

static int
pick_in_order(struct order *o, struct err *e)
{
	enum stream_event event = STREAM_DATA;

	do {
		if (stream_read(o->reader, &event, &o->frame, e) < 0)
			return -1;
		if (event == STREAM_DATA && pick_frame(o, e) < 0)
			return -1;
	} while (event != STREAM_ENDED);
	return stream_reader_settle(o->reader, e);
}

/* Read FD in order. */
static int
read_in_order(struct pick *p, int fd, struct err *e)
{
	struct order o = { .pick = p };
	int rc = -1;

	o.reader = stream_reader_new(fd, p->frame_max, p->fragment, e);
	if (o.reader == NULL)
		goto out;
	o.codec = frame_codec_new(e);
	if (o.codec == NULL)
		goto out;
	o.view = view_new(e);
	if (o.view == NULL)
		goto out;
	rc = pick_in_order(&o, e);
out:
	stream_reader_free(o.reader);
	frame_codec_free(o.codec);
	view_free(o.view);
	buf_free(&o.frame.raw);
	buf_free(&o.plain);
	return rc;
}

/* Fetch from S what is wanted. */
static int
fetch(struct pick *p, struct shard *s, struct err *e)
{
	uint64_t base = p->count, n = shard_records(s), i;
	struct view *v = view_new(e);
	struct content_record r;
	int rc = 0;

	if (v == NULL)
		return -1;
	i = p->first > base ? p->first - base : 0;
	for (; rc == 0 && i < n && base + i <= p->last; i++) {
		rc = shard_read(s, i, &r, e);
		if (rc == 0)
			rc = view_open(v, &r, e);
		if (rc < 0)
			(void)err_wrap(e, "record %llu",
			    (unsigned long long)(base + i));
		else
			rc = p->each(p->self, base + i, v, e);
	}
	p->count = base + n;
	view_free(v);
	return rc;
}

/* A number of tokens. */
static int
read_tokens(struct jsonspan v, uint32_t *tokens, struct err *e)
{
	int64_t i;

	if (!jsonscan_int(v, 0, UINT32_MAX, &i))
		return err_set(e, ERR_DAMAGED,
		    "the lengths frame holds what is no number of tokens");
	*tokens = (uint32_t)i;
	return 0;
}

/* Read the lengths of one record, whose audios' go to AUDIO. */
static int
read_row(const struct jsonwalk *chosen, const struct jsonwalk *rejected,
    const struct jsonwalk *audios, struct stream_lengths *row,
    struct buf *audio, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(audios->value);

	buf_clear(audio);
	row->n_audios = 0;
	if (read_tokens(chosen->value, &row->chosen, e) < 0 ||
	    read_tokens(rejected->value, &row->rejected, e) < 0)
		return -1;
	while (jsonwalk_next(&w)) {
		uint32_t tokens;

		if (read_tokens(w.value, &tokens, e) < 0 ||
		    buf_put(audio, &tokens, sizeof tokens, e) < 0)
			return -1;
		row->n_audios++;
	}
	row->audio = (const void *)audio->p;
	return 0;
}

/* Hand on what LENGTHS, a lengths frame's content, says of its records. */
static int
read_rows(struct pick *p, const struct buf *lengths, struct buf *audio,
    struct err *e)
{
	struct jsonspan v = jsonscan_value(lengths->p, lengths->n);
	struct jsonwalk chosen, rejected, audios;
	struct stream_lengths row;

	if (jsonscan_check(lengths->p, lengths->n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_DAMAGED;
		return err_wrap(e, "lengths frame");
	}
	chosen = jsonwalk_start(jsonscan_get(v, "chosen"));
	rejected = jsonwalk_start(jsonscan_get(v, "rejected"));
	audios = jsonwalk_start(jsonscan_get(v, "audio"));
	while (jsonwalk_next(&chosen)) {
		uint64_t number = p->count++;

		if (!jsonwalk_next(&rejected) || !jsonwalk_next(&audios))
			return err_set(e, ERR_DAMAGED,
			    "the lengths frame's lists are not of one length");
		if (number < p->first || number > p->last)
			continue;
		if (read_row(&chosen, &rejected, &audios, &row, audio,
		    e) < 0 || p->row(p->self, number, &row, e) < 0)
			return -1;
	}
	return 0;
}

/* Fetch from S what it says of the lengths. */
static int
fetch_rows(struct pick *p, struct shard *s, struct err *e)
{
	struct buf lengths = { 0 }, audio = { 0 };
	uint64_t base = p->count;
	int rc;

	for (size_t i = 0; (rc = shard_lengths(s, i, &lengths, e)) > 0; i++) {
		rc = read_rows(p, &lengths, &audio, e);
		if (rc < 0)
			break;
		buf_clear(&lengths);
	}
	buf_free(&lengths);
	buf_free(&audio);
	if (rc == 0 && p->count - base != shard_records(s))
		return err_set(e, ERR_DAMAGED, "the lengths frames speak of "
		    "%llu records, the end markers of %llu",
		    (unsigned long long)(p->count - base),
		    (unsigned long long)shard_records(s));
	return rc;
}

int
pick_input(struct pick *p, int fd, struct err *e)
{
	struct shard *s;
	int rc = 0;

	if (p->first > 0 || p->last < UINT64_MAX || p->each == NULL)
		rc = shard_new(fd, p->frame_max, &s, e);
	if (rc < 0)
		return -1;
	if (rc == 0)
		return read_in_order(p, fd, e);
	rc = p->each != NULL ? fetch(p, s, e) : fetch_rows(p, s, e);
	shard_free(s);
	return rc;
}

int
pick_end(const struct pick *p, struct err *e)
{
	uint64_t missing = p->count > p->first ? p->count : p->first;

	if ((p->last == UINT64_MAX && p->first == 0) ||
	    (p->last != UINT64_MAX ? p->last : p->first) < p->count)
		return 0;
	return err_set(e, ERR_ABSENT, "no record %llu: there are %llu",
	    (unsigned long long)missing, (unsigned long long)p->count);
}
