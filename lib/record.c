#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "record.h"
#include "tensors.h"

/* A field that we don't know: it is passed on as it is. */
struct member {
	struct jsonspan key, value;
};

struct record {
	struct buf json;	/* the text that was parsed */
	struct jsonspan field[RECORD_FIELDS];	/* in json, or in own */
	struct buf own[RECORD_FIELDS];	/* what record_set was given */
	struct buf spare;
	struct buf header;	/* of the image */
	struct member *unknown;
	size_t n_unknown, cap_unknown;
	struct tensors tensors;
};

/* In the order in which they are written. */
static const struct {
	const char *name;
	enum json_type type;	/* JSON_NONE: any */
} fields[RECORD_FIELDS] = {
	[RECORD_AT] = { "at", JSON_OBJECT },
	[RECORD_RAW] = { "raw", JSON_STRING },
	[RECORD_RAW_BASE64] = { "raw_base64", JSON_STRING },
	[RECORD_DATA] = { "data", JSON_NONE },
	[RECORD_SYSTEM] = { "system", JSON_STRING },
	[RECORD_TOOLS] = { "tools", JSON_STRING },
	[RECORD_MESSAGES] = { "messages", JSON_ARRAY },
	[RECORD_CHOSEN] = { "chosen", JSON_OBJECT },
	[RECORD_REJECTED] = { "rejected", JSON_OBJECT },
	[RECORD_AUDIOS] = { "audios", JSON_ARRAY },
	[RECORD_AUDIO] = { "audio", JSON_ARRAY },
	[RECORD_EXTRA] = { "extra", JSON_OBJECT },
	[RECORD_NOTES] = { "notes", JSON_ARRAY },
	[RECORD_ERROR] = { "error", JSON_OBJECT },
};

struct record *
record_new(struct err *e)
{
	struct record *r = calloc(1, sizeof *r);

	if (r == NULL)
		(void)err_memory(e);
	return r;
}

void
record_free(struct record *r)
{
	if (r == NULL)
		return;
	buf_free(&r->json);
	buf_free(&r->spare);
	buf_free(&r->header);
	for (size_t i = 0; i < RECORD_FIELDS; i++)
		buf_free(&r->own[i]);
	free(r->unknown);
	tensors_free(&r->tensors);
	free(r);
}

void
record_clear(struct record *r)
{
	buf_clear(&r->json);
	memset(r->field, 0, sizeof r->field);
	r->n_unknown = 0;
	tensors_clear(&r->tensors);
}

/*
 * The field whose name is KEY, a JSON string; RECORD_FIELDS where we know
 * none.  GUESS is tried first: fields mostly come in order.
 */
static size_t
find_field(struct jsonspan key, size_t guess)
{
	bool escaped = memchr(key.p, '\\', key.n) != NULL;

	for (size_t i = 0; i < RECORD_FIELDS; i++) {
		size_t f = (guess + i) % RECORD_FIELDS;
		size_t n = strlen(fields[f].name);

		if (escaped ? jsonscan_is(key, fields[f].name) :
		    key.n == n + 2 &&
		    memcmp(key.p + 1, fields[f].name, n) == 0)
			return f;
	}
	return RECORD_FIELDS;
}

/* Keep a member that we don't know. */
static int
keep_unknown(struct record *r, struct jsonspan key, struct jsonspan value,
    struct err *e)
{
	if (r->n_unknown == r->cap_unknown) {
		size_t cap = r->cap_unknown == 0 ? 8 : 2 * r->cap_unknown;
		struct member *m = realloc(r->unknown, cap * sizeof *m);

		if (m == NULL)
			return err_memory(e);
		r->unknown = m;
		r->cap_unknown = cap;
	}
	r->unknown[r->n_unknown++] = (struct member){ key, value };
	return 0;
}

/* Find the fields of the object that r->json holds. */
static int
find_fields(struct record *r, struct err *e)
{
	struct jsonscan_fault fault = { 0 };
	struct jsonspan v;
	struct jsonwalk w;
	size_t guess = 0;

	if (jsonscan_check_record(r->json.p, r->json.n, &fault, e) < 0) {
		if (e->kind != ERR_RECORD)
			return -1;
		e->kind = ERR_DAMAGED;
		e->code = CODE_NONE;
		return err_wrap(e, "a record's byte %zu", fault.at);
	}
	v = jsonscan_value(r->json.p, r->json.n);
	if (jsonscan_type(v) != JSON_OBJECT)
		return err_set(e, ERR_DAMAGED, "a record is %s, not an object",
		    jsonscan_type_name(jsonscan_type(v)));
	w = jsonwalk_start(v);
	while (jsonwalk_next(&w)) {
		size_t f = find_field(w.key, guess);
		enum json_type t = jsonscan_type(w.value);

		if (f == RECORD_FIELDS) {
			if (keep_unknown(r, w.key, w.value, e) < 0)
				return -1;
			continue;
		}
		if (fields[f].type != JSON_NONE && fields[f].type != t)
			return err_set(e, ERR_DAMAGED,
			    "a record's %s is %s, not %s", fields[f].name,
			    jsonscan_type_name(t),
			    jsonscan_type_name(fields[f].type));
		r->field[f] = w.value;
		guess = f + 1;
	}
	return 0;
}

