#include <string.h>

#include "golden.h"
#include "pyjson.h"
#include "tools.h"

/* What KIND makes of TEXT, in OUT. */
static int
render(struct jsonspan kind, const struct buf *text, struct buf *out,
    struct err *e)
{
	struct buf b = { 0 };
	struct jsonspan v;
	int rc;

	if (jsonscan_is(kind, "tools"))
		return tools_describe(text->p, text->n, out, e);
	if (jsonscan_is(kind, "call"))
		return tools_call(text->p, text->n, out, e);
	rc = pyjson_load(text->p, text->n, &b, e);
	v = (struct jsonspan){ b.p, b.n };
	if (rc == 0 && jsonscan_is(kind, "load"))
		rc = buf_put(out, b.p, b.n, e);
	else if (rc == 0 && jsonscan_is(kind, "str"))
		rc = pyjson_str(v, out, e);
	else if (rc == 0)
		rc = buf_puts(out, pyjson_true(v) ? "true" : "false", e);
	buf_free(&b);
	return rc;
}

/* Every line of the golden file, made by LLaMA-Factory and Python. */
static void
all_is_rendered_as_the_originals_have_it(void **state)
{
	struct golden g = golden_open("tests/golden/tools.txt");
	struct buf text = { 0 }, want = { 0 }, got = { 0 };
	struct jsonspan line;

	(void)state;
	while (golden_next(&g, &line)) {
		struct jsonspan result = jsonscan_at(line, 2);
		struct err e = { 0 };
		int rc;

		buf_clear(&text);
		buf_clear(&want);
		buf_clear(&got);
		assert_int_equal(buf_puts(&got, "was", &e), 0);
		assert_int_equal(buf_reserve(&text, 1, &e), 0);
		assert_int_equal(jsonscan_string(jsonscan_at(line, 1), &text,
		    &e), 0);
		rc = render(jsonscan_at(line, 0), &text, &got, &e);
		if (jsonscan_type(result) == JSON_NULL) {
			if (rc == 0)
				fail_msg("line %zu passes", g.lines);
			assert_int_equal(e.kind, ERR_RECORD);
			assert_int_equal(e.code, CODE_BAD_TOOLS);
			assert_int_equal(got.n, 3);
			continue;
		}
		if (rc < 0)
			fail_msg("line %zu: %s", g.lines, e.text);
		assert_int_equal(buf_puts(&want, "was", &e), 0);
		assert_int_equal(jsonscan_string(result, &want, &e), 0);
		if (got.n != want.n || memcmp(got.p, want.p, got.n) != 0)
			fail_msg("line %zu: %.*s", g.lines, (int)got.n, got.p);
	}
	golden_close(&g, 300);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
}

/* The text of the fault of TEXT as tools, or as a call. */
static const char *
fault(const char *text, int (*f)(const char *, size_t, struct buf *,
    struct err *), struct err *e)
{
	struct buf out = { 0 };

	assert_int_equal(f(text, strlen(text), &out, e), -1);
	assert_true(e->hint[0] != '\0');
	buf_free(&out);
	return e->text;
}

static void
faults_say_where_and_what(void **state)
{
	static const struct {
		const char *text, *message;
	} tools[] = {
		{ "{\"a\":1}", "tools is an object, not an array of tools" },
		{ "[1]", "tools[0]: the tool is a number, not an object" },
		{ "[{\"name\":\"n\",\"parameters\":{\"properties\":{}}},{}]",
		  "tools[1]: name is missing" },
		{ "[{\"name\":7}]",
		  "tools[0]: name is a number, not a string" },
		{ "[{\"name\":\"n\"}]", "tools[0]: parameters is missing" },
		{ "[{\"name\":\"n\",\"parameters\":{}}]",
		  "tools[0]: parameters.properties is missing" },
		{ "[{\"name\":\"n\",\"parameters\":{\"properties\":"
		  "{\"p\":{\"enum\":[1]}}}}]",
		  "tools[0]: parameter \"p\": enum holds a number: it takes "
		  "strings alone" },
		{ "[{\"type\":\"function\",\"function\":null}]",
		  "tools[0]: function is null, not an object" },
	}, calls[] = {
		{ "7", "the call is a number, not an object" },
		{ "{\"name\":\"f\"}", "arguments is missing" },
		{ "[{\"name\":\"f\",\"arguments\":1},{\"arguments\":1}]",
		  "call 1: name is missing" },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof tools / sizeof tools[0]; i++)
		assert_string_equal(fault(tools[i].text, tools_describe, &e),
		    tools[i].message);
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
		assert_string_equal(fault(calls[i].text, tools_call, &e),
		    calls[i].message);
	assert_non_null(strstr(fault("[", tools_describe, &e),
	    "tools is not JSON: "));
	assert_non_null(strstr(fault("f()", tools_call, &e),
	    "the function call is not JSON: "));
}

/* 100,000 keys, two of them the same, in no more than a moment. */
static void
many_keys_cost_no_square_of_their_number(void **state)
{
	static const char begin[] = "{\"k0\": 0, \"k1\": 1, \"k2\": 2, "
	    "\"k3\": 3, \"k4\": 4, \"k5\": 5, \"k6\": 6, "
	    "\"k7\": \"last\", \"k8\": 8";
	struct buf text = { 0 }, out = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_putc(&text, '{', &e), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_printf(&text, &e, "\"k%d\":%d,", i, i),
		    0);
	assert_int_equal(buf_puts(&text, "\"k7\":\"last\"}", &e), 0);
	assert_int_equal(pyjson_load(text.p, text.n, &out, &e), 0);
	assert_memory_equal(out.p, begin, sizeof begin - 1);
	buf_free(&text);
	buf_free(&out);
}

/* 20,000 parameters, all of them required. */
static void
many_required_cost_no_square_of_their_number(void **state)
{
	struct buf text = { 0 }, out = { 0 };
	struct err e = { 0 };
	size_t found = 0;

	(void)state;
	assert_int_equal(buf_puts(&text, "[{\"name\":\"n\",\"parameters\":{"
	    "\"properties\":{\"k\":{}", &e), 0);
	for (int i = 0; i < 20000; i++)
		assert_int_equal(buf_printf(&text, &e, ",\"k%d\":{}", i), 0);
	assert_int_equal(buf_puts(&text, "},\"required\":[\"x\"", &e), 0);
	for (int i = 19999; i >= 0; i--)
		assert_int_equal(buf_printf(&text, &e, ",\"k%d\"", i), 0);
	assert_int_equal(buf_puts(&text, "]}}]", &e), 0);
	assert_int_equal(tools_describe(text.p, text.n, &out, &e), 0);
	assert_int_equal(buf_putc(&out, '\0', &e), 0);
	for (const char *p = out.p; (p = strstr(p, ", required")) != NULL; p++)
		found++;
	assert_int_equal(found, 20000);
	buf_free(&text);
	buf_free(&out);
}

static void
a_value_that_is_absent_is_false(void **state)
{
	(void)state;
	assert_false(pyjson_true((struct jsonspan){ NULL, 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_rendered_as_the_originals_have_it),
		cmocka_unit_test(faults_say_where_and_what),
		cmocka_unit_test(many_keys_cost_no_square_of_their_number),
		cmocka_unit_test(
		    many_required_cost_no_square_of_their_number),
		cmocka_unit_test(a_value_that_is_absent_is_false),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
