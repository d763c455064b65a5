/*
 * Roots: what may be opened is a regular file below one, and nothing else.
 * All is tried twice, the second time as where there is no /proc.
 */
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "roots.h"

bool no_proc;			/* /proc shall say nothing */
static char top[PATH_MAX];	/* a folder, and the working directory */
static struct roots roots;
static struct err e;

/* In place of the system's, for the library too. */
ssize_t
readlink(const char *restrict path, char *restrict to, size_t n)
{
	if (no_proc && strncmp(path, "/proc/", 6) == 0) {
		errno = ENOENT;
		return -1;
	}
	return readlinkat(AT_FDCWD, path, to, n);
}

/* Make the file NAME, which holds its own name. */
static void
make(const char *name)
{
	FILE *f = fopen(name, "w");

	assert_non_null(f);
	assert_true(fputs(name, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(top, sizeof top, "/tmp/ossicle-roots-XXXXXX");
	if (mkdtemp(top) == NULL || chdir(top) < 0 || mkdir("in", 0700) < 0 ||
	    mkdir("in/sub", 0700) < 0 || mkdir("out", 0700) < 0 ||
	    mkdir("in-too", 0700) < 0)
		return -1;
	make("in/a.wav");
	make("in/sub/b.wav");
	make("out/c.wav");
	make("in-too/d.wav");
	return roots_add(&roots, "in", &e);
}

static int
teardown(void **state)
{
	char command[PATH_MAX + 16];

	(void)state;
	roots_free(&roots);
	assert_int_equal(roots.n, 0);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", top);
	return chdir("/") < 0 || system(command) != 0 ? -1 : 0;
}

/* Open PATH; it holds TEXT. */
static void
opens(const char *path, const char *text)
{
	char held[100] = "";
	int fd = roots_open(&roots, path, strlen(path), &e);

	if (fd < 0)
		print_error("%s: %s\n", path, e.text);
	assert_true(fd >= 0);
	assert_true(read(fd, held, sizeof held - 1) > 0);
	assert_string_equal(held, text);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
}

/* PATH is refused with CODE, in words that have SAID in them. */
static void
refuses(const char *path, enum code code, const char *said)
{
	e = (struct err){ 0 };
	assert_int_equal(roots_open(&roots, path, strlen(path), &e), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, code);
	assert_true(e.hint[0] != '\0');
	if (strstr(e.text, said) == NULL)
		print_error("%s\n", e.text);
	assert_non_null(strstr(e.text, said));
}

static void
what_is_below_a_root_opens(void **state)
{
	char absolute[PATH_MAX + 16];

	(void)state;
	opens("a.wav", "in/a.wav");
	opens("sub/b.wav", "in/sub/b.wav");
	opens("./sub/../a.wav", "in/a.wav");
	opens("sub//b.wav", "in/sub/b.wav");
	(void)snprintf(absolute, sizeof absolute, "%s/in/a.wav", top);
	opens(absolute, "in/a.wav");
	/* Out and in again: what counts is where it leads. */
	opens("../in/a.wav", "in/a.wav");
}

static void
what_is_elsewhere_does_not(void **state)
{
	char absolute[PATH_MAX + 16];

	(void)state;
	refuses("../out/c.wav", CODE_AUDIO_OUTSIDE, "out/c.wav");
	(void)snprintf(absolute, sizeof absolute, "%s/out/c.wav", top);
	refuses(absolute, CODE_AUDIO_OUTSIDE, absolute);
	refuses("/etc/passwd", CODE_AUDIO_OUTSIDE, "/etc/passwd");
	/* A folder whose name begins like the root's is not below it. */
	refuses("../in-too/d.wav", CODE_AUDIO_OUTSIDE, "in-too");
}

static void
links_count_as_what_they_lead_to(void **state)
{
	(void)state;
	assert_int_equal(symlink("sub/b.wav", "in/good"), 0);
	assert_int_equal(symlink("../out/c.wav", "in/bad"), 0);
	assert_int_equal(symlink("../out", "in/folder"), 0);
	assert_int_equal(symlink("../in/sub", "out/back"), 0);
	assert_int_equal(symlink("round", "in/round"), 0);
	assert_int_equal(symlink("nowhere", "in/dangling"), 0);
	opens("good", "in/sub/b.wav");
	opens("../out/back/b.wav", "in/sub/b.wav");
	refuses("bad", CODE_AUDIO_OUTSIDE, "out/c.wav");
	refuses("folder/c.wav", CODE_AUDIO_OUTSIDE, "out/c.wav");
	refuses("round", CODE_AUDIO_MISSING, "symbolic links");
	refuses("dangling", CODE_AUDIO_MISSING, "no file \"dangling\"");
}

static void
a_root_may_be_a_link(void **state)
{
	struct roots was = roots;

	(void)state;
	assert_int_equal(symlink("in", "link"), 0);
	roots = (struct roots){ 0 };
	assert_int_equal(roots_add(&roots, "link", &e), 0);
	opens("a.wav", "in/a.wav");
	refuses("../out/c.wav", CODE_AUDIO_OUTSIDE, "out/c.wav");
	roots_free(&roots);
	roots = was;
}

static void
only_regular_files_open_and_nothing_waits(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "in/sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	assert_int_equal(mkfifo("in/pipe", 0600), 0);
	assert_int_equal(bind(s, (struct sockaddr *)&un, sizeof un), 0);
	refuses("sub", CODE_AUDIO_NOT_A_FILE, "a folder");
	refuses(".", CODE_AUDIO_NOT_A_FILE, "a folder");
	refuses("pipe", CODE_AUDIO_NOT_A_FILE, "a pipe");
	refuses("sock", CODE_AUDIO_NOT_A_FILE, "a socket");
	assert_int_equal(close(s), 0);
	assert_int_equal(unlink("in/sock"), 0);
	assert_int_equal(unlink("in/pipe"), 0);
	assert_int_equal(roots_add(&roots, "/dev", &e), 0);
	refuses("/dev/null", CODE_AUDIO_NOT_A_FILE, "a device");
	refuses("zero", CODE_AUDIO_NOT_A_FILE, "a device");
	roots_free(&roots);
	assert_int_equal(roots_add(&roots, "in", &e), 0);
}

static void
links_of_proc_lead_no_further(void **state)
{
	char path[64];
	int fd = open("out/c.wav", O_RDONLY), in = open("in/a.wav", O_RDONLY);

	(void)state;
	assert_true(fd >= 0 && in >= 0);
	if (access("/proc/self/fd", F_OK) == 0) {
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		refuses(path, CODE_AUDIO_OUTSIDE, "out/c.wav");
		(void)snprintf(path, sizeof path, "/proc/self/fd/%d", in);
		opens(path, "in/a.wav");
		refuses("/proc/self/root/etc/passwd", CODE_AUDIO_OUTSIDE,
		    "/etc/passwd");
	}
	(void)close(fd);
	(void)close(in);
}

static void
what_is_not_there_is_missing(void **state)
{
	char quoted[] = "no\nsuch\033[31m.wav";

	(void)state;
	refuses("none.wav", CODE_AUDIO_MISSING, "\"none.wav\" below \"in\"");
	refuses("a.wav/x", CODE_AUDIO_MISSING, "a.wav/x");
	refuses("/no/such/file", CODE_AUDIO_MISSING, "/no/such/file");
	refuses("", CODE_AUDIO_MISSING, "\"\"");
	refuses(quoted, CODE_AUDIO_MISSING, "no\\nsuch\\x1b[31m.wav");
	e = (struct err){ 0 };
	assert_int_equal(roots_open(&roots, "a.wav\0x", 7, &e), -1);
	assert_int_equal(e.code, CODE_AUDIO_MISSING);
	assert_non_null(strstr(e.text, "NUL"));
}

static void
a_file_that_may_not_be_read_is_missing_too(void **state)
{
	(void)state;
	make("in/secret");
	assert_int_equal(chmod("in/secret", 0), 0);
	if (geteuid() != 0)
		refuses("secret", CODE_AUDIO_MISSING, "Permission denied");
	else
		opens("secret", "in/secret");
	assert_int_equal(unlink("in/secret"), 0);
}

static void
a_path_of_any_length_is_refused_in_few_words(void **state)
{
	static char path[100001];

	(void)state;
	memset(path, 'x', sizeof path - 1);
	path[sizeof path - 1] = '\0';
	refuses(path, CODE_AUDIO_MISSING, "File name too long");
	assert_true(strlen(e.text) < 400);
	for (size_t i = 0; i + 3 < sizeof path; i += 3)
		memcpy(path + i, "../", 3);
	refuses(path, CODE_AUDIO_MISSING, "File name too long");
	for (size_t n = 4090; n < 4100; n++) {
		memset(path, '/', sizeof path);
		path[n] = '\0';
		e = (struct err){ 0 };
		assert_int_equal(roots_open(&roots, path, n, &e), -1);
		assert_int_equal(e.kind, ERR_RECORD);
	}
}

static void
a_url_is_told_from_a_path(void **state)
{
	(void)state;
	refuses("http://example.org/a.wav", CODE_AUDIO_INLINE, "a URL");
	refuses("s3://bucket/a.wav", CODE_AUDIO_INLINE, "a URL");
	refuses("data:audio/wav;base64,UklGRg==", CODE_AUDIO_INLINE, "a URL");
	refuses("c://x", CODE_AUDIO_MISSING, "c://x");
}

static void
roots_are_tried_in_their_order(void **state)
{
	(void)state;
	make("out/a.wav");
	assert_int_equal(mkdir("out/sub2", 0700), 0);
	assert_int_equal(roots_add(&roots, "out", &e), 0);
	opens("a.wav", "in/a.wav");
	opens("c.wav", "out/c.wav");
	opens("../out/c.wav", "out/c.wav");
	refuses("none", CODE_AUDIO_MISSING, "any of 2 roots");
	/* The fault that tells most is told, whichever root it is of. */
	refuses("../in-too/d.wav", CODE_AUDIO_OUTSIDE, "in-too");
	refuses("sub2", CODE_AUDIO_NOT_A_FILE, "a folder");
	roots_free(&roots);
	assert_int_equal(roots_add(&roots, "in", &e), 0);
}

static void
an_allowed_folder_is_no_place_to_start_from(void **state)
{
	char absolute[PATH_MAX + 16];

	(void)state;
	assert_int_equal(roots_allow(&roots, "/", &e), 0);
	(void)snprintf(absolute, sizeof absolute, "%s/out/c.wav", top);
	opens(absolute, "out/c.wav");
	opens("../out/c.wav", "out/c.wav");
	refuses("etc/passwd", CODE_AUDIO_MISSING, "below \"in\"");
	roots_free(&roots);
	assert_int_equal(roots_add(&roots, "in", &e), 0);
}

static void
a_root_that_is_no_folder_is_refused(void **state)
{
	(void)state;
	assert_int_equal(roots_add(&roots, "nowhere", &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_non_null(strstr(e.text, "nowhere"));
	assert_int_equal(roots_add(&roots, "in/a.wav", &e), -1);
	assert_int_equal(roots.n, 1);
}

/* Swap in/swap between a file of ours and a link to one of theirs. */
static void *
swapper(void *stop)
{
	while (!*(volatile bool *)stop) {
		(void)unlink("in/swap.new");
		if (symlink("../out/c.wav", "in/swap.new") == 0)
			(void)rename("in/swap.new", "in/swap");
		if (link("in/a.wav", "in/swap.new") == 0)
			(void)rename("in/swap.new", "in/swap");
	}
	return NULL;
}

static void
no_swap_between_check_and_open_lets_anything_through(void **state)
{
	volatile bool stop = false;
	pthread_t thread;
	int opened = 0, refused = 0;

	(void)state;
	assert_int_equal(symlink("../out/c.wav", "in/swap"), 0);
	assert_int_equal(pthread_create(&thread, NULL, swapper,
	    (void *)(uintptr_t)&stop), 0);
	for (int i = 0; i < 20000; i++) {
		char held[100] = "";
		int fd = roots_open(&roots, "swap", 4, &e);

		if (fd < 0) {
			refused++;
			continue;
		}
		opened++;
		assert_true(read(fd, held, sizeof held - 1) > 0);
		assert_string_equal(held, "in/a.wav");
		assert_int_equal(close(fd), 0);
	}
	stop = true;
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(opened > 0 && refused > 0);
	assert_int_equal(unlink("in/swap"), 0);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_below_a_root_opens),
		cmocka_unit_test(what_is_elsewhere_does_not),
		cmocka_unit_test(links_count_as_what_they_lead_to),
		cmocka_unit_test(a_root_may_be_a_link),
		cmocka_unit_test(only_regular_files_open_and_nothing_waits),
		cmocka_unit_test(links_of_proc_lead_no_further),
		cmocka_unit_test(what_is_not_there_is_missing),
		cmocka_unit_test(a_file_that_may_not_be_read_is_missing_too),
		cmocka_unit_test(a_path_of_any_length_is_refused_in_few_words),
		cmocka_unit_test(a_url_is_told_from_a_path),
		cmocka_unit_test(roots_are_tried_in_their_order),
		cmocka_unit_test(an_allowed_folder_is_no_place_to_start_from),
		cmocka_unit_test(a_root_that_is_no_folder_is_refused),
		cmocka_unit_test(
		    no_swap_between_check_and_open_lets_anything_through),
	};

	int failed = cmocka_run_group_tests_name("roots", tests, setup,
	    teardown);

	no_proc = true;
	return failed + cmocka_run_group_tests_name("roots without /proc",
	    tests, setup, teardown);
}
