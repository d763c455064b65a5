/*
 * render: what pyjson, tools and cutoff make of what is asked of them, so
 * that a test can ask the originals the same.  A line of input is a JSON
 * array, a line of output its answer:
 *	["load", TEXT], ["str", TEXT], ["tools", TEXT], ["call", TEXT]
 *		the text that comes of it, or null where Python would raise
 *	["cutoff", SOURCE, TARGET, LIMIT]
 *		[source, target]
 */
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "cutoff.h"
#include "jsonscan.h"
#include "pyjson.h"
#include "tools.h"

/* Render TEXT as KIND has it. */
static int
render(struct jsonspan kind, const struct buf *text, struct buf *out,
    struct err *e)
{
	struct buf loaded = { 0 };
	int rc;

	if (jsonscan_is(kind, "tools"))
		return tools_describe(text->p, text->n, out, e);
	if (jsonscan_is(kind, "call"))
		return tools_call(text->p, text->n, out, e);
	if (jsonscan_is(kind, "load"))
		return pyjson_load(text->p, text->n, out, e);
	rc = pyjson_load(text->p, text->n, &loaded, e);
	if (rc == 0)
		rc = pyjson_str((struct jsonspan){ loaded.p, loaded.n }, out,
		    e);
	buf_free(&loaded);
	return rc;
}

/* Answer LINE to OUT. */
static int
answer(struct jsonspan line, struct buf *out, struct err *e)
{
	struct jsonspan kind = jsonscan_at(line, 0);
	struct buf text = { 0 }, result = { 0 };
	int64_t n[3];
	int rc = -1;

	if (jsonscan_is(kind, "cutoff")) {
		struct cutoff c;

		for (size_t i = 0; i < 3; i++)
			if (!jsonscan_int(jsonscan_at(line, i + 1), 0,
			    INT32_MAX, &n[i]))
				goto out;
		c = cutoff_infer((size_t)n[0], (size_t)n[1], (uint64_t)n[2]);
		rc = buf_printf(out, e, "[%zu,%zu]\n", c.source, c.target);
		goto out;
	}
	if (buf_reserve(&text, 1, e) < 0 ||
	    jsonscan_string(jsonscan_at(line, 1), &text, e) < 0)
		goto out;
	if (render(kind, &text, &result, e) == 0)
		rc = buf_put_json(out, result.p, result.n, e);
	else if (e->kind == ERR_RECORD && e->code == CODE_BAD_TOOLS)
		rc = buf_puts(out, "null", e);
	if (rc == 0)
		rc = buf_putc(out, '\n', e);
out:
	buf_free(&text);
	buf_free(&result);
	return rc;
}

int
main(void)
{
	struct buf in = { 0 }, out = { 0 };
	struct err e = { 0 };
	char chunk[65536];
	size_t n;
	int rc = 1;

	while ((n = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		if (buf_put(&in, chunk, n, &e) < 0)
			goto out;
	for (char *p = in.p, *end = in.p + in.n, *eol; p < end; p = eol + 1) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL || answer(jsonscan_value(p,
		    (size_t)(eol - p)), &out, &e) < 0)
			goto out;
	}
	rc = fwrite(out.p, 1, out.n, stdout) == out.n ? 0 : 1;
out:
	if (rc != 0)
		(void)fprintf(stderr, "render: %s\n", e.text);
	buf_free(&in);
	buf_free(&out);
	return rc;
}
