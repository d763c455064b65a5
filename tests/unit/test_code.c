#include <string.h>

#include "code.h"
#include "unit.h"

static void
every_code_has_a_whole_row_and_is_found(void **state)
{
	(void)state;
	for (int i = 1; i < CODE_N; i++) {
		const struct code_row *r = code_row((enum code)i);

		assert_non_null(r->name);
		assert_true(strlen(r->name) > 0 && strlen(r->name) < 32);
		assert_true(strspn(r->name, "abcdefghijklmnopqrstuvwxyz-0123456789") ==
		    strlen(r->name));
		assert_true(strlen(r->cause) > 0);
		assert_true(strlen(r->cure) > 0);
		assert_true(strlen(r->original) > 0);
		assert_int_equal(code_find(r->name, strlen(r->name)), i);
	}
}

static void
what_is_no_code_is_not_found(void **state)
{
	(void)state;
	assert_int_equal(code_find("", 0), CODE_NONE);
	assert_int_equal(code_find("bad-jso", 7), CODE_NONE);
	assert_int_equal(code_find("bad-json ", 9), CODE_NONE);
	assert_int_equal(code_find("bad-json", 8), CODE_BAD_JSON);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_whole_row_and_is_found),
		cmocka_unit_test(what_is_no_code_is_not_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
