#include <sys/stat.h>
#include <sys/wait.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "unit.h"

static char folder[64];		/* where a test may do what it likes */
static char path[128];		/* a name in it */

static int
make_folder(void **state)
{
	(void)state;
	(void)strcpy(folder, "/tmp/test_file.XXXXXX");
	if (mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof path, "%s/f", folder);
	return 0;
}

/* How many entries the folder has; with REMOVE they go. */
static int
entries(int remove)
{
	DIR *d = opendir(folder);
	struct dirent *de;
	int n = 0;

	assert_non_null(d);
	while ((de = readdir(d)) != NULL) {
		char name[512];

		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		n++;
		(void)snprintf(name, sizeof name, "%s/%s", folder, de->d_name);
		if (remove)
			(void)unlink(name);
	}
	assert_int_equal(closedir(d), 0);
	return n;
}

static int
remove_folder(void **state)
{
	(void)state;
	(void)entries(1);
	return rmdir(folder);
}

/* Assert that the file NAME holds TEXT. */
static void
holds(const char *name, const char *text)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	assert_int_equal(file_read(name, 1 << 20, &b, &e), 0);
	assert_int_equal(b.n, strlen(text));
	assert_memory_equal(b.p, text, b.n);
	buf_free(&b);
}

static void
publish(const char *name, const char *text)
{
	struct err e = { 0 };
	struct file_new *f = file_new_open(name, &e);

	assert_non_null(f);
	assert_int_equal(file_write(file_new_fd(f), text, strlen(text), &e),
	    0);
	assert_int_equal(file_new_publish(f, &e), 0);
}

static void
a_file_is_there_when_published_and_not_before(void **state)
{
	struct err e = { 0 };
	struct file_new *f = file_new_open(path, &e);
	struct stat st;

	(void)state;
	assert_non_null(f);
	assert_int_equal(file_write(file_new_fd(f), "half", 4, &e), 0);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(entries(0), 1);
	assert_int_equal(file_new_publish(f, &e), 0);
	holds(path, "half");
	assert_int_equal(entries(0), 1);
	publish(path, "another");
	holds(path, "another");
	assert_int_equal(entries(0), 1);
}

static void
discarding_leaves_what_was_there(void **state)
{
	struct err e = { 0 };
	struct file_new *f;

	(void)state;
	publish(path, "old");
	f = file_new_open(path, &e);
	assert_non_null(f);
	assert_int_equal(file_write(file_new_fd(f), "new", 3, &e), 0);
	file_new_discard(f);
	file_new_discard(NULL);
	holds(path, "old");
	assert_int_equal(entries(0), 1);
}

static void
a_link_stays_a_link(void **state)
{
	char link[160];
	struct stat st;

	(void)state;
	publish(path, "old");
	(void)snprintf(link, sizeof link, "%s/link", folder);
	assert_int_equal(symlink("f", link), 0);
	publish(link, "new");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	holds(path, "new");
}

static void
a_device_or_a_folder_is_not_replaced(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(file_new_open("/dev/null", &e));
	assert_string_equal(e.text, "/dev/null is there and no regular file");
	assert_null(file_new_open(folder, &e));
	assert_null(file_new_open("", &e));
	assert_null(file_new_open("nowhere/at/all", &e));
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_null(file_new_open("/tmp/", &e));
}

/* A child with two files begun, that dies of SIG; its wait status. */
static int
die_of(int sig, int ignore)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		char other[160];

		if (ignore)
			(void)signal(sig, SIG_IGN);
		(void)snprintf(other, sizeof other, "%s/other", folder);
		file_catch_signals();
		if (file_new_open(path, &e) == NULL ||
		    file_new_open(other, &e) == NULL)
			_exit(99);
		(void)raise(sig);
		_exit(7);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	return status;
}

static void
a_signal_leaves_no_temporary(void **state)
{
	static const int sigs[] = { SIGINT, SIGTERM, SIGHUP };

	(void)state;
	for (int i = 0; i < 3; i++) {
		int status = die_of(sigs[i], 0);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), sigs[i]);
		assert_int_equal(entries(0), 0);
	}
}

/* Create and discard a file at P, until the end of the process. */
static void *
create_for_ever(void *p)
{
	struct err e = { 0 };

	for (;;)
		file_new_discard(file_new_open(p, &e));
	return NULL;
}

/* A child whose threads create files all the time, and which SIGTERM, that
 * comes to the main thread or to one of these, ends. */
static void
die_while_creating(unsigned round)
{
	pid_t pid = fork();
	int status = 0;

	assert_true(pid >= 0);
	if (pid == 0) {
		pthread_t thread;

		file_catch_signals();
		for (int i = 0; i < 2; i++)
			if (pthread_create(&thread, NULL, create_for_ever,
			    path) != 0)
				_exit(99);
		/* Any moment will do. */
		for (volatile unsigned i = 0; i < 100000 + round * 997; i++)
			;
		(void)kill(getpid(), SIGTERM);
		(void)pause();
		_exit(7);
	}
	assert_true(waitpid(pid, &status, 0) == pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void
a_signal_in_one_thread_waits_for_what_another_creates(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		die_while_creating(i);
		assert_int_equal(entries(0), 0);
	}
}

static void
a_signal_that_was_ignored_stays_so(void **state)
{
	int status = die_of(SIGHUP, 1);

	(void)state;
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 7);
}

static void
reading_has_a_limit_and_wants_a_regular_file(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	(void)state;
	publish(path, "12345");
	assert_int_equal(file_read(path, 5, &b, &e), 0);
	assert_int_equal(file_read(path, 4, &b, &e), -1);
	assert_non_null(strstr(e.text, "is longer than 4 bytes"));
	assert_int_equal(file_read("/dev/zero", 5, &b, &e), -1);
	assert_string_equal(e.text, "/dev/zero is not a regular file");
	assert_int_equal(file_read("/nope", 5, &b, &e), -1);
	assert_string_equal(e.text,
	    "cannot open /nope: No such file or directory");
	buf_free(&b);
}

static void
a_full_disk_and_a_dead_reader_are_told_apart(void **state)
{
	struct err e = { 0 };
	int fd = open("/dev/full", O_WRONLY);
	int ends[2];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(file_write(fd, "x", 1, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_string_equal(e.text, "cannot write: No space left on device");
	assert_int_equal(close(fd), 0);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(close(ends[0]), 0);
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(file_write(ends[1], "x", 1, &e), -1);
	assert_int_equal(e.kind, ERR_PIPE);
	assert_int_equal(close(ends[1]), 0);
	assert_true(file_read_some(-1, &fd, 1, &e) == -1);
}

#define IN_FOLDER(t) cmocka_unit_test_setup_teardown(t, make_folder, \
	remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(a_file_is_there_when_published_and_not_before),
		IN_FOLDER(discarding_leaves_what_was_there),
		IN_FOLDER(a_link_stays_a_link),
		IN_FOLDER(a_device_or_a_folder_is_not_replaced),
		IN_FOLDER(a_signal_leaves_no_temporary),
		IN_FOLDER(
		    a_signal_in_one_thread_waits_for_what_another_creates),
		IN_FOLDER(a_signal_that_was_ignored_stays_so),
		IN_FOLDER(reading_has_a_limit_and_wants_a_regular_file),
		cmocka_unit_test(a_full_disk_and_a_dead_reader_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
