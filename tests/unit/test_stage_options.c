/* The options that all programs share: their defaults, ranges, and what does
 * not go together. */
#include <sys/wait.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "content.h"
#include "frame.h"
#include "option.h"
#include "stage_options.h"
#include "stage_program.h"
#include "stage_run.h"

struct own {
	uint64_t size;
};

static const struct opt options[] = {
	OPT(struct own, size, "size", 's', "N", 1, 9, "the size of it"),
	OPT_END
};

static const struct stage filter = {
	.name = "filter", .about = "tries options", .options = options,
};
static const struct stage source = {
	.name = "source", .about = "tries operands", .options = options,
	.operands = "[FILE...]",
};

static struct own own;
static struct stage_run r;
static struct err e;
static bool done;

/* Parse WORDS, apart by blanks. */
static int
parse(const struct stage *s, const char *words)
{
	static char text[256];
	static char *argv[32];
	int argc = 1;

	(void)snprintf(text, sizeof text, "%s", words);
	memset(&r, 0, sizeof r);
	memset(&e, 0, sizeof e);
	own.size = 0;
	r.stage = s;
	r.self = &own;
	argv[0] = (char *)(uintptr_t)s->name;
	for (char *w = strtok(text, " "); w != NULL; w = strtok(NULL, " "))
		argv[argc++] = w;
	argv[argc] = NULL;
	return stage_options_parse(&r, argc, argv, &done, &e);
}

