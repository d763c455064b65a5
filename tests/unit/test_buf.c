#include <string.h>

#include "buf.h"
#include "unit.h"

static void
bytes_come_out_as_they_went_in(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_putc(&b, (char)i, &e), 0);
	assert_int_equal(b.n, 100000);
	for (int i = 0; i < 100000; i++)
		assert_true(b.p[i] == (char)i);
	buf_clear(&b);
	assert_int_equal(b.n, 0);
	assert_int_equal(buf_puts(&b, "ab", &e), 0);
	assert_int_equal(buf_put(&b, NULL, 0, &e), 0);
	assert_int_equal(buf_printf(&b, &e, "%d%s", 7, "c"), 0);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "ab7c", 4);
	buf_free(&b);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
}

static void
numbers_are_decimal(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_put_u64(&b, 0, &e), 0);
	assert_int_equal(buf_put_u64(&b, 1090, &e), 0);
	assert_int_equal(buf_put_u64(&b, UINT64_MAX, &e), 0);
	assert_int_equal(b.n, 25);
	assert_memory_equal(b.p, "0109018446744073709551615", 25);
	buf_free(&b);
}

static void
too_much_is_no_memory_and_changes_nothing(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_puts(&b, "kept", &e), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX, &e), -1);
	assert_int_equal(e.kind, ERR_MEMORY);
	assert_int_equal(buf_reserve(&b, SIZE_MAX / 2 - 8, &e), -1);
	assert_int_equal(b.n, 4);
	assert_memory_equal(b.p, "kept", 4);
	buf_free(&b);
}

static void
gives(const char *in, size_t n, const char *want)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	assert_int_equal(buf_put_json(&b, in, n, &e), 0);
	assert_int_equal(b.n, strlen(want));
	assert_memory_equal(b.p, want, b.n);
	buf_free(&b);
}

/* As json.dumps(s, ensure_ascii=False) has it. */
static void
json_strings_are_escaped_as_python_does(void **state)
{
	(void)state;
	gives("", 0, "\"\"");
	gives("a/b", 3, "\"a/b\"");
	gives("\"\\", 2, "\"\\\"\\\\\"");
	gives("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
	gives("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
	gives("x\xc3\xa9\n", 4, "\"x\xc3\xa9\\n\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_out_as_they_went_in),
		cmocka_unit_test(numbers_are_decimal),
		cmocka_unit_test(too_much_is_no_memory_and_changes_nothing),
		cmocka_unit_test(json_strings_are_escaped_as_python_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
