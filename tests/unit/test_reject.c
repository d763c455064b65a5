/* The rejects file appears whole or not at all; the limits hold to the
 * record. */
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "buf.h"
#include "file.h"
#include "reject.h"

static char dir[64], path[96];
static struct err e;

static int
begin(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof dir, "/tmp/test_reject.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/rejects", dir);
	return 0;
}

/* No temporary may be left in the folder. */
static int
end(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void
content_is(const char *text)
{
	struct buf b = { 0 };

	assert_int_equal(file_read(path, 1 << 30, &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	assert_string_equal(b.p, text);
	buf_free(&b);
}

static void
lines_appear_when_they_are_published(void **state)
{
	struct reject *r = reject_open(path, &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(reject_write(r, "{\"a\":1}\n", 8, &e), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(reject_write(r, "{}\n", 3, &e), 0);
	assert_int_equal(reject_publish(r, &e), 0);
	content_is("{\"a\":1}\n{}\n");
}

static void
no_rejects_make_an_empty_file_of_an_old_one(void **state)
{
	FILE *f = fopen(path, "w");
	struct reject *r;

	(void)state;
	assert_non_null(f);
	assert_true(fputs("old\n", f) >= 0);
	assert_int_equal(fclose(f), 0);
	r = reject_open(path, &e);
	assert_non_null(r);
	content_is("old\n");
	assert_int_equal(reject_publish(r, &e), 0);
	content_is("");
}

static void
what_is_discarded_leaves_nothing(void **state)
{
	struct reject *r = reject_open(path, &e);

	(void)state;
	assert_non_null(r);
	assert_int_equal(reject_write(r, "{}\n", 3, &e), 0);
	reject_discard(r);
	reject_discard(NULL);
	assert_int_equal(access(path, F_OK), -1);
}

static void
many_lines_are_whole(void **state)
{
	struct reject *r = reject_open(path, &e);
	struct buf want = { 0 };

	(void)state;
	assert_non_null(r);
	for (int i = 0; i < 20000; i++) {
		size_t from = want.n;

		assert_int_equal(buf_printf(&want, &e, "{\"n\":%d}\n", i), 0);
		assert_int_equal(reject_write(r, want.p + from, want.n - from,
		    &e), 0);
	}
	assert_int_equal(reject_publish(r, &e), 0);
	assert_int_equal(buf_putc(&want, '\0', &e), 0);
	content_is(want.p);
	buf_free(&want);
}

static void
a_place_that_cannot_be_is_named(void **state)
{
	(void)state;
	assert_null(reject_open("/nonexistent/folder/rejects", &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "the rejects file: "));
	assert_null(reject_open("/dev/null", &e));
}

static struct reject_limit
limit(const char *arg)
{
	struct reject_limit l = { 0 };

	assert_int_equal(reject_parse_limit(&l, arg, &e), 0);
	return l;
}

static void
by_default_5_percent_or_10_are_allowed(void **state)
{
	const struct reject_limit l = { 0 };

	(void)state;
	assert_int_equal(reject_judge(&l, 0, 0, &e), 0);
	assert_int_equal(reject_judge(&l, 10, 10, &e), 0);
	assert_int_equal(reject_judge(&l, 11, 11, &e), -1);
	assert_int_equal(e.kind, ERR_REJECTS);
	assert_string_equal(e.text, "11 of 11 records were rejected; "
	    "--max-rejects allows 5%, or 10, whichever is more");
	assert_true(e.hint[0] != '\0');
	assert_int_equal(reject_judge(&l, 11, 219, &e), -1);
	assert_int_equal(reject_judge(&l, 11, 220, &e), 0);
	assert_int_equal(reject_judge(&l, 12, 220, &e), -1);
	assert_int_equal(reject_judge(&l, 50000, 1000000, &e), 0);
	assert_int_equal(reject_judge(&l, 50001, 1000000, &e), -1);
}

static void
a_number_is_a_number_of_records(void **state)
{
	struct reject_limit l = limit("3");

	(void)state;
	assert_int_equal(reject_judge(&l, 3, 3, &e), 0);
	assert_int_equal(reject_judge(&l, 4, 1000000, &e), -1);
	l = limit("0");
	assert_int_equal(reject_judge(&l, 0, 9, &e), 0);
	assert_int_equal(reject_judge(&l, 1, 1000000, &e), -1);
	assert_non_null(strstr(e.text, "--max-rejects allows 0"));
}

static void
a_percentage_is_of_all_records(void **state)
{
	struct reject_limit l = limit("2.5%");

	(void)state;
	assert_int_equal(reject_judge(&l, 25, 1000, &e), 0);
	assert_int_equal(reject_judge(&l, 26, 1000, &e), -1);
	assert_non_null(strstr(e.text, "allows 2.5%"));
	assert_int_equal(reject_judge(&l, 1, 39, &e), -1);
	assert_int_equal(reject_judge(&l, 1, 40, &e), 0);
	l = limit("100%");
	assert_int_equal(reject_judge(&l, 7, 7, &e), 0);
	l = limit("0%");
	assert_int_equal(reject_judge(&l, 0, 7, &e), 0);
	assert_int_equal(reject_judge(&l, 1, 1000000, &e), -1);
}

static void
other_limits_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "%", "-1", "-1%", "101%", "5 %", "x", "x%", "nan%", "1.5",
		"inf%", "5%%", "1e400%",
		"0.0000000000000000000000000000000000000000000000000001%",
	};
	struct reject_limit l;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(reject_parse_limit(&l, bad[i], &e), -1);
		assert_int_equal(e.kind, ERR_USAGE);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_appear_when_they_are_published),
		TEST(no_rejects_make_an_empty_file_of_an_old_one),
		TEST(what_is_discarded_leaves_nothing),
		TEST(many_lines_are_whole),
		cmocka_unit_test(a_place_that_cannot_be_is_named),
		cmocka_unit_test(by_default_5_percent_or_10_are_allowed),
		cmocka_unit_test(a_number_is_a_number_of_records),
		cmocka_unit_test(a_percentage_is_of_all_records),
		cmocka_unit_test(other_limits_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
