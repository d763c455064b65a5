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

#ifdef __APPLE__		/* which has no pthread_condattr_setclock */
#define WAIT_CLOCK CLOCK_REALTIME
#else
#define WAIT_CLOCK CLOCK_MONOTONIC
#endif

struct progress {
	const char *program;
	const char *stats;	/* the JSON file, or NULL */
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

/*
 * The counters as they stand, and what follows from them.
 */
struct view {
	unsigned long long records, errors, rejected, in, total, out;
	double elapsed_s;
	double rate;		/* records a second */
	double eta_s;		/* or less than 0: not known */
};

static struct view
view_of(struct progress *p)
{
	struct view v = {
		.records = atomic_load(&p->records),
		.errors = atomic_load(&p->errors),
		.rejected = atomic_load(&p->rejected),
		.in = atomic_load(&p->in), .total = atomic_load(&p->total),
		.out = atomic_load(&p->out),
		.elapsed_s = now_s() - p->start_s, .eta_s = -1,
	};

	if (v.elapsed_s > 0)
		v.rate = (double)v.records / v.elapsed_s;
	if (v.total > 0 && v.in > 0 && v.in <= v.total)
		v.eta_s = v.elapsed_s * (double)(v.total - v.in) /
		    (double)v.in;
	return v;
}

/* Replace the JSON file. */
static int
write_stats(struct progress *p, const char *state, struct err *e)
{
	struct view v = view_of(p);
	struct buf b = { 0 };
	struct file_new *f;
	int rc;

	rc = buf_printf(&b, e, "{\"program\":\"%s\",\"state\":\"%s\","
	    "\"records\":%llu,\"errors\":%llu,\"rejected\":%llu,"
	    "\"bytes_read\":%llu,\"bytes_total\":%llu,\"bytes_written\":%llu,"
	    "\"seconds\":%.3f,\"records_per_second\":%.1f,\"eta_seconds\":",
	    p->program, state, v.records, v.errors, v.rejected, v.in, v.total,
	    v.out, v.elapsed_s, v.rate);
	if (rc == 0)
		rc = v.eta_s < 0 ? buf_puts(&b, "null}\n", e) :
		    buf_printf(&b, e, "%.1f}\n", v.eta_s);
	f = rc == 0 ? file_new_open(p->stats, e) : NULL;
	rc = -1;
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
	struct view v = view_of(p);
	char eta[32] = "";

	if (v.eta_s >= 0)
		(void)snprintf(eta, sizeof eta, ", %.0f:%02d to go",
		    (v.eta_s - (double)((long)v.eta_s % 60)) / 60,
		    (int)((long)v.eta_s % 60));
	(void)fprintf(stderr, "\r\033[K%s: %llu done, %.0f/s, %llu rejected%s",
	    p->program, v.records, v.rate, v.errors + v.rejected, eta);
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
