#include <string.h>

#include "buf.h"
#include "provenance.h"
#include "unit.h"

/* The JSON that P becomes. */
static void
body_is(struct provenance *p, const char *want)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	assert_int_equal(provenance_frame(p, &b, &e), 0);
	assert_memory_equal(b.p, "\x51\x2a\x4d\x18", 4);
	assert_int_equal(b.n, 8 + strlen(want));
	assert_memory_equal(b.p + 8, want, strlen(want));
	assert_int_equal(provenance_check(b.p + 8, b.n - 8, &e), 0);
	buf_free(&b);
}

static void
it_is_as_the_format_says(void **state)
{
	struct err e = { 0 };
	struct provenance *p = provenance_new("melspec", "0.1", &e);

	(void)state;
	assert_non_null(p);
	body_is(p, "{\"ossicle\":1,\"program\":\"melspec\",\"version\":\"0.1\","
	    "\"libraries\":{},\"options\":{},\"inputs\":[],\"model\":{}}");
	assert_int_equal(provenance_library(p, "zstd", "1.5.4", &e), 0);
	assert_int_equal(provenance_option(p, "type", "\"bf16\"", &e), 0);
	assert_int_equal(provenance_option(p, "clip", "30", &e), 0);
	assert_int_equal(provenance_model(p, "tokenizer.json", "ab12", &e),
	    0);
	assert_int_equal(provenance_input(p, "b.json", &e), 0);
	assert_int_equal(provenance_input(p, "a \"1\".json", &e), 0);
	body_is(p, "{\"ossicle\":1,\"program\":\"melspec\",\"version\":\"0.1\","
	    "\"libraries\":{\"zstd\":\"1.5.4\"},"
	    "\"options\":{\"clip\":30,\"type\":\"bf16\"},"
	    "\"inputs\":[\"b.json\",\"a \\\"1\\\".json\"],"
	    "\"model\":{\"tokenizer.json\":\"ab12\"}}");
	provenance_free(p);
}

static void
the_order_of_options_does_not_matter(void **state)
{
	static const char *const names[] = { "b", "c", "a", "d" };
	struct err e = { 0 };

	(void)state;
	for (size_t from = 0; from < 4; from++) {
		struct provenance *p = provenance_new("x", "1", &e);

		assert_non_null(p);
		for (size_t i = 0; i < 4; i++)
			assert_int_equal(provenance_option(p,
			    names[(from + i) % 4], "1", &e), 0);
		/* The last value counts. */
		assert_int_equal(provenance_option(p, "a", "[2]", &e), 0);
		body_is(p, "{\"ossicle\":1,\"program\":\"x\",\"version\":\"1\","
		    "\"libraries\":{},\"options\":{\"a\":[2],\"b\":1,\"c\":1,"
		    "\"d\":1},\"inputs\":[],\"model\":{}}");
		provenance_free(p);
	}
}

static void
a_name_that_is_not_utf8_is_still_json(void **state)
{
	struct err e = { 0 };
	struct provenance *p = provenance_new("x", "1", &e);

	(void)state;
	assert_non_null(p);
	assert_int_equal(provenance_input(p, "caf\xe9\xff/\xc3\xa9\xf0\x9f",
	    &e), 0);
	assert_int_equal(e.kind, ERR_NONE);
	body_is(p, "{\"ossicle\":1,\"program\":\"x\",\"version\":\"1\","
	    "\"libraries\":{},\"options\":{},"
	    "\"inputs\":[\"caf\?\?/\xc3\xa9\?\?\"],\"model\":{}}");
	provenance_free(p);
}

static void
an_option_that_is_not_json_is_refused(void **state)
{
	struct err e = { 0 };
	struct provenance *p = provenance_new("x", "1", &e);

	(void)state;
	assert_non_null(p);
	assert_int_equal(provenance_option(p, "o", "bf16", &e), -1);
	assert_int_equal(provenance_option(p, "o", "", &e), -1);
	provenance_free(p);
}

static int
check(const char *body, struct err *e)
{
	return provenance_check(body, strlen(body), e);
}

static void
only_the_version_that_is_known_is_read(void **state)
{
	static const char *const bad[] = {
		"", "{}", "[1]", "{\"ossicle\":}", "{\"ossicle\":\"1\"}",
		"{\"ossicle\":0}", "{\"ossicle\":-1}", "{\"ossicle\":1.5}",
		"{\"ossicle\":1", "{\"ossicle\":2}", "{\"ossicle\":10}",
		"{\"ossicle\":99999999999999999999}", " {\"ossicle\":1}",
		"{ \"ossicle\":1}", "{\"ossicle\":1,\"ossicle\":1}",
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		if (check(bad[i], &e) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	assert_int_equal(check("{\"ossicle\":1}", &e), 0);
	assert_int_equal(check("{\"ossicle\":1,\"program\":7,\"new\":[]}",
	    &e), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_as_the_format_says),
		cmocka_unit_test(the_order_of_options_does_not_matter),
		cmocka_unit_test(a_name_that_is_not_utf8_is_still_json),
		cmocka_unit_test(an_option_that_is_not_json_is_refused),
		cmocka_unit_test(only_the_version_that_is_known_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
