#ifdef __linux__
#define _GNU_SOURCE	/* syscall */
#endif
#include <sys/resource.h>

#include <errno.h>
#include <unistd.h>

#include "sandbox.h"
#include "sanitized.h"

#if defined(__linux__) && !defined(SANITIZED)
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <seccomp.h>
#include <stddef.h>

#ifndef SYS_landlock_create_ruleset	/* the same on every processor */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_restrict_self 446
#endif
#define LANDLOCK_VERSION 1u		/* flag: say which you are */

/*
 * Landlock as of its version 6, whatever the kernel's headers at hand know
 * (Documentation/userspace-api/landlock.rst).  A kernel is told of no right
 * that it is too old for.
 */
struct ruleset {
	uint64_t fs;
	uint64_t net;		/* from version 4 */
	uint64_t scoped;	/* from version 6 */
};

/* The file system rights that VERSION knows. */
static uint64_t
fs_rights(int version)
{
	unsigned n = version >= 5 ? 16 : version >= 3 ? 15 :
	    version >= 2 ? 14 : 13;

	return ((uint64_t)1 << n) - 1;
}

/* The version of Landlock that the kernel has; -1 where it has none. */
static int
landlock_version(void)
{
	return (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_VERSION);
}

/* Give up all that Landlock knows of. */
static int
enter_landlock(struct err *e)
{
	int version = landlock_version(), fd, rc;
	struct ruleset r = { 0 };
	size_t n = version >= 6 ? sizeof r :
	    version >= 4 ? offsetof(struct ruleset, scoped) :
	    offsetof(struct ruleset, net);

	if (version < 1)
		return err_errno(e, "Landlock");
	r.fs = fs_rights(version);
	if (version >= 4)
		r.net = 3;	/* bind and connect TCP */
	if (version >= 6)
		r.scoped = 3;	/* abstract sockets and signals outside */
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, n, 0);
	if (fd < 0)
		return err_errno(e, "Landlock");
	rc = (int)syscall(SYS_landlock_restrict_self, fd, 0);
	(void)close(fd);
	return rc < 0 ? err_errno(e, "Landlock") : 0;
}

/*
 * The system calls of a computation: reading what is open, memory that can
 * not be made code, time, and the end.  Writing is to what is open: our
 * socket, and /dev/null, which the MP3 decoder's warnings go to.
 */
static int
add_calls(scmp_filter_ctx f)
{
	static const int calls[] = {
		SCMP_SYS(read), SCMP_SYS(pread64), SCMP_SYS(lseek),
		SCMP_SYS(_llseek), SCMP_SYS(close),
		SCMP_SYS(write), SCMP_SYS(writev),
		SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap),
		SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(futex_time64),
		SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
		SCMP_SYS(gettimeofday), SCMP_SYS(time),
		SCMP_SYS(getrandom), SCMP_SYS(getpid), SCMP_SYS(gettid),
		SCMP_SYS(sysinfo),	/* glibc's qsort */
		SCMP_SYS(sched_yield), SCMP_SYS(rt_sigprocmask),
		SCMP_SYS(restart_syscall),
		SCMP_SYS(exit), SCMP_SYS(exit_group),
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

/* Those that are allowed with some arguments only. */
static int
add_rules(scmp_filter_ctx f, int sock)
{
	static const int maps[] = {
		SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect),
	};
	scmp_datum_t fd = (scmp_datum_t)sock, self = (scmp_datum_t)getpid();
	int rc = 0;

	for (size_t i = 0; i < 3 && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, maps[i], 1,
		    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(recvmsg), 1,
		    SCMP_A0(SCMP_CMP_EQ, fd, 0));
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1,
		    SCMP_A0(SCMP_CMP_EQ, fd, 0));
	/* abort(), so that it is told from a call that is forbidden. */
	if (rc == 0)
		rc = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		    SCMP_A0(SCMP_CMP_EQ, self, 0));
	return rc;
}

/*
 * Opening fails, rather than kills: libsndfile looks for a resource fork
 * beside a file that it does not know, even where it was given no name.  So
 * does looking, which libraries do now and then: the calls for it take a name
 * where they take a descriptor, and Landlock lets names be looked at.
 */
