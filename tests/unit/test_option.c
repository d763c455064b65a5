#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "completion.h"
#include "option.h"
#include "unit.h"

struct all {
	bool flag;
	uint64_t size;
	int level;
	double min_s;
	const char *type;
	const char *file;
	struct opt_list roots;
	double parsed;
};

static int
parse_double_of(void *value, const char *arg, struct err *e)
{
	if (strcmp(arg, "bad") == 0)
		return err_set(e, ERR_USAGE, "\"bad\" is bad");
	*(double *)value = 2 * atof(arg);
	return 0;
}

static const struct opt opts[] = {
	OPT(struct all, flag, "flag", 'f', NULL, 0, 0, "a [flag]'s help"),
	OPT(struct all, size, "size", 0, "BYTES", 1, 1e18, "a size"),
	OPT(struct all, level, "level", 'z', "LEVEL", -7, 22, "a level"),
	OPT(struct all, min_s, "min", 0, "S", 0, INFINITY, "seconds"),
	OPT_CHOICE(struct all, type, "type", 0, "f32|f16|bf16", "a type"),
	OPT(struct all, file, "output", 'o', "FILE", 0, 0, "a file"),
	OPT(struct all, roots, "root", 0, "DIR", 0, 0, "a folder, again"),
	OPT_FN(struct all, parsed, "own", 0, "X", parse_double_of, "own parser"),
	OPT(struct all, flag, "hidden", 0, NULL, 0, 0, NULL),
	OPT_END
};

/* Parse a NULL-ended list of arguments into A. */
static int
parse(struct all *a, int *first, struct err *e, const char *const *args)
{
	struct opt_table t = { opts, a };
	char *argv[32];
	int argc = 0;

	argv[argc++] = (char[]){ "prog" };
	for (; *args != NULL; args++)
		argv[argc++] = (char *)(uintptr_t)*args;
	argv[argc] = NULL;
	return option_parse(&t, 1, argc, argv, first, e);
}
#define PARSE(a, first, e, ...) \
	parse(a, first, e, (const char *const[]){ __VA_ARGS__, NULL })

static void
each_type_is_taken(void **state)
{
	struct all a = { 0 };
	struct err e = { 0 };
	int first;

	(void)state;
	assert_int_equal(PARSE(&a, &first, &e, "-f", "--size", "4KiB", "-z-3",
	    "--min=0.5", "--type", "bf16", "-o", "x", "--root", "p",
	    "--root=q", "--own", "4", "operand"), 0);
	assert_true(a.flag);
	assert_int_equal(a.size, 4096);
	assert_int_equal(a.level, -3);
	assert_true(a.min_s == 0.5);
	assert_string_equal(a.type, "bf16");
	assert_string_equal(a.file, "x");
	assert_int_equal(a.roots.n, 2);
	assert_string_equal(a.roots.v[1], "q");
	assert_true(a.parsed == 8);
	assert_int_equal(first, 15);
	option_list_free(&a.roots);
	assert_int_equal(a.roots.n, 0);
}

static void
wrong_is_one_line_that_names_it(void **state)
{
	static const struct { const char *arg, *more, *text; } wrong[] = {
		{ "--nope", NULL, "unknown option --nope" },
		{ "-x", NULL, "unknown option -x" },
		{ "--size", NULL, "option --size needs an argument" },
		{ "-o", NULL, "option -o needs an argument" },
		{ "--flag=1", NULL, "option --flag takes no argument" },
		{ "--size", "0", "--size: 0 is not from 1 to 1e+18" },
		{ "--size", "-1", "--size: \"-1\" is not a whole number" },
		{ "--size", "1.5", "--size: \"1.5\" is not a whole number" },
		{ "--size", "", "--size: \"\" is not a whole number" },
		{ "--size", "1x", "--size: \"1x\" is not a whole number" },
		{ "--size", "99999999999999999999",
		    "--size: 99999999999999999999 is not from 1 to 1e+18" },
		{ "--level", "23", "--level: 23 is not from -7 to 22" },
		{ "--level", " 3", "--level: \" 3\" is not a whole number" },
		{ "--level", "3 ", "--level: \"3 \" is not a whole number" },
		{ "--min", "-1", "--min: -1 is not from 0 to inf" },
		{ "--min", "nan", "--min: \"nan\" is not a number" },
		{ "--min", "0x10", "--min: \"0x10\" is not a number" },
		{ "--min", "1s", "--min: \"1s\" is not a number" },
		{ "--type", "f3", "--type: \"f3\" is none of f32|f16|bf16" },
		{ "--type", "", "--type: \"\" is none of f32|f16|bf16" },
		{ "--type", "f32|f16",
		    "--type: \"f32|f16\" is none of f32|f16|bf16" },
		{ "--own", "bad", "--own: \"bad\" is bad" },
		{ "--n\x1b", NULL, "unknown option --n\\x1b" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct all a = { 0 };
		struct err e = { 0 };
		int first;

		assert_int_equal(PARSE(&a, &first, &e, wrong[i].arg,
		    wrong[i].more), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_string_equal(e.text, wrong[i].text);
	}
}

static void
sizes_have_the_suffixes_of_zstd(void **state)
{
	static const struct { const char *arg; uint64_t n; } sizes[] = {
		{ "1", 1 }, { "1K", 1024 }, { "1KB", 1000 },
		{ "2MiB", 2 << 20 }, { "3MB", 3000000 }, { "1G", 1 << 30 },
		{ "1GB", 1000000000 },
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint64_t n = 0;

		assert_int_equal(option_uint(sizes[i].arg, 0, 1e18, &n, &e), 0);
		assert_int_equal(n, sizes[i].n);
	}
}

/* What WRITE prints, as a string for the caller to free. */
static char *
printed(const char *shell)
{
	struct all a = { 0 };
	struct opt_table t = { opts, &a };
	struct err e = { 0 };
	char *s = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&s, &n);

	assert_non_null(f);
	if (shell == NULL)
		option_help(&t, 1, "prog", "[FILE...]", "does a thing", f);
	else
		assert_int_equal(completion_write(&t, 1, "my-prog", shell, f,
		    &e), 0);
	assert_int_equal(fclose(f), 0);
	return s;
}

static void
help_names_every_option_that_is_not_hidden(void **state)
{
	char *s = printed(NULL);

	(void)state;
	assert_non_null(strstr(s, "usage: prog [OPTION]... [FILE...]\n"));
	assert_non_null(strstr(s, "does a thing\n"));
	for (const struct opt *o = opts; o->name != NULL; o++)
		if (o->help != NULL)
			assert_non_null(strstr(s, o->help));
	assert_non_null(strstr(s, "  -o, --output FILE"));
	assert_null(strstr(s, "hidden"));
	free(s);
}

static void
each_shell_gets_every_option(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		char *s = printed(shells[i]);

		assert_non_null(strstr(s, "my-prog"));
		for (const struct opt *o = opts; o->name != NULL; o++)
			if (o->help != NULL)
				assert_non_null(strstr(s, o->name));
		assert_non_null(strstr(s, "f32 f16 bf16"));
		assert_null(strstr(s, "hidden"));
		free(s);
	}
}

static void
another_shell_is_refused(void **state)
{
	struct opt_table t = { opts, NULL };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(completion_write(&t, 1, "p", "tcsh", stderr, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_taken),
		cmocka_unit_test(wrong_is_one_line_that_names_it),
		cmocka_unit_test(sizes_have_the_suffixes_of_zstd),
		cmocka_unit_test(help_names_every_option_that_is_not_hidden),
		cmocka_unit_test(each_shell_gets_every_option),
		cmocka_unit_test(another_shell_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
