/*
 * inside: preloaded into audio-check, it makes libsndfile do what a file that
 * begins with "INSIDE " tells it to, as one that exploits a fault would, and
 * say what came of it as if that were wrong with the file.  sandbox.py asks.
 *
 *	call N			the system call N, its arguments 0
 *	open|stat|make PATH	by name, stat with AT_EMPTY_PATH
 *	run map protect old x32 peer signal tcp abstract trace	see below
 *	crash abort leave stack eat loop flood wait		what costs it
 */
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include <netinet/in.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As in sndfile.h, which is audio.c's alone. */
struct io {
	long long (*size)(void *);
	long long (*seek)(long long, int, void *);
	long long (*read)(void *, long long, void *);
	long long (*write)(const void *, long long, void *);
	long long (*tell)(void *);
};

void *sf_open_virtual(struct io *io, int mode, void *info, void *self);
const char *sf_strerror(void *snd);

static char said[200];

/* What the calls that may be left are called. */
static const struct {
	long number;
	const char *name;
} names[] = {
#define NAME(n) { SYS_##n, #n }
	NAME(read), NAME(pread64), NAME(lseek), NAME(close),
	NAME(fstat), NAME(write), NAME(writev), NAME(brk), NAME(mmap),
	NAME(mprotect), NAME(munmap), NAME(mremap), NAME(madvise),
	NAME(futex), NAME(clock_gettime), NAME(gettimeofday),
	NAME(getrandom), NAME(getpid), NAME(gettid), NAME(sysinfo),
	NAME(sched_yield), NAME(rt_sigprocmask), NAME(restart_syscall),
	NAME(exit), NAME(exit_group),
	NAME(openat), NAME(newfstatat), NAME(statx),
#ifdef SYS_open
	NAME(open), NAME(time),
#endif
};

/* Say that WHAT returned RC. */
static void
say(const char *what, long rc)
{
	int error = rc < 0 ? errno : 0;

	(void)snprintf(said, sizeof said, "%s: %s", what,
	    error == 0 ? "worked" : strerror(error));
}

static void
call(long n)
{
	char what[32];

	(void)snprintf(what, sizeof what, "%ld", n);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].number == n)
			(void)snprintf(what, sizeof what, "%s",
			    names[i].name);
	say(what, syscall(n, 0, 0, 0, 0, 0, 0));
}

/* By way of the older calls, which a list may have forgotten. */
static long
old_call(void)
{
	long rc = -1;

#if defined(__x86_64__)
	__asm__ volatile ("int $0x80" : "=a" (rc) : "a" (20L) : "memory");
#else
	(void)raise(SIGSYS);
#endif
	return rc;
}

static long
x32_call(void)
{
#if defined(__x86_64__)
	return syscall(0x40000000 + SYS_getpid);
#else
	return raise(SIGSYS);
#endif
}

static long
tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int s = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a.sin_port = htons(9);
	return s < 0 ? s : connect(s, (struct sockaddr *)&a, sizeof a);
}

/* An abstract socket outside, if NAME is one. */
static long
abstract(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strncpy(a.sun_path + 1, name, sizeof a.sun_path - 2);
	return s < 0 ? s : connect(s, (struct sockaddr *)&a, (socklen_t)
	    (offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)));
}

/* A recvmsg that is not from the socket. */
static long
peer(void)
{
	struct msghdr m = { 0 };

	return recvmsg(0, &m, 0);
}

static bool
try_name(const char *verb, const char *name)
{
	struct stat st;

	if (strcmp(verb, "open") == 0)
		say(verb, open(name, O_RDONLY));
	else if (strcmp(verb, "stat") == 0)
		say(verb, fstatat(AT_FDCWD, name, &st, AT_EMPTY_PATH));
	else if (strcmp(verb, "make") == 0)
		say(verb, open(name, O_CREAT | O_WRONLY, 0600));
	else if (strcmp(verb, "abstract") == 0)
		say(verb, abstract(name));
	else if (strcmp(verb, "signal") == 0)
		say(verb, kill((pid_t)atol(name), SIGCONT));
	else if (strcmp(verb, "trace") == 0)
		say(verb, ptrace(PTRACE_ATTACH, (pid_t)atol(name), NULL,
		    NULL));
	else if (strcmp(verb, "call") == 0)
		call(atol(name));
	else
		return false;
	return true;
}