int
record_parse(struct record *r, const char *p, size_t n, struct err *e)
{
	record_clear(r);
	if (buf_put(&r->json, p, n, e) < 0 || find_fields(r, e) < 0) {
		record_clear(r);
		return -1;
	}
	return 0;
}

int
record_parse_image(struct record *r, const void *p, size_t n, struct err *e)
{
	record_clear(r);
	if (safetensors_read(p, n, r->tensors.t, TENSORS_MAX, &r->tensors.n,
	    &r->json, e) < 0 || find_fields(r, e) < 0) {
		record_clear(r);
		return -1;
	}
	return 0;
}

struct jsonspan
record_get(const struct record *r, enum record_field f)
{
	return r->field[f];
}

int
record_set(struct record *r, enum record_field f, const char *p, size_t n,
    struct err *e)
{
	struct buf old = r->own[f];

	/* P may point into the field itself. */
	buf_clear(&r->spare);
	if (buf_put(&r->spare, p, n, e) < 0)
		return -1;
	r->own[f] = r->spare;
	r->spare = old;
	r->field[f] = (struct jsonspan){ r->own[f].p, n };
	return 0;
}

void
record_drop(struct record *r, enum record_field f)
{
	r->field[f] = (struct jsonspan){ 0 };
}

bool
record_has_error(const struct record *r)
{
	return r->field[RECORD_ERROR].p != NULL;
}

/*
 * Append S as a JSON string.  A text may have been cut inside a character,
 * and holds what came from the data: what is not UTF-8 becomes "?".
 */
static int
put_text(struct buf *b, const char *s, struct err *e)
{
	size_t from = b->n;
	struct jsonscan_fault fault = { 0 };
	struct err bad;		/* not E: S may be E's own text */

	if (buf_put_json(b, s, strlen(s), e) < 0)
		return -1;
	while (jsonscan_check(b->p + from, b->n - from, &fault, &bad) < 0) {
		if (bad.kind != ERR_RECORD)
			return err_memory(e);
		b->p[from + fault.at] = '?';
	}
	return 0;
}

/* Append {"stage":...,"code":...,"message":...,"hint":...} to B. */
static int
put_fault(struct buf *b, const char *stage, enum code code,
    const char *message, const char *hint, struct err *e)
{
	if (buf_puts(b, "{\"stage\":", e) < 0 || put_text(b, stage, e) < 0 ||
	    buf_puts(b, ",\"code\":", e) < 0 ||
	    put_text(b, code_row(code)->name, e) < 0 ||
	    buf_puts(b, ",\"message\":", e) < 0 ||
	    put_text(b, message, e) < 0)
		return -1;
	if (hint != NULL && hint[0] != '\0' &&
	    (buf_puts(b, ",\"hint\":", e) < 0 || put_text(b, hint, e) < 0))
		return -1;
	return buf_putc(b, '}', e);
}

/* Make r->spare the value of F. */
static void
take_spare(struct record *r, enum record_field f)
{
	struct buf old = r->own[f];

	r->own[f] = r->spare;
	r->spare = old;
	r->field[f] = (struct jsonspan){ r->own[f].p, r->own[f].n };
}

int
record_fail(struct record *r, const char *stage, const struct err *fault,
    struct err *e)
{
	if (record_has_error(r))
		return 0;
	buf_clear(&r->spare);
	if (put_fault(&r->spare, stage, fault->code, fault->text, fault->hint,
	    e) < 0)
		return -1;
	take_spare(r, RECORD_ERROR);
	tensors_clear(&r->tensors);
	return 0;
}

int
record_note(struct record *r, const char *stage, enum code code,
    const char *message, const char *hint, struct err *e)
{
	struct jsonspan notes = r->field[RECORD_NOTES];
	struct buf *b = &r->spare;

	buf_clear(b);
	if (jsonscan_count(notes) == 0) {
		if (buf_putc(b, '[', e) < 0)
			return -1;
	} else if (buf_put(b, notes.p, notes.n - 1, e) < 0 ||
	    buf_putc(b, ',', e) < 0) {
		return -1;
	}
	if (put_fault(b, stage, code, message, hint, e) < 0 ||
	    buf_putc(b, ']', e) < 0)
		return -1;
	take_spare(r, RECORD_NOTES);
	return 0;
}

