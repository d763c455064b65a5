#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "buf.h"
#include "intake.h"
#include "jsontext.h"
#include "piece.h"
#include "record.h"

#define RAW_MAX ((size_t)64 << 10)

struct intake {
	const char *stage;
	struct buf at, text, raw;
	char *name;		/* of the file that AT begins with */
	size_t n_at;		/* {"file":...,"offset": of it */
};

struct intake *
intake_new(const char *stage, struct err *e)
{
	struct intake *in = calloc(1, sizeof *in);

	if (in == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	in->stage = stage;
	return in;
}

void
intake_free(struct intake *in)
{
	if (in == NULL)
		return;
	buf_free(&in->at);
	buf_free(&in->text);
	buf_free(&in->raw);
	free(in->name);
	free(in);
}

/*
 * Append the file name S as a JSON string.  A name need not be UTF-8: bytes
 * that are not become U+FFFD, as nothing in JSON could be them.
 */
static int
put_name(struct buf *b, const char *s, struct buf *spare, struct err *e)
{
	size_t n = strlen(s), good;

	buf_clear(spare);
	while ((good = jsontext_utf8(s, n)) < n) {
		if (buf_put(spare, s, good, e) < 0 ||
		    buf_puts(spare, "\xef\xbf\xbd", e) < 0)
			return -1;
		s += good + 1;
		n -= good + 1;
	}
	return buf_put(spare, s, n, e) < 0 ? -1 :
	    buf_put_json(b, spare->p, spare->n, e);
}

/* Make the start of AT that of NAME. */
static int
begin_at(struct intake *in, const char *name, struct err *e)
{
	size_t size = strlen(name) + 1;

	if (in->name != NULL && strcmp(in->name, name) == 0)
		return 0;
	free(in->name);
	in->name = malloc(size);
	if (in->name == NULL)
		return err_memory(e);
	memcpy(in->name, name, size);
	buf_clear(&in->at);
	if (buf_puts(&in->at, "{\"file\":", e) < 0 ||
	    put_name(&in->at, name, &in->text, e) < 0 ||
	    buf_puts(&in->at, ",\"offset\":", e) < 0)
		return -1;
	in->n_at = in->at.n;
	return 0;
}

/* Append V in decimal. */
static int
put_number(struct buf *b, uint64_t v, struct err *e)
{
	char digits[20];
	size_t n = 0;

	do
		digits[sizeof digits - ++n] = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	return buf_put(b, digits + sizeof digits - n, n, e);
}

/* Set R's at. */
static int
set_at(struct intake *in, const char *name, const struct piece *piece,
    struct record *r, struct err *e)
{
	if (begin_at(in, name, e) < 0)
		return -1;
	in->at.n = in->n_at;
	if (put_number(&in->at, piece->offset, e) < 0)
		return -1;
	if (piece->line > 0 && (buf_puts(&in->at, ",\"line\":", e) < 0 ||
	    put_number(&in->at, piece->line, e) < 0))
		return -1;
	return buf_putc(&in->at, '}', e) < 0 ? -1 :
	    record_set(r, RECORD_AT, in->at.p, in->at.n, e);
}

/* Set R's raw, or raw_base64, to the first of the N bytes at P. */
static int
set_raw(struct intake *in, const char *p, size_t n, struct record *r,
    struct err *e)
{
	size_t max = n < RAW_MAX ? n : RAW_MAX;
	size_t good = jsontext_utf8(p, max);

	buf_clear(&in->raw);
	/* A character may have been cut in two. */
	if (good == max || (n > good && max - good < 4 && max == RAW_MAX)) {
		if (buf_put_json(&in->raw, p, good, e) < 0)
			return -1;
		return record_set(r, RECORD_RAW, in->raw.p, in->raw.n, e);
	}
	if (buf_putc(&in->raw, '"', e) < 0 ||
	    base64_encode(p, max, &in->raw, e) < 0 ||
	    buf_putc(&in->raw, '"', e) < 0)
		return -1;
	return record_set(r, RECORD_RAW_BASE64, in->raw.p, in->raw.n, e);
}

/* Write before the text of E where byte AT of the text at P is, which starts
 * in LINE and COLUMN (bytes from 1).  The line of the record is known to
 * whom is told. */
static void
say_where(const char *p, size_t at, uint64_t line, uint64_t column,
    struct err *e)
{
	uint64_t l = line;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (p[i] == '\n') {
			l++;
			column = 1;
		}
	}
	if (l == line)
		(void)err_wrap(e, "column %llu", (unsigned long long)column);
	else
		(void)err_wrap(e, "line %llu, column %llu",
		    (unsigned long long)l, (unsigned long long)column);
}

