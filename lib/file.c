#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"

struct file_new {
	char *path;		/* the final name, links resolved */
	char *temp;		/* ours while its slot holds it */
	int fd;
	int folder;		/* to be fsynced; open from the start, so that
				 * nothing can be missing after the rename */
	int slot;
};

/*
 * The names of the temporaries that now exist.  A signal handler takes no
 * argument, so this cannot be anything but a global.  Who exchanges a name
 * for NULL owns it.
 */
#define SLOTS 8
static struct {
	_Atomic(char *) name[SLOTS];
	atomic_int creating;	/* threads that are creating one */
	atomic_bool dying;	/* a handler has begun to remove them */
} temporaries;

/* What removes temporaries. */
static const int signals[] = { SIGINT, SIGTERM, SIGHUP };

int64_t
file_read_some(int fd, void *p, size_t n, struct err *e)
{
	ssize_t got;

	do
		got = read(fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return err_errno(e, "cannot read");
	return got;
}

int
file_read(const char *path, uint64_t max, struct buf *out, struct err *e)
{
	char name[ERR_QUOTE_SIZE];
	struct stat st;
	int64_t got;
	int fd, rc = -1;

	(void)err_quote(name, sizeof name, path, strlen(path));
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_errno(e, "cannot open %s", name);
	if (fstat(fd, &st) < 0) {
		(void)err_errno(e, "cannot stat %s", name);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_SYSTEM, "%s is not a regular file", name);
		goto out;
	}
	for (uint64_t sum = 0;; sum += (uint64_t)got) {
		size_t want = sum == 0 ? (size_t)st.st_size + 1 : 65536;

		if (sum > max || (uint64_t)st.st_size > max) {
			(void)err_set(e, ERR_SYSTEM,
			    "%s is longer than %llu bytes", name,
			    (unsigned long long)max);
			goto out;
		}
		if (buf_reserve(out, want, e) < 0)
			goto out;
		got = file_read_some(fd, out->p + out->n, want, e);
		if (got < 0) {
			(void)err_wrap(e, "%s", name);
			goto out;
		}
		if (got == 0)
			break;
		out->n += (size_t)got;
	}
	rc = 0;
out:
	(void)close(fd);
	return rc;
}

int
file_write(int fd, const void *p, size_t n, struct err *e)
{
	const char *s = p;

	while (n > 0) {
		ssize_t put = write(fd, s, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EPIPE)
			return err_set(e, ERR_PIPE, "nobody reads the output");
		if (put < 0)
			return err_errno(e, "cannot write");
		s += put;
		n -= (size_t)put;
	}
	return 0;
}

/*
 * The final name: PATH itself, or what it links to; a new string.  NULL
 * where something is there that is no regular file.
 */
static char *
final_name(const char *path, struct err *e)
{
	char name[ERR_QUOTE_SIZE];
	struct stat st;
	char *real;

	(void)err_quote(name, sizeof name, path, strlen(path));
	if (path[0] == '\0' || path[strlen(path) - 1] == '/') {
		(void)err_set(e, ERR_SYSTEM, "\"%s\" names no file", name);
		return NULL;
	}
	if (stat(path, &st) < 0) {
		real = strdup(path);
		if (real == NULL)
			(void)err_memory(e);
		return real;
	}
	if (!S_ISREG(st.st_mode)) {
		(void)err_set(e, ERR_SYSTEM, "%s is there and no regular file",
		    name);
		(void)err_hint(e, "name a file to be made, or use a pipe");
		return NULL;
	}
	real = realpath(path, NULL);
	if (real == NULL)
		(void)err_errno(e, "cannot resolve %s", name);
	return real;
}

/* Let a signal find F's temporary. */
static int
remember(struct file_new *f, struct err *e)
{
	for (f->slot = 0; f->slot < SLOTS; f->slot++) {
		char *none = NULL;

		if (atomic_compare_exchange_strong(&temporaries.name[f->slot],
		    &none, f->temp))
			return 0;
	}
	return err_set(e, ERR_SYSTEM, "more than %d files at once", SLOTS);
}

/* F's temporary is no more.  A signal finds it until then, as to unlink it
 * twice does no harm; what the signal has found is its own. */
static void
forget(struct file_new *f)
{
	free(atomic_exchange(&temporaries.name[f->slot], NULL));
	f->temp = NULL;
}

/*
 * From here to end_creation the signals that remove temporaries wait for
 * this thread: those that come to it are blocked, and a handler in another
 * waits.  Where one runs already, nothing is created any more.
 */
static void
begin_creation(sigset_t *old)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		(void)sigaddset(&set, signals[i]);
	(void)pthread_sigmask(SIG_BLOCK, &set, old);
	(void)atomic_fetch_add(&temporaries.creating, 1);
	if (atomic_load(&temporaries.dying)) {
		(void)atomic_fetch_sub(&temporaries.creating, 1);
		for (;;)
			(void)pause();
	}
}

