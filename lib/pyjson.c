#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "buf.h"
#include "pyjson.h"
#include "unicode.h"

/* Python's int() refuses longer decimals (sys.int_info). */
#define INT_DIGITS_MAX 4300

/* A member of an object, as offsets into the text that is being written. */
struct member {
	size_t key, key_n;	/* with its quotes */
	size_t value, end;
};

/* An array or an object that is open. */
struct level {
	struct jsonwalk walk;
	size_t start;		/* of its text */
	size_t members;		/* how many members its outer levels have */
	bool object;
	bool any;		/* it has an element already */
};

struct load {
	struct buf *out;
	struct buf text;	/* a string's own */
	struct buf members;	/* struct member, of all open objects */
	struct level *level;
	size_t depth;
};

/* What is sorted to find equal keys. */
struct key {
	const char *p;
	size_t n;
	size_t order;
};

static int
compare_keys(const void *va, const void *vb)
{
	const struct key *a = va, *b = vb;
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	if (c == 0)
		c = (a->n > b->n) - (a->n < b->n);
	return c != 0 ? c : (a->order > b->order) - (a->order < b->order);
}

/*
 * Digits and exponent of X, finite and above 0, as repr has them: the fewest
 * that read as X again, and of those the nearest to it.  The nearest decimal
 * of a length may miss where X is a power of two, whose interval is narrower
 * below than above: then the next one up is tried.
 */
static int
shortest(double x, char digits[20], int *exponent)
{
	char s[32], up[32];

	for (int n = 0; n < 17; n++) {
		(void)snprintf(s, sizeof s, "%.*e", n, x);
		if (strtod(s, NULL) != x) {
			size_t i = n == 0 ? 0 : (size_t)n + 1;

			memcpy(up, s, sizeof up);
			if (up[i] == '9')
				continue;
			up[i]++;
			if (strtod(up, NULL) != x)
				continue;
			memcpy(s, up, sizeof s);
		}
		digits[0] = s[0];
		memcpy(digits + 1, s + 2, (size_t)n);
		*exponent = atoi(strchr(s, 'e') + 1);
		return n + 1;
	}
	return 0;
}

int
pyjson_float(const char *p, size_t n, struct buf *out, struct err *e)
{
	struct buf copy = { 0 };
	char digits[20];
	double x;
	int m, e10 = 0, rc = -1;

	if (buf_put(&copy, p, n, e) < 0 || buf_putc(&copy, '\0', e) < 0)
		goto out;
	x = strtod(copy.p, NULL);
	if (isinf(x)) {
		rc = buf_puts(out, x < 0 ? "-Infinity" : "Infinity", e);
		goto out;
	}
	if (signbit(x) && buf_putc(out, '-', e) < 0)
		goto out;
	if (x == 0) {
		rc = buf_puts(out, "0.0", e);
		goto out;
	}
	m = shortest(fabs(x), digits, &e10);
	while (m > 1 && digits[m - 1] == '0')
		m--;
	if (e10 < -4 || e10 >= 16)
		rc = buf_printf(out, e, "%c%s%.*se%c%02d", digits[0],
		    m > 1 ? "." : "", m - 1, digits + 1, e10 < 0 ? '-' : '+',
		    abs(e10));
	else if (e10 < 0)
		rc = buf_printf(out, e, "0.%.*s%.*s", -e10 - 1, "000", m,
		    digits);
	else if (m <= e10 + 1)
		rc = buf_printf(out, e, "%.*s%.*s.0", m, digits, e10 + 1 - m,
		    "0000000000000000");
	else
		rc = buf_printf(out, e, "%.*s.%.*s", e10 + 1, digits,
		    m - e10 - 1, digits + e10 + 1);
out:
	buf_free(&copy);
	return rc;
}

/* Append the number V: an int digit by digit, a float by its repr. */
static int
put_number(struct jsonspan v, struct buf *out, struct err *e)
{
	size_t sign = v.n > 0 && v.p[0] == '-';

	if (memchr(v.p, 'N', v.n) != NULL || memchr(v.p, 'I', v.n) != NULL)
		return buf_put(out, v.p, v.n, e);
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == '.' || v.p[i] == 'e' || v.p[i] == 'E')
			return pyjson_float(v.p, v.n, out, e);
	if (v.n - sign > INT_DIGITS_MAX)
		return err_record(e, CODE_BAD_TOOLS,
		    "a whole number of %zu digits: Python takes %d",
		    v.n - sign, INT_DIGITS_MAX);
	if (v.n == 2 && sign == 1 && v.p[1] == '0')
		sign = 1;
	else
		sign = 0;
	return buf_put(out, v.p + sign, v.n - sign, e);
}

/* Append the string V, escaped as json.dumps has it. */
static int
put_string(struct load *l, struct jsonspan v, struct err *e)
{
	struct jsonspan text;

	buf_clear(&l->text);
	if (jsonscan_text(v, &l->text, &text, e) < 0)
		return -1;
	return buf_put_json(l->out, text.p, text.n, e);
}