static int
add_refusals(scmp_filter_ctx f)
{
	static const int calls[] = {
		SCMP_SYS(openat), SCMP_SYS(open),
		SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(statx),
		SCMP_SYS(fstat), SCMP_SYS(fstat64),
	};
	int rc = 0;

	for (size_t i = 0; i < sizeof calls / sizeof calls[0] && rc == 0; i++)
		rc = seccomp_rule_add(f, SCMP_ACT_ERRNO(EACCES), calls[i], 0);
	return rc;
}

/* Die of any system call that is not on the list. */
static int
enter_seccomp(int sock, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int rc;

	if (f == NULL)
		return err_memory(e);
	rc = add_calls(f);
	if (rc == 0)
		rc = add_rules(f, sock);
	if (rc == 0)
		rc = add_refusals(f);
	if (rc == 0)
		rc = seccomp_load(f);
	seccomp_release(f);
	errno = -rc;
	return rc == 0 ? 0 : err_errno(e, "seccomp");
}

unsigned
sandbox_available(void)
{
	unsigned walls = SANDBOX_LIMITS;

	if (landlock_version() >= 1)
		walls |= SANDBOX_LANDLOCK;
	/* EFAULT is the answer of a kernel that knows the operation. */
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL) < 0 &&
	    errno == EFAULT)
		walls |= SANDBOX_SECCOMP;
	return walls;
}

/* Be no root, whoever we are. */
static void
drop_capabilities(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	(void)syscall(SYS_capset, &h, none);
}

/* Both need this: no program run from here gains rights. */
static int
enter_walls(const struct sandbox *s, struct err *e)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, "no_new_privs");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	drop_capabilities();
	if ((s->walls & SANDBOX_LANDLOCK) != 0 && enter_landlock(e) < 0)
		return -1;
	if ((s->walls & SANDBOX_SECCOMP) != 0 && enter_seccomp(s->sock, e) < 0)
		return -1;
	return 0;
}
#elif defined(SANITIZED)
unsigned
sandbox_available(void)
{
	return 0;
}

static int
enter_walls(const struct sandbox *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}
#else
unsigned
sandbox_available(void)
{
	return SANDBOX_LIMITS;
}

static int
enter_walls(const struct sandbox *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}
#endif

/* Lower R to MAX, where it is not lower already. */
static struct rlimit
lower(struct rlimit r, uint64_t max)
{
	if (r.rlim_max == RLIM_INFINITY || r.rlim_max > max)
		r.rlim_max = (rlim_t)max;
	r.rlim_cur = r.rlim_max;
	return r;
}

/* A macro, since the type of WHICH is glibc's own. */
#define LIMIT(which, max) do { \
		struct rlimit r; \
		if (getrlimit(which, &r) < 0) \
			return err_errno(e, #which); \
		r = lower(r, max); \
		if (setrlimit(which, &r) < 0) \
			return err_errno(e, #which); \
	} while (0)

static int
enter_limits(const struct sandbox *s, struct err *e)
{
	/* 0, 1, 2, the socket, Landlock's rules for a moment, one file. */
	LIMIT(RLIMIT_NOFILE, (uint64_t)s->sock + 5);
	LIMIT(RLIMIT_CORE, 0);
	LIMIT(RLIMIT_FSIZE, 0);
#ifdef RLIMIT_NPROC
	LIMIT(RLIMIT_NPROC, 0);
#endif
#ifdef RLIMIT_AS
	LIMIT(RLIMIT_AS, s->memory_max);
#endif
	return 0;
}

unsigned
sandbox_expected(void)
{
#ifdef SANITIZED
	return 0;
#else
	return SANDBOX_ALL;
#endif
}

const char *
sandbox_wall_name(unsigned walls)
{
	return walls & SANDBOX_LANDLOCK ? "Landlock" :
	    walls & SANDBOX_SECCOMP ? "seccomp" : "resource limits";
}

int
sandbox_enter(const struct sandbox *s, struct err *e)
{
	if ((s->walls & SANDBOX_LIMITS) != 0 && enter_limits(s, e) < 0)
		return -1;
	return enter_walls(s, e);
}
