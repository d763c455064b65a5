#include <stdio.h>
#include <string.h>

#include "jsoncheck.h"
#include "jsonkeys.h"
#include "jsontext.h"

/* What the checker expects next; FAULT and DONE end it. */
enum want { FAULT = -1, DONE, VALUE, KEY, NEXT };

#define ARRAY SIZE_MAX	/* in scan.from, of a level that is no object */

struct scan {
	const char *start, *p, *end;
	bool python;		/* NaN, Infinity, and a key twice, pass */
	char before;		/* the punctuation last passed, or NUL */
	size_t depth, deepest;
	size_t from[JSONCHECK_DEPTH_MAX];	/* where a level's keys start */
	struct jsonkeys keys;
	enum code code;		/* of the fault, and where it is */
	size_t at;
	struct err *e;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    is_digit(c) || c == '_';
}

/* Note a fault of CODE at AT.  The text is written by the caller. */
static enum want
mark(struct scan *s, enum code code, const char *at)
{
	s->code = code;
	s->at = (size_t)(at - s->start);
	return FAULT;
}

/* What stands at AT, for a message: a word, a character, or the end. */
static const char *
found(const struct scan *s, const char *at, char out[64])
{
	char quoted[ERR_QUOTE_SIZE];
	size_t n = 0;

	if (at >= s->end)
		return "the end of the text";
	if (*at == '-')
		n++;
	while (n < 16 && at + n < s->end && is_word(at[n]))
		n++;
	if (n == 0) {
		n = 1;
		while (n < 4 && at + n < s->end &&
		    ((unsigned char)at[n] & 0xc0) == 0x80)
			n++;
	}
	(void)snprintf(out, 64, "'%s'",
	    err_quote(quoted, sizeof quoted, at, n));
	return out;
}

/* Whether WORD stands at AT. */
static bool
stands(const struct scan *s, const char *at, const char *word)
{
	size_t n = strlen(word);

	return (size_t)(s->end - at) >= n && memcmp(at, word, n) == 0;
}

/* Where what stands at AT is a habit of other notations, say what to do. */
static void
hint_at(struct scan *s, const char *at)
{
	if (stands(s, at, "NaN") || stands(s, at, "nan") ||
	    stands(s, at, "Infinity") || stands(s, at, "-Infinity"))
		(void)err_hint(s->e,
		    "JSON has no NaN and no infinity: write null instead");
	else if (stands(s, at, "True") || stands(s, at, "False") ||
	    stands(s, at, "None") || stands(s, at, "'"))
		(void)err_hint(s->e, "this is Python's notation, not JSON: "
		    "write the record with json.dumps");
	else if (stands(s, at, "//") || stands(s, at, "/*") ||
	    stands(s, at, "#"))
		(void)err_hint(s->e, "JSON has no comments: take it out");
	else if (stands(s, at, "\xef\xbb\xbf"))
		(void)err_hint(s->e, "a byte order mark stands here: "
		    "take it out");
	else if (s->before == ',' && at < s->end && (*at == ']' || *at == '}'))
		(void)err_hint(s->e, "take out the comma before it");
}

/* bad-json at AT: WHAT was expected there. */
static enum want
expected(struct scan *s, const char *at, const char *what)
{
	char out[64], after[16] = "";

	if (s->before != '\0')
		(void)snprintf(after, sizeof after, " after '%c'", s->before);
	(void)err_record(s->e, CODE_BAD_JSON, "expected %s%s, found %s", what,
	    after, found(s, at, out));
	hint_at(s, at);
	return mark(s, CODE_BAD_JSON, at);
}

static void
skip_space(struct scan *s)
{
	while (s->p < s->end && jsontext_is_space(*s->p))
		s->p++;
}

/* Pass the \uXXXX at P, or the pair of them; NULL with a fault. */
static const char *
pass_unicode(struct scan *s, const char *p)
{
	int v = jsontext_unit(p, s->end), low;

	if (v < 0) {
		(void)err_record(s->e, CODE_BAD_JSON,
		    "expected four hex digits after \\u");
		(void)err_hint(s->e,
		    "write a backslash that is meant as one as \\\\");
		(void)mark(s, CODE_BAD_JSON, p);
		return NULL;
	}
	if (v < 0xd800 || v > 0xdfff)
		return p + 6;
	low = v < 0xdc00 ? jsontext_unit(p + 6, s->end) : -1;
	if (low >= 0xdc00 && low <= 0xdfff)
		return p + 12;
	(void)err_record(s->e, CODE_BAD_UTF8,
	    "\\u%04x is half of a surrogate pair, without the other half", v);
	(void)err_hint(s->e, "half a pair is no character: take it out");
	(void)mark(s, CODE_BAD_UTF8, p);
	return NULL;
}

