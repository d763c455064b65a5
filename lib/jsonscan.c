#include <string.h>

#include "buf.h"
#include "jsoncheck.h"
#include "jsonscan.h"
#include "jsontext.h"

/* jsoncheck_text, and what is known of the fault. */
static int
check(const char *p, size_t n, size_t depth, bool python,
    struct jsonscan_fault *fault, struct err *e)
{
	size_t at = 0;

	if (jsoncheck_text(p, n, depth, python, &at, e) == 0)
		return 0;
	if (fault != NULL && e->kind == ERR_RECORD)
		*fault = (struct jsonscan_fault){ e->code, at };
	return -1;
}

int
jsonscan_check(const char *p, size_t n, struct jsonscan_fault *fault,
    struct err *e)
{
	return check(p, n, JSONSCAN_DEPTH_MAX, false, fault, e);
}

int
jsonscan_check_record(const char *p, size_t n, struct jsonscan_fault *fault,
    struct err *e)
{
	/* One level is enough; what a later version adds may want more. */
	return check(p, n, JSONSCAN_DEPTH_MAX + 4, false, fault, e);
}

int
jsonscan_check_python(const char *p, size_t n, struct jsonscan_fault *fault,
    struct err *e)
{
	return check(p, n, JSONSCAN_DEPTH_MAX, true, fault, e);
}

struct jsonspan
jsonscan_value(const char *p, size_t n)
{
	const char *end;

	if (n == 0)
		return (struct jsonspan){ 0 };
	end = p + n;
	while (p < end && jsontext_is_space(*p))
		p++;
	while (end > p && jsontext_is_space(end[-1]))
		end--;
	return p == end ? (struct jsonspan){ 0 } :
	    (struct jsonspan){ p, (size_t)(end - p) };
}

enum json_type
jsonscan_type(struct jsonspan v)
{
	if (v.n == 0)
		return JSON_NONE;
	switch (v.p[0]) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't': case 'f':
		return JSON_BOOL;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

const char *
jsonscan_type_name(enum json_type t)
{
	static const char *const names[] = {
		[JSON_NONE] = "nothing", [JSON_NULL] = "null",
		[JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object",
	};

	return names[t];
}

size_t
jsonscan_count(struct jsonspan v)
{
	struct jsonwalk w = jsonwalk_start(v);
	size_t n = 0;

	while (jsonwalk_next(&w))
		n++;
	return n;
}

struct jsonspan
jsonscan_get(struct jsonspan object, const char *key)
{
	struct jsonwalk w = jsonwalk_start(object);
	struct jsonspan value = { 0 };

	while (w.object && jsonwalk_next(&w))
		if (jsonscan_is(w.key, key))
			value = w.value;
	return value;
}

struct jsonspan
jsonscan_at(struct jsonspan array, size_t index)
{
	struct jsonwalk w = jsonwalk_start(array);

	while (!w.object && jsonwalk_next(&w))
		if (index-- == 0)
			return w.value;
	return (struct jsonspan){ 0 };
}

/* The content of the string V; none where V is no string. */
static struct jsonspan
content(struct jsonspan v)
{
	if (v.n < 2 || v.p[0] != '"')
		return (struct jsonspan){ 0 };
	return (struct jsonspan){ v.p + 1, v.n - 2 };
}

bool
jsonscan_is(struct jsonspan v, const char *text)
{
	size_t n = strlen(text), at = 0;
	struct jsonspan c = content(v);
	const char *end;

	if (c.p == NULL)
		return false;
	end = c.p + c.n;
	if (c.n == n && memcmp(c.p, text, n) == 0 &&
	    memchr(text, '\\', n) == NULL)
		return true;
	/* An escape is longer than what it means. */
	if (c.n <= n || memchr(c.p, '\\', c.n) == NULL)
		return false;
	while (c.p < end) {
		char out[4];
		size_t len = jsontext_decode(&c.p, end, out);

		if (len > n - at || memcmp(out, text + at, len) != 0)
			return false;
		at += len;
	}
	return at == n;
}

int
jsonscan_string(struct jsonspan v, struct buf *out, struct err *e)
{
	struct jsonspan c = content(v);
	const char *end;

	if (c.n == 0)
		return 0;
	end = c.p + c.n;
	/* Nothing gets longer, but what is no escape (\q: U+FFFD). */
	if (buf_reserve(out, c.n + c.n / 2 + 4, e) < 0)
		return -1;
	while (c.p < end) {
		size_t n = jsontext_copy(out->p + out->n, c.p, end);

		out->n += n;
		c.p += n;
		if (c.p < end)
			out->n += jsontext_decode(&c.p, end, out->p + out->n);
	}
	return 0;
}

int
jsonscan_text(struct jsonspan v, struct buf *out, struct jsonspan *text,
    struct err *e)
{
	struct jsonspan c = content(v);
	size_t was = out->n;

	if (c.n == 0 || memchr(c.p, '\\', c.n) == NULL) {
		*text = (struct jsonspan){ c.p != NULL ? c.p : "", c.n };
		return 0;
	}
	if (jsonscan_string(v, out, e) < 0)
		return -1;
	*text = (struct jsonspan){ out->p + was, out->n - was };
	return 0;
}

bool
jsonscan_int(struct jsonspan v, int64_t min, int64_t max, int64_t *i)
{
	bool minus = v.n > 0 && v.p[0] == '-';
	int64_t n = 0;

	if (v.n == (size_t)minus)
		return false;
	/* Counted downwards, where there is one more number. */
	for (size_t k = (size_t)minus; k < v.n; k++) {
		int d = v.p[k] - '0';

		if (d < 0 || d > 9 || n < (INT64_MIN + d) / 10)
			return false;
		n = n * 10 - d;
	}
	if (!minus && n == INT64_MIN)
		return false;
	n = minus ? n : -n;
	if (n < min || n > max)
		return false;
	*i = n;
	return true;
}

bool
jsonscan_bool(struct jsonspan v, bool *b)
{
	bool yes = v.n == 4 && memcmp(v.p, "true", 4) == 0;

	if (!yes && (v.n != 5 || memcmp(v.p, "false", 5) != 0))
		return false;
	*b = yes;
	return true;
}

int
jsonscan_minify(struct jsonspan v, struct buf *out, struct err *e)
{
	const char *p = v.p, *end;
	char *o;

	if (v.n == 0)
		return 0;
	end = p + v.n;
	if (buf_reserve(out, v.n, e) < 0)
		return -1;
	o = out->p + out->n;
	while (p < end) {
		if (*p == '"') {
			const char *q = jsontext_behind_string(p, end);

			memcpy(o, p, (size_t)(q - p));
			o += q - p;
			p = q;
		} else {
			/* Written always, kept where it is no space. */
			*o = *p;
			o += !jsontext_is_space(*p++);
		}
	}
	out->n = (size_t)(o - out->p);
	return 0;
}
