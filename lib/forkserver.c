#ifdef __linux__
#define _GNU_SOURCE	/* prctl, and MAP_ANONYMOUS's company */
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "fdpass.h"
#include "forkserver.h"
#include "sanitized.h"

#define CHILDREN_MAX 2048

enum verb { SPAWN, END };

struct request {
	enum verb verb;
	unsigned number;	/* of the child to spawn */
	pid_t pid;		/* of the child to end */
};

struct answer {
	int error;		/* errno, or 0 */
	pid_t pid;
	int status;
};

struct forkserver {
	pthread_mutex_t lock;	/* one question at a time */
	int sock;
	pid_t pid;
};

/* What the server itself knows. */
struct server {
	forkserver_child *child;
	void *self;
	int sock;
	pid_t live[CHILDREN_MAX];
	unsigned n;
};

/*
 * Ignore what the terminal sends: the one to obey is who asks.  And undo
 * what the program may have made of other signals: who crashes, dies.
 */
static void
set_signals(void)
{
	static const int ignored[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP,
	};
	static const int usual[] = {
		SIGCHLD, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS,
	};
	struct sigaction a = { .sa_handler = SIG_IGN };
	sigset_t none;

	for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++)
		(void)sigaction(ignored[i], &a, NULL);
	a.sa_handler = SIG_DFL;
	for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
		(void)sigaction(usual[i], &a, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Close all descriptors but KEEP; 0, 1 and 2 become /dev/null. */
static void
close_all_but(int keep)
{
	long max = sysconf(_SC_OPEN_MAX);
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; fd < 3 && null >= 0; fd++) {
#ifdef SANITIZED	/* let the sanitizer be heard */
		if (fd == 2)
			continue;
#endif
		if (fd != keep && fd != null)
			(void)dup2(null, fd);
	}
#ifdef __linux__
	/* A limit of a milliard is met with in containers. */
	if (keep > 3)
		(void)close_range(3, (unsigned)keep - 1, 0);
	if (close_range((unsigned)keep + 1, ~0u, 0) == 0)
		return;
#endif
	if (max < 0 || max > 65536)
		max = 65536;
	for (int fd = 3; fd < max; fd++)
		if (fd != keep)
			(void)close(fd);
}

/* Fork the child NUMBER, whose end of its socket pair is FD. */
static void
spawn(struct server *s, unsigned number, int fd, struct answer *a)
{
	pid_t self = getpid();

	if (fd < 0 || s->n == CHILDREN_MAX) {
		a->error = fd < 0 ? EBADF : EAGAIN;
		return;
	}
	a->pid = fork();
	if (a->pid == 0) {
		(void)close(s->sock);
#ifdef __linux__
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
		if (getppid() != self)	/* too late for the signal */
			_exit(1);
		s->child(s->self, number, fd);
		_exit(0);
	}
	if (a->pid < 0)
		a->error = errno;
	else
		s->live[s->n++] = a->pid;
}

/* Kill and bury the child PID, if it is one. */
static void
end(struct server *s, pid_t pid, struct answer *a)
{
	unsigned i = 0;

	while (i < s->n && s->live[i] != pid)
		i++;
	if (i == s->n) {
		a->error = ESRCH;
		return;
	}
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, &a->status, 0) < 0 && errno == EINTR)
		continue;
	s->live[i] = s->live[--s->n];
}

/* The server's life. */
static void
serve(struct server *s)
{
	struct request q;
	int fd;

	while (fdpass_receive(s->sock, &fd, &q, sizeof q) == 1) {
		struct answer a = { 0 };

		if (q.verb == SPAWN)
			spawn(s, q.number, fd, &a);
		else
			end(s, q.pid, &a);
		if (fd >= 0)
			(void)close(fd);
		if (fdpass_send(s->sock, -1, &a, sizeof a) < 0)
			break;
	}
	while (s->n > 0)
		(void)kill(s->live[--s->n], SIGKILL);
}

struct forkserver *
forkserver_new(forkserver_child *child, void *self, struct err *e)
{
	struct forkserver *f = malloc(sizeof *f);
	int pair[2];

	if (f == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0) {
		(void)err_errno(e, "cannot make a socket pair");
		free(f);
		return NULL;
	}
	(void)fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	f->sock = pair[0];
	f->pid = fork();
	if (f->pid == 0) {
		struct server s = { .child = child, .self = self,
		    .sock = pair[1] };

		set_signals();
		close_all_but(s.sock);
		if (chdir("/") < 0)
			_exit(1);
		serve(&s);
		_exit(0);
	}
	(void)close(pair[1]);
	if (f->pid < 0 || pthread_mutex_init(&f->lock, NULL) != 0) {
		(void)err_errno(e, "cannot fork");
		(void)close(f->sock);
		free(f);
		return NULL;
	}
	return f;
}

void
forkserver_free(struct forkserver *f)
{
	if (f == NULL)
		return;
	(void)close(f->sock);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	(void)pthread_mutex_destroy(&f->lock);
	free(f);
}

/* Ask Q, with FD, and wait for the answer. */
static int
ask(struct forkserver *f, const struct request *q, int fd, struct answer *a,
    struct err *e)
{
	int rc;

	(void)pthread_mutex_lock(&f->lock);
	rc = fdpass_send(f->sock, fd, q, sizeof *q);
	if (rc == 0)
		rc = fdpass_receive(f->sock, NULL, a, sizeof *a) == 1 ? 0 : -1;
	(void)pthread_mutex_unlock(&f->lock);
	if (rc < 0)
		return err_set(e, ERR_SYSTEM,
		    "the process that starts decoders is gone");
	errno = a->error;
	return a->error == 0 ? 0 : err_errno(e, "cannot start a decoder");
}

int
forkserver_spawn(struct forkserver *f, unsigned number, int *sock, pid_t *pid,
    struct err *e)
{
	struct request q = { .verb = SPAWN, .number = number };
	struct answer a = { 0 };
	int pair[2], rc;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		return err_errno(e, "cannot make a socket pair");
	(void)fcntl(pair[0], F_SETFD, FD_CLOEXEC);
	(void)fcntl(pair[1], F_SETFD, FD_CLOEXEC);
	rc = ask(f, &q, pair[1], &a, e);
	(void)close(pair[1]);
	if (rc < 0) {
		(void)close(pair[0]);
		return -1;
	}
	*sock = pair[0];
	*pid = a.pid;
	return 0;
}

int
forkserver_end(struct forkserver *f, pid_t pid, int *status, struct err *e)
{
	struct request q = { .verb = END, .pid = pid };
	struct answer a = { 0 };

	if (ask(f, &q, -1, &a, e) < 0)
		return -1;
	*status = a.status;
	return 0;
}
