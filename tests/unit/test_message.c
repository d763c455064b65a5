/* What a person reads: places, errors, notes, hints; nothing that a
 * terminal would act upon. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "buf.h"
#include "message.h"
#include "record.h"

static struct buf out;
static struct err e;

static int
end(void **state)
{
	(void)state;
	buf_free(&out);
	return 0;
}

static void
is(const char *text)
{
	assert_int_equal(buf_putc(&out, '\0', &e), 0);
	assert_string_equal(out.p, text);
	buf_clear(&out);
}

/* Append the message of RECORD's error, or of its first note. */
static void
tell(const char *record, bool note)
{
	struct record *r = record_new(&e);

	assert_non_null(r);
	assert_int_equal(record_parse(r, record, strlen(record), &e), 0);
	assert_int_equal(message_record(&out, "melspec", r, note ?
	    jsonscan_at(record_get(r, RECORD_NOTES), 0) :
	    record_get(r, RECORD_ERROR), note, &e), 0);
	record_free(r);
}

static void
an_error_has_file_line_text_and_code(void **state)
{
	(void)state;
	tell("{\"at\":{\"file\":\"data.json\",\"offset\":9,\"line\":17},"
	    "\"error\":{\"stage\":\"dpo-pair\",\"code\":\"audio-count\","
	    "\"message\":\"2 <audio> tags but 1 entry in audios\"}}", false);
	is("data.json:17: error: 2 <audio> tags but 1 entry in audios "
	    "[audio-count]\n");
}

static void
a_hint_has_a_line_of_its_own(void **state)
{
	(void)state;
	tell("{\"at\":{\"file\":\"d\",\"line\":1},\"error\":{\"code\":\"x\","
	    "\"message\":\"m\",\"hint\":\"add \\\"a\\\"\"}}", false);
	is("d:1: error: m [x]\n  hint: add \"a\"\n");
}

static void
without_a_line_there_is_the_offset(void **state)
{
	(void)state;
	tell("{\"at\":{\"file\":\"d\",\"offset\":4096},\"notes\":[{\"code\":"
	    "\"cutoff\",\"message\":\"m\"}]}", true);
	is("d@4096: note: m [cutoff]\n");
}

static void
without_a_place_there_is_the_program(void **state)
{
	(void)state;
	tell("{\"error\":{\"code\":\"x\",\"message\":\"m\"}}", false);
	is("melspec: error: m [x]\n");
	tell("{\"at\":{\"file\":1,\"line\":1},\"error\":{}}", false);
	is("melspec: error:  []\n");
	tell("{\"at\":{\"file\":\"d\",\"line\":\"1\",\"offset\":-1},"
	    "\"error\":{\"message\":5,\"code\":[],\"hint\":{}}}", false);
	is("d: error:  []\n");
}

static void
what_a_terminal_would_act_upon_is_escaped(void **state)
{
	(void)state;
	tell("{\"at\":{\"file\":\"a\\u001b[2J\\nb\",\"line\":1},\"error\":{"
	    "\"code\":\"\\u0007\",\"message\":\"x\\ry\\u009b\\u202e"
	    "z\",\"hint\":\"\\n\"}}", false);
	is("a\\x1b[2J\\nb:1: error: x\\ry\\xc2\\x9b\\xe2\\x80\\xaez [\\x07]\n"
	    "  hint: \\n\n");
}

/* Whoever wrote a message has escaped the data in it once already. */
static void
backslashes_in_a_message_stay_as_they_are(void **state)
{
	(void)state;
	tell("{\"error\":{\"code\":\"x\",\"message\":\"\\\\\\\\ a\\\\x1b\\\\nb"
	    " \\\\\"}}", false);
	is("melspec: error: \\\\ a\\x1b\\nb \\ [x]\n");
}

static void
a_long_message_is_whole(void **state)
{
	struct err fault = { 0 };
	char want[1100];
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i + 4 < 1000; i += 4)
		n += (size_t)snprintf(fault.text + n, sizeof fault.text - n,
		    "%s", i % 3 == 0 ? "a\xe2\x82\xac" : "\xf0\x9f\x8e\xb5");
	assert_int_equal(message_program(&out, "p", "error", &fault, &e), 0);
	(void)snprintf(want, sizeof want, "p: error: %s\n", fault.text);
	is(want);
}

static void
a_long_file_name_is_cut(void **state)
{
	struct record *r = record_new(&e);
	struct buf at = { 0 };
	bool known;

	(void)state;
	assert_non_null(r);
	assert_int_equal(buf_puts(&at, "{\"line\":1,\"file\":\"", &e), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_putc(&at, 'f', &e), 0);
	assert_int_equal(buf_puts(&at, "\"}", &e), 0);
	assert_int_equal(record_set(r, RECORD_AT, at.p, at.n, &e), 0);
	assert_int_equal(message_place(&out, r, &known, &e), 0);
	assert_true(known);
	assert_in_range(out.n, 100, ERR_QUOTE_MAX + 8);
	assert_memory_equal(out.p + out.n - 5, "...:1", 5);
	buf_free(&at);
	record_free(r);
}

static void
a_programs_own_fault_has_its_name(void **state)
{
	struct err fault = { 0 };

	(void)state;
	(void)err_set(&fault, ERR_MODEL, "no tokenizer.json in \"%s\"", "m");
	assert_int_equal(message_program(&out, "tokpack", "error", &fault,
	    &e), 0);
	is("tokpack: error: no tokenizer.json in \"m\"\n");
	(void)err_hint(&fault, "-m names a directory\x1b");
	assert_int_equal(message_program(&out, "tokpack", "warning", &fault,
	    &e), 0);
	is("tokpack: warning: no tokenizer.json in \"m\"\n"
	    "  hint: -m names a directory\\x1b\n");
}

static void
printing_goes_to_stderr_and_never_fails(void **state)
{
	char got[64];
	int ends[2], saved = dup(2);

	(void)state;
	assert_true(saved >= 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(buf_puts(&out, "d:1: note: x\n", &e), 0);
	assert_int_equal(dup2(ends[1], 2), 2);
	message_print(&out);
	(void)close(2);
	message_print(&out);
	assert_int_equal(dup2(saved, 2), 2);
	assert_int_equal(read(ends[0], got, sizeof got), 13);
	assert_memory_equal(got, out.p, 13);
	(void)close(saved);
	(void)close(ends[0]);
	(void)close(ends[1]);
}

#define TEST(f) cmocka_unit_test_teardown(f, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_error_has_file_line_text_and_code),
		TEST(a_hint_has_a_line_of_its_own),
		TEST(without_a_line_there_is_the_offset),
		TEST(without_a_place_there_is_the_program),
		TEST(what_a_terminal_would_act_upon_is_escaped),
		TEST(backslashes_in_a_message_stay_as_they_are),
		TEST(a_long_message_is_whole),
		TEST(a_long_file_name_is_cut),
		TEST(a_programs_own_fault_has_its_name),
		TEST(printing_goes_to_stderr_and_never_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
