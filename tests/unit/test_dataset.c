#include <string.h>

#include "dataset.h"
#include "unit.h"

/* What dataset_info.json, TEXT, says of NAME. */
static int
parse(struct dataset *d, const char *text, const char *name, struct err *e)
{
	*e = (struct err){ 0 };
	return dataset_parse(d, text, strlen(text), name, e);
}

#define INFO(rest) "{\"x\":{\"file_name\":\"f\",\"ranking\":true" rest "}}"
#define COLUMNS ",\"columns\":{\"chosen\":\"c\",\"rejected\":\"r\"," \
    "\"messages\":\"m\"}"

static void
a_columns_object_sets_all_columns(void **state)
{
	struct dataset d = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(&d, INFO(",\"formatting\":\"sharegpt\""
	    COLUMNS), "x", &e), 0);
	assert_int_equal(d.format, DATASET_SHAREGPT);
	assert_string_equal(d.column[DATASET_MESSAGES], "m");
	assert_string_equal(d.column[DATASET_CHOSEN], "c");
	assert_string_equal(d.column[DATASET_REJECTED], "r");
	for (int i = 0; i < DATASET_COLUMNS; i++)
		if (i != DATASET_MESSAGES && i != DATASET_CHOSEN &&
		    i != DATASET_REJECTED)
			assert_null(d.column[i]);
	assert_string_equal(d.tag[DATASET_USER], "human");
	assert_string_equal(d.tag[DATASET_FUNCTION], "function_call");
	dataset_free(&d);
}

static void
a_tags_object_sets_all_tags(void **state)
{
	struct dataset d = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(&d, INFO(",\"formatting\":\"openai\"" COLUMNS
	    ",\"tags\":{\"role_tag\":\"r\",\"content_tag\":\"\\u00e9\","
	    "\"user_tag\":\"U\",\"system_tag\":\"\"}"), "x", &e), 0);
	assert_string_equal(d.tag[DATASET_ROLE], "r");
	assert_string_equal(d.tag[DATASET_CONTENT], "é");
	assert_string_equal(d.tag[DATASET_USER], "U");
	assert_string_equal(d.tag[DATASET_SYSTEM_ROLE], "");
	assert_null(d.tag[DATASET_ASSISTANT]);
	assert_null(d.tag[DATASET_OBSERVATION]);
	assert_null(d.tag[DATASET_FUNCTION]);
	dataset_free(&d);
}

static void
alpaca_is_the_format_where_none_is_named(void **state)
{
	struct dataset d = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(&d, INFO(",\"columns\":{\"prompt\":\"p\","
	    "\"chosen\":\"c\",\"rejected\":\"r\",\"query\":\"\","
	    "\"system\":null}"), "x", &e), 0);
	assert_int_equal(d.format, DATASET_ALPACA);
	assert_null(d.column[DATASET_QUERY]);
	assert_null(d.column[DATASET_SYSTEM]);
	dataset_free(&d);
}

/* As json.load has it. */
static void
of_equal_keys_the_last_one_counts(void **state)
{
	struct dataset d = { 0 };
	struct err e;

	(void)state;
	assert_int_equal(parse(&d, "{\"x\":1,\"x\":{\"ranking\":0,"
	    "\"ranking\":NaN,\"formatting\":\"sharegpt\"" COLUMNS "}}", "x",
	    &e), 0);
	assert_string_equal(d.column[DATASET_MESSAGES], "m");
	dataset_free(&d);
}

static void
a_data_set_that_gives_no_pair_is_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} t[] = {
		{ INFO(""), "data set \"x\": \"columns\" names no "
		  "\"chosen\"" },
		{ INFO(",\"columns\":{\"chosen\":\"c\"}"),
		  "data set \"x\": \"columns\" names no \"rejected\"" },
		{ INFO(",\"columns\":{\"chosen\":\"c\",\"rejected\":\"r\"}"),
		  "data set \"x\": \"columns\" names no \"prompt\"" },
		{ INFO(",\"formatting\":\"sharegpt\",\"columns\":{\"chosen\":"
		  "\"c\",\"rejected\":\"r\"}"),
		  "data set \"x\": \"columns\" names no \"messages\"" },
		{ INFO(",\"formatting\":\"sharegpt\"" COLUMNS
		  ",\"tags\":{\"role_tag\":\"r\"}"),
		  "data set \"x\": \"tags\" names no \"content_tag\"" },
		{ INFO(",\"formatting\":\"sharegpt\"" COLUMNS
		  ",\"tags\":{\"content_tag\":\"r\"}"),
		  "data set \"x\": \"tags\" names no \"role_tag\"" },
		{ "{\"x\":{\"file_name\":\"f\"}}", "data set \"x\": "
		  "\"ranking\" is not true, so that LLaMA-Factory would drop "
		  "every pair" },
		{ INFO(",\"formatting\":\"sharegtp\""),
		  "data set \"x\": \"formatting\" is \"sharegtp\"; "
		  "LLaMA-Factory knows alpaca, sharegpt and openai" },
		{ INFO(",\"columns\":[]"), "data set \"x\": \"columns\" is an "
		  "array, not an object" },
		{ INFO(",\"columns\":{\"chosen\":1}"), "data set \"x\": "
		  "\"chosen\" of \"columns\" is a number, not a string" },
		{ INFO(",\"columns\":{\"chosen\":\"a\\u0000b\"}"), "data set "
		  "\"x\": \"chosen\" of \"columns\" holds a NUL" },
		{ "{\"x\":[]}", "data set \"x\": it is an array, not an "
		  "object" },
		{ "{\"y\":{}}", "there is no data set of the name \"x\"" },
		{ "[]", "there is no data set of the name \"x\"" },
	};
	struct dataset d = { 0 };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		assert_int_equal(parse(&d, t[i].text, "x", &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_string_equal(e.text, t[i].message);
	}
	assert_int_equal(parse(&d, "{\"x\":", "x", &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_int_equal(dataset_read(&d, "/nonexistent", "x", &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	dataset_free(&d);
}

static void
formats_are_found_by_name(void **state)
{
	(void)state;
	for (int i = 0; i < DATASET_FORMATS; i++) {
		enum dataset_format f = (enum dataset_format)i;

		assert_int_equal(dataset_format_find(dataset_format_name(f)),
		    f);
		assert_int_equal(dataset_usual(f)->format, f);
	}
	assert_int_equal(dataset_format_find("x"), DATASET_FORMATS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_columns_object_sets_all_columns),
		cmocka_unit_test(a_tags_object_sets_all_tags),
		cmocka_unit_test(alpaca_is_the_format_where_none_is_named),
		cmocka_unit_test(of_equal_keys_the_last_one_counts),
		cmocka_unit_test(a_data_set_that_gives_no_pair_is_refused),
		cmocka_unit_test(formats_are_found_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
