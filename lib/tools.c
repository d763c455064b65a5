#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jsonscan.h"
#include "pyjson.h"
#include "tools.h"

/* tool_utils.py, DEFAULT_TOOL_PROMPT, around the tools and their names. */
static const char before_tools[] = "You have access to the following tools:\n";
static const char before_names[] =
    "Use the following format if using a tool:\n"
    "```\n"
    "Action: tool name (one of [";
static const char after_names[] = "])\n"
    "Action Input: the input to the tool, in a JSON format representing the "
    "kwargs (e.g. ```{\"input\": \"hello world\", \"num_beams\": 5}```)\n"
    "```\n";

/* template.py, thought_words and tool_call_words of most templates. */
static const char *const thought_words[2] = { "<think>\n", "\n</think>\n\n" };
static const char *const call_words[2] = { "<tool_call>", "</tool_call>" };

#define REQUIRED_STRING_MAX 1000	/* bytes of a string in its place */

/* What "required" of a tool holds. */
struct required {
	struct jsonspan json;
	struct buf names;	/* struct jsonspan, sorted */
};

/* Text found between two words, and with them. */
struct match {
	const char *whole, *inner;
	size_t n_whole, n_inner;
};

static int
bad(struct err *e, const char *what, const char *why, struct jsonspan v)
{
	return err_record(e, CODE_BAD_TOOLS, "%s is %s%s", what,
	    v.p == NULL ? "missing" : jsonscan_type_name(jsonscan_type(v)),
	    v.p == NULL ? "" : why);
}

/* OBJECT must be one, by the name WHAT. */
static int
need_object(struct jsonspan object, const char *what, struct err *e)
{
	if (jsonscan_type(object) != JSON_OBJECT)
		return bad(e, what, ", not an object", object);
	return 0;
}

/* Append str() of OBJECT's member KEY, or nothing where it has none. */
static int
put_member(struct jsonspan object, const char *key, struct buf *out,
    struct err *e)
{
	struct jsonspan v = jsonscan_get(object, key);

	return v.p == NULL ? 0 : pyjson_str(v, out, e);
}

/* Append the characters of the string V, with ", " between them. */
static int
put_characters(struct jsonspan v, struct buf *out, struct err *e)
{
	struct buf own = { 0 };
	struct jsonspan text;
	int rc = -1;

	if (jsonscan_text(v, &own, &text, e) < 0)
		goto out;
	for (size_t i = 0; i < text.n; i++) {
		bool begins = ((unsigned char)text.p[i] & 0xc0) != 0x80;

		if ((i > 0 && begins && buf_puts(out, ", ", e) < 0) ||
		    buf_putc(out, text.p[i], e) < 0)
			goto out;
	}
	rc = 0;
out:
	buf_free(&own);
	return rc;
}

/*
 * Append ", ".join(V): of an array's strings, an object's keys, or, since
 * Python lets it pass, a string's characters.
 */
static int
put_joined(struct jsonspan v, const char *what, struct buf *out,
    struct err *e)
{
	enum json_type type = jsonscan_type(v);
	struct jsonwalk w;
	const char *sep = "";

	if (type == JSON_STRING)
		return put_characters(v, out, e);
	if (type != JSON_ARRAY && type != JSON_OBJECT)
		return bad(e, what, ", not an array of strings", v);
	for (w = jsonwalk_start(v); jsonwalk_next(&w); sep = ", ") {
		struct jsonspan s = w.object ? w.key : w.value;

		if (jsonscan_type(s) != JSON_STRING)
			return err_record(e, CODE_BAD_TOOLS,
			    "%s holds %s: it takes strings alone", what,
			    jsonscan_type_name(jsonscan_type(s)));
		if (buf_puts(out, sep, e) < 0 || jsonscan_string(s, out, e) < 0)
			return -1;
	}
	return 0;
}