/* Open the array or object V. */
static int
open_level(struct load *l, struct jsonspan v, struct err *e)
{
	struct level *level;

	if (l->depth == JSONSCAN_DEPTH_MAX)
		return err_record(e, CODE_BAD_TOOLS,
		    "arrays and objects more than %d deep",
		    JSONSCAN_DEPTH_MAX);
	level = &l->level[l->depth++];
	level->walk = jsonwalk_start(v);
	level->start = l->out->n;
	level->members = l->members.n / sizeof(struct member);
	level->object = v.p[0] == '{';
	level->any = false;
	return buf_putc(l->out, v.p[0], e);
}

/* Append V; an array or an object is only opened. */
static int
put_value(struct load *l, struct jsonspan v, struct err *e)
{
	switch (v.p[0]) {
	case '[':
	case '{':
		return open_level(l, v, e);
	case '"':
		return put_string(l, v, e);
	case 't':
	case 'f':
	case 'n':
		return buf_put(l->out, v.p, v.n, e);
	default:
		return put_number(v, l->out, e);
	}
}

/*
 * Write the object that begins at START again, with the N members at M but
 * without those whose key comes again; KEEP tells whose value each has.
 */
static int
rebuild(struct load *l, size_t start, const struct member *m, size_t n,
    const size_t *keep, struct err *e)
{
	struct buf again = { 0 };
	const char *sep = "{";
	int rc = -1;

	for (size_t i = 0; i < n; i++) {
		const struct member *v;

		if (keep[i] == SIZE_MAX)
			continue;
		v = &m[keep[i]];
		if (buf_puts(&again, sep, e) < 0 ||
		    buf_put(&again, l->out->p + m[i].key, m[i].key_n, e) < 0 ||
		    buf_puts(&again, ": ", e) < 0 ||
		    buf_put(&again, l->out->p + v->value, v->end - v->value,
		    e) < 0)
			goto out;
		sep = ", ";
	}
	l->out->n = start;
	rc = buf_put(l->out, again.p, again.n, e);
out:
	buf_free(&again);
	return rc;
}

