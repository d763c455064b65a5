#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "jsonkeys.h"
#include "unit.h"

static int
add(struct jsonkeys *k, size_t from, const char *key)
{
	struct err e = { 0 };

	return jsonkeys_add(k, from, key, strlen(key),
	    strchr(key, '\\') != NULL, &e);
}

/* Two keys are the same, or not, whichever comes first. */
static void
same(const char *a, const char *b, bool is)
{
	struct jsonkeys k;

	jsonkeys_start(&k);
	assert_int_equal(add(&k, 0, a), 1);
	assert_int_equal(add(&k, 0, b), is ? 0 : 1);
	jsonkeys_free(&k);
	assert_int_equal(add(&k, 0, b), 1);
	assert_int_equal(add(&k, 0, a), is ? 0 : 1);
	jsonkeys_free(&k);
}

static void
keys_are_the_same_as_they_read(void **state)
{
	(void)state;
	same("", "", true);
	same("", "a", false);
	same("from", "from", true);
	same("from", "form", false);
	same("a", "\\u0061", true);
	same("\\u0061b", "a\\u0062", true);
	same("conversations", "conv\\u0065rsations", true);
	same("conversations", "conv\\u0065rsation", false);
	same("12345678", "1234567\\u0038", true);
	same("123456789", "12345678\\u0039", true);
	same("\xc3\xa9", "\\u00e9", true);
	same("\xf0\x9f\x98\x80", "\\ud83d\\ude00", true);
	same("\\n", "\\u000A", true);
	same("\\n", "n", false);
	same("a\\u0000", "a", false);
	same("\\u0000", "", false);
}

/* The hash looks at sixteen bytes: these agree in all that it sees. */
static void
keys_that_differ_only_in_the_middle_are_told_apart(void **state)
{
	(void)state;
	same("12345678-a-12345678", "12345678-b-12345678", false);
	same("12345678-a-12345678", "12345678-\\u0061-12345678", true);
	same("12345678-a-12345678", "12345678-\\u0062-12345678", false);
}

static void
objects_do_not_share_their_keys(void **state)
{
	struct jsonkeys k;
	size_t n;

	(void)state;
	jsonkeys_start(&k);
	assert_int_equal(add(&k, 0, "a"), 1);
	/* An object inside. */
	assert_int_equal(add(&k, 1, "a"), 1);
	assert_int_equal(add(&k, 1, "a"), 0);
	assert_null(jsonkeys_close(&k, 1, &n));
	assert_int_equal(add(&k, 0, "a"), 0);
	assert_int_equal(add(&k, 0, "b"), 1);
	assert_null(jsonkeys_close(&k, 0, &n));
	assert_int_equal(k.n, 0);
	jsonkeys_free(&k);
}

/* Whether, among N keys, one that comes again at AT is found. */
static void
found_again(size_t n, size_t twin, size_t at)
{
	struct jsonkeys k;
	char (*keys)[16] = calloc(n, sizeof *keys);
	const char *twice = NULL;
	size_t len = 0;
	bool found = false;

	assert_non_null(keys);
	jsonkeys_start(&k);
	for (size_t i = 0; i < n && !found; i++) {
		int rc;

		/* By way of an escape, every other time. */
		(void)snprintf(keys[i], sizeof keys[i], i == at && at % 2 ?
		    "\\u006b%zu" : "k%zu", i == at ? twin : i);
		rc = add(&k, 0, keys[i]);
		assert_in_range(rc, 0, 1);
		if (rc == 0) {
			assert_int_equal(i, at);
			found = true;
		}
	}
	if (!found)
		twice = jsonkeys_close(&k, 0, &len);
	if (at < n && !found) {
		assert_ptr_equal(twice, keys[at]);
		assert_int_equal(len, strlen(keys[at]));
	} else {
		assert_null(twice);
	}
	jsonkeys_free(&k);
	free(keys);
}

static void
a_key_that_comes_again_is_found_in_objects_of_every_size(void **state)
{
	(void)state;
	for (size_t n = 1; n < 100; n++) {
		found_again(n, 0, SIZE_MAX);
		for (size_t at = 1; at < n; at++) {
			found_again(n, 0, at);
			found_again(n, at - 1, at);
		}
	}
	found_again(1000000, 0, SIZE_MAX);
	found_again(1000000, 17, 999999);
}

/* A million keys of one hash, as an enemy would choose them. */
static void
keys_that_collide_cost_no_more_than_sorting(void **state)
{
	enum { N = 200000, LEN = 32 };
	struct jsonkeys k;
	char *keys = malloc((size_t)N * LEN);
	size_t len;

	(void)state;
	assert_non_null(keys);
	jsonkeys_start(&k);
	for (size_t i = 0; i < N; i++) {
		char *key = keys + i * LEN, digits[16];
		struct err e = { 0 };

		memset(key, 'x', LEN);
		(void)snprintf(digits, sizeof digits, "%010zu",
		    i * 7919 % N);
		memcpy(key + 11, digits, 10);
		assert_int_equal(jsonkeys_add(&k, 0, key, LEN, false, &e), 1);
	}
	for (size_t i = 1; i < N; i++)
		assert_int_equal(k.p[i].hash, k.p[0].hash);
	assert_null(jsonkeys_close(&k, 0, &len));
	jsonkeys_free(&k);
	free(keys);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_the_same_as_they_read),
		cmocka_unit_test(
		    keys_that_differ_only_in_the_middle_are_told_apart),
		cmocka_unit_test(objects_do_not_share_their_keys),
		cmocka_unit_test(
		    a_key_that_comes_again_is_found_in_objects_of_every_size),
		cmocka_unit_test(keys_that_collide_cost_no_more_than_sorting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
