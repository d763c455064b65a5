/*
 * preload: a system that fails when it is told to, between a program and its
 * C library (LD_PRELOAD).  For Linux and the GNU C library.
 *
 * The program starts, but instead of its main it runs a server.  This reads
 * orders from standard input, one a line,
 *
 *	CALL HOW NTH TIMES EVERY IN OUT ERR
 *
 * and for each forks a child that runs the main, with IN, OUT and ERR for
 * its three descriptors, and with the NTH CALL from now on (and of the later
 * ones each EVERY-th, TIMES in all, 0: for ever) made HOW.  CALL is one of
 * the names below, or "any" of them but memory; HOW is the name of an error,
 * "short" (a read or write of one byte), or the name of a signal that the
 * main process gets before the call.  It answers with a line,
 *
 *	STATUS HITS CALLS LIVE
 *
 * as wait(2) has it: how often it struck, in how many calls, and how many
 * blocks of memory were not freed when main had returned (-1: it has not;
 * those of its forks are their own affair).
 * A fork takes a tenth of the time that a program takes to be started.
 */
#undef _FORTIFY_SOURCE
#undef _XOPEN_SOURCE
#define _GNU_SOURCE

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum call {
	CALL_NONE, CALL_READ, CALL_WRITE, CALL_OPEN, CALL_CLOSE, CALL_SYNC,
	CALL_RENAME, CALL_UNLINK, CALL_STAT, CALL_SEEK, CALL_PIPE, CALL_POLL,
	CALL_MAP, CALL_FORK, CALL_THREAD, CALL_CLOCK, CALL_ANY, CALL_MEMORY
};

static const char *const call_names[] = {
	"none", "read", "write", "open", "close", "sync",
	"rename", "unlink", "stat", "seek", "pipe", "poll",
	"map", "fork", "thread", "clock", "any", "memory"
};

enum how { HOW_ERROR, HOW_SHORT, HOW_SIGNAL };

static const struct {
	const char *name;
	enum how how;
	int number;
} hows[] = {
	{ "EIO", HOW_ERROR, EIO }, { "ENOSPC", HOW_ERROR, ENOSPC },
	{ "EDQUOT", HOW_ERROR, EDQUOT }, { "EINTR", HOW_ERROR, EINTR },
	{ "ENOMEM", HOW_ERROR, ENOMEM }, { "EMFILE", HOW_ERROR, EMFILE },
	{ "EACCES", HOW_ERROR, EACCES }, { "EROFS", HOW_ERROR, EROFS },
	{ "EAGAIN", HOW_ERROR, EAGAIN }, { "EPIPE", HOW_ERROR, EPIPE },
	{ "short", HOW_SHORT, 0 }, { "KILL", HOW_SIGNAL, SIGKILL },
	{ "TERM", HOW_SIGNAL, SIGTERM }, { "INT", HOW_SIGNAL, SIGINT },
};

static struct plan {
	enum call call;
	enum how how;
	int number;
	long nth, times, every;
} plan;

/* What the server and all that its child starts know of each other. */
static struct {
	atomic_long hits, calls, live;
	atomic_bool ended;	/* the main has returned */
} *page;

static bool is_worker;		/* a fork of the main process */
static bool is_spared;		/* from what it does not bear */
static int (*the_main)(int, char **, char **);