/* Whether the text of NEEDLE is part of that of HAY: 1, 0 or -1. */
static int
is_part(struct jsonspan needle, struct jsonspan hay, struct err *e)
{
	struct buf a = { 0 }, b = { 0 };
	struct jsonspan n, h;
	int rc = -1;

	if (jsonscan_text(needle, &a, &n, e) < 0 ||
	    jsonscan_text(hay, &b, &h, e) < 0)
		goto out;
	rc = n.n == 0;
	for (size_t i = 0; rc == 0 && i + n.n <= h.n; i++)
		rc = memcmp(h.p + i, n.p, n.n) == 0;
out:
	buf_free(&a);
	buf_free(&b);
	return rc;
}

/* The order of strings as they stand, for qsort and bsearch. */
static int
compare_strings(const void *va, const void *vb)
{
	const struct jsonspan *a = va, *b = vb;
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

/* Gather what Python's "in REQUIRED" looks among, in order. */
static int
open_required(struct required *r, struct jsonspan required, struct err *e)
{
	r->json = required;
	switch (jsonscan_type(required)) {
	case JSON_NONE:
		return 0;
	case JSON_STRING:
		/* Python takes it, and finds parts of it, whose search costs
		 * as much for each name as the string is long. */
		if (required.n <= REQUIRED_STRING_MAX)
			return 0;
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		for (struct jsonwalk w = jsonwalk_start(required);
		    jsonwalk_next(&w); )
			if (buf_put(&r->names, w.object ? &w.key : &w.value,
			    sizeof w.key, e) < 0)
				return -1;
		if (r->names.n > 0)
			qsort(r->names.p, r->names.n / sizeof required,
			    sizeof required, compare_strings);
		return 0;
	default:
		break;
	}
	return bad(e, "parameters.required", ", not an array", required);
}

/* Python's NAME in REQUIRED: 1, 0, or -1 on failure. */
static int
is_required(struct jsonspan name, const struct required *r, struct err *e)
{
	if (jsonscan_type(r->json) == JSON_STRING)
		return is_part(name, r->json, e);
	return r->names.n > 0 && bsearch(&name, r->names.p,
	    r->names.n / sizeof name, sizeof name, compare_strings) != NULL;
}

/* Append the line of the parameter NAME, whose description is PARAM. */
static int
put_parameter(struct jsonspan name, struct jsonspan param,
    const struct required *required, struct buf *out, struct err *e)
{
	struct jsonspan choice = jsonscan_get(param, "enum");
	struct jsonspan items = jsonscan_get(param, "items");
	int is;

	if (need_object(param, "the parameter", e) < 0 ||
	    (is = is_required(name, required, e)) < 0)
		return -1;
	if (buf_puts(out, "  - ", e) < 0 ||
	    jsonscan_string(name, out, e) < 0 || buf_puts(out, " (", e) < 0 ||
	    put_member(param, "type", out, e) < 0 ||
	    buf_puts(out, is == 1 ? ", required): " : "): ", e) < 0 ||
	    put_member(param, "description", out, e) < 0)
		return -1;
	if (pyjson_true(choice) &&
	    (buf_puts(out, ", should be one of [", e) < 0 ||
	    put_joined(choice, "enum", out, e) < 0 ||
	    buf_putc(out, ']', e) < 0))
		return -1;
	if (pyjson_true(items) &&
	    (need_object(items, "items", e) < 0 ||
	    buf_puts(out, ", where each item should be ", e) < 0 ||
	    put_member(items, "type", out, e) < 0))
		return -1;
	return buf_putc(out, '\n', e);
}

/* Append the lines of all PARAMETERS. */
static int
put_parameters(struct jsonspan parameters, struct buf *out, struct err *e)
{
	struct jsonspan properties = jsonscan_get(parameters, "properties");
	struct required required = { .json = { NULL, 0 } };
	struct jsonwalk w;
	char name[80];
	int rc = -1;

	if (need_object(parameters, "parameters", e) < 0 ||
	    need_object(properties, "parameters.properties", e) < 0)
		return -1;
	w = jsonwalk_start(properties);
	if (!jsonwalk_next(&w))
		return 0;	/* and required is not looked at */
	if (open_required(&required, jsonscan_get(parameters, "required"),
	    e) < 0)
		goto out;
	do {
		if (put_parameter(w.key, w.value, &required, out, e) < 0) {
			(void)err_wrap(e, "parameter %s", err_quote(name,
			    sizeof name, w.key.p, w.key.n));
			goto out;
		}
	} while (jsonwalk_next(&w));
	rc = 0;
out:
	buf_free(&required.names);
	return rc;
}

/* Append the description of one TOOL to OUT, SEP and its name to NAMES. */
static int
put_tool(struct jsonspan tool, struct buf *out, const char *sep,
    struct buf *names, struct err *e)
{
	struct jsonspan name;

	if (need_object(tool, "the tool", e) < 0)
		return -1;
	if (jsonscan_is(jsonscan_get(tool, "type"), "function")) {
		tool = jsonscan_get(tool, "function");
		if (need_object(tool, "function", e) < 0)
			return -1;
	}
	name = jsonscan_get(tool, "name");
	if (jsonscan_type(name) != JSON_STRING)
		return bad(e, "name", ", not a string", name);
	if (buf_puts(out, "> Tool Name: ", e) < 0 ||
	    jsonscan_string(name, out, e) < 0 ||
	    buf_puts(out, "\nTool Description: ", e) < 0 ||
	    put_member(tool, "description", out, e) < 0 ||
	    buf_puts(out, "\nTool Args:\n", e) < 0 ||
	    put_parameters(jsonscan_get(tool, "parameters"), out, e) < 0 ||
	    buf_putc(out, '\n', e) < 0)
		return -1;
	if (buf_puts(names, sep, e) < 0)
		return -1;
	return jsonscan_string(name, names, e);
}

/* Append what TOOLS, loaded, are to the model. */
static int
put_tools(struct jsonspan tools, struct buf *out, struct err *e)
{
	struct buf names = { 0 };
	size_t i = 0;
	int rc = -1;

	if (jsonscan_type(tools) != JSON_ARRAY)
		return bad(e, "tools", ", not an array of tools", tools);
	if (buf_puts(out, before_tools, e) < 0)
		return -1;
	for (struct jsonwalk w = jsonwalk_start(tools); jsonwalk_next(&w); i++)
		if (put_tool(w.value, out, i > 0 ? ", " : "", &names, e) < 0) {
			(void)err_wrap(e, "tools[%zu]", i);
			goto out;
		}
	if (buf_puts(out, before_names, e) < 0 ||
	    buf_put(out, names.p, names.n, e) < 0 ||
	    buf_puts(out, after_names, e) < 0)
		goto out;
	rc = 0;
out:
	buf_free(&names);
	return rc;
}

/* Whether Python's len(V) is 0, which is where V has one. */
static bool
has_no_length(struct jsonspan v)
{
	enum json_type type = jsonscan_type(v);

	return (type == JSON_STRING || type == JSON_ARRAY ||
	    type == JSON_OBJECT) && !pyjson_true(v);
}

int
tools_describe(const char *p, size_t n, struct buf *out, struct err *e)
{
	struct buf text = { 0 };
	struct jsonspan tools;
	size_t was = out->n;
	int rc = -1;

	if (pyjson_load(p, n, &text, e) < 0) {
		(void)err_wrap(e, "tools is not JSON");
		goto out;
	}
	tools = (struct jsonspan){ text.p, text.n };
	rc = has_no_length(tools) ? 0 : put_tools(tools, out, e);
out:
	if (rc < 0)
		out->n = was;
	if (rc < 0 && e->kind == ERR_RECORD)
		(void)err_hint(e, "tools is an array, as JSON in a string; "
		    "each tool has a name and an object "
		    "parameters.properties");
	buf_free(&text);
	return rc;
}

/* The place of WORD in the N bytes at P, or NULL. */
static const char *
find(const char *p, size_t n, const char *word)
{
	size_t m = strlen(word);
	const char *end = p + n, *q;

	for (; (size_t)(end - p) >= m; p = q + 1) {
		q = memchr(p, word[0], (size_t)(end - p) - m + 1);
		if (q == NULL)
			return NULL;
		if (memcmp(q, word, m) == 0)
			return q;
	}
	return NULL;
}

/* The first text in the N bytes at P between two WORDS, as little as can
 * be: what the regular expression finds. */
static bool
between(const char *p, size_t n, const char *const words[2],
    struct match *m)
{
	const char *open = find(p, n, words[0]), *close;

	if (open == NULL)
		return false;
	m->whole = open;
	m->inner = open + strlen(words[0]);
	close = find(m->inner, n - (size_t)(m->inner - p), words[1]);
	if (close == NULL)
		return false;
	m->n_inner = (size_t)(close - m->inner);
	m->n_whole = (size_t)(close - open) + strlen(words[1]);
	return true;
}

/* Append the N bytes at P without any place where they are M's. */
static int
put_without(const char *p, size_t n, const struct match *m, struct buf *out,
    struct err *e)
{
	const char *end = p + n, *from = p;

	while ((size_t)(end - p) >= m->n_whole) {
		if (*p != *m->whole || memcmp(p, m->whole, m->n_whole) != 0) {
			p++;
			continue;
		}
		if (buf_put(out, from, (size_t)(p - from), e) < 0)
			return -1;
		p += m->n_whole;
		from = p;
	}
	return buf_put(out, from, (size_t)(end - from), e);
}

/* Append the lines of one call. */
static int
put_call(struct jsonspan call, struct buf *out, struct err *e)
{
	struct jsonspan name = jsonscan_get(call, "name");
	struct jsonspan arguments = jsonscan_get(call, "arguments");

	if (need_object(call, "the call", e) < 0)
		return -1;
	if (name.p == NULL || arguments.p == NULL)
		return bad(e, name.p == NULL ? "name" : "arguments", "",
		    (struct jsonspan){ NULL, 0 });
	if (buf_puts(out, "Action: ", e) < 0 ||
	    pyjson_str(name, out, e) < 0 ||
	    buf_puts(out, "\nAction Input: ", e) < 0)
		return -1;
	return buf_put(out, arguments.p, arguments.n, e);
}

/* Append the calls that the N bytes of JSON at P hold: one, or an array. */
static int
put_calls(const char *p, size_t n, struct buf *out, struct err *e)
{
	struct buf text = { 0 };
	struct jsonspan calls;
	size_t i = 0;
	int rc = -1;

	if (pyjson_load(p, n, &text, e) < 0) {
		(void)err_wrap(e, "the function call is not JSON");
		goto out;
	}
	calls = (struct jsonspan){ text.p, text.n };
	if (jsonscan_type(calls) != JSON_ARRAY) {
		rc = put_call(calls, out, e);
		goto out;
	}
	for (struct jsonwalk w = jsonwalk_start(calls); jsonwalk_next(&w); i++)
		if ((i > 0 && buf_putc(out, '\n', e) < 0) ||
		    put_call(w.value, out, e) < 0) {
			(void)err_wrap(e, "call %zu", i);
			goto out;
		}
	rc = 0;
out:
	buf_free(&text);
	return rc;
}

int
tools_call(const char *p, size_t n, struct buf *out, struct err *e)
{
	struct buf rest = { 0 };
	struct match m;
	size_t was = out->n;
	int rc = -1;

	if (between(p, n, call_words, &m)) {
		if (put_without(p, n, &m, out, e) < 0)
			goto out;
		rc = put_calls(m.inner, m.n_inner, out, e);
	} else if (between(p, n, thought_words, &m)) {
		if (put_without(p, n, &m, &rest, e) < 0 ||
		    buf_put(out, m.whole, m.n_whole, e) < 0)
			goto out;
		rc = put_calls(rest.p, rest.n, out, e);
	} else {
		rc = put_calls(p, n, out, e);
	}
out:
	if (rc < 0)
		out->n = was;
	if (rc < 0 && e->kind == ERR_RECORD)
		(void)err_hint(e, "a function turn is JSON: an object with "
		    "name and arguments, or an array of such");
	buf_free(&rest);
	return rc;
}
