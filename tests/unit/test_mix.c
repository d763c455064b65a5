/* Mix: numpy's bits and torch's, as tests/golden/make_audio.py has them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "mix.h"

static float x[8 * 1024], mono[8];

static void
each_order_gives_the_bits_of_its_original(void **state)
{
	FILE *f = fopen("tests/golden/mix.txt", "r");
	unsigned channels, lines = 0, differ = 0;
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < 8 * 1024; i++) {
		seed = seed * 1664525u + 1013904223u;
		x[i] = (float)(seed >> 8) / 16777216.0f - 0.5f;
	}
	assert_non_null(f);
	while (fscanf(f, "%u", &channels) == 1) {
		mix_fn *const fn[] = { mix_numpy, mix_torch };
		uint32_t want[2][8];

		for (size_t k = 0; k < 2; k++) {
			for (size_t i = 0; i < 8; i++)
				assert_int_equal(fscanf(f, "%" SCNx32,
				    &want[k][i]), 1);
			fn[k](x, 8, channels, mono);
			if (memcmp(mono, want[k], sizeof mono) != 0)
				fail_msg("%u channels, %s", channels,
				    k == 0 ? "numpy" : "torch");
		}
		differ += memcmp(want[0], want[1], sizeof want[0]) != 0;
		lines++;
	}
	assert_int_equal(fclose(f), 0);
	assert_int_equal(lines, 18);
	assert_true(differ > 5);	/* so that one cannot pass for both */
}

static void
two_channels_are_their_mean(void **state)
{
	static const float stereo[] = { 1, -1, 0.5f, 0.25f, -0.75f, -0.25f };

	(void)state;
	mix_numpy(stereo, 3, 2, mono);
	assert_true(mono[0] == 0 && mono[1] == 0.375f && mono[2] == -0.5f);
	mix_torch(stereo, 3, 2, mono);
	assert_true(mono[0] == 0 && mono[1] == 0.375f && mono[2] == -0.5f);
}

static void
i16_mix_as_the_same_f32(void **state)
{
	static int16_t narrow[2 * 777];
	static float wide[2 * 777], want[777], got[777];

	(void)state;
	for (size_t i = 0; i < 2 * 777; i++) {
		narrow[i] = (int16_t)(i < 4 ? -32768 : (int)(i * 7919 %
		    65536) - 32768);
		wide[i] = (float)narrow[i] / 32768;
	}
	for (size_t n = 0; n <= 777; n += 37) {
		mix_numpy(wide, n, 2, want);
		mix_i16(narrow, n, 2, got);
		assert_memory_equal(got, want, n * sizeof *got);
		mix_i16(narrow, n, 1, got);
		assert_memory_equal(got, wide, n * sizeof *got);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_order_gives_the_bits_of_its_original),
		cmocka_unit_test(two_channels_are_their_mean),
		cmocka_unit_test(i16_mix_as_the_same_f32),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
