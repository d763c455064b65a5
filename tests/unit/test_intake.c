#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "intake.h"
#include "piece.h"
#include "record.h"
#include "unit.h"

/* What is made of PIECE, as JSON, in OUT. */
static void
take(const char *name, const struct piece *piece, bool paths,
    struct buf *out)
{
	struct err e = { 0 };
	struct intake *in = intake_new("jsonl-split", &e);
	struct record *r = record_new(&e);

	assert_non_null(in);
	assert_non_null(r);
	buf_clear(out);
	/* Twice: nothing is left from the first. */
	for (int i = 0; i < 2; i++)
		if (intake_record(in, name, piece, paths, r, &e) < 0)
			fail_msg("%s", e.text);
	assert_int_equal(record_put_json(r, out, &e), 0);
	assert_int_equal(buf_putc(out, '\0', &e), 0);
	record_free(r);
	intake_free(in);
}

/* The piece of N bytes at TEXT, at line 3, column 5. */
static void
gives_bytes(const char *text, size_t n, const char *want)
{
	struct piece piece = { .p = text, .n = n, .total = n, .offset = 1234,
	    .line = 3, .column = 5 };
	struct buf out = { 0 };

	take("d/x.json", &piece, false, &out);
	assert_string_equal(out.p, want);
	buf_free(&out);
}

static void
gives(const char *text, const char *want)
{
	gives_bytes(text, strlen(text), want);
}

#define AT "{\"at\":{\"file\":\"d/x.json\",\"offset\":1234,\"line\":3},"
#define FAIL(code, text) "\"error\":{\"stage\":\"jsonl-split\",\"code\":\"" \
    code "\",\"message\":\"" text "\""

static void
an_object_becomes_data(void **state)
{
	(void)state;
	gives("{}", AT "\"data\":{}}");
	gives(" { \"a\" : [ 1.50 , \"x  y\\u0041\" ] } ",
	    AT "\"data\":{\"a\":[1.50,\"x  y\\u0041\"]}}");
	/* Not a reject: no error, or at is something else. */
	gives("{\"at\":{\"file\":\"a\",\"offset\":1},\"b\":2}",
	    AT "\"data\":{\"at\":{\"file\":\"a\",\"offset\":1},\"b\":2}}");
	gives("{\"at\":7,\"error\":{}}",
	    AT "\"data\":{\"at\":7,\"error\":{}}}");
	gives("{\"at\":{\"file\":\"a\",\"offset\":-1},\"error\":{}}", AT
	    "\"data\":{\"at\":{\"file\":\"a\",\"offset\":-1},\"error\":{}}}");
	gives("{\"b\":1,\"at\":{\"file\":\"a\",\"offset\":1},\"error\":{}}",
	    AT "\"data\":{\"b\":1,\"at\":{\"file\":\"a\",\"offset\":1},"
	    "\"error\":{}}}");
	/* No record at all, though it looks like one. */
	gives("{\"at\":{\"file\":\"a\",\"offset\":1},\"error\":{},"
	    "\"audios\":7}", AT "\"data\":{\"at\":{\"file\":\"a\","
	    "\"offset\":1},\"error\":{},\"audios\":7}}");
}

static void
what_is_no_object_is_data_of_the_wrong_type(void **state)
{
	(void)state;
	gives("[1, 2]", AT "\"data\":[1,2]," FAIL("wrong-type",
	    "a record is an object, this is an array") ",\"hint\":\"write "
	    "each record as {\\\"name\\\": value, ...}\"}}");
	gives("null", AT "\"data\":null," FAIL("wrong-type",
	    "a record is an object, this is null") ",\"hint\":\"write each "
	    "record as {\\\"name\\\": value, ...}\"}}");
}

static void
what_is_no_json_becomes_raw_and_says_where(void **state)
{
	(void)state;
	gives("{\"a\":tru}", AT "\"raw\":\"{\\\"a\\\":tru}\"," FAIL("bad-json",
	    "column 10: expected a value after ':', found 'tru'") "}}");
	gives("{\"a\":1,\n\"b\":\n}", AT
	    "\"raw\":\"{\\\"a\\\":1,\\n\\\"b\\\":\\n}\"," FAIL("bad-json",
	    "line 5, column 1: expected a value after ':', found '}'") "}}");
	gives("{\"a\":1,\"a\":1}", AT
	    "\"raw\":\"{\\\"a\\\":1,\\\"a\\\":1}\"," FAIL("duplicate-key",
	    "column 12: an object has the key \\\"a\\\" twice")
	    ",\"hint\":\"keep one of the two\"}}");
	gives("", AT "\"raw\":\"\"," FAIL("bad-json",
	    "column 5: expected a value, found the end of the text") "}}");
}

