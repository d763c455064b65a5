/*
 * The small parsers; the first byte says which: the notes that frames hold
 * (end marker, provenance), numbers and limits of the command line, base64,
 * Python's floats, UTF-8.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "buf.h"
#include "endmark.h"
#include "jsontext.h"
#include "option.h"
#include "provenance.h"
#include "pyjson.h"
#include "reject.h"
#include "unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* Who fails says why. */
static void
answers(int rc, const struct err *e)
{
	demand(rc == 0 || (rc == -1 && e->text[0] != '\0'));
}

/* An end marker that is read is written, and read the same. */
static void
mark(const char *p, size_t n)
{
	struct endmark m = { 0 }, again = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	if (endmark_parse(p, n, &m, &e) == 0) {
		demand(endmark_frame(&m, &out, &e) == 0);
		demand(endmark_parse(out.p + 8, out.n - 8, &again, &e) == 0);
		demand(m.frames == again.frames && m.digest == again.digest &&
		    m.records == again.records && m.errors == again.errors &&
		    m.rejected == again.rejected && m.table == again.table);
	}
	buf_free(&out);
}

/* Numbers are within their limits. */
static void
numbers(const char *text)
{
	struct reject_limit limit;
	struct err e = { 0 };
	uint64_t u;
	double d;

	if (option_uint(text, 3, 1e15, &u, &e) == 0)
		demand(u >= 3 && u <= UINT64_C(1000000000000000));
	if (option_real(text, -2, INFINITY, &d, &e) == 0)
		demand(d >= -2);
	answers(reject_parse_limit(&limit, text, &e), &e);
}

/* What is encoded is decoded, whatever the bits that nobody needs. */
static void
base64(const char *p, size_t n)
{
	struct buf text = { 0 }, bytes = { 0 };
	struct err e = { 0 };

	demand(base64_encode(p, n, &text, &e) == 0);
	demand(base64_decode(text.p, text.n, &bytes, &e) == 0);
	demand(bytes.n == n && (n == 0 || memcmp(bytes.p, p, n) == 0));
	buf_clear(&bytes);
	buf_clear(&text);
	if (base64_decode(p, n, &bytes, &e) == 0) {
		demand(base64_encode(bytes.p, bytes.n, &text, &e) == 0);
		demand(text.n == n && (n < 4 ||
		    memcmp(text.p, p, n - 4) == 0));
	} else {
		demand(e.kind == ERR_RECORD);
	}
	buf_free(&text);
	buf_free(&bytes);
}

/* The two that look for where text is no UTF-8 agree. */
static void
utf8(const char *p, size_t n)
{
	size_t at = 0;

	if (jsontext_utf8(p, n) == n)
		demand(unicode_scan((const unsigned char *)p, n, &at) !=
		    UNICODE_BAD);
	else
		(void)unicode_scan((const unsigned char *)p, n, &at);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 1;
	struct buf text = { 0 };
	struct err e = { 0 };

	if (size < 2)
		return 0;
	demand(buf_put(&text, p, size - 1, &e) == 0 &&
	    buf_putc(&text, '\0', &e) == 0);
	switch (data[0] % 6) {
	case 0:
		mark(p, size - 1);
		break;
	case 1:
		answers(provenance_check(p, size - 1, &e), &e);
		break;
	case 2:
		numbers(text.p);
		break;
	case 3:
		base64(p, size - 1);
		break;
	case 4:
		buf_clear(&text);
		if (jsonscan_check(p, size - 1, NULL, &e) == 0 &&
		    jsonscan_type(jsonscan_value(p, size - 1)) == JSON_NUMBER)
			answers(pyjson_load(p, size - 1, &text, &e), &e);
		break;
	default:
		utf8(p, size - 1);
		break;
	}
	buf_free(&text);
	return 0;
}
