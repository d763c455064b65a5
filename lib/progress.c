#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "file.h"
#include "progress.h"
#include "stats.h"

#ifdef __APPLE__		/* which has no pthread_condattr_setclock */
#define WAIT_CLOCK CLOCK_REALTIME
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
#endif

struct progress {
	const char *program;
	const char *stats;	/* the file of --stats, or NULL */
	bool line;		/* draw on stderr */
	bool running;		/* the thread is there */
	bool drawn;		/* the line is on the screen now */
	bool stop;
	double start_s;
	pthread_t thread;
	pthread_mutex_t lock;	/* of drawn and stop, and of the screen */
	pthread_cond_t wake;
	atomic_uint_fast64_t records, errors, rejected, in, total, out;
};

/* Seconds from the monotonic clock. */
static double
now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* How far P is, in STATE. */
static struct stats
stats_of(struct progress *p, const char *state)
{
	struct stats s = {
		.program = p->program, .state = state,
		.records = atomic_load(&p->records),
		.errors = atomic_load(&p->errors),
		.rejected = atomic_load(&p->rejected),
		.bytes_read = atomic_load(&p->in),
		.bytes_total = atomic_load(&p->total),
		.bytes_written = atomic_load(&p->out),
		.seconds = now_s() - p->start_s, .eta_seconds = -1,
	};

	if (s.seconds > 0)
		s.records_per_second = (double)s.records / s.seconds;
	if (s.bytes_total > 0 && s.bytes_read > 0 &&
	    s.bytes_read <= s.bytes_total)
		s.eta_seconds = s.seconds *
		    (double)(s.bytes_total - s.bytes_read) /
		    (double)s.bytes_read;
	return s;
}

/* Replace the file of --stats. */
static int
write_stats(struct progress *p, const char *state, struct err *e)
{
	struct stats s = stats_of(p, state);
	struct buf b = { 0 };
	struct file_new *f = NULL;
	int rc = -1;

	if (stats_put(&s, p->stats, &b, e) == 0)
		f = file_new_open(p->stats, e);
	if (f != NULL && file_write(file_new_fd(f), b.p, b.n, e) == 0)
		rc = file_new_publish(f, e);
	else
		file_new_discard(f);
	buf_free(&b);
	return rc;
}

/* Draw the line over the last one.  The lock is held. */
static void
draw(struct progress *p)
{
	struct stats s = stats_of(p, "running");
	char eta[32] = "";

	if (s.eta_seconds >= 0)
		(void)snprintf(eta, sizeof eta, ", %.0f:%02d to go",
		    (s.eta_seconds - (double)((long)s.eta_seconds % 60)) / 60,
		    (int)((long)s.eta_seconds % 60));
	(void)fprintf(stderr, "\r\033[K%s: %llu done, %.0f/s, %llu rejected%s",
	    p->program, (unsigned long long)s.records, s.records_per_second,
	    (unsigned long long)(s.errors + s.rejected), eta);
	p->drawn = true;
}

/* Take the line off the screen.  The lock is held. */
static void
erase(struct progress *p)
{
	if (p->drawn)
		(void)fputs("\r\033[K", stderr);
	p->drawn = false;
}

/* A condition whose time-outs are by WAIT_CLOCK. */
static void
init_wake(pthread_cond_t *wake)
{
#ifdef __APPLE__
	(void)pthread_cond_init(wake, NULL);
#else
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, WAIT_CLOCK);
	(void)pthread_cond_init(wake, &attr);
	(void)pthread_condattr_destroy(&attr);
#endif
}

/* Once a second, until told to stop. */
static void *
tick(void *arg)
{
	struct progress *p = arg;
	struct err ignored;	/* a monitor that misses one gets the next */

	(void)pthread_mutex_lock(&p->lock);
	while (!p->stop) {
		struct timespec until;

		if (p->line)
			draw(p);
		(void)pthread_mutex_unlock(&p->lock);
		if (p->stats != NULL)
			(void)write_stats(p, "running", &ignored);
		(void)pthread_mutex_lock(&p->lock);
		if (p->stop)
			break;
		(void)clock_gettime(WAIT_CLOCK, &until);
		until.tv_sec++;
		(void)pthread_cond_timedwait(&p->wake, &p->lock, &until);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct progress *
progress_new(const char *program, bool line, const char *stats, struct err *e)
{
	struct progress *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	p->program = program;
	p->stats = stats;
	p->line = line;
	p->start_s = now_s();
	if (!line && stats == NULL)
		return p;
	if (stats != NULL && write_stats(p, "running", e) < 0) {
		free(p);
		return NULL;
	}
	(void)pthread_mutex_init(&p->lock, NULL);
	init_wake(&p->wake);
	errno = pthread_create(&p->thread, NULL, tick, p);
	if (errno != 0) {
		(void)err_errno(e, "cannot start a thread");
		(void)pthread_cond_destroy(&p->wake);
		(void)pthread_mutex_destroy(&p->lock);
		free(p);
		return NULL;
	}
	p->running = true;
	return p;
}

void
progress_add(struct progress *p, uint64_t records, uint64_t errors)
{
	(void)atomic_fetch_add(&p->records, records);
	(void)atomic_fetch_add(&p->errors, errors);
}

void
progress_add_rejected(struct progress *p, uint64_t rejected)
{
	(void)atomic_fetch_add(&p->rejected, rejected);
}

void
progress_input(struct progress *p, uint64_t done, uint64_t total)
{
	atomic_store(&p->in, done);
	atomic_store(&p->total, total);
}

void
progress_output(struct progress *p, uint64_t bytes)
{
	(void)atomic_fetch_add(&p->out, bytes);
}

void
progress_pause(struct progress *p)
{
	if (!p->running)
		return;
	(void)pthread_mutex_lock(&p->lock);
	erase(p);
}

void
progress_resume(struct progress *p)
{
	if (p->running)
		(void)pthread_mutex_unlock(&p->lock);
}

void
progress_end(struct progress *p, const char *state)
{
	struct err ignored;

	if (p == NULL)
		return;
	if (p->running) {
		(void)pthread_mutex_lock(&p->lock);
		p->stop = true;
		(void)pthread_cond_signal(&p->wake);
		(void)pthread_mutex_unlock(&p->lock);
		(void)pthread_join(p->thread, NULL);
		if (p->line) {
			draw(p);
			(void)fputc('\n', stderr);
		}
		if (p->stats != NULL)
			(void)write_stats(p, state, &ignored);
		(void)pthread_cond_destroy(&p->wake);
		(void)pthread_mutex_destroy(&p->lock);
	}
	free(p);
}
