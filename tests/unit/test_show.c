#include "content.h"
#include "show.h"
#include "streams.h"
#include "table.h"
#include "view.h"

static void
lines_come_out_whole_and_in_order(void **state)
{
	struct err e = { 0 };
	struct view *v = view_new(&e);
	struct show s = { .fd = file_of("", 0) };
	struct content_record r = { "{\"a\":\"0123456789\"}", 18, false };
	uint32_t audio[2] = { 7, 9 };
	struct stream_lengths row = { 4000000000u, 2, 2, audio };
	struct buf all = { 0 };

	(void)state;
	assert_non_null(v);
	assert_int_equal(view_open(v, &r, &e), 0);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(show_json(&s, 0, v, &e), 0);
	assert_int_equal(show_lengths(&s, 5, &row, &e), 0);
	row.n_audios = 0;
	assert_int_equal(show_lengths(&s, 6, &row, &e), 0);
	/* A record that cannot be spelt leaves no half of a line. */
	assert_int_equal(show_text(&s, 7, v, &e), -1);
	assert_int_equal(show_flush(&s, &e), 0);
	assert_int_equal(show_flush(&s, &e), 0);
	slurp(s.fd, &all);
	assert_int_equal(occurrences(all.p, all.n,
	    "{\"a\":\"0123456789\"}\n"), 10000);
	assert_int_equal(all.n, 10000 * 19 + strlen("5\t4000000000\t2\t7,9\n"
	    "6\t4000000000\t2\t\n"));
	assert_memory_equal(all.p + 190000, "5\t4000000000\t2\t7,9\n"
	    "6\t4000000000\t2\t\n", all.n - 190000);
	(void)close(s.fd);
	show_free(&s);
	view_free(v);
	buf_free(&all);
}

static void
what_cannot_be_written_is_told(void **state)
{
	struct err e = { 0 };
	struct view *v = view_new(&e);
	struct show s = { .fd = -1 };
	struct content_record r = { "{}", 2, false };

	(void)state;
	assert_non_null(v);
	assert_int_equal(view_open(v, &r, &e), 0);
	assert_int_equal(show_json(&s, 0, v, &e), 0);
	assert_int_equal(show_flush(&s, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	show_free(&s);
	view_free(v);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_out_whole_and_in_order),
		cmocka_unit_test(what_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
