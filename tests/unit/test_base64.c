#include <string.h>

#include "base64.h"
#include "buf.h"
#include "unit.h"

/* RFC 4648, section 10. */
static void
the_examples_of_the_rfc_come_out(void **state)
{
	static const char *const pairs[][2] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" },
		{ "foo", "Zm9v" }, { "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
		{ "\xff\xef\xfe", "/+/+" },
	};
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		const char *plain = pairs[i][0], *text = pairs[i][1];

		buf_clear(&b);
		assert_int_equal(base64_encode(plain, strlen(plain), &b, &e),
		    0);
		assert_int_equal(b.n, strlen(text));
		if (b.n > 0)
			assert_memory_equal(b.p, text, b.n);
		buf_clear(&b);
		assert_int_equal(base64_decode(text, strlen(text), &b, &e),
		    0);
		assert_int_equal(b.n, strlen(plain));
		if (b.n > 0)
			assert_memory_equal(b.p, plain, b.n);
	}
	buf_free(&b);
}

static void
bytes_of_every_value_and_number_come_back(void **state)
{
	unsigned char bytes[300];
	struct buf text = { 0 }, plain = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 7);
	for (size_t n = 1; n <= sizeof bytes; n++) {
		buf_clear(&text);
		buf_clear(&plain);
		assert_int_equal(buf_puts(&plain, "kept", &e), 0);
		assert_int_equal(base64_encode(bytes, n, &text, &e), 0);
		assert_int_equal(text.n, (n + 2) / 3 * 4);
		assert_int_equal(base64_decode(text.p, text.n, &plain, &e),
		    0);
		assert_int_equal(plain.n, 4 + n);
		assert_memory_equal(plain.p, "kept", 4);
		assert_memory_equal(plain.p + 4, bytes, n);
	}
	buf_free(&text);
	buf_free(&plain);
}

static void
what_is_no_base64_is_refused_and_changes_nothing(void **state)
{
	static const struct { const char *text, *words; } bad[] = {
		{ "Z", "no base64 at character 2" },
		{ "Zg=", "no base64 at character 4" },
		{ "Zm9vY", "no base64 at character 6" },
		{ "Zm 9v123", "no base64 at character 3" },
		{ "Zg==Zg==", "no base64 at character 3" },
		{ "Z===", "no base64 at character 2" },
		{ "====", "no base64 at character 1" },
		{ "Zm-v", "no base64 at character 3" },
		{ "Zm9\xff", "no base64 at character 4" },
	};
	struct buf b = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct err e = { 0 };

		assert_int_equal(base64_decode(bad[i].text,
		    strlen(bad[i].text), &b, &e), -1);
		assert_int_equal(e.kind, ERR_RECORD);
		assert_int_equal(e.code, CODE_WRONG_TYPE);
		assert_string_equal(e.text, bad[i].words);
		assert_int_equal(b.n, 0);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_examples_of_the_rfc_come_out),
		cmocka_unit_test(bytes_of_every_value_and_number_come_back),
		cmocka_unit_test(
		    what_is_no_base64_is_refused_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