/* Code that is data: mapped, or made so. */
static long
map(bool at_once)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | (at_once ?
	    PROT_EXEC : 0), MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || at_once)
		return p == MAP_FAILED ? -1 : 0;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC);
}

static bool
try_call(const char *verb)
{
	if (strcmp(verb, "run") == 0)
		say(verb, execl("/bin/true", "true", (char *)NULL));
	else if (strcmp(verb, "map") == 0)
		say(verb, map(true));
	else if (strcmp(verb, "protect") == 0)
		say(verb, map(false));
	else if (strcmp(verb, "old") == 0)
		say(verb, old_call());
	else if (strcmp(verb, "x32") == 0)
		say(verb, x32_call());
	else if (strcmp(verb, "peer") == 0)
		say(verb, peer());
	else if (strcmp(verb, "tcp") == 0)
		say(verb, tcp());
	else
		return false;
	return true;
}

/* More stack than there is. */
static int
deeper(int n)
{
	volatile char room[4096];

	room[0] = (char)n;
	return n < 0 ? room[0] : deeper(n + 1) + room[0];
}

/* Take memory, and keep it, until there is no more. */
static void
eat(void)
{
	volatile char *p;

	while ((p = malloc(1 << 20)) != NULL)
		for (size_t i = 0; i < 1 << 20; i += 4096)
			p[i] = 1;
	(void)snprintf(said, sizeof said, "no more malloc");
}

static bool
suffer(const char *verb)
{
	volatile int *nowhere = NULL, zero = 0;
	char byte = 0;

	if (strcmp(verb, "crash") == 0)
		nowhere[zero] = 1;
	else if (strcmp(verb, "abort") == 0)
		abort();
	else if (strcmp(verb, "leave") == 0)
		_exit(0);
	else if (strcmp(verb, "stack") == 0)
		say(verb, deeper(1));
	else if (strcmp(verb, "eat") == 0)
		eat();
	else if (strcmp(verb, "loop") == 0)
		for (;;)
			zero++;
	else if (strcmp(verb, "flood") == 0)
		while (write(3, said, sizeof said) > 0)
			continue;
	else if (strcmp(verb, "wait") == 0)
		say(verb, read(3, &byte, 1));
	else
		return false;
	return true;
}

void *
sf_open_virtual(struct io *io, int mode, void *info, void *self)
{
	void *(*real)(struct io *, int, void *, void *);
	void *symbol = dlsym(RTLD_NEXT, "sf_open_virtual");
	char text[200] = "", *name;

	said[0] = '\0';
	if (io->read(text, sizeof text - 1, self) > 7 &&
	    strncmp(text, "INSIDE ", 7) == 0) {
		text[strcspn(text, "\n")] = '\0';
		name = strchr(text + 7, ' ');
		if (name != NULL)
			*name++ = '\0';
		if (!(name != NULL ? try_name(text + 7, name) :
		    try_call(text + 7) || suffer(text + 7)))
			(void)snprintf(said, sizeof said, "what?");
		return NULL;
	}
	(void)io->seek(0, 0, self);
	memcpy(&real, &symbol, sizeof real);
	return real(io, mode, info, self);
}

const char *
sf_strerror(void *snd)
{
	const char *(*real)(void *);
	void *symbol = dlsym(RTLD_NEXT, "sf_strerror");

	if (said[0] != '\0')
		return said;
	memcpy(&real, &symbol, sizeof real);
	return real(snd);
}
