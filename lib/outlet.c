#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "frame.h"
#include "lengths.h"
#include "message.h"
#include "outlet.h"
#include "outlet_inside.h"
#include "record.h"
#include "stream.h"

/* A buffer's memory beyond this goes back when it has been written. */
#define KEEP (16u << 20)

struct outlet *
outlet_new(const struct outlet_rules *rules, struct err *e)
{
	struct outlet *o = calloc(1, sizeof *o);

	if (o == NULL)
		(void)err_memory(e);
	else
		o->rules = rules;
	return o;
}

void
outlet_free(struct outlet *o)
{
	if (o == NULL)
		return;
	free(o->pieces);
	buf_free(&o->packed);
	buf_free(&o->text);
	buf_free(&o->lengths);
	buf_free(&o->rows);
	buf_free(&o->messages);
	buf_free(&o->rejects);
	free(o);
}

/* Empty a buffer, and give back what only one long record needed. */
static void
recycle(struct buf *b)
{
	if (b->cap > KEEP)
		buf_free(b);
	buf_clear(b);
}

void
outlet_begin(struct outlet *o, struct frame_codec *codec, bool joins)
{
	o->codec = codec;
	o->joins = joins;
	o->notes = 0;
	o->n_pieces = 0;
	recycle(&o->packed);
	recycle(&o->text);
	recycle(&o->lengths);
	recycle(&o->messages);
	recycle(&o->rejects);
	o->run = (struct outlet_piece){ .text = true };
	o->records = o->errors = o->taken = 0;
	o->fault.kind = ERR_NONE;
}

uint64_t
outlet_bytes(const struct outlet *o)
{
	return (uint64_t)o->packed.n + o->text.n + o->lengths.n +
	    o->messages.n + o->rejects.n;
}

static int
add_piece(struct outlet *o, const struct outlet_piece *piece, struct err *e)
{
	if (o->n_pieces == o->cap_pieces) {
		size_t cap = o->cap_pieces == 0 ? 4 : 2 * o->cap_pieces;
		struct outlet_piece *p = realloc(o->pieces, cap * sizeof *p);

		if (p == NULL)
			return err_memory(e);
		o->pieces = p;
		o->cap_pieces = cap;
	}
	o->pieces[o->n_pieces++] = *piece;
	return 0;
}

/* Add a frame of the N parts, which PIECE describes. */
static int
add_frame(struct outlet *o, const struct frame_part *parts, size_t n,
    struct outlet_piece piece, struct err *e)
{
	piece.text = false;
	piece.at = o->packed.n;
	if (frame_gather(o->codec, content_level(o->rules->level, n > 1,
	    piece.plain), parts, n, &o->packed, e) < 0)
		return -1;
	piece.n = o->packed.n - piece.at;
	return add_piece(o, &piece, e);
}

/* The lines up to END of text, if there are any, become a piece. */
static int
close_run(struct outlet *o, size_t end, struct err *e)
{
	struct frame_part text = { o->text.p + o->run.at, end - o->run.at };

	if (o->run.records > 0) {
		o->run.n = o->run.plain = text.n;
		if (o->joins ? add_piece(o, &o->run, e) < 0 :
		    add_frame(o, &text, 1, o->run, e) < 0)
			return -1;
	}
	if (!o->joins) {	/* the text is in its frame now */
		o->text.n -= end;
		memmove(o->text.p, o->text.p + end, o->text.n);
		end = 0;
	}
	o->run = (struct outlet_piece){
		.text = true, .at = end, .lengths_at = o->lengths.n,
	};
	return 0;
}

int
outlet_end(struct outlet *o, struct err *e)
{
	return o->text.n == 0 ? 0 : close_run(o, o->text.n, e);
}

/* Remember how long R is. */
static int
put_lengths(struct outlet *o, const struct record *r, struct err *e)
{
	if (!o->rules->lengths)
		return 0;
	return lengths_put(&o->lengths, record_get(r, RECORD_AUDIO),
	    record_tensor(r, "chosen_input_ids"),
	    record_tensor(r, "rejected_input_ids"), e);
}

