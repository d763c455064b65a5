#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "jsontext.h"
#include "split.h"
#include "splitvalues.h"

/* Brackets are told apart this deep; deeper ones are only counted, since
 * such a record is refused anyway. */
#define KINDS 4096

enum step { FAULT = -1, MORE, END };

struct values {
	struct split *s;
	bool in_array;		/* of records */
	bool comma;		/* the last that stood there was one */
	uint64_t elements;
	/* Of the record under way, if there is one: */
	bool open, in_string, in_scalar, too_long;
	size_t from;		/* its start in the window, unless too long */
	struct piece piece;
	size_t depth;
	unsigned char objects[KINDS / 8];	/* a bit a level */
};

/* The text is broken at OFFSET, which is in LINE at COLUMN. */
static enum step
broken(const struct values *v, uint64_t line, uint64_t column, struct err *e,
    const char *fmt, ...) ERR_PRINTF(5, 6);

static enum step
broken(const struct values *v, uint64_t line, uint64_t column, struct err *e,
    const char *fmt, ...)
{
	char text[ERR_TEXT_MAX / 2], name[ERR_QUOTE_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)err_set(e, ERR_DAMAGED, "%s:%llu:%llu: %s",
	    err_quote(name, sizeof name, v->s->w.name,
	    strlen(v->s->w.name)), (unsigned long long)line,
	    (unsigned long long)column, text);
	(void)err_hint(e, "what follows can't be told apart into records: "
	    "mend the file there, or write JSON Lines, where a broken line "
	    "costs one record");
	return FAULT;
}

/* The text is broken at S's place. */
static enum step
broken_here(const struct values *v, struct err *e, const char *what)
{
	struct piece here;
	struct split *s = v->s;
	char c[ERR_QUOTE_SIZE];
	size_t n = 1;

	/* The whole character is to be seen; if it can't be, so be it. */
	while (s->w.n - s->at < 4 && !s->w.ended) {
		size_t keep = s->at;

		s->at = 0;
		if (window_fill(&s->w, keep, e) < 0)
			break;
	}
	while (n < 4 && s->at + n < s->w.n &&
	    ((unsigned char)s->w.p[s->at + n] & 0xc0) == 0x80)
		n++;
	split_locate(s, s->at, &here);
	return broken(v, here.line, here.column, e, "%s, found '%s'", what,
	    err_quote(c, sizeof c, s->w.p + s->at, n));
}

/* A record starts at S's place. */
static void
open_record(struct values *v)
{
	struct split *s = v->s;

	v->open = true;
	v->in_string = v->in_scalar = v->too_long = false;
	v->from = s->at;
	v->depth = 0;
	v->piece = (struct piece){ .flaw = PIECE_WHOLE };
	if (v->in_array && v->elements > 0 && !v->comma)
		v->piece.flaw = PIECE_NO_COMMA;
	split_locate(s, s->at, &v->piece);
	v->elements++;
	v->comma = false;
}

/* Take the byte C, which stands between records of an array. */
static enum step
in_array(struct values *v, char c, struct err *e)
{
	bool first = v->elements == 0;

	if (c == ']') {
		if (v->comma)
			return broken_here(v, e,
			    "expected a record after ','");
		v->in_array = false;
		v->s->at++;
	} else if (c == ',') {
		if (first || v->comma)
			return broken_here(v, e, first ?
			    "expected a record after '['" :
			    "expected a record after ','");
		v->comma = true;
		v->s->at++;
	} else if (c == '}' || c == ':') {
		return broken_here(v, e, "expected a record or ']'");
	} else {
		open_record(v);
	}
	return MORE;
}

/* Pass what stands between records: END at the end of our range. */
static enum step
between(struct values *v, struct err *e)
{
	struct split *s = v->s;

	while (s->at < s->w.n && !v->open) {
		char c = s->w.p[s->at];

		if (jsontext_is_space(c)) {
			s->at++;
			if (c == '\n')
				split_new_line(s, s->at);
			continue;
		}
		if (split_offset(s, s->at) >= s->part.to)
			return END;
		if (v->in_array) {
			if (in_array(v, c, e) == FAULT)
				return FAULT;
		} else if (c == '[') {
			v->in_array = true;
			v->comma = false;
			v->elements = 0;
			s->at++;
		} else if (c == '{') {
			open_record(v);
		} else {
			return broken_here(v, e, "expected a record, which "
			    "is an object, or an array of them");
		}
	}
	return MORE;
}

/* The record has ended before S's place: put it. */
static int
close_record(struct values *v, struct err *e)
{
	struct split *s = v->s;
	struct piece *piece = &v->piece;

	v->open = false;
	piece->total = split_offset(s, s->at) - piece->offset;
	if (v->too_long) {
		piece->p = s->head.p;
		piece->n = s->head.n;
	} else {
		piece->p = s->w.p + v->from;
		piece->n = s->at - v->from;
	}
	if (piece->total > s->max) {
		piece->flaw = PIECE_TOO_LONG;
		piece->n = piece->n < SPLIT_RAW ? piece->n : SPLIT_RAW;
	}
	return split_put(s, piece, e);
}