int
record_note_to_error(struct record *r, size_t index, struct err *e)
{
	struct jsonspan notes = r->field[RECORD_NOTES];
	struct jsonspan note = jsonscan_at(notes, index);
	struct jsonwalk w = jsonwalk_start(notes);
	struct buf *b = &r->spare;

	if (note.p == NULL || record_has_error(r))
		return 0;
	if (record_set(r, RECORD_ERROR, note.p, note.n, e) < 0)
		return -1;
	tensors_clear(&r->tensors);
	buf_clear(b);
	if (buf_putc(b, '[', e) < 0)
		return -1;
	for (size_t i = 0; jsonwalk_next(&w); i++)
		if (i != index && ((b->n > 1 && buf_putc(b, ',', e) < 0) ||
		    buf_put(b, w.value.p, w.value.n, e) < 0))
			return -1;
	if (buf_putc(b, ']', e) < 0)
		return -1;
	take_spare(r, RECORD_NOTES);
	if (r->field[RECORD_NOTES].n == 2)
		record_drop(r, RECORD_NOTES);
	return 0;
}

void *
record_put_tensor(struct record *r, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, struct err *e)
{
	return tensors_put(&r->tensors, name, dtype, rank, d0, d1, e);
}

int
record_lend_tensor(struct record *r, const char *name, enum dtype dtype,
    unsigned rank, uint64_t d0, uint64_t d1, const void *data, struct err *e)
{
	return tensors_lend(&r->tensors, name, dtype, rank, d0, d1, data, e);
}

const struct tensor *
record_tensor(const struct record *r, const char *name)
{
	return tensors_find(&r->tensors, name);
}

void
record_drop_tensor(struct record *r, const char *name)
{
	tensors_drop(&r->tensors, name);
}

void
record_drop_tensors(struct record *r)
{
	tensors_clear(&r->tensors);
}

size_t
record_tensors(const struct record *r)
{
	return r->tensors.n;
}

/* Append a member to the object that began at FROM in OUT. */
static int
put_member(struct buf *out, size_t from, const char *key, size_t n_key,
    struct jsonspan value, struct err *e)
{
	if (buf_reserve(out, n_key + value.n + 4, e) < 0)
		return -1;
	out->p[out->n] = out->n == from ? '{' : ',';
	memcpy(out->p + out->n + 1, key, n_key);
	out->p[out->n + 1 + n_key] = ':';
	memcpy(out->p + out->n + 2 + n_key, value.p, value.n);
	out->n += n_key + value.n + 2;
	return 0;
}

int
record_put_json(const struct record *r, struct buf *out, struct err *e)
{
	size_t from = out->n;
	char key[SAFETENSORS_NAME_MAX];

	for (size_t f = 0; f < RECORD_FIELDS; f++) {
		size_t n = strlen(fields[f].name);

		if (r->field[f].p == NULL)
			continue;
		key[0] = key[n + 1] = '"';
		memcpy(key + 1, fields[f].name, n);
		if (put_member(out, from, key, n + 2, r->field[f], e) < 0)
			goto undo;
	}
	for (size_t i = 0; i < r->n_unknown; i++)
		if (put_member(out, from, r->unknown[i].key.p,
		    r->unknown[i].key.n, r->unknown[i].value, e) < 0)
			goto undo;
	if ((out->n == from && buf_putc(out, '{', e) < 0) ||
	    buf_putc(out, '}', e) < 0)
		goto undo;
	return 0;
undo:
	out->n = from;
	return -1;
}

int
record_image(struct record *r, struct frame_part parts[RECORD_PARTS_MAX],
    size_t *n, struct err *e)
{
	const struct tensors *t = &r->tensors;

	buf_clear(&r->spare);
	buf_clear(&r->header);
	if (record_put_json(r, &r->spare, e) < 0 ||
	    safetensors_write_header(r->tensors.t, t->n, r->spare.p,
	    r->spare.n, &r->header, e) < 0)
		return -1;
	parts[0] = (struct frame_part){ r->header.p, r->header.n };
	for (size_t i = 0; i < t->n; i++)
		parts[1 + i] = (struct frame_part){ t->t[i].data,
		    t->t[i].n_bytes };
	*n = 1 + t->n;
	return 0;
}
