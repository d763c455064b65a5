/* The two ways to split: by lines (splitlines), by values (splitvalues). */
#include "splits.h"

static void
lines_are_records_and_blank_ones_are_none(void **state)
{
	(void)state;
	splits_into("{\"a\":1}\n{\"b\":2}\n",
	    "0:1:1 {\"a\":1}\n8:2:1 {\"b\":2}\n", NULL);
	splits_into("{}", "0:1:1 {}\n", NULL);
	splits_into("\n \t\n{}\n\n\r\n  {\"b\": 2} \r\n7\n",
	    "4:3:1 {}\n12:6:3 {\"b\": 2}\n23:7:1 7\n", NULL);
	splits_into("", "", NULL);
	splits_into("\n\n \n", "", NULL);
}

static void
a_broken_line_ends_at_its_newline(void **state)
{
	(void)state;
	splits_into("{\"a\":1}\n{\"a\":\"x\n}]}\n{\"b\":2}\n[{\n{}\n",
	    "0:1:1 {\"a\":1}\n8:2:1 {\"a\":\"x\n16:3:1 }]}\n"
	    "20:4:1 {\"b\":2}\n28:5:1 [{\n31:6:1 {}\n", NULL);
}

static void
elements_of_an_array_are_records(void **state)
{
	(void)state;
	splits_into("[{\"a\":1},{\"b\":[1,{}]}]",
	    "1:1:2 {\"a\":1}\n9:1:10 {\"b\":[1,{}]}\n", NULL);
	splits_into(" [\n {\n  \"a\": \"]}\\\"\"\n },\n {}\n]\n",
	    "4:2:2 {\n  \"a\": \"]}\\\"\"\n }\n25:5:2 {}\n", NULL);
	splits_into("[]", "", NULL);
	splits_into("[ ]\n", "", NULL);
	/* Not objects, but they are where records are. */
	splits_into("[1, \"a,]\", [2], tru, null ,-1.5e3]",
	    "1:1:2 1\n4:1:5 \"a,]\"\n11:1:12 [2]\n16:1:17 tru\n"
	    "21:1:22 null\n27:1:28 -1.5e3\n", NULL);
}

static void
arrays_and_objects_may_follow_one_another(void **state)
{
	(void)state;
	splits_into("[{}]\n[{},{}]\n{}",
	    "1:1:2 {}\n6:2:2 {}\n9:2:5 {}\n13:3:1 {}\n", NULL);
	splits_into("{\n}{\n}\n[1]", "0:1:1 {\n}\n3:2:2 {\n}\n8:4:2 1\n",
	    NULL);
	splits_into("{} {\"a\":\n2}\n", "0:1:1 {}\n3:1:4 {\"a\":\n2}\n", NULL);
}

/* Brackets and strings balance: what is wrong is in the record alone. */
static void
a_bad_record_in_an_array_costs_itself(void **state)
{
	(void)state;
	splits_into("[{\"a\":1 \"b\"},{\"a\":'x'},{,,:},{\"\n\\q\"},{}]",
	    "1:1:2 {\"a\":1 \"b\"}\n13:1:14 {\"a\":'x'}\n23:1:24 {,,:}\n"
	    "29:1:30 {\"\n\\q\"}\n37:2:6 {}\n", NULL);
}

static void
a_missing_comma_is_the_fault_of_the_record_behind_it(void **state)
{
	(void)state;
	splits_into("[{\"a\":1} {\"b\":2}, {} x]",
	    "1:1:2 {\"a\":1}\n9:1:10 ^{\"b\":2}\n18:1:19 {}\n21:1:22 ^x\n",
	    NULL);
}

static void
what_cannot_be_told_apart_ends_the_split(void **state)
{
	(void)state;
	splits_into("[{\"a\":1},\n {\"a\":[1}, {}]", "1:1:2 {\"a\":1}\n",
	    "@:2:9: expected ']', which closes an array, found '}'");
	splits_into("[{\"a\":1],{}]", "",
	    "@:1:8: expected '}', which closes an object, found ']'");
	splits_into("[{},\n{\"a\":1", "1:1:2 {}\n",
	    "@:2:1: the record that starts here does not end");
	splits_into("[{},\n{\"a\":\"1},\n{}]\n", "1:1:2 {}\n",
	    "@:2:1: the record that starts here does not end");
	splits_into("[{},{\"a\":\"\\", "1:1:2 {}\n",
	    "@:1:5: the record that starts here does not end");
	splits_into("[{}\n", "1:1:2 {}\n", "@:2:1: expected ']', which closes "
	    "the array of records, found the end of the file");
	splits_into("[{},]", "1:1:2 {}\n",
	    "@:1:5: expected a record after ',', found ']'");
	splits_into("[{},,{}]", "1:1:2 {}\n",
	    "@:1:5: expected a record after ',', found ','");
	splits_into("[,{}]", "",
	    "@:1:2: expected a record after '[', found ','");
	splits_into("[{}}]", "1:1:2 {}\n",
	    "@:1:4: expected a record or ']', found '}'");
	splits_into("[{}:1]", "1:1:2 {}\n",
	    "@:1:4: expected a record or ']', found ':'");
	splits_into("[{}]]", "1:1:2 {}\n", "@:1:5: expected a record, which "
	    "is an object, or an array of them, found ']'");
	splits_into("{\n}\n\xc3\xa9", "0:1:1 {\n}\n", "@:3:1: expected a "
	    "record, which is an object, or an array of them, found "
	    "'\xc3\xa9'");
}