/* What the C library calls its own. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void *__libc_memalign(size_t align, size_t n);
void __libc_free(void *p);
int __libc_start_main(int (*main_)(int, char **, char **), int argc,
    char **argv, void (*init)(void), void (*fini)(void),
    void (*rtld_fini)(void), void *stack_end);
ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *p, size_t n, off_t at, size_t size);
int __open_2(const char *path, int flags);
int seccomp_load(void *filter);
struct json_object;
struct json_tokener;
struct json_object *json_tokener_parse_ex(struct json_tokener *t,
    const char *p, int n);

/* The function of the same name that this one stands before. */
#define NEXT(f) \
	static __typeof__(f) *next; \
	if (next == NULL) { \
		void *found = dlsym(RTLD_NEXT, #f); \
		memcpy(&next, &found, sizeof next); \
	}

/* Whether this CALL is to be struck. */
static bool
is_struck(enum call call)
{
	long n;

	if (is_spared || (plan.call != call &&
	    (plan.call != CALL_ANY || call == CALL_MEMORY)))
		return false;
	/* A signal is for the one that was started. */
	if (plan.how == HOW_SIGNAL && is_worker)
		return false;
	n = atomic_fetch_add(&page->calls, 1) + 1 - plan.nth;
	if (n < 0 || n % plan.every != 0 ||
	    (plan.times != 0 && n / plan.every >= plan.times))
		return false;
	atomic_fetch_add(&page->hits, 1);
	return true;
}

/* Strike CALL where it is its time: whether it fails, with errno set. */
static bool
fails(enum call call)
{
	if (plan.call == CALL_NONE || !is_struck(call))
		return false;
	if (plan.how == HOW_SIGNAL)
		(void)kill(getpid(), plan.number);
	else if (plan.how == HOW_ERROR)
		errno = plan.number;
	return plan.how == HOW_ERROR;
}

/* The same of one that moves *N bytes, which may become fewer. */
static bool
fails_or_shrinks(enum call call, size_t *n)
{
	if (plan.how != HOW_SHORT)
		return fails(call);
	if (plan.call != CALL_NONE && is_struck(call) && *n > 1)
		*n = 1;
	return false;
}

ssize_t
read(int fd, void *p, size_t n)
{
	NEXT(read)
	return fails_or_shrinks(CALL_READ, &n) ? -1 : next(fd, p, n);
}

ssize_t
__read_chk(int fd, void *p, size_t n, size_t size)
{
	if (n > size)
		abort();
	return read(fd, p, n);
}

ssize_t
pread(int fd, void *p, size_t n, off_t at)
{
	NEXT(pread)
	return fails_or_shrinks(CALL_READ, &n) ? -1 : next(fd, p, n, at);
}

ssize_t
pread64(int fd, void *p, size_t n, off_t at)
{
	return pread(fd, p, n, at);
}

ssize_t
__pread_chk(int fd, void *p, size_t n, off_t at, size_t size)
{
	if (n > size)
		abort();
	return pread(fd, p, n, at);
}

ssize_t
__pread64_chk(int fd, void *p, size_t n, off_t at, size_t size)
{
	return __pread_chk(fd, p, n, at, size);
}

ssize_t
recvmsg(int fd, struct msghdr *m, int flags)
{
	NEXT(recvmsg)
	return fails(CALL_READ) ? -1 : next(fd, m, flags);
}

/* Messages to standard error are what we want to see. */
ssize_t
write(int fd, const void *p, size_t n)
{
	NEXT(write)
	return fd != STDERR_FILENO && fails_or_shrinks(CALL_WRITE, &n) ? -1 :
	    next(fd, p, n);
}

ssize_t
sendmsg(int fd, const struct msghdr *m, int flags)
{
	NEXT(sendmsg)
	return fails(CALL_WRITE) ? -1 : next(fd, m, flags);
}

/* The mode that follows FLAGS where a file may be made. */
#define MODE(flags, mode) do { \
	if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
		va_list ap; \
		va_start(ap, flags); \
		mode = va_arg(ap, mode_t); \
		va_end(ap); \
	} \
} while (0)

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	NEXT(open)

	MODE(flags, mode);
	return fails(CALL_OPEN) ? -1 : next(path, flags, mode);
}

int
open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	MODE(flags, mode);
	return open(path, flags, mode);
}

int
__open_2(const char *path, int flags)
{
	return open(path, flags);
}

int
openat(int at, const char *path, int flags, ...)
{
	mode_t mode = 0;
	NEXT(openat)

	MODE(flags, mode);
	return fails(CALL_OPEN) ? -1 : next(at, path, flags, mode);
}

/* Whatever close says, the descriptor is closed. */
int
close(int fd)
{
	bool failed = fails(CALL_CLOSE);
	int number = errno;
	NEXT(close)

	if (next(fd) < 0)
		return -1;
	errno = number;
	return failed ? -1 : 0;
}

