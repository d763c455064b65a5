#include <pthread.h>

#include "tally.h"
#include "unit.h"

/* A tally of N sections that have begun; the last has not ended. */
static struct tally *
begun(unsigned n)
{
	struct err e = { 0 };
	struct tally *t = tally_new(&e);

	assert_non_null(t);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(tally_begin(t, &e), 0);
	return t;
}

static void
what_was_announced_and_found_settles(void **state)
{
	struct err e = { 0 };
	struct tally *t = begun(0);

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(tally_begin(t, &e), 0);
		/* Half before the end is known, half after the next began. */
		tally_found(t, i, 1, 1);
		if (i > 0)
			tally_found(t, i - 1, 2, 0);
		tally_end(t, 3, 1);
	}
	tally_found(t, 999, 2, 0);
	assert_int_equal(tally_settle(t, &e), 0);
	tally_free(t);
}

static void
any_difference_is_found(void **state)
{
	(void)state;
	for (int k = 0; k < 5; k++) {
		struct err e = { 0 };
		struct tally *t = begun(0);

		for (uint64_t i = 0; i < 20; i++) {
			assert_int_equal(tally_begin(t, &e), 0);
			tally_end(t, 2, 1);
			if (i == 7 && k == 0)
				tally_found(t, i, 1, 1);
			else if (i == 7 && k == 1)
				tally_found(t, i, 2, 0);
			else if (i == 7 && k == 2)
				tally_found(t, i, 3, 1);
			else
				tally_found(t, i, 2, 1);
		}
		if (k == 3)	/* more than was announced, much later */
			tally_found(t, 3, 1, 0);
		if (k == 4)
			tally_found(t, 3, 0, 0);
		assert_int_equal(tally_settle(t, &e), k == 4 ? 0 : -1);
		if (k < 4)
			assert_int_equal(e.kind, ERR_DAMAGED);
		tally_free(t);
	}
}

static void
a_section_without_an_end_does_not_settle(void **state)
{
	struct err e = { 0 };
	struct tally *t = begun(1);

	(void)state;
	assert_int_equal(tally_settle(t, &e), -1);
	tally_end(t, 0, 0);
	assert_int_equal(tally_settle(t, &e), 0);
	tally_free(t);
}

static void *
find_many(void *t)
{
	for (uint64_t i = 0; i < 4000; i++)
		tally_found(t, i % 4, 1, i % 8 == 0);
	return NULL;
}

static void
threads_may_count_together(void **state)
{
	struct err e = { 0 };
	struct tally *t = begun(0);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(tally_begin(t, &e), 0);
		tally_end(t, 4000, i == 0 ? 2000 : 0);
	}
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_many,
		    t), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_int_equal(tally_settle(t, &e), 0);
	tally_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_announced_and_found_settles),
		cmocka_unit_test(any_difference_is_found),
		cmocka_unit_test(a_section_without_an_end_does_not_settle),
		cmocka_unit_test(threads_may_count_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
