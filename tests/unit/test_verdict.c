#include <sys/wait.h>

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "verdict.h"

static void
each_fault_has_its_exit_status(void **state)
{
	static const struct { enum err_kind kind; int status; } faults[] = {
		{ ERR_NONE, 0 }, { ERR_RECORD, 3 }, { ERR_USAGE, 2 },
		{ ERR_SYSTEM, 3 }, { ERR_MEMORY, 3 }, { ERR_TRUNCATED, 3 },
		{ ERR_DAMAGED, 3 }, { ERR_MODEL, 3 }, { ERR_ABSENT, 1 },
		{ ERR_REJECTS, 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		struct err e = { .kind = faults[i].kind };

		assert_int_equal(verdict_status(&e), faults[i].status);
	}
}

static void
a_reader_that_went_away_ends_us_as_sigpipe_does(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { .kind = ERR_PIPE };

		(void)signal(SIGPIPE, SIG_IGN);
		_exit(verdict_status(&e));
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGPIPE);
}

static void
the_fault_and_its_hint_are_told_on_stderr(void **state)
{
	struct err e = { 0 };
	char text[256];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	(void)state;
	assert_non_null(f);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	(void)err_set(&e, ERR_SYSTEM, "it broke");
	(void)err_hint(&e, "mend it");
	verdict_tell("prog", "error", &e);
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	assert_string_equal(text, "prog: error: it broke\n  hint: mend it\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fault_has_its_exit_status),
		cmocka_unit_test(a_reader_that_went_away_ends_us_as_sigpipe_does),
		cmocka_unit_test(the_fault_and_its_hint_are_told_on_stderr),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