static void
what_is_not_utf8_becomes_base64(void **state)
{
	(void)state;
	gives("{\"\xe9\":1}", AT "\"raw_base64\":\"eyLpIjoxfQ==\","
	    FAIL("bad-utf8", "column 7: \\\\xe9 is not UTF-8")
	    ",\"hint\":\"write the file as UTF-8\"}}");
	/* A lone surrogate is UTF-8 as an escape. */
	gives("\"\\ud800\"", AT "\"raw\":\"\\\"\\\\ud800\\\"\"," FAIL(
	    "bad-utf8", "column 6: \\\\ud800 is half of a surrogate pair, "
	    "without the other half") ",\"hint\":\"half a pair is no "
	    "character: take it out\"}}");
}

static void
the_flaws_of_a_piece_are_errors(void **state)
{
	struct piece piece = { .p = "{\"a\": 1}", .n = 8, .total = 5000000,
	    .offset = 7, .flaw = PIECE_TOO_LONG };
	struct buf out = { 0 };

	(void)state;
	take("-", &piece, false, &out);
	assert_string_equal(out.p, "{\"at\":{\"file\":\"-\",\"offset\":7},"
	    "\"raw\":\"{\\\"a\\\": 1}\"," FAIL("record-too-long", "the "
	    "record has 5000000 bytes, more than --max-record allows")
	    ",\"hint\":\"--max-record 5000000 would take it\"}}");
	piece.flaw = PIECE_NO_COMMA;
	take("-", &piece, false, &out);
	assert_string_equal(out.p, "{\"at\":{\"file\":\"-\",\"offset\":7},"
	    "\"raw\":\"{\\\"a\\\": 1}\"," FAIL("bad-json", "no ',' between "
	    "this record and the one before it") ",\"hint\":\"put a comma "
	    "there\"}}");
	buf_free(&out);
}

/* The first 64 KiB, and no half character at its end. */
static void
raw_is_cut_between_characters(void **state)
{
	static const size_t pads[] = { 0, 1, 2, 3 };
	struct buf out = { 0 };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		size_t n = 70000, pad = pads[i], kept = (65536 - pad) / 4 * 4 +
		    pad;
		char *p = malloc(n), *raw;
		struct piece piece = { .p = p, .n = n, .total = n,
		    .line = 1, .column = 1 };

		assert_non_null(p);
		memset(p, 'x', pad);
		for (size_t k = pad; k < n; k++)
			p[k] = "\xf0\x9f\x98\x80"[(k - pad) % 4];
		take("a", &piece, false, &out);
		raw = strstr(out.p, "\"raw\":\"");
		assert_non_null(raw);
		assert_int_equal(strcspn(raw + 7, "\""), kept);
		/* What is no UTF-8 before that is no cut character. */
		p[100] = '\xff';
		take("a", &piece, false, &out);
		raw = strstr(out.p, "\"raw_base64\":\"");
		assert_non_null(raw);
		assert_int_equal(strcspn(raw + 14, "\""),
		    (65536 + 2) / 3 * 4);
		free(p);
	}
	buf_free(&out);
}

/* The text after the record's own place. */
#define R "{\"at\":{\"file\":\"o.json\",\"offset\":5,\"line\":2},"
#define E "\"error\":{\"stage\":\"a\",\"code\":\"bad-json\",\"message\":\"m\"}}"

