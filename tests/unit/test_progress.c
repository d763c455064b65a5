#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "progress.h"
#include "unit.h"

#define STATS "test_progress.json"

static char folder[64];

static int
enter_folder(void **state)
{
	(void)state;
	(void)strcpy(folder, "/tmp/test_progress.XXXXXX");
	return mkdtemp(folder) == NULL ? -1 : chdir(folder);
}

static int
leave_folder(void **state)
{
	(void)state;
	(void)unlink(STATS);
	return chdir("/") < 0 ? -1 : rmdir(folder);
}

/* Whether the stats file holds TEXT. */
static int
stats_say(const char *text)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	int yes;

	assert_int_equal(file_read(STATS, 1 << 16, &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	yes = strstr(b.p, text) != NULL;
	buf_free(&b);
	return yes;
}

static void
the_file_is_there_at_once_and_tells_the_end(void **state)
{
	struct err e = { 0 };
	struct progress *p = progress_new("prog", false, STATS, &e);

	(void)state;
	assert_non_null(p);
	assert_true(stats_say("{\"program\":\"prog\",\"state\":\"running\","
	    "\"records\":0,"));
	progress_add(p, 10, 2);
	progress_add_rejected(p, 1);
	progress_input(p, 300, 1200);
	progress_output(p, 77);
	progress_pause(p);
	progress_resume(p);
	progress_end(p, "done");
	assert_true(stats_say("\"state\":\"done\",\"records\":10,"
	    "\"errors\":2,\"rejected\":1,\"bytes_read\":300,"
	    "\"bytes_total\":1200,\"bytes_written\":77,"));
	assert_false(stats_say("\"eta_seconds\":null"));
}

static void
the_file_is_replaced_every_second(void **state)
{
	struct err e = { 0 };
	struct progress *p = progress_new("prog", false, STATS, &e);
	int tries = 0;

	(void)state;
	assert_non_null(p);
	progress_add(p, 5, 0);
	while (!stats_say("\"records\":5,") && tries++ < 100)
		(void)nanosleep(&(struct timespec){ .tv_nsec = 100000000 },
		    NULL);
	assert_true(tries < 100);
	assert_true(stats_say("\"eta_seconds\":null"));
	progress_end(p, "failed");
	assert_true(stats_say("\"state\":\"failed\""));
}

static void
a_file_that_cannot_be_written_is_told_at_the_start(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(progress_new("prog", false, "no/such/folder/f", &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "no/such/folder/f"));
}

static void
without_line_and_file_nothing_happens(void **state)
{
	struct err e = { 0 };
	struct progress *p = progress_new("prog", false, NULL, &e);

	(void)state;
	assert_non_null(p);
	progress_add(p, 1, 0);
	progress_pause(p);
	progress_resume(p);
	progress_end(p, "done");
	progress_end(NULL, "done");
}

/* The line, drawn and taken off again, as stderr gets it. */
static void
a_message_takes_the_line_off_the_screen(void **state)
{
	struct err e = { 0 };
	struct progress *p;
	char text[4096];
	FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	size_t n;

	(void)state;
	assert_non_null(f);
	assert_true(dup2(fileno(f), STDERR_FILENO) >= 0);
	p = progress_new("prog", true, NULL, &e);
	assert_non_null(p);
	(void)nanosleep(&(struct timespec){ .tv_nsec = 200000000 }, NULL);
	progress_add(p, 3, 1);
	progress_pause(p);
	(void)fputs("message\n", stderr);
	progress_resume(p);
	progress_end(p, "done");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	(void)close(saved);
	rewind(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	assert_non_null(strstr(text, "\r\033[Kprog: 0 done"));
	assert_non_null(strstr(text, "\r\033[Kmessage\n"));
	assert_non_null(strstr(text, "\r\033[Kprog: 3 done"));
	assert_true(text[n - 1] == '\n');
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, enter_folder, \
	leave_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(the_file_is_there_at_once_and_tells_the_end),
		IN_FOLDER(the_file_is_replaced_every_second),
		IN_FOLDER(a_file_that_cannot_be_written_is_told_at_the_start),
		cmocka_unit_test(without_line_and_file_nothing_happens),
		cmocka_unit_test(a_message_takes_the_line_off_the_screen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
