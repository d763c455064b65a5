#include <errno.h>
#include <string.h>

#include "err.h"
#include "unit.h"

static void
a_fault_is_one_return_statement(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_SYSTEM, "%d %s", 2, "words"), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(e.code, CODE_NONE);
	assert_string_equal(e.text, "2 words");
	assert_int_equal(err_record(&e, CODE_CUTOFF, "x"), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, CODE_CUTOFF);
	assert_int_equal(err_hint(&e, "do %s", "this"), -1);
	assert_string_equal(e.hint, "do this");
}

static void
a_new_fault_has_no_old_hint(void **state)
{
	struct err e = { 0 };

	(void)state;
	(void)err_hint(&e, "old");
	(void)err_set(&e, ERR_USAGE, "new");
	assert_string_equal(e.hint, "");
}

static void
errno_is_told_in_words(void **state)
{
	struct err e = { 0 };

	(void)state;
	errno = ENOENT;
	(void)err_errno(&e, "cannot open %s", "f");
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_string_equal(e.text, "cannot open f: No such file or directory");
	errno = ENOMEM;
	(void)err_errno(&e, "no");
	assert_int_equal(e.kind, ERR_MEMORY);
}

static void
a_caller_adds_where(void **state)
{
	struct err e = { 0 };

	(void)state;
	(void)err_set(&e, ERR_SYSTEM, "inner");
	(void)err_wrap(&e, "audios[%d]", 3);
	(void)err_wrap(&e, "outer");
	assert_string_equal(e.text, "outer: audios[3]: inner");
}

static void
a_text_too_long_is_cut_and_ended(void **state)
{
	struct err e = { 0 };
	char s[3 * ERR_TEXT_MAX];

	(void)state;
	memset(s, 'x', sizeof s);
	s[sizeof s - 1] = '\0';
	(void)err_set(&e, ERR_SYSTEM, "%s", s);
	assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
	(void)err_wrap(&e, "%s", s);
	assert_true(strlen(e.text) < ERR_TEXT_MAX);
	(void)err_wrap(&e, "w");
	assert_memory_equal(e.text, "w: xxx", 6);
	(void)err_hint(&e, "%s", s);
	assert_int_equal(strlen(e.hint), ERR_HINT_MAX - 1);
}

static void
quotes(const char *in, size_t n, const char *want)
{
	char out[ERR_QUOTE_SIZE];

	assert_string_equal(err_quote(out, sizeof out, in, n), want);
}

static void
what_could_steer_a_terminal_is_escaped(void **state)
{
	(void)state;
	quotes("a\x1b[31m", 6, "a\\x1b[31m");
	quotes("\n\r\t\\", 4, "\\n\\r\\t\\\\");
	quotes("\0z", 2, "\\x00z");
	quotes("\x7f", 1, "\\x7f");
	quotes("\xc2\x9b", 2, "\\xc2\\x9b");			/* C1: CSI */
	quotes("\xe2\x80\xae", 3, "\\xe2\\x80\\xae");		/* RLO */
	quotes("\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6");		/* LRI */
	quotes("\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8");		/* line sep. */
	quotes("\xd8\x9c", 2, "\\xd8\\x9c");			/* ALM */
}

static void
text_of_any_script_is_left_alone(void **state)
{
	(void)state;
	quotes("caf\xc3\xa9", 5, "caf\xc3\xa9");
	quotes("\xe9\x9f\xb3", 3, "\xe9\x9f\xb3");
	quotes("\xf0\x9f\x8e\xa7", 4, "\xf0\x9f\x8e\xa7");
	quotes("", 0, "");
}

static void
what_is_no_utf8_is_escaped(void **state)
{
	(void)state;
	quotes("\xff", 1, "\\xff");
	quotes("\xc3", 1, "\\xc3");
	quotes("\xe0\x80\x80", 3, "\\xe0\\x80\\x80");
	quotes("\xed\xa0\x80", 3, "\\xed\\xa0\\x80");
	quotes("\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80");
	quotes("\xc0\xaf", 2, "\\xc0\\xaf");
	quotes("\xc3(", 2, "\\xc3(");
}

static void
a_quote_ends_after_200_bytes_between_characters(void **state)
{
	char in[1200], out[ERR_QUOTE_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof in; i += 3)
		memcpy(in + i, "\xe9\x9f\xb3", 3);
	(void)err_quote(out, sizeof out, in, sizeof in);
	assert_int_equal(strlen(out), 198 + 3);
	assert_string_equal(out + 198, "...");
	memset(in, 'x', sizeof in);
	(void)err_quote(out, sizeof out, in, ERR_QUOTE_MAX);
	assert_int_equal(strlen(out), ERR_QUOTE_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_one_return_statement),
		cmocka_unit_test(a_new_fault_has_no_old_hint),
		cmocka_unit_test(errno_is_told_in_words),
		cmocka_unit_test(a_caller_adds_where),
		cmocka_unit_test(a_text_too_long_is_cut_and_ended),
		cmocka_unit_test(what_could_steer_a_terminal_is_escaped),
		cmocka_unit_test(text_of_any_script_is_left_alone),
		cmocka_unit_test(what_is_no_utf8_is_escaped),
		cmocka_unit_test(a_quote_ends_after_200_bytes_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