static void
a_reject_is_the_record_that_it_is(void **state)
{
	(void)state;
	gives(R "\"data\":{\"a\": 1}," E, R "\"data\":{\"a\":1}}");
	gives(" {  \"at\" : {\"line\":2,\"file\":\"o\",\"offset\":5},"
	    "\"system\":\"s\",\"audios\":[\"x\"],\"audio\":[{}],\"extra\":{},"
	    "\"notes\":[{}],\"new\":1," E, "{\"at\":{\"line\":2,\"file\":"
	    "\"o\",\"offset\":5},\"system\":\"s\",\"audios\":[\"x\"],"
	    "\"extra\":{},\"new\":1}");
	/* What was never parsed is parsed again. */
	gives(R "\"raw\":\" {\\\"a\\\": \\\"\\u00e9\\\\n\\\"}\\n\"," E,
	    R "\"data\":{\"a\":\"\xc3\xa9\\n\"}}");
	gives(R "\"raw_base64\":\"eyJhIjoxfQ==\"," E, R "\"data\":{\"a\":1}}");
	/* Data, where a person has put it, are what counts. */
	gives(R "\"raw\":\"{\",\"data\":{\"a\":1}," E, R "\"data\":{\"a\":1}}");
	gives(R "\"data\":[1]," E, R "\"data\":[1]," FAIL("wrong-type",
	    "a record is an object, this is an array") ",\"hint\":\"write "
	    "each record as {\\\"name\\\": value, ...}\"}}");
}

static void
a_reject_that_was_not_mended_fails_again(void **state)
{
	(void)state;
	gives(R "\"raw\":\"{\\\"a\\\":\\n tru}\"," E,
	    R "\"raw\":\"{\\\"a\\\":\\n tru}\"," FAIL("bad-json",
	    "raw: line 2, column 2: expected a value after ':', found 'tru'")
	    "}}");
	gives(R "\"raw_base64\":\"eyLpIjoxfQ==\"," E,
	    R "\"raw_base64\":\"eyLpIjoxfQ==\"," FAIL("bad-utf8",
	    "raw: column 3: \\\\xe9 is not UTF-8")
	    ",\"hint\":\"write the file as UTF-8\"}}");
	gives(R "\"raw_base64\":\"{}\"," E, R "\"raw_base64\":\"{}\"," FAIL(
	    "wrong-type", "raw_base64: no base64 at character 3") "}}");
}

static void
gives_path(const char *text, const char *want)
{
	struct piece piece = { .p = text, .n = strlen(text), .offset = 0,
	    .line = 1, .column = 1 };
	struct buf out = { 0 };

	take("list", &piece, true, &out);
	assert_string_equal(out.p, want);
	buf_free(&out);
}

static void
a_path_becomes_the_one_audio(void **state)
{
	(void)state;
	gives_path("a/b c.wav", "{\"at\":{\"file\":\"list\",\"offset\":0,"
	    "\"line\":1},\"audios\":[\"a/b c.wav\"]}");
	gives_path(" {\"x\\\t", "{\"at\":{\"file\":\"list\",\"offset\":0,"
	    "\"line\":1},\"audios\":[\" {\\\"x\\\\\\t\"]}");
	gives_path("a\xff", "{\"at\":{\"file\":\"list\",\"offset\":0,"
	    "\"line\":1},\"raw_base64\":\"Yf8=\"," FAIL("bad-utf8",
	    "column 2: the path is not UTF-8") ",\"hint\":\"rename the "
	    "file\"}}");
	gives_path(R "\"audios\":[\"b.wav\"]," E, R "\"audios\":[\"b.wav\"]}");
	gives_path("{\"at\":{}}", "{\"at\":{\"file\":\"list\",\"offset\":0,"
	    "\"line\":1},\"audios\":[\"{\\\"at\\\":{}}\"]}");
}

/* A name of a file is any bytes; at is JSON. */
static void
at_is_json_whatever_the_file_is_called(void **state)
{
	struct piece piece = { .p = "{}", .n = 2, .offset = UINT64_MAX };
	struct buf out = { 0 };

	(void)state;
	take("a\"\n\xff\xc3\xa9\xe4\xb8", &piece, false, &out);
	assert_string_equal(out.p, "{\"at\":{\"file\":\"a\\\"\\n\xef\xbf\xbd"
	    "\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\",\"offset\":"
	    "18446744073709551615},\"data\":{}}");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_object_becomes_data),
		cmocka_unit_test(what_is_no_object_is_data_of_the_wrong_type),
		cmocka_unit_test(what_is_no_json_becomes_raw_and_says_where),
		cmocka_unit_test(what_is_not_utf8_becomes_base64),
		cmocka_unit_test(the_flaws_of_a_piece_are_errors),
		cmocka_unit_test(raw_is_cut_between_characters),
		cmocka_unit_test(a_reject_is_the_record_that_it_is),
		cmocka_unit_test(a_reject_that_was_not_mended_fails_again),
		cmocka_unit_test(a_path_becomes_the_one_audio),
		cmocka_unit_test(at_is_json_whatever_the_file_is_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
