#include <string.h>

#include "buf.h"
#include "lengths.h"
#include "safetensors.h"
#include "table.h"
#include "unit.h"

static struct jsonspan
span(const char *s)
{
	return (struct jsonspan){ s, strlen(s) };
}

static void
rows_follow_each_other_and_are_read_back(void **state)
{
	const struct tensor chosen = { .rank = 1, .shape = { 17, 1 } };
	const struct tensor rejected = { .rank = 1, .shape = { 5, 1 } };
	struct stream_lengths row;
	struct buf b = { 0 };
	struct err e = { 0 };
	const char *at;

	(void)state;
	assert_int_equal(lengths_put(&b, span("[{\"tokens\":101},"
	    "{\"tokens\":750,\"x\":1}]"), &chosen, &rejected, &e), 0);
	assert_int_equal(lengths_put(&b, (struct jsonspan){ NULL, 0 }, NULL,
	    NULL, &e), 0);
	at = lengths_row(b.p, &row);
	assert_int_equal(row.chosen, 17);
	assert_int_equal(row.rejected, 5);
	assert_int_equal(row.n_audios, 2);
	assert_int_equal(row.audio[0], 101);
	assert_int_equal(row.audio[1], 750);
	at = lengths_row(at, &row);
	assert_int_equal(row.chosen, 0);
	assert_int_equal(row.rejected, 0);
	assert_int_equal(row.n_audios, 0);
	assert_true(at == b.p + b.n);
	buf_free(&b);
}

static void
what_is_no_number_of_tokens_counts_as_none(void **state)
{
	const struct tensor huge = { .rank = 1, .shape = { UINT64_MAX, 1 } };
	struct stream_lengths row;
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(lengths_put(&b, span("[{},{\"tokens\":-1},"
	    "{\"tokens\":4294967296},{\"tokens\":\"7\"}]"), &huge, NULL, &e),
	    0);
	(void)lengths_row(b.p, &row);
	assert_int_equal(row.chosen, UINT32_MAX);
	assert_int_equal(row.n_audios, 4);
	for (int i = 0; i < 4; i++)
		assert_int_equal(row.audio[i], 0);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_follow_each_other_and_are_read_back),
		cmocka_unit_test(what_is_no_number_of_tokens_counts_as_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