int
fsync(int fd)
{
	NEXT(fsync)
	return fails(CALL_SYNC) ? -1 : next(fd);
}

int
rename(const char *from, const char *to)
{
	NEXT(rename)
	return fails(CALL_RENAME) ? -1 : next(from, to);
}

int
unlink(const char *path)
{
	NEXT(unlink)
	return fails(CALL_UNLINK) ? -1 : next(path);
}

int
stat(const char *restrict path, struct stat *restrict st)
{
	NEXT(stat)
	return fails(CALL_STAT) ? -1 : next(path, st);
}

int
fstat(int fd, struct stat *st)
{
	NEXT(fstat)
	return fails(CALL_STAT) ? -1 : next(fd, st);
}

int
fstatat(int at, const char *restrict path, struct stat *restrict st,
    int flags)
{
	NEXT(fstatat)
	return fails(CALL_STAT) ? -1 : next(at, path, st, flags);
}

off_t
lseek(int fd, off_t at, int whence)
{
	NEXT(lseek)
	return fails(CALL_SEEK) ? -1 : next(fd, at, whence);
}

int
pipe(int fds[2])
{
	NEXT(pipe)
	return fails(CALL_PIPE) ? -1 : next(fds);
}

int
socketpair(int domain, int type, int protocol, int fds[2])
{
	NEXT(socketpair)
	return fails(CALL_PIPE) ? -1 : next(domain, type, protocol, fds);
}

int
dup(int fd)
{
	NEXT(dup)
	return fails(CALL_PIPE) ? -1 : next(fd);
}

int
poll(struct pollfd *fds, nfds_t n, int timeout)
{
	NEXT(poll)
	return fails(CALL_POLL) ? -1 : next(fds, n, timeout);
}

void *
mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
	NEXT(mmap)
	return fails(CALL_MAP) ? MAP_FAILED : next(p, n, prot, flags, fd, at);
}

pid_t
fork(void)
{
	pid_t pid;
	NEXT(fork)

	if (fails(CALL_FORK))
		return -1;
	pid = next();
	if (pid == 0)
		is_worker = true;
	return pid;
}

int
pthread_create(pthread_t *restrict t, const pthread_attr_t *restrict attr,
    void *(*run)(void *), void *restrict self)
{
	NEXT(pthread_create)
	return fails(CALL_THREAD) ? errno : next(t, attr, run, self);
}

/*
 * The clock of the day, which anybody may set, jumps by years to either
 * side; the one that only runs forward does so by hours.
 */
int
clock_gettime(clockid_t id, struct timespec *now)
{
	int rc;
	NEXT(clock_gettime)

	rc = next(id, now);
	if (plan.call != CALL_CLOCK || rc < 0)
		return rc;
	(void)is_struck(CALL_CLOCK);
	if (id == CLOCK_MONOTONIC)
		now->tv_sec += 10000 * page->hits;
	else if (id == CLOCK_REALTIME)
		now->tv_sec += page->hits % 2 == 0 ? 99999999 : -999999999;
	return 0;
}

/* Count a block that was got. */
static void *
got(void *p)
{
	if (p != NULL && page != NULL && !is_worker)
		atomic_fetch_add(&page->live, 1);
	return p;
}