/* R, with raw of the N bytes at P, fails with FAULT. */
static int
refuse(struct intake *in, const char *p, size_t n, const struct err *fault,
    struct record *r, struct err *e)
{
	return set_raw(in, p, n, r, e) < 0 ? -1 :
	    record_fail(r, in->stage, fault, e);
}

/* Set R's data to V, which has passed the checks. */
static int
set_data(struct intake *in, struct jsonspan v, struct record *r,
    struct err *e)
{
	enum json_type t = jsonscan_type(v);
	struct err fault = { 0 };

	buf_clear(&in->text);
	if (jsonscan_minify(v, &in->text, e) < 0 ||
	    record_set(r, RECORD_DATA, in->text.p, in->text.n, e) < 0)
		return -1;
	if (t == JSON_OBJECT)
		return 0;
	(void)err_record(&fault, CODE_WRONG_TYPE,
	    "a record is an object, this is %s", jsonscan_type_name(t));
	(void)err_hint(&fault, "write each record as {\"name\": value, ...}");
	return record_fail(r, in->stage, &fault, e);
}

/* The text of R's raw or raw_base64, in in->raw; false if it has neither. */
static int
get_raw(struct intake *in, const struct record *r, bool *has, struct err *e)
{
	struct jsonspan raw = record_get(r, RECORD_RAW), text;

	buf_clear(&in->raw);
	*has = true;
	if (raw.p != NULL)
		return jsonscan_string(raw, &in->raw, e);
	raw = record_get(r, RECORD_RAW_BASE64);
	*has = raw.p != NULL;
	if (!*has)
		return 0;
	buf_clear(&in->text);
	if (jsonscan_text(raw, &in->text, &text, e) < 0)
		return -1;
	return base64_decode(text.p, text.n, &in->raw, e);
}

/* Whether V, an object, is a line of a rejects file. */
static bool
is_reject(struct jsonspan v)
{
	struct jsonwalk w = jsonwalk_start(v);
	const char *p = w.p;
	int64_t offset;

	while (p != NULL && p < w.end && jsontext_is_space(*p))
		p++;
	/* First the key alone: most records go no further. */
	return p != NULL && w.end - p > 4 && memcmp(p, "\"at\"", 4) == 0 &&
	    jsonwalk_next(&w) &&
	    jsonscan_type(jsonscan_get(w.value, "file")) == JSON_STRING &&
	    jsonscan_int(jsonscan_get(w.value, "offset"), 0, INT64_MAX,
	    &offset) &&
	    jsonscan_type(jsonscan_get(v, "error")) == JSON_OBJECT;
}

/*
 * Check the N bytes at P, and tell in *AGAIN whether they are a reject.  It
 * may be deeper than other text is, by as much as a record puts around it.
 */
static int
check_text(const char *p, size_t n, bool *again, struct jsonscan_fault *where,
    struct err *fault)
{
	struct err deeper = { 0 };

	*again = false;
	if (jsonscan_check(p, n, where, fault) == 0) {
		*again = is_reject(jsonscan_value(p, n));
		return 0;
	}
	if (fault->kind != ERR_RECORD || where->code != CODE_TOO_DEEP)
		return -1;
	if (jsonscan_check_record(p, n, NULL, &deeper) == 0)
		*again = is_reject(jsonscan_value(p, n));
	else if (deeper.kind != ERR_RECORD)
		*fault = deeper;
	return *again ? 0 : -1;
}

/* Make of R's raw, whose text is in in->raw, its data.  *AGAIN: it is a
 * reject, which was broken by who mended it, and R is that one now. */
static int
take_raw(struct intake *in, struct record *r, bool *again, struct err *e)
{
	struct jsonscan_fault where = { CODE_NONE, 0 };
	struct err fault = { 0 };
	struct jsonspan v;

	if (check_text(in->raw.p, in->raw.n, again, &where, &fault) < 0) {
		if (fault.kind != ERR_RECORD) {
			*e = fault;
			return -1;
		}
		/* What was raw stays so, and as it is. */
		say_where(in->raw.p, where.at, 1, 1, &fault);
		(void)err_wrap(&fault, "raw");
		return record_fail(r, in->stage, &fault, e);
	}
	v = jsonscan_value(in->raw.p, in->raw.n);
	if (*again)
		return record_parse(r, v.p, v.n, e);
	record_drop(r, RECORD_RAW);
	record_drop(r, RECORD_RAW_BASE64);
	return set_data(in, v, r, e);
}