/* Pass the escape at P, which is no simple one; NULL with a fault. */
static const char *
pass_escape(struct scan *s, const char *p)
{
	char out[64];

	if (s->end - p >= 2 && p[1] == 'u')
		return pass_unicode(s, p);
	(void)err_record(s->e, CODE_BAD_JSON,
	    "expected an escape (one of \"\\/bfnrtu) after '\\', found %s",
	    found(s, p + 1, out));
	(void)err_hint(s->e, "write a backslash that is meant as one as \\\\");
	(void)mark(s, CODE_BAD_JSON, p);
	return NULL;
}

/* A control character stands in a string at P. */
static const char *
control_in_string(struct scan *s, const char *p)
{
	bool line = *p == '\n' || *p == '\r';

	(void)err_record(s->e, CODE_BAD_JSON, line ? "a line ends inside a "
	    "string" : *p == '\t' ? "a tab inside a string" :
	    "control character \\x%02x inside a string", (unsigned)*p);
	if (line || *p == '\t')
		(void)err_hint(s->e, line ? "write a line break in a string "
		    "as \\n, or close the string" : "write a tab as \\t");
	else
		(void)err_hint(s->e, "write it as \\u%04x, or take it out",
		    (unsigned)*p);
	(void)mark(s, CODE_BAD_JSON, p);
	return NULL;
}

/* Pass the string at s->p, a quote.  NULL with a fault; else the byte behind
 * its last. */
static const char *
pass_string(struct scan *s, bool *escaped)
{
	const char *p = s->p + 1;

	*escaped = false;
	for (;;) {
		p = jsontext_simple(p, s->end, escaped);
		if (p == s->end) {
			(void)err_record(s->e, CODE_BAD_JSON,
			    "a string that does not end");
			(void)mark(s, CODE_BAD_JSON, s->p);
			return NULL;
		}
		if (*p == '"')
			return p + 1;
		if (*p != '\\')
			return control_in_string(s, p);
		*escaped = true;
		p = pass_escape(s, p);
		if (p == NULL)
			return NULL;
	}
}

/* Pass digits, at least one. */
static bool
pass_digits(struct scan *s)
{
	const char *from = s->p;

	while (s->p < s->end && is_digit(*s->p))
		s->p++;
	return s->p > from;
}

/* bad-json in the number that starts at FROM. */
static enum want
bad_number(struct scan *s, const char *from, const char *what)
{
	char quoted[ERR_QUOTE_SIZE];
	size_t n = 0, left = (size_t)(s->end - from);

	while (n < left && n < 40 && (is_word(from[n]) ||
	    (from[n] != '\0' && strchr("+-.", from[n]) != NULL)))
		n++;
	(void)err_record(s->e, CODE_BAD_JSON, "'%s' is no number: %s",
	    err_quote(quoted, sizeof quoted, from, n), what);
	return mark(s, CODE_BAD_JSON, s->p);
}

static enum want
pass_number(struct scan *s)
{
	const char *from = s->p;

	if (*s->p == '-')
		s->p++;
	if (s->p < s->end && *s->p == '0')
		s->p++;
	else if (!pass_digits(s))
		return bad_number(s, from, "a digit must follow '-'");
	if (s->p < s->end && is_digit(*s->p))
		return bad_number(s, from, "it has a leading zero");
	if (s->p < s->end && *s->p == '.') {
		s->p++;
		if (!pass_digits(s))
			return bad_number(s, from, "a digit must follow '.'");
	}
	if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
		s->p++;
		if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
			s->p++;
		if (!pass_digits(s))
			return bad_number(s, from,
			    "a digit must follow the exponent's sign");
	}
	return NEXT;
}

/* Pass the WORD that stands at s->p, unless it is only part of a longer. */
static enum want
pass_word(struct scan *s, const char *word)
{
	const char *behind = s->p + strlen(word);

	if (!stands(s, s->p, word) || (behind < s->end && is_word(*behind)))
		return expected(s, s->p, "a value");
	s->p = behind;
	return NEXT;
}

/* Open the array or object at s->p. */
static enum want
open_level(struct scan *s)
{
	bool object = *s->p == '{';

	if (s->depth == s->deepest) {
		(void)err_record(s->e, CODE_TOO_DEEP,
		    "arrays and objects nested more than %zu deep",
		    s->deepest);
		(void)err_hint(s->e, "flatten the value");
		return mark(s, CODE_TOO_DEEP, s->p);
	}
	s->from[s->depth++] = object ? s->keys.n : ARRAY;
	s->before = *s->p++;
	skip_space(s);
	if (s->p < s->end && *s->p == (object ? '}' : ']'))
		return NEXT;
	return object ? KEY : VALUE;
}