void *
malloc(size_t n)
{
	return fails(CALL_MEMORY) ? NULL : got(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
	return fails(CALL_MEMORY) ? NULL : got(__libc_calloc(n, size));
}

void *
realloc(void *p, size_t n)
{
	if (fails(CALL_MEMORY))
		return NULL;
	return p == NULL ? got(__libc_malloc(n)) : __libc_realloc(p, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fails(CALL_MEMORY) ? NULL : got(__libc_memalign(align, n));
}

int
posix_memalign(void **p, size_t align, size_t n)
{
	void *q = aligned_alloc(align, n);

	if (q == NULL)
		return ENOMEM;
	*p = q;
	return 0;
}

void
free(void *p)
{
	if (p != NULL && page != NULL && !is_worker)
		atomic_fetch_sub(&page->live, 1);
	__libc_free(p);
}

/*
 * libseccomp 2.5 goes round for ever where it gets no memory; the decoder's
 * parent gives up such a worker, but only after half a minute.
 */
int
seccomp_load(void *filter)
{
	int rc;
	NEXT(seccomp_load)

	is_spared = true;
	rc = next(filter);
	is_spared = false;
	return rc;
}

/*
 * json-c 0.16 crashes in places where it gets no memory, and in others loses
 * members of an object without a word.
 */
struct json_object *
json_tokener_parse_ex(struct json_tokener *t, const char *p, int n)
{
	struct json_object *o;
	NEXT(json_tokener_parse_ex)

	is_spared = true;
	o = next(t, p, n);
	is_spared = false;
	return o;
}

/* Say why the server cannot go on. */
static void
give_up(const char *why)
{
	(void)dprintf(STDERR_FILENO, "preload: %s\n", why);
	_exit(99);
}

/* Make FD of this process PATH. */
static void
become(int fd, const char *path, int flags)
{
	int got_fd = open(path, flags, 0666);

	if (got_fd < 0 || dup2(got_fd, fd) < 0)
		give_up(path);
	(void)close(got_fd);
}

/* Understand an order, which ends with three FILES. */
static struct plan
obey(char *line, char *files[3])
{
	struct plan p = { CALL_NONE, HOW_ERROR, 0, 0, 0, 1 };
	char *word[8], *rest = line;

	for (size_t i = 0; i < 8; i++) {
		word[i] = strsep(&rest, " \n");
		if (word[i] == NULL)
			give_up("an order of eight words, please");
	}
	for (size_t i = 0; i < sizeof call_names / sizeof *call_names; i++)
		if (strcmp(word[0], call_names[i]) == 0)
			p.call = (enum call)i;
	for (size_t i = 0; i < sizeof hows / sizeof *hows; i++)
		if (strcmp(word[1], hows[i].name) == 0) {
			p.how = hows[i].how;
			p.number = hows[i].number;
		}
	p.nth = atol(word[2]);
	p.times = atol(word[3]);
	p.every = atol(word[4]);
	memcpy(files, word + 5, 3 * sizeof *files);
	return p;
}

/* Read an order to LINE: whether there is one. */
static bool
hear(char *line, size_t size)
{
	size_t n = 0;

	while (n + 1 < size && read(STDIN_FILENO, line + n, 1) == 1)
		if (line[n++] == '\n') {
			line[n] = '\0';
			return true;
		}
	return false;
}

/* The main of every program. */
static int
serve(int argc, char **argv, char **envp)
{
	char line[4096], answer[128];

	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED)
		give_up("no memory");
	while (hear(line, sizeof line)) {
		char *files[3];
		int status = 0, n;
		pid_t pid = fork();

		if (pid < 0)
			give_up("cannot fork");
		if (pid == 0) {
			struct plan later = obey(line, files);

			is_worker = false;
			become(0, files[0], O_RDONLY);
			become(1, files[1], O_WRONLY | O_CREAT | O_TRUNC);
			become(2, files[2], O_WRONLY | O_CREAT | O_TRUNC);
			memset(page, 0, sizeof *page);
			plan = later;
			status = the_main(argc, argv, envp);
			plan.call = CALL_NONE;
			page->ended = true;
			exit(status);
		}
		if (waitpid(pid, &status, 0) != pid)
			give_up("cannot wait");
		n = snprintf(answer, sizeof answer, "%d %ld %ld %ld\n",
		    status, page->hits, page->calls,
		    page->ended ? page->live : -1);
		if (write(STDOUT_FILENO, answer, (size_t)n) != n)
			break;
	}
	_exit(0);
}

int
__libc_start_main(int (*main_)(int, char **, char **), int argc,
    char **argv, void (*init)(void), void (*fini)(void),
    void (*rtld_fini)(void), void *stack_end)
{
	NEXT(__libc_start_main)

	the_main = main_;
	return next(serve, argc, argv, init, fini, rtld_fini, stack_end);
}