/* R is a reject: make it what it was before its error. */
static int
take_again(struct intake *in, struct record *r, struct err *e)
{
	struct err fault = { 0 };
	bool again = true, has;

	/* A raw is shorter than the record it is in, so this ends. */
	while (again) {
		record_drop(r, RECORD_ERROR);
		record_drop(r, RECORD_NOTES);
		record_drop(r, RECORD_AUDIO);
		if (record_get(r, RECORD_DATA).p != NULL) {
			record_drop(r, RECORD_RAW);
			record_drop(r, RECORD_RAW_BASE64);
			return set_data(in, record_get(r, RECORD_DATA), r, e);
		}
		if (get_raw(in, r, &has, &fault) < 0) {
			if (fault.kind == ERR_RECORD) {
				(void)err_wrap(&fault, "raw_base64");
				return record_fail(r, in->stage, &fault, e);
			}
			*e = fault;
			return -1;
		}
		if (!has)
			return 0;
		if (take_raw(in, r, &again, e) < 0)
			return -1;
	}
	return 0;
}

/* The record of the JSON that PIECE is, or should be. */
static int
take_json(struct intake *in, const char *name, const struct piece *piece,
    struct record *r, struct err *e)
{
	struct jsonscan_fault where = { CODE_NONE, 0 };
	struct err fault = { 0 };
	struct jsonspan v = jsonscan_value(piece->p, piece->n);
	bool again;

	if (check_text(piece->p, piece->n, &again, &where, &fault) < 0) {
		if (fault.kind != ERR_RECORD) {
			*e = fault;
			return -1;
		}
		say_where(piece->p, where.at, piece->line, piece->column,
		    &fault);
	} else if (piece->flaw == PIECE_NO_COMMA) {
		(void)err_record(&fault, CODE_BAD_JSON,
		    "no ',' between this record and the one before it");
		(void)err_hint(&fault, "put a comma there");
	} else if (again && record_parse(r, v.p, v.n, &fault) == 0) {
		return take_again(in, r, e);
	} else {
		record_clear(r);
		return set_at(in, name, piece, r, e) < 0 ? -1 :
		    set_data(in, v, r, e);
	}
	record_clear(r);
	return set_at(in, name, piece, r, e) < 0 ? -1 :
	    refuse(in, piece->p, piece->n, &fault, r, e);
}

/* The record of the path that PIECE is; of a reject, where it is one. */
static int
take_path(struct intake *in, const char *name, const struct piece *piece,
    struct record *r, struct err *e)
{
	struct err fault = { 0 };
	struct jsonscan_fault where = { CODE_NONE, 0 };
	size_t good = jsontext_utf8(piece->p, piece->n);
	bool again;

	if (piece->n > 6 && memcmp(piece->p, "{\"at\":", 6) == 0 &&
	    check_text(piece->p, piece->n, &again, &where, &fault) == 0 &&
	    again)
		return take_json(in, name, piece, r, e);
	record_clear(r);
	if (set_at(in, name, piece, r, e) < 0)
		return -1;
	if (good < piece->n) {
		(void)err_record(&fault, CODE_BAD_UTF8,
		    "column %zu: the path is not UTF-8", good + 1);
		(void)err_hint(&fault, "rename the file");
		return refuse(in, piece->p, piece->n, &fault, r, e);
	}
	buf_clear(&in->text);
	if (buf_putc(&in->text, '[', e) < 0 ||
	    buf_put_json(&in->text, piece->p, piece->n, e) < 0 ||
	    buf_putc(&in->text, ']', e) < 0)
		return -1;
	return record_set(r, RECORD_AUDIOS, in->text.p, in->text.n, e);
}

int
intake_record(struct intake *in, const char *name, const struct piece *piece,
    bool paths, struct record *r, struct err *e)
{
	struct err fault = { 0 };

	if (piece->flaw != PIECE_TOO_LONG)
		return paths ? take_path(in, name, piece, r, e) :
		    take_json(in, name, piece, r, e);
	record_clear(r);
	if (set_at(in, name, piece, r, e) < 0)
		return -1;
	(void)err_record(&fault, CODE_RECORD_TOO_LONG,
	    "the record has %llu bytes, more than --max-record allows",
	    (unsigned long long)piece->total);
	(void)err_hint(&fault, "--max-record %llu would take it",
	    (unsigned long long)piece->total);
	return refuse(in, piece->p, piece->n, &fault, r, e);
}
