#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "unit.h"

static struct json_doc *
doc(const char *text)
{
	struct err e = { 0 };
	struct json_doc *d = json_doc_new(text, strlen(text), "x.json",
	    ERR_MODEL, &e);

	if (d == NULL)
		fail_msg("%s", e.text);
	return d;
}

static void
refuses(const char *text, const char *words)
{
	struct err e = { 0 };

	assert_null(json_doc_new(text, strlen(text), "d/x.json", ERR_USAGE,
	    &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.text, words);
}

/* All that json-c lets through. */
static void
a_document_is_checked_before_it_is_parsed(void **state)
{
	char deep[2001];

	(void)state;
	refuses("", "d/x.json:1:1: expected a value, found the end of the "
	    "text");
	refuses("{\"a\": 1,\n \"b\": NaN}",
	    "d/x.json:2:7: expected a value after ':', found 'NaN'");
	refuses("{\n\n\"a\":1, \"a\":2}",
	    "d/x.json:3:8: an object has the key \"a\" twice");
	refuses("{\"a\": \"\\ud800\"}", "d/x.json:1:8: \\ud800 is half of a "
	    "surrogate pair, without the other half");
	refuses("{\"a\\u0000b\": 1}",
	    "d/x.json:1:4: \\u0000 in a string or key");
	refuses("[\"\\\\\\u0000\"]", "d/x.json:1:5: \\u0000 in a string or "
	    "key");
	refuses("{\"a\": \"\xff\"}", "d/x.json:1:8: \\xff is not UTF-8");
	refuses("[1] x", "d/x.json:1:5: expected nothing after the value, "
	    "found 'x'");
	memset(deep, '[', 1000);
	memset(deep + 1000, ']', 1000);
	deep[2000] = '\0';
	refuses(deep, "d/x.json:1:513: arrays and objects nested more than "
	    "512 deep");
	deep[1000 + 512] = '\0';
	json_doc_free(doc(deep + 1000 - 512));
}

/* A backslash that is escaped escapes nothing. */
static void
a_text_that_only_looks_like_nul_is_taken(void **state)
{
	struct json_doc *d = doc("[\"\\\\u0000\"]");

	(void)state;
	assert_string_equal(json_text(json_at(json_root(d), 0)), "\\u0000");
	json_doc_free(d);
}

static void
a_byte_order_mark_may_come_first(void **state)
{
	struct json_doc *d = doc("\xef\xbb\xbf{\"a\":7}");
	struct err e = { 0 };
	int64_t i;

	(void)state;
	assert_int_equal(json_get_int(json_root(d), "a", 0, 9, &i, &e), 1);
	assert_int_equal(i, 7);
	json_doc_free(d);
}

static void
a_document_may_be_any_value(void **state)
{
	static const struct { const char *text; enum json_type type; } is[] = {
		{ "null", JSON_NULL }, { " true ", JSON_BOOL },
		{ "12", JSON_NUMBER }, { "1.5", JSON_NUMBER },
		{ "\"\"", JSON_STRING }, { "[]", JSON_ARRAY },
		{ "{}\n", JSON_OBJECT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		struct json_doc *d = doc(is[i].text);

		assert_int_equal(json_typeof(json_root(d)), is[i].type);
		assert_int_equal(json_count(json_root(d)), 0);
		json_doc_free(d);
	}
	json_doc_free(NULL);
}

#define TEXT "{\"s\":\"a\\u00e9\",\"i\":128,\"big\":9223372036854775808," \
    "\"neg\":-5,\"r\":0.5,\"e\":1e2,\"huge\":1e999,\"t\":true,\"f\":false," \
    "\"n\":null,\"o\":{\"k\":\"v\"},\"a\":[1,\"x\"]}"

static void
members_are_got_by_their_type(void **state)
{
	struct json_doc *d = doc(TEXT);
	struct json root = json_root(d), o;
	struct err e = { 0 };
	const char *s = NULL;
	int64_t i = 0;
	double r = 0;
	bool b = false;

	(void)state;
	assert_int_equal(json_get_string(root, "s", &s, &e), 1);
	assert_string_equal(s, "a\xc3\xa9");
	assert_int_equal(json_get_int(root, "i", 0, 128, &i, &e), 1);
	assert_int_equal(i, 128);
	assert_int_equal(json_get_int(root, "neg", -5, 0, &i, &e), 1);
	assert_int_equal(i, -5);
	assert_int_equal(json_get_real(root, "r", 0, 1, &r, &e), 1);
	assert_true(r >= 0.5 && r <= 0.5);
	assert_int_equal(json_get_real(root, "e", 0, 100, &r, &e), 1);
	assert_true(r >= 100 && r <= 100);
	assert_int_equal(json_get_real(root, "i", 0, 200, &r, &e), 1);
	assert_true(r >= 128 && r <= 128);
	assert_int_equal(json_get_bool(root, "t", &b, &e), 1);
	assert_true(b);
	assert_int_equal(json_get_bool(root, "f", &b, &e), 1);
	assert_false(b);
	assert_int_equal(json_get_object(root, "o", &o, &e), 1);
	assert_int_equal(json_get_string(o, "k", &s, &e), 1);
	assert_string_equal(s, "v");
	assert_int_equal(json_count(json_get(root, "a")), 2);
	assert_string_equal(json_text(json_at(json_get(root, "a"), 1)), "x");
	json_doc_free(d);
}

static void
what_is_absent_or_null_leaves_the_value_alone(void **state)
{
	static const char *const keys[] = { "n", "none" };
	struct json_doc *d = doc(TEXT);
	struct json root = json_root(d), o = root;
	struct err e = { 0 };
	const char *s = "kept";
	int64_t i = 7;
	double r = 7;
	bool b = true;

	(void)state;
	for (size_t k = 0; k < 2; k++) {
		assert_int_equal(json_get_string(root, keys[k], &s, &e), 0);
		assert_int_equal(json_get_int(root, keys[k], 0, 1, &i, &e), 0);
		assert_int_equal(json_get_real(root, keys[k], 0, 1, &r, &e),
		    0);
		assert_int_equal(json_get_bool(root, keys[k], &b, &e), 0);
		assert_int_equal(json_get_object(root, keys[k], &o, &e), 0);
	}
	assert_string_equal(s, "kept");
	assert_int_equal(i, 7);
	assert_true(r >= 7 && b);
	assert_ptr_equal(o.node, root.node);
	/* What is asked of none is none. */
	assert_int_equal(json_typeof(json_get(root, "none")), JSON_NONE);
	assert_int_equal(json_typeof(json_get(json_get(root, "none"), "a")),
	    JSON_NONE);
	assert_int_equal(json_typeof(json_at(json_get(root, "a"), 2)),
	    JSON_NONE);
	assert_int_equal(json_typeof(json_at(root, 0)), JSON_NONE);
	assert_int_equal(json_count(json_get(root, "none")), 0);
	assert_null(json_text(json_get(root, "none")));
	assert_null(json_text(root));
	json_doc_free(d);
}

static void
says(const struct err *e, const char *words)
{
	assert_int_equal(e->kind, ERR_MODEL);
	assert_string_equal(e->text, words);
}

static void
another_type_is_a_fault_that_says_what_is_there(void **state)
{
	struct json_doc *d = doc(TEXT);
	struct json root = json_root(d), o;
	struct err e = { 0 };
	const char *s;
	int64_t i;
	double r;
	bool b;

	(void)state;
	assert_int_equal(json_get_string(root, "i", &s, &e), -1);
	says(&e, "x.json: \"i\" is 128, not a string");
	assert_int_equal(json_get_string(root, "big", &s, &e), -1);
	says(&e, "x.json: \"big\" is beyond 64 bits, not a string");
	assert_int_equal(json_get_int(root, "s", 0, 1, &i, &e), -1);
	says(&e, "x.json: \"s\" is a string, not a whole number");
	assert_int_equal(json_get_int(root, "r", 0, 1, &i, &e), -1);
	says(&e, "x.json: \"r\" is 0.5, not a whole number");
	assert_int_equal(json_get_int(root, "e", 0, 1000, &i, &e), -1);
	says(&e, "x.json: \"e\" is 100, not a whole number");
	assert_int_equal(json_get_int(root, "i", 0, 127, &i, &e), -1);
	says(&e, "x.json: \"i\" is 128, not a whole number from 0 to 127");
	assert_int_equal(json_get_int(root, "big", 0, INT64_MAX, &i, &e), -1);
	assert_int_equal(json_get_real(root, "t", 0, 1, &r, &e), -1);
	says(&e, "x.json: \"t\" is a boolean, not a number");
	assert_int_equal(json_get_real(root, "i", 0, 1, &r, &e), -1);
	says(&e, "x.json: \"i\" is 128, not a number from 0 to 1");
	assert_int_equal(json_get_real(root, "huge", 0, INFINITY, &r, &e), -1);
	assert_int_equal(json_get_bool(root, "i", &b, &e), -1);
	says(&e, "x.json: \"i\" is 128, not true or false");
	assert_int_equal(json_get_object(root, "a", &o, &e), -1);
	says(&e, "x.json: \"a\" is an array, not an object");
	json_doc_free(d);
}

static void
members_are_walked_in_the_order_of_the_text(void **state)
{
	struct json_doc *d = doc("{\"z\":1,\"a\":null,\"\":\"x\"}");
	struct json_walk w = json_walk_start(json_root(d));

	(void)state;
	assert_true(json_walk_next(&w));
	assert_string_equal(w.key, "z");
	assert_int_equal(json_typeof(w.value), JSON_NUMBER);
	assert_true(json_walk_next(&w));
	assert_string_equal(w.key, "a");
	assert_int_equal(json_typeof(w.value), JSON_NULL);
	assert_true(json_walk_next(&w));
	assert_string_equal(w.key, "");
	assert_string_equal(json_text(w.value), "x");
	assert_false(json_walk_next(&w));
	w = json_walk_start(json_get(json_root(d), "z"));
	assert_false(json_walk_next(&w));
	w = json_walk_start((struct json){ 0 });
	assert_false(json_walk_next(&w));
	json_doc_free(d);
	assert_true(strlen(json_library_version()) > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_checked_before_it_is_parsed),
		cmocka_unit_test(a_text_that_only_looks_like_nul_is_taken),
		cmocka_unit_test(a_byte_order_mark_may_come_first),
		cmocka_unit_test(a_document_may_be_any_value),
		cmocka_unit_test(members_are_got_by_their_type),
		cmocka_unit_test(
		    what_is_absent_or_null_leaves_the_value_alone),
		cmocka_unit_test(
		    another_type_is_a_fault_that_says_what_is_there),
		cmocka_unit_test(members_are_walked_in_the_order_of_the_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
