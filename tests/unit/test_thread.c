/* How many threads: what the kernel's files say, in each of their forms. */
#ifdef __linux__
#define _GNU_SOURCE	/* sched_setaffinity */
#include <sched.h>
#endif

#include <sys/wait.h>

#include <unistd.h>

#include "unit.h"

#include "thread.h"

static void
a_quota_is_rounded_up_to_whole_processors(void **state)
{
	(void)state;
	assert_int_equal(thread_quota("200000 100000\n"), 2);
	assert_int_equal(thread_quota("200001 100000\n"), 3);
	assert_int_equal(thread_quota("1000 100000"), 1);
	assert_int_equal(thread_quota("150000\n 100000\n"), 2);
	assert_int_equal(thread_quota("50000 1000000"), 1);
}

static void
no_quota_and_nonsense_are_no_limit(void **state)
{
	static const char *const texts[] = {
		"max 100000\n", "-1\n 100000\n", "", "max", "0 100000", "5",
		"100000 0", "100000 -5", "100000 x", "x 100000",
		"100000 99999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		assert_int_equal(thread_quota(texts[i]), 0);
	assert_int_equal(thread_quota("9223372036854775807 1"), THREAD_MAX);
}

static void
the_group_is_that_of_the_controller(void **state)
{
	static const char *const v1 =
	    "12:pids:/user.slice\n"
	    "4:cpuset:/sets\n"
	    "3:cpu,cpuacct:/jobs/1:2\n"
	    "0::/unified\n";
	char path[32];

	(void)state;
	assert_int_equal(thread_cgroup(v1, "cpu", path, sizeof path), 0);
	assert_string_equal(path, "/jobs/1:2");
	assert_int_equal(thread_cgroup(v1, "cpuacct", path, sizeof path), 0);
	assert_string_equal(path, "/jobs/1:2");
	assert_int_equal(thread_cgroup(v1, "cpuset", path, sizeof path), 0);
	assert_string_equal(path, "/sets");
	assert_int_equal(thread_cgroup(v1, "", path, sizeof path), 0);
	assert_string_equal(path, "/unified");
	assert_int_equal(thread_cgroup(v1, "memory", path, sizeof path), -1);
	assert_int_equal(thread_cgroup("0::/a", "", path, sizeof path), 0);
	assert_string_equal(path, "/a");
	assert_int_equal(thread_cgroup("", "", path, sizeof path), -1);
	assert_int_equal(thread_cgroup("nonsense\n:\n", "", path,
	    sizeof path), -1);
	assert_int_equal(thread_cgroup("0::/0123456", "", path, 9), 0);
	assert_int_equal(thread_cgroup("0::/0123456", "", path, 8), -1);
}

static void
there_is_at_least_one(void **state)
{
	(void)state;
	assert_in_range(thread_available(), 1, THREAD_MAX);
}

#ifdef __linux__
static void
affinity_is_kept_to(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		cpu_set_t set, one;

		if (sched_getaffinity(0, sizeof set, &set) < 0)
			_exit(1);
		CPU_ZERO(&one);
		for (size_t i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set)) {
				CPU_SET(i, &one);
				break;
			}
		if (sched_setaffinity(0, sizeof one, &one) < 0)
			_exit(2);
		_exit(thread_available() == 1 ? 0 : 3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_quota_is_rounded_up_to_whole_processors),
		cmocka_unit_test(no_quota_and_nonsense_are_no_limit),
		cmocka_unit_test(the_group_is_that_of_the_controller),
		cmocka_unit_test(there_is_at_least_one),
#ifdef __linux__
		cmocka_unit_test(affinity_is_kept_to),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
