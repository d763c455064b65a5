#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "jsonscan.h"
#include "unit.h"

/* The span of a text in quotes. */
static struct jsonspan
span(const char *text)
{
	return jsonscan_value(text, strlen(text));
}

/* Check the N bytes at P from memory of that size, which sanitizers guard. */
static int
check(const char *p, size_t n, struct jsonscan_fault *fault, struct err *e)
{
	char *copy = malloc(n + (n == 0));
	int rc;

	assert_non_null(copy);
	memcpy(copy, p, n);
	rc = jsonscan_check(copy, n, fault, e);
	free(copy);
	return rc;
}

static void
accepts(const char *text)
{
	struct err e = { 0 };

	if (check(text, strlen(text), NULL, &e) < 0)
		fail_msg("%s: %s", text, e.text);
}

/* Of CODE at byte AT, in these words. */
static void
refuses_bytes(const char *text, size_t n, enum code code, size_t at,
    const char *words)
{
	struct jsonscan_fault fault = { CODE_NONE, 0 };
	struct err e = { 0 };

	if (check(text, n, &fault, &e) == 0)
		fail_msg("%s is accepted", text);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, fault.code);
	if (fault.code != code || fault.at != at || strcmp(e.text, words) != 0)
		fail_msg("%s: %s at %zu: %s", text,
		    code_row(fault.code)->name, fault.at, e.text);
}

static void
refuses(const char *text, enum code code, size_t at, const char *words)
{
	refuses_bytes(text, strlen(text), code, at, words);
}

