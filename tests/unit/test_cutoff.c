#include "cutoff.h"
#include "golden.h"

/* [source, target, limit, source kept, target kept], by infer_seqlen. */
static void
what_is_kept_is_what_llamafactory_keeps(void **state)
{
	struct golden g = golden_open("tests/golden/cutoff.txt");
	struct jsonspan line;

	(void)state;
	while (golden_next(&g, &line)) {
		int64_t n[5];
		struct cutoff c;

		for (size_t i = 0; i < 5; i++)
			assert_true(jsonscan_int(jsonscan_at(line, i), 0,
			    INT32_MAX, &n[i]));
		c = cutoff_infer((size_t)n[0], (size_t)n[1], (uint64_t)n[2]);
		if (c.source != (size_t)n[3] || c.target != (size_t)n[4])
			fail_msg("line %zu: %zu, %zu", g.lines, c.source,
			    c.target);
	}
	golden_close(&g, 500);
}

static void
what_fits_is_kept_whole(void **state)
{
	(void)state;
	for (size_t s = 0; s < 60; s++)
		for (size_t t = 1; s + t <= 60; t++) {
			struct cutoff c = cutoff_infer(s, t, 60);

			assert_int_equal(c.source, s);
			assert_int_equal(c.target, t);
		}
}

static void
no_more_is_kept_than_the_limit(void **state)
{
	(void)state;
	for (size_t s = 0; s < 80; s++)
		for (size_t t = 1; t < 80; t++)
			for (uint64_t limit = 1; limit < 90; limit++) {
				struct cutoff c = cutoff_infer(s, t, limit);

				assert_true(c.source + c.target <= limit);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_kept_is_what_llamafactory_keeps),
		cmocka_unit_test(what_fits_is_kept_whole),
		cmocka_unit_test(no_more_is_kept_than_the_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
