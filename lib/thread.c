#ifdef __linux__
#define _GNU_SOURCE	/* sched_getaffinity, CPU_COUNT */
#include <sched.h>
#endif

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "thread.h"

/* _SC_NPROCESSORS_ONLN is no part of POSIX.1-2008, and is everywhere. */
static unsigned
online(void)
{
	long n = 1;

#ifdef _SC_NPROCESSORS_ONLN
	n = sysconf(_SC_NPROCESSORS_ONLN);
#endif
	return n < 1 ? 1 : n > THREAD_MAX ? THREAD_MAX : (unsigned)n;
}

unsigned
thread_quota(const char *text)
{
	char *end;
	long long quota, period, n;

	quota = strtoll(text, &end, 10);
	if (end == text || quota <= 0)
		return 0;
	period = strtoll(end, NULL, 10);
	if (period <= 0 || period > 1000000000)
		return 0;
	n = quota / period + (quota % period != 0);
	return n > THREAD_MAX ? THREAD_MAX : (unsigned)n;
}

/* Whether the N bytes at LIST, names with commas between, hold NAME. */
static int
lists(const char *list, size_t n, const char *name)
{
	size_t len = strlen(name);

	while (n > 0) {
		const char *comma = memchr(list, ',', n);
		size_t one = comma == NULL ? n : (size_t)(comma - list);

		if (one == len && memcmp(list, name, len) == 0)
			return 1;
		one += comma != NULL;
		list += one;
		n -= one;
	}
	return 0;
}

int
thread_cgroup(const char *text, const char *controller, char *path,
    unsigned size)
{
	while (*text != '\0') {
		const char *end = strchr(text, '\n');
		const char *c1 = strchr(text, ':');
		const char *c2 = c1 == NULL ? NULL : strchr(c1 + 1, ':');

		if (end == NULL)
			end = text + strlen(text);
		if (c2 != NULL && c2 < end &&
		    (controller[0] == '\0' ? c2 == c1 + 1 :
		    lists(c1 + 1, (size_t)(c2 - c1 - 1), controller))) {
			size_t n = (size_t)(end - c2 - 1);

			if (n >= size)
				return -1;
			memcpy(path, c2 + 1, n);
			path[n] = '\0';
			return 0;
		}
		text = *end == '\0' ? end : end + 1;
	}
	return -1;
}

#ifdef __linux__

/* The first bytes of a file, as a string: -1 where it can't be read. */
static int
slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, out, size - 1);
	(void)close(fd);
	if (n < 0)
		return -1;
	out[n] = '\0';
	return 0;
}

/* The quota that the folder DIR of a hierarchy sets; 0: none. */
static unsigned
folder_quota(const char *dir, int v2)
{
	char path[4200], a[64], b[64], both[130];

	if (v2) {
		(void)snprintf(path, sizeof path, "%s/cpu.max", dir);
		return slurp(path, both, sizeof both) < 0 ? 0 :
		    thread_quota(both);
	}
	(void)snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", dir);
	if (slurp(path, a, sizeof a) < 0)
		return 0;
	(void)snprintf(path, sizeof path, "%s/cpu.cfs_period_us", dir);
	if (slurp(path, b, sizeof b) < 0)
		return 0;
	(void)snprintf(both, sizeof both, "%s %s", a, b);
	return thread_quota(both);
}

/*
 * The least quota from our group up to the root of the hierarchy at ROOT.
 * In a container the path may be the host's, and not there; then only the
 * root, which is the container's own group, has something to say.
 */
static unsigned
hierarchy_quota(const char *root, const char *path, int v2)
{
	char dir[4096];
	size_t keep = strlen(root);
	unsigned least = 0;
	int n = snprintf(dir, sizeof dir, "%s%s", root, path);

	if (n < 0 || (size_t)n >= sizeof dir)
		return 0;
	for (;;) {
		unsigned q = folder_quota(dir, v2);
		char *slash;

		if (q > 0 && (least == 0 || q < least))
			least = q;
		slash = strrchr(dir + keep, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

/* What the cgroups leave us; 0: no limit. */
static unsigned
cgroup_quota(void)
{
	char text[8192], path[2048];
	unsigned v2 = 0, v1 = 0;

	if (slurp("/proc/self/cgroup", text, sizeof text) < 0)
		return 0;
	if (thread_cgroup(text, "", path, sizeof path) == 0)
		v2 = hierarchy_quota("/sys/fs/cgroup", path, 1);
	if (thread_cgroup(text, "cpu", path, sizeof path) == 0) {
		v1 = hierarchy_quota("/sys/fs/cgroup/cpu", path, 0);
		if (v1 == 0)
			v1 = hierarchy_quota("/sys/fs/cgroup/cpu,cpuacct",
			    path, 0);
	}
	return v2 == 0 || (v1 > 0 && v1 < v2) ? v1 : v2;
}

/* The processors that affinity leaves us. */
static unsigned
affinity(void)
{
	cpu_set_t set;
	int n;

	if (sched_getaffinity(0, sizeof set, &set) == 0) {
		n = CPU_COUNT(&set);
		if (n > 0)
			return n > THREAD_MAX ? THREAD_MAX : (unsigned)n;
	}
	/* More processors than the set holds: EINVAL. */
	return online();
}

unsigned
thread_available(void)
{
	unsigned n = affinity(), quota = cgroup_quota();

	return quota > 0 && quota < n ? quota : n;
}

#else

unsigned
thread_available(void)
{
	return online();
}

#endif
