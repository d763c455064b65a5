/*
 * melavx512: the same bits as the generic path.  On a processor that lacks
 * it, that it says so.
 */
#include "unit.h"

#include "mel.h"
#include "melpaths.h"

#ifdef MELKERNEL_X86
static void
bits_are_those_of_the_generic_path(void **state)
{
	(void)state;
	assert_path_like_generic(&melavx512_kernel);
}

static void
the_plan_takes_it_only_where_it_works(void **state)
{
	(void)state;
	assert_int_equal(melavx512_kernel.works(), mel_path_works(MEL_AVX512));
}
#else
static void
bits_are_those_of_the_generic_path(void **state)
{
	(void)state;
	assert_false(mel_path_works(MEL_AVX512));
}

static void
the_plan_takes_it_only_where_it_works(void **state)
{
	(void)state;
	assert_int_equal(mel_path_works(MEL_AVX512), false);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bits_are_those_of_the_generic_path),
		cmocka_unit_test(the_plan_takes_it_only_where_it_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