static void
json_is_accepted(void **state)
{
	static const char *const texts[] = {
		"null", "true", "false", "0", "-0", "1", "-1", "10", "1.5",
		"0.0", "-0.0e-0", "1e5", "1E+5", "1e-5", "0e0", "1e400",
		"123456789012345678901234567890", "\"\"", "\"a\"", "[]", "{}",
		"[[]]", "[{}]", "{\"\":{}}", " [ ] ", "\t{\r\n}\n",
		"[1,2 ,3, 4]", "{\"a\":1,\"b\" : 2 ,\"A\":3}",
		"[{\"a\":1},{\"a\":1}]", "{\"a\":{\"a\":{\"a\":1}}}",
		"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\uFFFF\\ud83d\\ude00\"",
		"\"\x7f\xc2\x80\xe2\x80\xa8\xef\xbf\xbf\xf4\x8f\xbf\xbf\"",
		"{\"a\\u0000\":1,\"a\":2}",
		"\"0123456789abcdef0123456789abcdef\\n0123456789abcdef\"",
		/* What is next to the halves of pairs, and their ends. */
		"\"\\ud7ff\\ue000\\ud800\\udc00\\ud800\\udfff\"",
		"\"\\udbff\\udc00\\udbff\\udfff\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		accepts(texts[i]);
}

static void
what_is_no_json_is_refused_where_it_stops_being(void **state)
{
	static const struct { const char *text; size_t at; const char *words; }
	bad[] = {
		{ "", 0, "expected a value, found the end of the text" },
		{ "  ", 2, "expected a value, found the end of the text" },
		{ "[", 1,
		    "expected a value after '[', found the end of the text" },
		{ "[1,]", 3, "expected a value after ',', found ']'" },
		{ "[,1]", 1, "expected a value after '[', found ','" },
		{ "[1,,2]", 3, "expected a value after ',', found ','" },
		{ "[1 2]", 3,
		    "expected ',' or ']' after an element, found '2'" },
		{ "[1", 2, "expected ',' or ']' after an element, found the "
		    "end of the text" },
		{ "[1}", 2, "expected ',' or ']' after an element, found '}'" },
		{ "{", 1, "expected a key in double quotes after '{', found "
		    "the end of the text" },
		{ "{1:2}", 1, "expected a key in double quotes after '{', "
		    "found '1'" },
		{ "{a:2}", 1, "expected a key in double quotes after '{', "
		    "found 'a'" },
		{ "{\"a\":1,}", 7, "expected a key in double quotes after "
		    "',', found '}'" },
		{ "{\"a\"}", 4, "expected ':' after a key, found '}'" },
		{ "{\"a\" 1}", 5, "expected ':' after a key, found '1'" },
		{ "{\"a\":}", 5, "expected a value after ':', found '}'" },
		{ "{\"a\":1 \"b\":2}", 7,
		    "expected ',' or '}' after a member, found '\"'" },
		{ "{\"a\":1]", 6,
		    "expected ',' or '}' after a member, found ']'" },
		{ "{} {}", 3,
		    "expected nothing after the value, found '{'" },
		{ "1 2", 2, "expected nothing after the value, found '2'" },
		{ "]", 0, "expected a value, found ']'" },
		{ "nul", 0, "expected a value, found 'nul'" },
		{ "nulll", 0, "expected a value, found 'nulll'" },
		{ "[True]", 1, "expected a value after '[', found 'True'" },
		{ "NaN", 0, "expected a value, found 'NaN'" },
		{ "[-Infinity]", 1,
		    "expected a value after '[', found '-Infinity'" },
		{ "[Infinity]", 1,
		    "expected a value after '[', found 'Infinity'" },
		{ "'a'", 0, "expected a value, found '''" },
		{ "\xef\xbb\xbf{}", 0,
		    "expected a value, found '\xef\xbb\xbf'" },
		{ "[1]\f", 3,
		    "expected nothing after the value, found '\\x0c'" },
		{ "01", 1, "'01' is no number: it has a leading zero" },
		{ "-01", 2, "'-01' is no number: it has a leading zero" },
		{ "-", 1, "'-' is no number: a digit must follow '-'" },
		{ "-a", 1, "'-a' is no number: a digit must follow '-'" },
		{ "+1", 0, "expected a value, found '+'" },
		{ ".5", 0, "expected a value, found '.'" },
		{ "1.", 2, "'1.' is no number: a digit must follow '.'" },
		{ "1.e5", 2, "'1.e5' is no number: a digit must follow '.'" },
		{ "1e", 2, "'1e' is no number: a digit must follow the "
		    "exponent's sign" },
		{ "1e+", 3, "'1e+' is no number: a digit must follow the "
		    "exponent's sign" },
		{ "0x1F", 1, "expected nothing after the value, found "
		    "'x1F'" },
		{ "1_000", 1,
		    "expected nothing after the value, found '_000'" },
		{ "\"a", 0, "a string that does not end" },
		{ "[\"a\\\"]", 1, "a string that does not end" },
		{ "\"a\nb\"", 2, "a line ends inside a string" },
		{ "\"a\tb\"", 2, "a tab inside a string" },
		{ "\"a\x01\"", 2, "control character \\x01 inside a string" },
		{ "\"\\q\"", 1, "expected an escape (one of \"\\/bfnrtu) "
		    "after '\\', found 'q'" },
		{ "\"\\", 1, "expected an escape (one of \"\\/bfnrtu) after "
		    "'\\', found the end of the text" },
		{ "\"\\u12g4\"", 1, "expected four hex digits after \\u" },
		{ "\"\\u12\"", 1, "expected four hex digits after \\u" },
		{ "[1] // why", 4,
		    "expected nothing after the value, found '/'" },
		/* As much as is a word, and not too much of it. */
		{ "AZaz_09+", 0, "expected a value, found 'AZaz_09'" },
		{ "zZ\x7f", 0, "expected a value, found 'zZ'" },
		{ "abcdefghijklmnopqrstuvwxyz", 0,
		    "expected a value, found 'abcdefghijklmnop'" },
		{ "-I", 0, "expected a value, found '-I'" },
		{ "@", 0, "expected a value, found '@'" },
		/* One character, whole. */
		{ "\xf0\x9f\x98\x80!", 0,
		    "expected a value, found '\xf0\x9f\x98\x80'" },
		{ "[1.]", 3, "'1.' is no number: a digit must follow '.'" },
		{ "-.5e+7 8", 1,
		    "'-.5e+7' is no number: a digit must follow '-'" },
		{ "012345678901234567890123456789012345678901234567", 1,
		    "'0123456789012345678901234567890123456789' is no "
		    "number: it has a leading zero" },
		{ "\"\\n", 0, "a string that does not end" },
		{ "\"\\ud83d\\ude00", 0, "a string that does not end" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuses(bad[i].text, CODE_BAD_JSON, bad[i].at, bad[i].words);
	refuses_bytes("\"a\0b\"", 5, CODE_BAD_JSON, 2,
	    "control character \\x00 inside a string");
	refuses_bytes("1\0", 2, CODE_BAD_JSON, 1,
	    "expected nothing after the value, found '\\x00'");
	refuses_bytes("1.\0", 3, CODE_BAD_JSON, 2,
	    "'1.' is no number: a digit must follow '.'");
	refuses_bytes("\"\\\0\"", 4, CODE_BAD_JSON, 1,
	    "expected an escape (one of \"\\/bfnrtu) after '\\', found "
	    "'\\x00'");
}

static void
what_is_no_character_is_refused_where_it_stands(void **state)
{
	(void)state;
	refuses("\"\xff\"", CODE_BAD_UTF8, 1, "\\xff is not UTF-8");
	refuses("\"a\xc3\"", CODE_BAD_UTF8, 2, "\\xc3 is not UTF-8");
	refuses("\"\xe4\xb8\"", CODE_BAD_UTF8, 1,
	    "\\xe4\\xb8 are not UTF-8");
	refuses("\"\xed\xa0\x80\"", CODE_BAD_UTF8, 1,
	    "\\xed\\xa0\\x80 are not UTF-8");
	refuses("{\"\xc0\x80\":1}", CODE_BAD_UTF8, 2,
	    "\\xc0\\x80 are not UTF-8");
	refuses("\xff", CODE_BAD_UTF8, 0, "\\xff is not UTF-8");
	refuses("[1]\xe9", CODE_BAD_UTF8, 3, "\\xe9 is not UTF-8");
	refuses("\"\xe4\xbd\"", CODE_BAD_UTF8, 1,
	    "\\xe4\\xbd are not UTF-8");
	refuses("\"\xf5\x81\x80\xbf\x80\"", CODE_BAD_UTF8, 1,
	    "\\xf5\\x81\\x80\\xbf are not UTF-8");
	refuses("\"\\ud800\\udbff\"", CODE_BAD_UTF8, 1, "\\ud800 is half "
	    "of a surrogate pair, without the other half");
	refuses("\"\\ud800\\ue000\"", CODE_BAD_UTF8, 1, "\\ud800 is half "
	    "of a surrogate pair, without the other half");
	refuses("\"\\udc00\\udc00\"", CODE_BAD_UTF8, 1, "\\udc00 is half "
	    "of a surrogate pair, without the other half");
	refuses("\"\\ud83d\"", CODE_BAD_UTF8, 1, "\\ud83d is half of a "
	    "surrogate pair, without the other half");
	refuses("\"a\\ude00\\ud83d\"", CODE_BAD_UTF8, 2, "\\ude00 is half of "
	    "a surrogate pair, without the other half");
	refuses("\"\\ud83d\\u0041\"", CODE_BAD_UTF8, 1, "\\ud83d is half of "
	    "a surrogate pair, without the other half");
	/* Of two faults, the first. */
	refuses("[nul, \"\xff\"]", CODE_BAD_JSON, 1,
	    "expected a value after '[', found 'nul'");
	refuses("[\"\xff\", nul]", CODE_BAD_UTF8, 2, "\\xff is not UTF-8");
	refuses("\"\xff", CODE_BAD_JSON, 0, "a string that does not end");
	refuses("\xf0\x9f\x98\x80\x80", CODE_BAD_JSON, 0,
	    "expected a value, found '\xf0\x9f\x98\x80'");
}

static void
a_key_twice_in_an_object_is_refused(void **state)
{
	(void)state;
	refuses("{\"a\":1,\"a\":2}", CODE_DUPLICATE_KEY, 7,
	    "an object has the key \"a\" twice");
	refuses("[{\"a\":{\"b\":1},\"b\":2,\"\\u0061\":3}]",
	    CODE_DUPLICATE_KEY, 20,
	    "an object has the key \"\\\\u0061\" twice");
	refuses("{\"\":1,\"\":2}", CODE_DUPLICATE_KEY, 6,
	    "an object has the key \"\" twice");
	refuses("{\"\xe4\xb8\xad\":1,\"b\":[1,{}],\"\xe4\xb8\xad\":1}",
	    CODE_DUPLICATE_KEY, 20,
	    "an object has the key \"\xe4\xb8\xad\" twice");
}

/* N opening brackets, and as many closing ones. */
static char *
nested(size_t n, const char *open, char close)
{
	size_t len = strlen(open);
	char *p = malloc(n * (len + 1) + 1);

	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		memcpy(p + i * len, open, len);
	memset(p + n * len, close, n);
	p[n * (len + 1)] = '\0';
	return p;
}

static void
a_text_may_be_512_deep_and_no_deeper(void **state)
{
	struct err e = { 0 };
	char *p = nested(512, "[", ']');

	(void)state;
	accepts(p);
	free(p);
	p = nested(513, "[", ']');
	refuses(p, CODE_TOO_DEEP, 512,
	    "arrays and objects nested more than 512 deep");
	free(p);
	/* A record has room for it. */
	p = nested(516, "[", ']');
	assert_int_equal(jsonscan_check_record(p, strlen(p), NULL, &e), 0);
	free(p);
	p = nested(517, "[", ']');
	assert_int_equal(jsonscan_check_record(p, strlen(p), NULL, &e), -1);
	assert_int_equal(e.code, CODE_TOO_DEEP);
	free(p);
	p = nested(513, "{\"a\":", '}');
	refuses(p, CODE_TOO_DEEP, 512 * 5,
	    "arrays and objects nested more than 512 deep");
	free(p);
	/* As deep as somebody may wish. */
	p = nested(10000000, "[", ']');
	refuses(p, CODE_TOO_DEEP, 512,
	    "arrays and objects nested more than 512 deep");
	free(p);
}

static void
hint_is(const char *text, const char *hint)
{
	struct err e = { 0 };

	assert_int_equal(check(text, strlen(text), NULL, &e), -1);
	assert_string_equal(e.hint, hint);
}

static void
habits_of_other_notations_have_a_hint(void **state)
{
	static const char *const python = "this is Python's notation, not "
	    "JSON: write the record with json.dumps";
	static const char *const nan = "JSON has no NaN and no infinity: "
	    "write null instead";

	(void)state;
	hint_is("{'a': 1}", python);
	hint_is("{\"a\": None}", python);
	hint_is("[True]", python);
	hint_is("[False]", python);
	hint_is("[NaN]", nan);
	hint_is("[nan]", nan);
	hint_is("[-Infinity]", nan);
	hint_is("[Infinity]", nan);
	hint_is("[1,]", "take out the comma before it");
	hint_is("{\"a\":1,}", "take out the comma before it");
	hint_is("# a", "JSON has no comments: take it out");
	hint_is("[1 /* a */]", "JSON has no comments: take it out");
	hint_is("[1, // a\n2]", "JSON has no comments: take it out");
	hint_is("\xef\xbb\xbf{}",
	    "a byte order mark stands here: take it out");
	hint_is("\"C:\\data\"",
	    "write a backslash that is meant as one as \\\\");
	hint_is("\"\\user\"",
	    "write a backslash that is meant as one as \\\\");
	hint_is("\"a\nb\"", "write a line break in a string as \\n, or close "
	    "the string");
	hint_is("\"a\tb\"", "write a tab as \\t");
	hint_is("\"a\x1b[0m\"", "write it as \\u001b, or take it out");
	hint_is("\"\xff\"", "write the file as UTF-8");
	hint_is("\"\\ud83d\"", "half a pair is no character: take it out");
	hint_is("{\"a\":1,\"a\":1}", "keep one of the two");
	hint_is("[1", "");
	hint_is("[1,", "");
	hint_is("[1,,2]", "");
	hint_is("[1}", "");
}

static void
python_is_less_strict_and_so_is_its_check(void **state)
{
	static const char *const pass[] = { "NaN", "[Infinity,-Infinity]",
	    "{\"a\":1,\"a\":2}", "[-1]", "{\"a\":NaN}" };
	static const char *const fail[] = { "nan", "-NaN", "Infinit", "-Inf",
	    "NaNs", "[1,]", "{\"a\":1,\"a\":}", "\"\xff\"", "\"\\ud800\"" };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof pass / sizeof *pass; i++)
		assert_int_equal(jsonscan_check_python(pass[i],
		    strlen(pass[i]), NULL, &e), 0);
	/* But a record's is not. */
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(jsonscan_check_record(pass[i],
		    strlen(pass[i]), NULL, &e), -1);
	for (size_t i = 0; i < sizeof fail / sizeof *fail; i++)
		assert_int_equal(jsonscan_check_python(fail[i],
		    strlen(fail[i]), NULL, &e), -1);
}

/* Append V to B as make_json.py writes values. */
static void
dump(struct jsonspan v, struct buf *b, unsigned depth)
{
	struct jsonwalk w;
	struct buf s = { 0 };
	struct err e = { 0 };
	bool array = jsonscan_type(v) == JSON_ARRAY, first = true;

	assert_in_range(depth, 0, 10);
	switch (jsonscan_type(v)) {
	case JSON_STRING:
		assert_int_equal(jsonscan_string(v, &s, &e), 0);
		assert_int_equal(buf_putc(b, '\'', &e), 0);
		for (size_t i = 0; i < s.n; i++)
			assert_int_equal(buf_printf(b, &e, "%02x",
			    (unsigned)(unsigned char)s.p[i]), 0);
		assert_int_equal(buf_putc(b, '\'', &e), 0);
		buf_free(&s);
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		assert_int_equal(buf_putc(b, array ? '[' : '{', &e), 0);
		w = jsonwalk_start(v);
		while (jsonwalk_next(&w)) {
			if (!first)
				assert_int_equal(buf_putc(b, ',', &e), 0);
			first = false;
			if (!array) {
				dump(w.key, b, depth + 1);
				assert_int_equal(buf_putc(b, ':', &e), 0);
			}
			dump(w.value, b, depth + 1);
		}
		assert_int_equal(buf_putc(b, array ? ']' : '}', &e), 0);
		break;
	default:
		assert_int_equal(buf_put(b, v.p, v.n, &e), 0);
	}
}

/* The text whose hexadecimal digits end at END. */
static void
unhex(const char *p, const char *end, struct buf *text)
{
	static const char digits[] = "0123456789abcdef";
	struct err e = { 0 };

	buf_clear(text);
	for (; p < end; p += 2) {
		const char *high = strchr(digits, p[0]);
		const char *low = strchr(digits, p[1]);

		assert_true(high != NULL && low != NULL);
		assert_int_equal(buf_putc(text, (char)((high - digits) << 4 |
		    (low - digits)), &e), 0);
	}
}

/* And what was accepted holds the same values, minified or not. */
static void
what_python_accepts_is_accepted_and_nothing_else(void **state)
{
	struct golden g = golden_open("tests/golden/json.txt");
	struct buf text = { 0 }, values = { 0 }, small = { 0 };
	struct jsonspan line;

	(void)state;
	while (golden_next(&g, &line)) {
		const char *tab = memchr(line.p, '\t', line.n);
		const char *want = tab + 1, *end = line.p + line.n;
		struct err e = { 0 };
		int rc;

		unhex(line.p, tab, &text);
		rc = check(text.p, text.n, NULL, &e);
		if ((rc == 0) != (memcmp(want, "ok", 2) == 0))
			fail_msg("line %zu: %s", g.lines, e.text);
		if (rc < 0)
			continue;
		want += 3;
		buf_clear(&values);
		dump(jsonscan_value(text.p, text.n), &values, 0);
		assert_int_equal(values.n, end - want);
		assert_memory_equal(values.p, want, values.n);
		buf_clear(&small);
		assert_int_equal(jsonscan_minify(jsonscan_value(text.p,
		    text.n), &small, &e), 0);
		buf_clear(&values);
		dump(jsonscan_value(small.p, small.n), &values, 0);
		assert_int_equal(values.n, end - want);
		assert_memory_equal(values.p, want, values.n);
	}
	golden_close(&g, 500);
	buf_free(&text);
	buf_free(&values);
	buf_free(&small);
}

static void
types_are_told_by_the_first_byte(void **state)
{
	static const struct { const char *text; enum json_type type;
	    const char *name; } is[] = {
		{ "", JSON_NONE, "nothing" }, { "null", JSON_NULL, "null" },
		{ "true", JSON_BOOL, "a boolean" },
		{ "false", JSON_BOOL, "a boolean" },
		{ "-1", JSON_NUMBER, "a number" },
		{ " 7 ", JSON_NUMBER, "a number" },
		{ "\"a\"", JSON_STRING, "a string" },
		{ "[1]", JSON_ARRAY, "an array" },
		{ "\n{ }\n", JSON_OBJECT, "an object" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		enum json_type t = jsonscan_type(span(is[i].text));

		assert_int_equal(t, is[i].type);
		assert_string_equal(jsonscan_type_name(t), is[i].name);
	}
	assert_null(jsonscan_value(NULL, 0).p);
	assert_null(jsonscan_value(" \n", 2).p);
}

static void
is_text(struct jsonspan v, const char *want)
{
	assert_int_equal(v.n, strlen(want));
	if (v.n > 0)
		assert_memory_equal(v.p, want, v.n);
}

static void
members_and_elements_are_found(void **state)
{
	struct jsonspan v = span("{ \"a\" : [ 1 , [2,3] , \"x]\" , {} ] ,"
	    "\"b\":{\"a\":\"\\\"}\"},\"\\u0063\":-1.5,\"d\":true,"
	    "\"a\" :null }");
	struct jsonspan a = span("[ 1 , [2,3] , \"x]\" , {} ]");

	(void)state;
	assert_int_equal(jsonscan_count(v), 5);
	/* The last counts, as in Python. */
	is_text(jsonscan_get(v, "a"), "null");
	is_text(jsonscan_get(v, "b"), "{\"a\":\"\\\"}\"}");
	is_text(jsonscan_get(jsonscan_get(v, "b"), "a"), "\"\\\"}\"");
	is_text(jsonscan_get(v, "c"), "-1.5");
	is_text(jsonscan_get(v, "d"), "true");
	assert_null(jsonscan_get(v, "e").p);
	assert_null(jsonscan_get(v, "").p);
	assert_null(jsonscan_get(a, "1").p);
	assert_null(jsonscan_get(span("\"a\""), "a").p);
	assert_null(jsonscan_get((struct jsonspan){ 0 }, "a").p);
	assert_int_equal(jsonscan_count(a), 4);
	is_text(jsonscan_at(a, 0), "1");
	is_text(jsonscan_at(a, 1), "[2,3]");
	is_text(jsonscan_at(a, 2), "\"x]\"");
	is_text(jsonscan_at(a, 3), "{}");
	assert_null(jsonscan_at(a, 4).p);
	assert_null(jsonscan_at(v, 0).p);
	assert_int_equal(jsonscan_count(span("[]")), 0);
	assert_int_equal(jsonscan_count(span("{ }")), 0);
	assert_true(jsonwalk_start(span("{}")).object);
	assert_false(jsonwalk_start(span("[]")).object);
	assert_int_equal(jsonscan_count(span("12")), 0);
	/* What is behind the value is none of it. */
	assert_int_equal(jsonscan_count((struct jsonspan){ "[1]2,3]", 3 }),
	    1);
	is_text(jsonscan_at((struct jsonspan){ "[1]", 3 }, 0), "1");
	assert_int_equal(jsonscan_count((struct jsonspan){ 0 }), 0);
}

static void
a_string_is_compared_as_it_reads(void **state)
{
	(void)state;
	assert_true(jsonscan_is(span("\"audio\""), "audio"));
	assert_true(jsonscan_is(span("\"\""), ""));
	assert_true(jsonscan_is(span("\"\\u0061udi\\u006F\""), "audio"));
	assert_true(jsonscan_is(span("\"\\\\n\""), "\\n"));
	assert_true(jsonscan_is(span("\"\\u00e9\""), "\xc3\xa9"));
	assert_false(jsonscan_is(span("\"\\n\""), "\\n"));
	assert_false(jsonscan_is(span("\"audio\""), "audi"));
	assert_false(jsonscan_is(span("\"audi\""), "audio"));
	assert_false(jsonscan_is(span("\"\\u0061udi\""), "audio"));
	assert_false(jsonscan_is(span("\"a\\u0000\""), "a"));
	/* Nothing behind the text is looked at. */
	assert_false(jsonscan_is(span("\"\\u0061\\u0000\\u0000\\u0000\""),
	    "a"));
	assert_false(jsonscan_is(span("12"), "12"));
	assert_false(jsonscan_is((struct jsonspan){ 0 }, ""));
}

static void
a_string_is_copied_only_where_it_holds_an_escape(void **state)
{
	struct jsonspan plain = span("\"no \xe4\xb8\xad\""), text;
	struct jsonspan escaped = span("\"\\ta\\u00e9\\ud83d\\ude00\\\\\"");
	struct buf b = { 0 };
	struct err e = { 0 };
	char *many;

	(void)state;
	assert_int_equal(jsonscan_text(plain, &b, &text, &e), 0);
	assert_ptr_equal(text.p, plain.p + 1);
	assert_int_equal(text.n, 6);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_puts(&b, "kept", &e), 0);
	assert_int_equal(jsonscan_text(escaped, &b, &text, &e), 0);
	assert_int_equal(text.n, 9);
	assert_memory_equal(text.p, "\ta\xc3\xa9\xf0\x9f\x98\x80\\", 9);
	assert_memory_equal(b.p, "kept\ta", 6);
	assert_int_equal(jsonscan_text(span("\"\""), &b, &text, &e), 0);
	assert_int_equal(text.n, 0);
	assert_non_null(text.p);
	assert_int_equal(jsonscan_text(span("7"), &b, &text, &e), 0);
	assert_int_equal(text.n, 0);
	buf_clear(&b);
	assert_int_equal(jsonscan_string(span("\"\""), &b, &e), 0);
	assert_int_equal(jsonscan_string((struct jsonspan){ 0 }, &b, &e), 0);
	assert_int_equal(b.n, 0);
	/* What has not been checked is decoded all the same. */
	assert_int_equal(jsonscan_string(span("\"\\q\\q\\q\\q\\q\\q\\q\""),
	    &b, &e), 0);
	assert_int_equal(b.n, 21);
	buf_free(&b);
	/* However much longer that makes it. */
	many = malloc(2 * 10000 + 2);
	assert_non_null(many);
	for (size_t i = 0; i < 2 * 10000 + 2; i++)
		many[i] = i % 2 == 0 ? 'q' : '\\';
	many[0] = many[2 * 10000 + 1] = '"';
	assert_int_equal(jsonscan_string((struct jsonspan){ many,
	    2 * 10000 + 2 }, &b, &e), 0);
	assert_int_equal(b.n, 3 * 10000);
	free(many);
	buf_free(&b);
}

static void
whole_numbers_are_read_within_their_range(void **state)
{
	static const struct { const char *text; int64_t min, max; bool ok;
	    int64_t value; } is[] = {
		{ "0", 0, 9, true, 0 }, { "-0", 0, 9, true, 0 },
		{ "9", 0, 9, true, 9 }, { "10", 0, 9, false, 0 },
		{ "-1", 0, 9, false, 0 }, { "-1", -1, 9, true, -1 },
		{ "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, false, 0 },
		{ "-9223372036854775808", INT64_MIN, 0, true, INT64_MIN },
		{ "-9223372036854775809", INT64_MIN, 0, false, 0 },
		{ "99999999999999999999", INT64_MIN, INT64_MAX, false, 0 },
		{ "1.0", 0, 9, false, 0 }, { "1e0", 0, 9, false, 0 },
		{ "\"1\"", 0, 9, false, 0 }, { "-", -9, 9, false, 0 },
		{ "", -9, 9, false, 0 }, { "null", 0, 9, false, 0 },
		{ "true", 0, 9, false, 0 }, { "1:", 0, 99, false, 0 },
		{ "1/", 0, 99, false, 0 }, { "1-", 0, 99, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		int64_t v = 77;
		bool ok = jsonscan_int(span(is[i].text), is[i].min,
		    is[i].max, &v);

		assert_int_equal(ok, is[i].ok);
		assert_true(v == (ok ? is[i].value : 77));
	}
}

static void
booleans_are_read(void **state)
{
	bool b = false;

	(void)state;
	assert_true(jsonscan_bool(span("true"), &b));
	assert_true(b);
	assert_true(jsonscan_bool(span("false"), &b));
	assert_false(b);
	assert_false(jsonscan_bool(span("trux"), &b));
	assert_false(jsonscan_bool(span("falsx"), &b));
	assert_false(jsonscan_bool(span("null"), &b));
	assert_false(jsonscan_bool(span("1"), &b));
	assert_false(jsonscan_bool(span("\"true\""), &b));
	assert_false(jsonscan_bool((struct jsonspan){ 0 }, &b));
}

static void
minifying_drops_whitespace_outside_strings_alone(void **state)
{
	static const struct { const char *text, *want; } is[] = {
		{ " { \"a b\" : [ 1 ,\n\t2.50 ] ,\r\n \"c\\\" \" : \" x \" } ",
		    "{\"a b\":[1,2.50],\"c\\\" \":\" x \"}" },
		{ "[ ]", "[]" }, { "  1e5  ", "1e5" }, { "", "" },
		{ "7", "7" },
		{ "[\"\\/\\u0041\\\\\" , \"\xe3\x80\x80\"]",
		    "[\"\\/\\u0041\\\\\",\"\xe3\x80\x80\"]" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		struct buf b = { 0 };

		assert_int_equal(jsonscan_minify(span(is[i].text), &b, &e),
		    0);
		is_text((struct jsonspan){ b.p, b.n }, is[i].want);
		/* Behind what is there. */
		assert_int_equal(jsonscan_minify(span(is[i].text), &b, &e),
		    0);
		assert_int_equal(b.n, 2 * strlen(is[i].want));
		is_text((struct jsonspan){ b.p, b.n / 2 }, is[i].want);
		if (b.n > 0)
			is_text((struct jsonspan){ b.p + b.n / 2, b.n / 2 },
			    is[i].want);
		buf_free(&b);
	}
}

/* Take a span apart, wherever that leads. */
static void
take_apart(struct jsonspan v, unsigned depth)
{
	struct jsonwalk w = jsonwalk_start(v);
	struct buf b = { 0 };
	struct err e = { 0 };
	struct jsonspan text;
	int64_t i;
	bool yes;

	assert_int_equal(jsonscan_minify(v, &b, &e), 0);
	assert_true(b.n <= v.n);
	assert_int_equal(jsonscan_text(v, &b, &text, &e), 0);
	assert_int_equal(jsonscan_string(v, &b, &e), 0);
	(void)jsonscan_is(v, "a");
	(void)jsonscan_int(v, INT64_MIN, INT64_MAX, &i);
	(void)jsonscan_bool(v, &yes);
	(void)jsonscan_get(v, "a");
	(void)jsonscan_at(v, 1);
	while (depth < 4 && jsonwalk_next(&w)) {
		assert_true(w.value.p >= v.p);
		assert_true(w.value.p + w.value.n <= v.p + v.n);
		take_apart(w.key, depth + 1);
		take_apart(w.value, depth + 1);
	}
	buf_free(&b);
}

/* Nothing leaves the span, whatever it holds: sanitizers watch. */
static void
what_was_not_checked_is_walked_without_harm(void **state)
{
	static const char bytes[] = "{}[]\"\"\\:,,a1 u";
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t n = (seed >> 8) % 24;
		char *p = malloc(n + (n == 0));

		assert_non_null(p);
		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525u + 1013904223u;
			p[i] = bytes[(seed >> 8) % (sizeof bytes - 1)];
		}
		seed = seed * 1664525u + 1013904223u;
		take_apart(jsonscan_value(p, n), 0);
		take_apart((struct jsonspan){ p, n }, 0);
		free(p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_accepted),
		cmocka_unit_test(
		    what_is_no_json_is_refused_where_it_stops_being),
		cmocka_unit_test(
		    what_is_no_character_is_refused_where_it_stands),
		cmocka_unit_test(a_key_twice_in_an_object_is_refused),
		cmocka_unit_test(a_text_may_be_512_deep_and_no_deeper),
		cmocka_unit_test(habits_of_other_notations_have_a_hint),
		cmocka_unit_test(python_is_less_strict_and_so_is_its_check),
		cmocka_unit_test(
		    what_python_accepts_is_accepted_and_nothing_else),
		cmocka_unit_test(types_are_told_by_the_first_byte),
		cmocka_unit_test(members_and_elements_are_found),
		cmocka_unit_test(a_string_is_compared_as_it_reads),
		cmocka_unit_test(
		    a_string_is_copied_only_where_it_holds_an_escape),
		cmocka_unit_test(whole_numbers_are_read_within_their_range),
		cmocka_unit_test(booleans_are_read),
		cmocka_unit_test(
		    minifying_drops_whitespace_outside_strings_alone),
		cmocka_unit_test(what_was_not_checked_is_walked_without_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