/* Pass a part of a string, or all that is left of it. */
static enum step
in_string(struct values *v)
{
	struct split *s = v->s;
	const char *end = s->w.p + s->w.n;

	for (;;) {
		const char *p = jsontext_plain(s->w.p + s->at, end);

		s->at = (size_t)(p - s->w.p);
		if (p == end || (*p == '\\' && end - p < 2))
			return MORE;
		s->at++;
		if (*p == '"') {
			v->in_string = false;
			return v->depth == 0 ? END : MORE;
		}
		/* What an escape is of matters to others, but for \". */
		if (*p == '\\' && (p[1] == '"' || p[1] == '\\'))
			s->at++;
		if (*p == '\n')
			split_new_line(s, s->at);
	}
}

/* An array or object of the record opens with C. */
static void
push(struct values *v, char c)
{
	unsigned bit = 1u << v->depth % 8;

	if (v->depth < KINDS) {
		unsigned char *level = &v->objects[v->depth / 8];

		*level = (unsigned char)(c == '{' ? *level | bit :
		    *level & ~bit);
	}
	v->depth++;
}

/* One closes with C; whether that is what it opened with. */
static bool
pop(struct values *v, char c)
{
	v->depth--;
	return v->depth >= KINDS ||
	    (v->objects[v->depth / 8] >> v->depth % 8 & 1) == (c == '}');
}

/* Whether C ends a number or a word. */
static bool
ends_scalar(char c)
{
	return jsontext_is_space(c) || strchr(",[]{}\"", c) != NULL;
}

/* Pass the number, or word, or whatever it is, at S's place. */
static enum step
in_scalar(struct values *v)
{
	struct split *s = v->s;

	v->in_scalar = true;
	while (s->at < s->w.n) {
		if (s->w.p[s->at] != '\0' && ends_scalar(s->w.p[s->at]))
			return END;
		s->at++;
	}
	return MORE;
}

/* Pass the record under way as far as the window holds it. */
static enum step
in_record(struct values *v, struct err *e)
{
	struct split *s = v->s;

	while (s->at < s->w.n) {
		char c = s->w.p[s->at];

		if (v->in_scalar)
			return in_scalar(v);
		if (v->in_string) {
			if (in_string(v) == END)
				return END;
			if (v->in_string)
				return MORE;
			continue;
		}
		switch (c) {
		case '"':
			v->in_string = true;
			break;
		case '{': case '[':
			push(v, c);
			break;
		case '}': case ']':
			if (!pop(v, c))
				return broken_here(v, e, c == '}' ?
				    "expected ']', which closes an array" :
				    "expected '}', which closes an object");
			s->at++;
			if (v->depth == 0)
				return END;
			continue;
		default:
			if (v->depth == 0)
				return in_scalar(v);
			break;
		}
		s->at++;
		if (c == '\n')
			split_new_line(s, s->at);
	}
	return MORE;
}

/* The input has ended: may it? */
static int
finish(struct values *v, struct err *e)
{
	struct piece here;

	if (v->open)
		return broken(v, v->piece.line, v->piece.column, e,
		    "the record that starts here does not end");
	split_locate(v->s, v->s->at, &here);
	if (v->in_array)
		return broken(v, here.line, here.column, e,
		    "expected ']', which closes the array of records, found "
		    "the end of the file");
	return 0;
}

/* More of the file, and of the record under way no more than is needed. */
static int
fill(struct values *v, struct err *e)
{
	struct split *s = v->s;
	size_t keep = s->at;

	if (v->open && !v->too_long && s->at - v->from > split_held(s)) {
		if (split_keep_head(s, s->w.p + v->from, s->at - v->from,
		    e) < 0)
			return -1;
		v->too_long = true;
	}
	if (v->open && !v->too_long)
		keep = v->from;
	if (window_fill(&s->w, keep, e) < 0)
		return -1;
	s->at -= keep;
	v->from = 0;
	return 0;
}

int
splitvalues_run(struct split *s, struct err *e)
{
	struct values v = { .s = s };

	for (;;) {
		enum step step = v.open ? in_record(&v, e) : between(&v, e);

		if (step == FAULT)
			return -1;
		if (step == END && !v.open)
			return 0;
		if (step == END) {
			if (close_record(&v, e) < 0)
				return -1;
		} else if (!v.open || s->at == s->w.n || v.in_string) {
			/* A backslash may be left at the window's end. */
			if (s->w.ended)
				return finish(&v, e);
			if (fill(&v, e) < 0)
				return -1;
		}
	}
}