/* N bytes: HEAD, then FILL, then TAIL. */
static char *
filled(size_t n, const char *head, char fill, const char *tail)
{
	size_t a = strlen(head), b = strlen(tail);
	char *p = malloc(n + 1);

	assert_non_null(p);
	memcpy(p, head, a);
	memset(p + a, fill, n - a - b);
	memcpy(p + n - b, tail, b + 1);
	return p;
}

/*
 * A record of N bytes in a text between two others; it is cut where it is
 * longer than what the plan allows, and the rest goes on behind it.
 */
static void
long_record(const char *open, const char *sep, const char *close, size_t n,
    size_t max)
{
	const struct jsonsplit_plan plan = {
		.max_record = max, .share = 1, .shares = 1,
	};
	char *big = filled(n, "{\"a\":\"", 'x', "\"}"), *text, *want;
	size_t size = n + 100, kept = n > max && n > SPLIT_RAW ?
	    SPLIT_RAW : n, lines = *sep == '\n';
	struct splits s;
	int len;

	text = malloc(size);
	want = malloc(size);
	assert_non_null(text);
	assert_non_null(want);
	len = snprintf(text, size, "%s{\"b\":1}%s%s%s{\"c\":2}%s", open, sep,
	    big, sep, close);
	s = splits_bytes(&plan, text, (size_t)len);
	assert_int_equal(s.rc, 0);
	len = (int)strlen(open);
	(void)snprintf(want, size, "%d:1:%d {\"b\":1}\n%d:%zu:%d %s", len,
	    len + 1, len + 8, 1 + lines, lines ? 1 : len + 9,
	    n > max ? "~" : "");
	assert_memory_equal(s.text.p, want, strlen(want));
	len = (int)strlen(want);
	if (n > max)
		len += snprintf(want + len, size - (size_t)len, "%zu ", n);
	memcpy(want + len, big, kept);
	(void)snprintf(want + (size_t)len + kept, size - (size_t)len - kept,
	    "\n%zu:%zu:%zu {\"c\":2}\n", strlen(open) + 9 + n, 1 + 2 * lines,
	    lines ? 1 : strlen(open) + 10 + n);
	assert_string_equal(s.text.p, want);
	splits_free(&s);
	free(big);
	free(text);
	free(want);
}

/* Around each limit that there is: the record's, raw's, the window's. */
static void
a_record_that_is_too_long_is_cut_and_splitting_goes_on(void **state)
{
	static const size_t sizes[] = { 99, 100, 101, 1000, SPLIT_RAW - 1,
	    SPLIT_RAW, SPLIT_RAW + 1, 2 * SPLIT_RAW, WINDOW_STEP - 8,
	    WINDOW_STEP - 1, WINDOW_STEP, WINDOW_STEP + 1, 3 * WINDOW_STEP };
	static const size_t limits[] = { 100, SPLIT_RAW, 2 * WINDOW_STEP };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		for (size_t k = 0; k < 3; k++) {
			long_record("", "\n", "\n", sizes[i], limits[k]);
			long_record("[", ",", "]", sizes[i], limits[k]);
		}
}

/* 64 MiB in one record, and one read at a time in memory. */
static void
a_record_of_any_length_takes_bounded_memory(void **state)
{
	const size_t n = 64u << 20;
	char name[32], *big = filled(n, "[{\"a\":[\"", '{', "\"]},{}]");
	const char *names[] = { name };
	const struct jsonsplit_plan plan = SPLITS_ALL;
	struct splits s = { 0 };
	struct jsonsplit *j;

	(void)state;
	splits_write(name, big, n);
	free(big);
	j = jsonsplit_new(&plan, names, 1, &s.e);
	assert_non_null(j);
	assert_int_equal(jsonsplit_run(j, splits_sink, &s, &s.e), 0);
	/* The splitter begins with its split, which is open here. */
	assert_true(((struct split *)(void *)j)->w.cap <= 8u << 20);
	assert_int_equal(s.records, 2);
	jsonsplit_free(j);
	splits_free(&s);
	(void)unlink(name);
}

static void
batches_hold_about_64_kib_however_the_input_comes(void **state)
{
	const struct jsonsplit_plan plan = SPLITS_ALL;
	struct buf b = { 0 };
	struct err e = { 0 };
	struct splits s;

	(void)state;
	for (int i = 0; i < 10000; i++)
		assert_int_equal(buf_printf(&b, &e, "{\"number\":%05d}\n", i),
		    0);
	s = splits_bytes(&plan, b.p, b.n);
	assert_int_equal(s.records, 10000);
	/* 160,000 bytes without newlines. */
	assert_int_equal(s.batches, 3);
	splits_free(&s);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_records_and_blank_ones_are_none),
		cmocka_unit_test(a_broken_line_ends_at_its_newline),
		cmocka_unit_test(elements_of_an_array_are_records),
		cmocka_unit_test(arrays_and_objects_may_follow_one_another),
		cmocka_unit_test(a_bad_record_in_an_array_costs_itself),
		cmocka_unit_test(
		    a_missing_comma_is_the_fault_of_the_record_behind_it),
		cmocka_unit_test(what_cannot_be_told_apart_ends_the_split),
		cmocka_unit_test(
		    a_record_that_is_too_long_is_cut_and_splitting_goes_on),
		cmocka_unit_test(a_record_of_any_length_takes_bounded_memory),
		cmocka_unit_test(
		    batches_hold_about_64_kib_however_the_input_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
