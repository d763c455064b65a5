/* Sandbox: each wall alone, tried from inside. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "sandbox.h"

/* What a try came to: exit status of the process that tried. */
enum { WORKED = 10, REFUSED = 11, NO_SANDBOX = 12 };

/* Say whether RC is a success. */
static int
outcome(long rc)
{
	return rc >= 0 ? WORKED : errno == EACCES || errno == EPERM ||
	    errno == EAGAIN || errno == ENOMEM || errno == EFBIG ||
	    errno == EMFILE ? REFUSED : WORKED;
}

static int
try_to_read(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}

static int
try_to_list(void)
{
	return outcome(open("/", O_RDONLY | O_DIRECTORY));
}

/* What is there, how large, and since when, says much. */
static int
try_to_look(void)
{
	struct stat st;

	return outcome(stat("/etc/passwd", &st));
}

/* By the call that fstat is, in many a libc. */
static int
try_to_look_around(void)
{
	struct stat st;

	return outcome(fstatat(5, "/etc/passwd", &st, 0x1000));
}

/* Only root may: who is none is refused from the start. */
static int
try_to_be_root(void)
{
	return outcome(setgid(getgid() + 1));
}

static int
try_to_make(void)
{
	int rc = outcome(open("/tmp/ossicle-sandbox", O_CREAT | O_WRONLY,
	    0600));

	(void)unlink("/tmp/ossicle-sandbox");
	return rc;
}

static int
try_to_make_a_folder(void)
{
	int rc = outcome(mkdir("/tmp/ossicle-sandbox", 0700));

	(void)rmdir("/tmp/ossicle-sandbox");
	return rc;
}

static int
try_to_run(void)
{
	return outcome(execl("/bin/sh", "sh", "-c", "exit 10", (char *)NULL));
}

static int
try_to_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return outcome(pid);
}

static int
try_tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(9);
	return s < 0 ? outcome(s) : outcome(connect(s, (struct sockaddr *)&a,
	    sizeof a));
}

static int
try_to_eat(void)
{
	char *volatile p = malloc((size_t)1 << 30);	/* not left out */

	return p == NULL ? REFUSED : WORKED;
}

static int
try_to_write_a_file(void)
{
	char name[] = "/tmp/ossicle-sandbox-XXXXXX";
	int fd = mkstemp(name);

	if (fd < 0)
		return outcome(fd);
	(void)unlink(name);
	(void)signal(SIGXFSZ, SIG_IGN);
	return outcome(write(fd, "x", 1));
}

static int
try_many_descriptors(void)
{
	for (int i = 0; i < 100; i++)
		if (dup(0) < 0)
			return outcome(-1);
	return WORKED;
}

/* What must go on working: memory, and what is open. */
static int
try_to_compute(void)
{
	char byte, *p = malloc(1 << 20);

	if (p == NULL)
		return REFUSED;
	memset(p, 1, 1 << 20);
	if (lseek(5, 0, SEEK_SET) != 0 || pread(5, &byte, 1, 0) != 1 ||
	    write(6, &byte, 1) != 1 || close(5) != 0)
		return REFUSED;
	free(p);
	return WORKED;
}

/* What FN comes to behind WALLS: a status as of waitpid. */
static int
inside(unsigned walls, int (*fn)(void))
{
	int status, pair[2];
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		struct sandbox s = { .walls = walls, .sock = 6,
		    .memory_max = (uint64_t)256 << 20 };
		struct err e;

		for (int i = SIGHUP; i < SIGSYS + 1; i++)
			(void)signal(i, SIG_DFL);
		(void)dup2(open("/etc/passwd", O_RDONLY), 5);
		(void)dup2(pair[1], 6);
		_exit(sandbox_enter(&s, &e) < 0 ? NO_SANDBOX : fn());
	}
	assert_true(pid > 0);
	assert_int_equal(close(pair[0]) + close(pair[1]), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static bool
exits(int status, int with)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == with;
}

static void
landlock_takes_the_file_system_and_tcp_away(void **state)
{
	int (*const tries[])(void) = {
		try_to_read, try_to_list, try_to_make, try_to_make_a_folder,
		try_to_run,
	};

	(void)state;
	if (!(sandbox_available() & SANDBOX_LANDLOCK))
		return;
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		assert_true(exits(inside(0, tries[i]), WORKED));
		assert_true(exits(inside(SANDBOX_LANDLOCK, tries[i]),
		    REFUSED));
	}
	/* Kernels before 6.7 know of no network here. */
	assert_true(exits(inside(0, try_tcp), WORKED));
	(void)inside(SANDBOX_LANDLOCK, try_tcp);
	assert_true(exits(inside(SANDBOX_LANDLOCK, try_to_compute), WORKED));
}

static void
seccomp_leaves_what_a_computation_needs(void **state)
{
	int (*const killed[])(void) = {
		try_to_make_a_folder, try_to_run, try_to_fork, try_tcp,
	};
	int (*const refused[])(void) = {
		try_to_read, try_to_list, try_to_look, try_to_look_around,
	};

	(void)state;
	if (!(sandbox_available() & SANDBOX_SECCOMP))
		return;
	for (size_t i = 0; i < sizeof killed / sizeof killed[0]; i++) {
		int status = inside(SANDBOX_SECCOMP, killed[i]);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
		assert_true(exits(inside(SANDBOX_SECCOMP, refused[i]),
		    REFUSED));
	assert_true(exits(inside(SANDBOX_SECCOMP, try_to_compute), WORKED));
}

static void
limits_bound_memory_files_and_descriptors(void **state)
{
	int (*const tries[])(void) = {
		try_to_eat, try_to_write_a_file, try_many_descriptors,
	};

	(void)state;
	if (!(sandbox_available() & SANDBOX_LIMITS))
		return;
	for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
		assert_true(exits(inside(0, tries[i]), WORKED));
		assert_true(exits(inside(SANDBOX_LIMITS, tries[i]), REFUSED));
	}
	assert_true(exits(inside(SANDBOX_LIMITS, try_to_compute), WORKED));
}

static void
behind_none_of_them_is_anyone_root(void **state)
{
	(void)state;
	if (sandbox_available() == 0)
		return;
	assert_true(exits(inside(0, try_to_be_root), REFUSED));
	assert_true(exits(inside(SANDBOX_LANDLOCK & sandbox_available(),
	    try_to_be_root), REFUSED));
}

static void
behind_all_walls_there_is_still_room_to_work(void **state)
{
	(void)state;
	assert_true(exits(inside(sandbox_available(), try_to_compute),
	    WORKED));
}

static void
walls_have_names(void **state)
{
	(void)state;
	assert_string_equal(sandbox_wall_name(SANDBOX_LANDLOCK), "Landlock");
	assert_string_equal(sandbox_wall_name(SANDBOX_SECCOMP), "seccomp");
	assert_string_equal(sandbox_wall_name(SANDBOX_LIMITS),
	    "resource limits");
	assert_string_equal(sandbox_wall_name(SANDBOX_ALL), "Landlock");
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(landlock_takes_the_file_system_and_tcp_away),
		cmocka_unit_test(seccomp_leaves_what_a_computation_needs),
		cmocka_unit_test(limits_bound_memory_files_and_descriptors),
		cmocka_unit_test(behind_none_of_them_is_anyone_root),
		cmocka_unit_test(behind_all_walls_there_is_still_room_to_work),
		cmocka_unit_test(walls_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