static void
refused(const struct stage *s, const char *words, const char *text)
{
	assert_int_equal(parse(s, words), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_string_equal(e.text, text);
}

static void
the_defaults_are_those_of_the_page(void **state)
{
	(void)state;
	assert_int_equal(parse(&filter, "-o x.zst"), 0);
	assert_false(done);
	assert_string_equal(r.common.output, "x.zst");
	assert_int_equal(r.common.frame_max, 64 << 20);
	assert_true(r.threads >= 1);
	assert_null(r.common.rejects);
	assert_null(r.common.stats);
	assert_false(r.common.limit.given || r.common.strict ||
	    r.common.fragment || r.common.progress || r.common.quiet);
	assert_int_equal(r.n_operands, 0);
}

static void
shards_are_compressed_and_pipes_are_not(void **state)
{
	(void)state;
	assert_int_equal(parse(&filter, "-o x.zst"), 0);
	assert_int_equal(r.common.level, CONTENT_LEVEL_KEEP);
	assert_int_equal(parse(&filter, "-o x.zst -z 0"), 0);
	assert_int_equal(r.common.level, 0);
	assert_int_equal(parse(&filter, "-o x.zst -z -5"), 0);
	assert_int_equal(r.common.level, -5);
	assert_int_equal(parse(&filter, "-o x.zst --level=19"), 0);
	assert_int_equal(r.common.level, 19);
	if (isatty(STDOUT_FILENO))
		return;
	assert_int_equal(parse(&filter, ""), 0);
	assert_int_equal(r.common.level, 0);
}

static void
each_option_goes_where_it_belongs(void **state)
{
	(void)state;
	assert_int_equal(parse(&source, "-o o -j 3 -r rej --max-rejects 2% "
	    "--strict --fragment --max-frame 1MiB --progress --stats st -q "
	    "-s 5 a b"), 0);
	assert_int_equal(r.threads, 3);
	assert_string_equal(r.common.rejects, "rej");
	assert_true(r.common.limit.given && r.common.limit.percent);
	assert_true(r.common.strict && r.common.fragment &&
	    r.common.progress && r.common.quiet);
	assert_int_equal(r.common.frame_max, 1 << 20);
	assert_string_equal(r.common.stats, "st");
	assert_int_equal(own.size, 5);
	assert_int_equal(r.n_operands, 2);
	assert_string_equal(r.operands[1], "b");
}

static void
what_is_out_of_range_is_one_line(void **state)
{
	static const char *const bad[] = {
		"-j 0", "-j 1025", "-j x", "-z 1.5", "-z 23", "-z x", "-z",
		"--max-frame 1", "--max-frame 2GiB", "--max-rejects -1",
		"--max-rejects 101%", "--stric-t", "-x", "-s 10",
		"--strict=yes", "--completion",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		char words[64];

		(void)snprintf(words, sizeof words, "-o o -r r %s", bad[i]);
		assert_int_equal(parse(&filter, words), -1);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_null(strchr(e.text, '\n'));
		assert_string_equal(e.hint, "");
	}
}

static void
a_filter_takes_no_operands(void **state)
{
	(void)state;
	refused(&filter, "-o o data.json",
	    "unexpected operand \"data.json\"");
	assert_true(e.hint[0] != '\0');
	assert_int_equal(parse(&source, "-o o data.json"), 0);
}

static void
no_file_is_written_twice(void **state)
{
	(void)state;
	refused(&filter, "-o same -r same",
	    "\"same\" would be written twice");
	refused(&filter, "-o a -r same --stats same",
	    "\"same\" would be written twice");
	/* By another name. */
	refused(&filter, "-o /dev/null -r /dev/../dev/null",
	    "\"/dev/../dev/null\" would be written twice");
	assert_int_equal(parse(&filter, "-o a -r b --stats c"), 0);
}

static void
a_limit_without_a_rejects_file_is_refused(void **state)
{
	(void)state;
	refused(&filter, "-o o --max-rejects 5", "--max-rejects without -r");
	assert_int_equal(parse(&filter, "-o o --max-rejects 5 -r r"), 0);
}

/* What WORDS print on stdout, in a child; N bytes to OUT. */
static void
printed(const struct stage *s, const char *words, char *out, size_t size)
{
	int ends[2], status;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)close(ends[0]);
		_exit(parse(s, words) == 0 && done ? 0 : 1);
	}
	(void)close(ends[1]);
	while ((got = read(ends[0], out + n, size - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = '\0';
	(void)close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
help_and_version_are_answered_whatever_else_is_wrong(void **state)
{
	char out[8192];

	(void)state;
	printed(&filter, "--help surplus", out, sizeof out);
	assert_non_null(strstr(out, "usage: filter [OPTION]..."));
	assert_non_null(strstr(out, "tries options"));
	assert_non_null(strstr(out, "-s, --size N"));
	assert_non_null(strstr(out, "-o, --output FILE"));
	assert_non_null(strstr(out, "--max-rejects N|P%"));
	assert_null(strstr(out, "completion"));
	printed(&source, "-h", out, sizeof out);
	assert_non_null(strstr(out, "usage: source [OPTION]... [FILE...]"));
	printed(&filter, "--version --max-rejects 4", out, sizeof out);
	assert_memory_equal(out, "filter (ossicle) ", 17);
}

static void
each_shell_has_its_completion(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	char out[16384], words[64];

	(void)state;
	for (int i = 0; i < 3; i++) {
		(void)snprintf(words, sizeof words, "--completion %s",
		    shells[i]);
		printed(&filter, words, out, sizeof out);
		assert_non_null(strstr(out, "max-rejects"));
		assert_non_null(strstr(out, "size"));
	}
	assert_int_equal(parse(&filter, "--completion csh"), -1);
	assert_int_equal(e.kind, ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_defaults_are_those_of_the_page),
		cmocka_unit_test(shards_are_compressed_and_pipes_are_not),
		cmocka_unit_test(each_option_goes_where_it_belongs),
		cmocka_unit_test(what_is_out_of_range_is_one_line),
		cmocka_unit_test(a_filter_takes_no_operands),
		cmocka_unit_test(no_file_is_written_twice),
		cmocka_unit_test(a_limit_without_a_rejects_file_is_refused),
		cmocka_unit_test(
		    help_and_version_are_answered_whatever_else_is_wrong),
		cmocka_unit_test(each_shell_has_its_completion),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