/* Find equal keys among the members of the object that is being closed. */
static int
drop_repeated(struct load *l, const struct level *level, struct err *e)
{
	const struct member *m = (const struct member *)(void *)l->members.p;
	size_t n = l->members.n / sizeof *m - level->members, run;
	struct key *keys;
	size_t *keep;
	bool any = false;
	int rc = -1;

	if (n < 2 || m == NULL)
		return 0;
	m += level->members;
	keys = malloc(n * sizeof *keys);
	keep = malloc(n * sizeof *keep);
	if (keys == NULL || keep == NULL) {
		(void)err_memory(e);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		keys[i] = (struct key){ l->out->p + m[i].key, m[i].key_n, i };
	qsort(keys, n, sizeof *keys, compare_keys);
	for (size_t i = 0; i < n; i += run) {
		for (run = 1; i + run < n && keys[i + run].n == keys[i].n &&
		    memcmp(keys[i + run].p, keys[i].p, keys[i].n) == 0; run++)
			keep[keys[i + run].order] = SIZE_MAX;
		keep[keys[i].order] = keys[i + run - 1].order;
		any = any || run > 1;
	}
	rc = any ? rebuild(l, level->start, m, n, keep, e) : 0;
out:
	free(keys);
	free(keep);
	return rc;
}

/* Close the innermost level. */
static int
close_level(struct load *l, struct err *e)
{
	const struct level *level = &l->level[--l->depth];

	if (level->object && drop_repeated(l, level, e) < 0)
		return -1;
	l->members.n = level->members * sizeof(struct member);
	return buf_putc(l->out, level->object ? '}' : ']', e);
}

/* Write down where the value that has just been written ends. */
static void
end_member(struct load *l)
{
	const struct level *level = &l->level[l->depth - 1];
	struct member *m = (struct member *)(void *)l->members.p;

	if (level->object && level->any)
		m[l->members.n / sizeof *m - 1].end = l->out->n;
}

/* The next element of the innermost level, or its end. */
static int
step(struct load *l, struct err *e)
{
	struct level *level = &l->level[l->depth - 1];
	struct member m = { 0 };

	end_member(l);
	if (!jsonwalk_next(&level->walk))
		return close_level(l, e);
	if (level->any && buf_puts(l->out, ", ", e) < 0)
		return -1;
	level->any = true;
	if (level->object) {
		m.key = l->out->n;
		if (put_string(l, level->walk.key, e) < 0)
			return -1;
		m.key_n = l->out->n - m.key;
		if (buf_puts(l->out, ": ", e) < 0)
			return -1;
		m.value = l->out->n;
		if (buf_put(&l->members, &m, sizeof m, e) < 0)
			return -1;
	}
	return put_value(l, level->walk.value, e);
}

int
pyjson_load(const char *p, size_t n, struct buf *out, struct err *e)
{
	struct load l = { .out = out };
	size_t was = out->n;
	int rc = -1;

	if (jsonscan_check_python(p, n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->code = CODE_BAD_TOOLS;
		return -1;
	}
	l.level = malloc(JSONSCAN_DEPTH_MAX * sizeof *l.level);
	if (l.level == NULL)
		return err_memory(e);
	if (put_value(&l, jsonscan_value(p, n), e) < 0)
		goto out;
	while (l.depth > 0)
		if (step(&l, e) < 0)
			goto out;
	rc = 0;
out:
	if (rc < 0)
		out->n = was;
	free(l.level);
	buf_free(&l.text);
	buf_free(&l.members);
	return rc;
}

/* Append the escape that repr has for the code point C. */
static int
put_unprintable(uint32_t c, struct buf *out, struct err *e)
{
	if (c == '\n' || c == '\r' || c == '\t')
		return buf_printf(out, e, "\\%c",
		    c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
	if (c < 0x100)
		return buf_printf(out, e, "\\x%02x", (unsigned)c);
	if (c < 0x10000)
		return buf_printf(out, e, "\\u%04x", (unsigned)c);
	return buf_printf(out, e, "\\U%08x", (unsigned)c);
}

/*
 * Python's str.isprintable for one code point: all but the categories of
 * others and separators, and the blank.  What is assigned depends on the
 * version of Unicode, here utf8proc's, there Python's.
 */
static bool
is_printable(uint32_t c)
{
	switch (utf8proc_category((utf8proc_int32_t)c)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP:
		return false;
	case UTF8PROC_CATEGORY_ZS:
		return c == ' ';
	default:
		return true;
	}
}

/* Append repr() of the N bytes of UTF-8 at P. */
static int
put_repr(const char *p, size_t n, struct buf *out, struct err *e)
{
	bool single = memchr(p, '\'', n) != NULL;
	char quote = single && memchr(p, '"', n) == NULL ? '"' : '\'';
	size_t len;

	if (buf_putc(out, quote, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i += len) {
		uint32_t c = unicode_decode((const unsigned char *)p + i,
		    &len);

		if (c == '\\' || c == (unsigned char)quote) {
			if (buf_printf(out, e, "\\%c", (int)c) < 0)
				return -1;
		} else if (!is_printable(c)) {
			if (put_unprintable(c, out, e) < 0)
				return -1;
		} else if (buf_put(out, p + i, len, e) < 0) {
			return -1;
		}
	}
	return buf_putc(out, quote, e);
}

/* The end of the string that begins at P, behind its closing quote. */
static const char *
string_end(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		if (*p == '\\' && p + 1 < end)
			p++;
	return p < end ? p + 1 : end;
}

/* The end of the literal or number at P. */
static const char *
word_end(const char *p, const char *end)
{
	while (p < end && memchr(",:]} ", *p, 5) == NULL)
		p++;
	return p;
}

/* Append repr() of the literal or number in the N bytes at P. */
static int
put_word(const char *p, size_t n, struct buf *out, struct err *e)
{
	static const char *const words[][2] = {
		{ "true", "True" }, { "false", "False" }, { "null", "None" },
		{ "NaN", "nan" }, { "Infinity", "inf" },
		{ "-Infinity", "-inf" },
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (strlen(words[i][0]) == n && memcmp(words[i][0], p, n) == 0)
			return buf_puts(out, words[i][1], e);
	return buf_put(out, p, n, e);
}

/*
 * What json.dumps and repr write differs in words and strings alone, so that
 * what pyjson_load has written is turned from one into the other in a pass.
 */
int
pyjson_str(struct jsonspan v, struct buf *out, struct err *e)
{
	const char *p = v.p, *end = v.p + v.n, *stop;
	struct buf own = { 0 };
	struct jsonspan text;
	int rc = -1;

	if (v.n > 0 && *p == '"')
		return jsonscan_string(v, out, e);
	for (; p < end; p = stop) {
		if (*p == '"') {
			stop = string_end(p, end);
			buf_clear(&own);
			if (jsonscan_text((struct jsonspan){ p,
			    (size_t)(stop - p) }, &own, &text, e) < 0 ||
			    put_repr(text.p, text.n, out, e) < 0)
				goto out;
		} else if (memchr("[]{},: ", *p, 7) != NULL) {
			stop = p + 1;
			if (buf_putc(out, *p, e) < 0)
				goto out;
		} else {
			stop = word_end(p, end);
			if (put_word(p, (size_t)(stop - p), out, e) < 0)
				goto out;
		}
	}
	rc = 0;
out:
	buf_free(&own);
	return rc;
}

bool
pyjson_true(struct jsonspan v)
{
	if (v.n == 0 || v.p[0] == 'n' || v.p[0] == 'f')
		return false;
	if (v.p[0] == 't')
		return true;
	if (v.p[0] == '"')
		return v.n > 2;
	if (v.p[0] == '[' || v.p[0] == '{') {
		struct jsonspan inner = jsonscan_value(v.p + 1, v.n - 1);

		return inner.n > 1;
	}
	for (size_t i = 0; i < v.n && v.p[i] != 'e' && v.p[i] != 'E'; i++)
		if (memchr("123456789NI", v.p[i], 11) != NULL)
			return true;
	return false;
}