static enum want
pass_value(struct scan *s)
{
	bool escaped;

	if (s->p == s->end)
		return expected(s, s->p, "a value");
	switch (*s->p) {
	case '{': case '[':
		return open_level(s);
	case '"': {
		const char *behind = pass_string(s, &escaped);

		if (behind == NULL)
			return FAULT;
		s->p = behind;
		return NEXT;
	}
	case 't':
		return pass_word(s, "true");
	case 'f':
		return pass_word(s, "false");
	case 'n':
		return pass_word(s, "null");
	case 'N':
		return pass_word(s, s->python ? "NaN" : "null");
	case 'I':
		return pass_word(s, s->python ? "Infinity" : "null");
	case '-':
		if (s->end - s->p > 1 && s->p[1] == 'I')
			return pass_word(s, s->python ? "-Infinity" : "null");
		return pass_number(s);
	default:
		return is_digit(*s->p) ? pass_number(s) :
		    expected(s, s->p, "a value");
	}
}

/* duplicate-key: the N bytes of content at P. */
static enum want
key_twice(struct scan *s, const char *p, size_t n)
{
	char quoted[ERR_QUOTE_SIZE];

	(void)err_record(s->e, CODE_DUPLICATE_KEY,
	    "an object has the key \"%s\" twice",
	    err_quote(quoted, sizeof quoted, p, n));
	(void)err_hint(s->e, "keep one of the two");
	return mark(s, CODE_DUPLICATE_KEY, p - 1);
}

/* Pass a key and its colon. */
static enum want
pass_key(struct scan *s)
{
	const char *key = s->p, *behind;
	bool escaped;
	int rc;

	if (s->p == s->end || *s->p != '"')
		return expected(s, s->p, "a key in double quotes");
	behind = pass_string(s, &escaped);
	if (behind == NULL)
		return FAULT;
	if (!s->python) {
		rc = jsonkeys_add(&s->keys, s->from[s->depth - 1], key + 1,
		    (size_t)(behind - key) - 2, escaped, s->e);
		if (rc == 0)
			return key_twice(s, key + 1,
			    (size_t)(behind - key) - 2);
		if (rc < 0)
			return FAULT;
	}
	s->p = behind;
	s->before = '\0';
	skip_space(s);
	if (s->p == s->end || *s->p != ':')
		return expected(s, s->p, "':' after a key");
	s->before = *s->p++;
	return VALUE;
}

/* Behind a value, or at the end of an empty array or object. */
static enum want
pass_next(struct scan *s)
{
	bool array;
	size_t n;
	const char *twice;

	if (s->depth == 0)
		return DONE;
	array = s->from[s->depth - 1] == ARRAY;
	if (s->p < s->end && *s->p == ',') {
		s->before = *s->p++;
		return array ? VALUE : KEY;
	}
	if (s->p == s->end || *s->p != (array ? ']' : '}')) {
		s->before = '\0';
		return expected(s, s->p, array ?
		    "',' or ']' after an element" :
		    "',' or '}' after a member");
	}
	s->p++;
	s->depth--;
	if (array)
		return NEXT;
	twice = jsonkeys_close(&s->keys, s->from[s->depth], &n);
	return twice == NULL ? NEXT : key_twice(s, twice, n);
}

/* Check the structure: DONE or FAULT. */
static enum want
pass_text(struct scan *s)
{
	enum want want = VALUE;

	while (want > DONE) {
		skip_space(s);
		want = want == VALUE ? pass_value(s) :
		    want == KEY ? pass_key(s) : pass_next(s);
	}
	if (want == DONE && s->p < s->end) {
		s->before = '\0';
		return expected(s, s->p, "nothing after the value");
	}
	return want;
}

/* The bytes at AT, LEFT before the end, are not UTF-8: say which. */
static int
not_utf8(const char *at, size_t left, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	size_t n = 1;

	while (n < left && n < 4 && ((unsigned char)at[n] & 0xc0) == 0x80)
		n++;
	(void)err_record(e, CODE_BAD_UTF8, "%s %s not UTF-8",
	    err_quote(quoted, sizeof quoted, at, n), n > 1 ? "are" : "is");
	return err_hint(e, "write the file as UTF-8");
}

int
jsoncheck_text(const char *p, size_t n, size_t depth, bool python,
    size_t *at, struct err *e)
{
	struct scan s;
	size_t good;
	enum want end;

	if (n == 0)
		p = "";
	good = jsontext_utf8(p, n);
	/* Not initialised as a whole: its stacks are 6 KiB. */
	s.start = s.p = p;
	s.end = p + n;
	s.python = python;
	s.before = '\0';
	s.depth = 0;
	s.deepest = depth < JSONCHECK_DEPTH_MAX ? depth : JSONCHECK_DEPTH_MAX;
	s.code = CODE_NONE;
	s.e = e;
	jsonkeys_start(&s.keys);
	end = pass_text(&s);
	jsonkeys_free(&s.keys);
	if (end == FAULT && s.code == CODE_NONE)
		return -1;
	/* The first fault counts; both at one byte: it is no character. */
	if (good < n && (end == DONE || good <= s.at)) {
		end = mark(&s, CODE_BAD_UTF8, p + good);
		(void)not_utf8(p + good, n - good, e);
	}
	if (end == DONE)
		return 0;
	*at = s.at;
	return -1;
}