static void
end_creation(const sigset_t *old)
{
	(void)atomic_fetch_sub(&temporaries.creating, 1);
	(void)pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* Create F's temporary, and let a signal find it: 1 with E where somebody
 * has its name already. */
static int
create_known(struct file_new *f, struct err *e)
{
	char name[ERR_QUOTE_SIZE];

	f->fd = open(f->temp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (f->fd < 0) {
		int taken = errno == EEXIST;

		(void)err_errno(e, "cannot create a file beside %s",
		    err_quote(name, sizeof name, f->path, strlen(f->path)));
		return taken ? 1 : -1;
	}
	if (remember(f, e) < 0) {
		(void)unlink(f->temp);
		(void)close(f->fd);
		return -1;
	}
	return 0;
}

/* Create a temporary beside F's path. */
static int
create(struct file_new *f, struct err *e)
{
	const char *slash = strrchr(f->path, '/');
	int folder = slash == NULL ? 0 : (int)(slash - f->path) + 1, rc = 1;
	size_t size = strlen(f->path) + 48;
	sigset_t old;

	f->temp = malloc(size);
	if (f->temp == NULL)
		return err_memory(e);
	for (unsigned i = 0; i < 1000 && rc > 0; i++) {
		struct timespec now;

		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		(void)snprintf(f->temp, size, "%.*s.%s.%lx%06lx%x.tmp",
		    folder, f->path, f->path + folder, (long)getpid(),
		    now.tv_nsec & 0xffffff, i);
		begin_creation(&old);
		rc = create_known(f, e);
		end_creation(&old);
	}
	if (rc == 0)
		return 0;
	free(f->temp);
	return -1;
}

/* Open the folder of PATH. */
static int
open_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL ? strdup(".") : slash == path ?
	    strdup("/") : strndup(path, (size_t)(slash - path));
	char name[ERR_QUOTE_SIZE];
	int fd;

	if (folder == NULL)
		return err_memory(e);
	fd = open(folder, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
	if (fd < 0)
		(void)err_errno(e, "cannot create %s",
		    err_quote(name, sizeof name, path, strlen(path)));
	free(folder);
	return fd;
}

struct file_new *
file_new_open(const char *path, struct err *e)
{
	struct file_new *f = calloc(1, sizeof *f);

	if (f == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	f->fd = f->folder = -1;
	f->path = final_name(path, e);
	if (f->path == NULL)
		goto fail;
	f->folder = open_folder(f->path, e);
	if (f->folder < 0 || create(f, e) < 0)
		goto fail;
	return f;
fail:
	if (f->folder >= 0)
		(void)close(f->folder);
	free(f->path);
	free(f);
	return NULL;
}

int
file_new_fd(const struct file_new *f)
{
	return f->fd;
}

int
file_new_publish(struct file_new *f, struct err *e)
{
	char name[ERR_QUOTE_SIZE];
	bool synced;
	int rc = -1;

	(void)err_quote(name, sizeof name, f->path, strlen(f->path));
	synced = fsync(f->fd) == 0;
	if (!synced)
		(void)err_errno(e, "cannot write %s to disk", name);
	/* Interrupted or not it is closed, and the disk has all of it. */
	if (close(f->fd) < 0 && errno != EINTR && synced) {
		synced = false;
		(void)err_errno(e, "cannot close %s", name);
	}
	if (synced && rename(f->temp, f->path) == 0)
		rc = fsync(f->folder) == 0 || errno == EINVAL ||
		    errno == ENOTSUP ? 0 : err_errno(e,
		    "cannot write the folder of %s to disk", name);
	else {
		if (synced)
			(void)err_errno(e, "cannot rename to %s", name);
		(void)unlink(f->temp);
	}
	forget(f);
	(void)close(f->folder);
	free(f->path);
	free(f);
	return rc;
}

void
file_new_discard(struct file_new *f)
{
	if (f == NULL)
		return;
	(void)close(f->fd);
	(void)close(f->folder);
	(void)unlink(f->temp);
	forget(f);
	free(f->path);
	free(f);
}

/* Remove the temporaries, then die of SIG as if it had not been caught. */
static void
clean_up(int sig)
{
	const struct timespec moment = { 0, 1000000 };

	atomic_store(&temporaries.dying, true);
	while (atomic_load(&temporaries.creating) > 0)
		(void)nanosleep(&moment, NULL);
	for (int i = 0; i < SLOTS; i++) {
		char *temp = atomic_exchange(&temporaries.name[i], NULL);

		if (temp != NULL)
			(void)unlink(temp);
	}
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

void
file_catch_signals(void)
{
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		struct sigaction old, act = { .sa_handler = clean_up };

		(void)sigemptyset(&act.sa_mask);
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &act, NULL);
	}
}