/* R is longer than a frame may be. */
static int
too_long(const struct outlet *o, uint64_t n, struct err *e)
{
	(void)err_record(e, CODE_RECORD_TOO_LONG,
	    "the record takes %llu bytes, and a frame holds %llu",
	    (unsigned long long)n, (unsigned long long)o->rules->frame_max);
	return err_hint(e, "shorten it, or raise --max-frame here and in the "
	    "programs that follow");
}

/* Add R, which has tensors, as a frame of its own. */
static int
put_image(struct outlet *o, struct record *r, struct err *e)
{
	struct outlet_piece piece = {
		.records = 1, .errors = record_has_error(r),
	};
	struct frame_part parts[RECORD_PARTS_MAX];
	size_t n = 0;

	if (outlet_end(o, e) < 0 || record_image(r, parts, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		piece.plain += parts[i].n;
	if (piece.plain > o->rules->frame_max)
		return too_long(o, piece.plain, e);
	piece.lengths_at = o->lengths.n;
	if (put_lengths(o, r, e) < 0)
		return -1;
	/* What follows begins a new run. */
	o->run.lengths_at = o->lengths.n;
	return add_frame(o, parts, n, piece, e);
}

/* Add R, which has none, as a line. */
static int
put_line(struct outlet *o, struct record *r, struct err *e)
{
	size_t from = o->text.n, n;

	if (record_put_json(r, &o->text, e) < 0 ||
	    buf_putc(&o->text, '\n', e) < 0) {
		o->text.n = from;
		return -1;
	}
	n = o->text.n - from;
	if (n > o->rules->frame_max) {
		o->text.n = from;
		return too_long(o, n, e);
	}
	if (n > o->rules->frame_max - (from - o->run.at) &&
	    close_run(o, from, e) < 0)
		return -1;
	o->run.records++;
	o->run.errors += record_has_error(r);
	return put_lengths(o, r, e);
}

/* Add R to the content, or ERR_RECORD where it is too long. */
static int
put_content(struct outlet *o, struct record *r, struct err *e)
{
	return record_tensors(r) > 0 ? put_image(o, r, e) :
	    put_line(o, r, e);
}

/* Make R a record of its error, and its place if KEEP_PLACE, alone. */
static int
strip(struct record *r, bool keep_place, struct err *e)
{
	struct jsonspan at = record_get(r, RECORD_AT);
	struct jsonspan error = record_get(r, RECORD_ERROR);
	struct buf copy = { 0 };
	int rc = -1;

	if (!keep_place || at.p == NULL)
		at = (struct jsonspan){ "", 0 };
	if (buf_put(&copy, error.p, error.n, e) < 0 ||
	    buf_put(&copy, at.p, at.n, e) < 0)
		goto out;
	error.p = copy.p;
	at.p = copy.p + error.n;
	record_clear(r);
	if (at.n > 0 && record_set(r, RECORD_AT, at.p, at.n, e) < 0)
		goto out;
	rc = record_set(r, RECORD_ERROR, error.p, error.n, e);
out:
	buf_free(&copy);
	return rc;
}

/* Add R, which has an error, to the rejects. */
static int
take_out(struct outlet *o, const struct record *r, struct err *e)
{
	o->taken++;
	if (record_put_json(r, &o->rejects, e) < 0)
		return -1;
	return buf_putc(&o->rejects, '\n', e);
}

/* Nothing with an error may be packed. */
static int
refuse(const struct record *r, struct err *e)
{
	struct jsonspan code = jsonscan_get(record_get(r, RECORD_ERROR),
	    "code");
	char quoted[ERR_QUOTE_SIZE] = "\"\"";

	if (code.p != NULL)
		(void)err_quote(quoted, sizeof quoted, code.p, code.n);
	(void)err_set(e, ERR_REJECTS, "the record carries an error, %s, and "
	    "cannot be packed", quoted);
	return err_hint(e, "-r FILE takes such records out of the stream");
}

static int
put_errored(struct outlet *o, struct record *r, struct err *e)
{
	o->errors++;
	record_drop_tensors(r);
	if (o->rules->rejects)
		return take_out(o, r, e);
	if (o->rules->packs)
		return refuse(r, e);
	/* Whatever it holds, that it was rejected must be told. */
	for (int keep_place = 1;; keep_place--) {
		if (put_content(o, r, e) == 0)
			return 0;
		if (e->kind != ERR_RECORD)
			return -1;
		if (keep_place < 0)
			break;
		if (strip(r, keep_place, e) < 0)
			return -1;
	}
	e->kind = ERR_DAMAGED;
	return err_wrap(e, "an error alone");
}

/* Tell what is wrong with R. */
static int
tell_error(struct outlet *o, const struct record *r, struct err *e)
{
	if (o->rules->quiet || !record_has_error(r))
		return 0;
	return message_record(&o->messages, o->rules->program, r,
	    record_get(r, RECORD_ERROR), false, e);
}

/* Tell what is doubtful in R that was not so before. */
static int
tell_notes(struct outlet *o, const struct record *r, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(record_get(r, RECORD_NOTES));

	if (o->rules->quiet)
		return 0;
	for (size_t i = 0; jsonwalk_next(&w); i++)
		if (i >= o->notes && message_record(&o->messages,
		    o->rules->program, r, w.value, true, e) < 0)
			return -1;
	return 0;
}

int
outlet_put(struct outlet *o, struct record *r, struct err *e)
{
	o->records++;
	if (o->rules->strict && record_note_to_error(r, o->notes, e) < 0)
		return -1;
	if (tell_notes(o, r, e) < 0 || tell_error(o, r, e) < 0)
		return -1;
	if (record_has_error(r))
		return put_errored(o, r, e);
	if (put_content(o, r, e) == 0)
		return 0;
	if (e->kind != ERR_RECORD)
		return -1;
	if (record_fail(r, o->rules->program, e, e) < 0 ||
	    tell_error(o, r, e) < 0)
		return -1;
	return put_errored(o, r, e);
}

int
outlet_pass(struct outlet *o, struct record *r, struct err *e)
{
	o->records++;
	return put_errored(o, r, e);
}

int
outlet_join(struct outlet *o, const struct outlet *from,
    const struct outlet_piece *piece, struct err *e)
{
	size_t at = o->text.n;
	size_t end = piece + 1 < from->pieces + from->n_pieces ?
	    piece[1].lengths_at : from->lengths.n;

	if (piece->n > o->rules->frame_max - (at - o->run.at)) {
		if (close_run(o, at, e) < 0)
			return -1;
	}
	o->run.records += piece->records;
	o->run.errors += piece->errors;
	if (buf_put(&o->text, from->text.p + piece->at, piece->n, e) < 0)
		return -1;
	return end == piece->lengths_at ? 0 : buf_put(&o->lengths,
	    from->lengths.p + piece->lengths_at, end - piece->lengths_at, e);
}

int
outlet_write(struct outlet *o, const struct outlet_piece *piece,
    struct stream_writer *w, struct err *e)
{
	const char *at = o->rules->lengths && piece->records > 0 ?
	    o->lengths.p + piece->lengths_at : NULL;

	buf_clear(&o->rows);
	for (uint32_t i = 0; o->rules->lengths && i < piece->records; i++) {
		struct stream_lengths row;

		at = lengths_row(at, &row);
		if (buf_put(&o->rows, &row, sizeof row, e) < 0)
			return -1;
	}
	return stream_write_data(w, o->packed.p + piece->at, piece->n,
	    piece->plain, piece->records, piece->errors,
	    o->rules->lengths ? (const void *)o->rows.p : NULL, e);
}
