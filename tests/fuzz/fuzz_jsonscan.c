/*
 * The JSON scanner: what it accepts can be taken apart, and holds after
 * minifying what it held before; what it refuses it refuses somewhere in the
 * text, and may be taken apart all the same.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jsonscan.h"
#include "jsontext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* Take V apart to DEPTH; the sum of all the bytes that its values have. */
static size_t
take_apart(struct jsonspan v, unsigned depth, struct buf *b)
{
	struct jsonwalk w = jsonwalk_start(v);
	struct jsonspan text;
	struct err e;
	size_t sum = 0;
	int64_t i;
	bool yes;

	buf_clear(b);
	demand(jsonscan_text(v, b, &text, &e) == 0);
	if (jsonscan_type(v) == JSON_STRING)
		sum = text.n;
	else if (jsonscan_int(v, INT64_MIN, INT64_MAX, &i) ||
	    jsonscan_bool(v, &yes))
		sum = v.n;
	(void)jsonscan_is(v, "a");
	while (depth > 0 && jsonwalk_next(&w)) {
		demand(w.value.p >= v.p &&
		    w.value.p + w.value.n <= v.p + v.n);
		sum += take_apart(w.key, depth - 1, b);
		sum += take_apart(w.value, depth - 1, b);
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct jsonspan v = jsonscan_value(p, size), small;
	struct buf b = { 0 }, m = { 0 };
	struct jsonscan_fault fault = { CODE_NONE, 0 };
	struct err e = { 0 };
	size_t sum = take_apart(v, 3, &b);

	demand(jsonscan_minify(v, &m, &e) == 0);
	demand(m.n <= v.n);
	if (jsonscan_check(p, size, &fault, &e) == 0) {
		demand(jsonscan_check_python(p, size, NULL, &e) == 0);
		demand(jsonscan_check_record(p, size, NULL, &e) == 0);
		demand(jsontext_utf8(p, size) == size);
		demand(jsonscan_check(m.p, m.n, NULL, &e) == 0);
		small = jsonscan_value(m.p, m.n);
		demand(small.n == m.n);
		demand(take_apart(small, 3, &b) == sum);
		demand(jsonscan_count(small) == jsonscan_count(v));
	} else {
		demand(e.kind == ERR_RECORD && e.code == fault.code);
		demand(fault.at <= size && e.text[0] != '\0');
		/* What comes before the fault is not at fault. */
		demand(jsontext_utf8(p, fault.at) == fault.at ||
		    fault.code != CODE_BAD_UTF8);
	}
	buf_free(&b);
	buf_free(&m);
	return 0;
}
