#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "queue.h"

/* A task's memory beyond this goes back when the task is done. */
#define KEEP (16u << 20)

/*
 * Tasks and items are numbered from 0 and live in rings, so that
 *	done <= begun <= expanding <= pushed	(tasks)
 *	written <= started			(items)
 */
struct queue {
	pthread_mutex_t lock;
	pthread_cond_t work;	/* for threads: there is something to do */
	pthread_cond_t room;	/* for the reader */
	unsigned idle;		/* threads that wait for work */
	size_t size;		/* of both rings */
	struct task *tasks;
	struct item *items;
	uint64_t pushed;	/* tasks put in */
	uint64_t expanding;	/* the next task to expand */
	uint64_t begun;		/* the task whose items are being started */
	uint64_t done;		/* tasks written to their end */
	uint64_t started;	/* items */
	uint64_t written;
	uint64_t bytes;
	bool read;		/* threads do */
	bool reading, writing, closed, stopped;
};

struct queue *
queue_new(unsigned threads, bool read, struct err *e)
{
	struct queue *q = calloc(1, sizeof *q);

	if (q == NULL)
		goto fail;
	q->read = read;
	q->size = 2 * (size_t)threads;
	q->tasks = calloc(q->size, sizeof *q->tasks);
	q->items = calloc(q->size, sizeof *q->items);
	if (q->tasks == NULL || q->items == NULL)
		goto fail;
	(void)pthread_mutex_init(&q->lock, NULL);
	(void)pthread_cond_init(&q->work, NULL);
	(void)pthread_cond_init(&q->room, NULL);
	return q;
fail:
	(void)err_memory(e);
	if (q != NULL) {
		free(q->items);
		free(q->tasks);
	}
	free(q);
	return NULL;
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	for (size_t i = 0; i < q->size; i++) {
		buf_free(&q->tasks[i].frame.raw);
		buf_free(&q->tasks[i].chain);
		buf_free(&q->tasks[i].plain);
	}
	(void)pthread_cond_destroy(&q->room);
	(void)pthread_cond_destroy(&q->work);
	(void)pthread_mutex_destroy(&q->lock);
	free(q->items);
	free(q->tasks);
	free(q);
}

struct item *
queue_items(struct queue *q, size_t *n)
{
	*n = q->size;
	return q->items;
}

static struct task *
task_at(struct queue *q, uint64_t number)
{
	return &q->tasks[number % q->size];
}

static struct item *
item_at(struct queue *q, uint64_t number)
{
	return &q->items[number % q->size];
}

/* Empty a buffer, and give back what only one long record needed. */
static void
recycle(struct buf *b)
{
	if (b->cap > KEEP)
		buf_free(b);
	buf_clear(b);
}

/* Whether there is room for another task.  The lock is held. */
static bool
has_room(const struct queue *q)
{
	return q->pushed == q->done || (q->pushed - q->done < q->size &&
	    q->bytes < QUEUE_BYTES);
}

static void
empty(struct task *t)
{
	recycle(&t->frame.raw);
	recycle(&t->chain);
	recycle(&t->plain);
	t->is_frame = t->new_chain = t->by_line = t->ready = false;
	t->fault.kind = ERR_NONE;
	t->cursor = 0;
	t->section = 0;
}

struct task *
queue_slot(struct queue *q)
{
	struct task *t = NULL;

	(void)pthread_mutex_lock(&q->lock);
	while (!q->stopped && !has_room(q))
		(void)pthread_cond_wait(&q->room, &q->lock);
	if (!q->stopped)
		t = task_at(q, q->pushed);
	(void)pthread_mutex_unlock(&q->lock);
	if (t != NULL)
		empty(t);
	return t;
}

/* Put the task in that was filled.  The lock is held. */
static void
push(struct queue *q)
{
	struct task *t = task_at(q, q->pushed++);

	t->bytes = t->frame.raw.n + t->plain.n +
	    (t->is_frame ? t->frame.plain : 0);
	q->bytes += t->bytes;
	t->ready = !t->is_frame;
}

/* There is no more to come.  The lock is held. */
static void
end(struct queue *q)
{
	q->closed = true;
	(void)pthread_cond_broadcast(&q->work);
}

void
queue_push(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	push(q);
	if (q->idle > 0)
		(void)pthread_cond_signal(&q->work);
	(void)pthread_mutex_unlock(&q->lock);
}

void
queue_close(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	end(q);
	(void)pthread_mutex_unlock(&q->lock);
}

/*
 * What could be done now, most urgent first: to write makes room; to treat
 * comes before to expand, which would only make more to treat, and to read
 * comes last.  The lock is held.
 */
static bool
choose(struct queue *q, enum queue_work *work)
{
	/* Tasks without a frame need no expanding. */
	while (q->expanding < q->pushed && task_at(q, q->expanding)->ready)
		q->expanding++;
	if (q->stopped || (q->closed && q->done == q->pushed))
		*work = QUEUE_NOTHING;
	else if (!q->writing && q->written < q->started &&
	    item_at(q, q->written)->done)
		*work = QUEUE_WRITE;
	else if (q->begun < q->pushed && task_at(q, q->begun)->ready &&
	    q->started - q->written < q->size &&
	    (q->bytes < QUEUE_BYTES || q->started == q->written))
		*work = QUEUE_TREAT;
	else if (q->expanding < q->pushed)
		*work = QUEUE_EXPAND;
	else if (q->read && !q->reading && !q->closed && has_room(q))
		*work = QUEUE_READ;
	else
		return false;
	return true;
}

/* Start the next item.  The lock is held. */
static struct item *
start_item(struct queue *q)
{
	struct task *t = task_at(q, q->begun);
	struct item *i = item_at(q, q->started++);
	size_t left = t->plain.n - t->cursor, n = left;

	if (t->by_line && left > 0) {
		const char *p = t->plain.p + t->cursor;
		const char *newline = memchr(p, '\n', left);

		if (newline != NULL)
			n = (size_t)(newline - p) + 1;
	}
	i->task = t;
	i->p = t->plain.p == NULL ? "" : t->plain.p + t->cursor;
	i->n = n;
	i->first = t->cursor == 0;
	i->last = n == left;
	i->done = false;
	t->cursor += n;
	if (i->last)
		q->begun++;
	return i;
}

enum queue_work
queue_take(struct queue *q, struct task **task, struct item **item)
{
	enum queue_work work, more;

	(void)pthread_mutex_lock(&q->lock);
	while (!choose(q, &work)) {
		q->idle++;
		(void)pthread_cond_wait(&q->work, &q->lock);
		q->idle--;
	}
	switch (work) {
	case QUEUE_WRITE:
		q->writing = true;
		*item = item_at(q, q->written);
		break;
	case QUEUE_TREAT:
		*item = start_item(q);
		break;
	case QUEUE_EXPAND:
		*task = task_at(q, q->expanding++);
		break;
	case QUEUE_READ:
		q->reading = true;
		*task = task_at(q, q->pushed);
		break;
	case QUEUE_NOTHING:
		break;
	}
	/* Whoever is woken wakes the next, as long as there is work. */
	if (q->idle > 0 && choose(q, &more))
		(void)pthread_cond_signal(&q->work);
	(void)pthread_mutex_unlock(&q->lock);
	if (work == QUEUE_READ)
		empty(*task);
	return work;
}

/* Whoever has read comes for more work, and wakes the others then. */
void
queue_read(struct queue *q, bool more)
{
	(void)pthread_mutex_lock(&q->lock);
	push(q);
	q->reading = false;
	if (!more)
		end(q);
	(void)pthread_mutex_unlock(&q->lock);
}

void
queue_expanded(struct queue *q, struct task *t)
{
	(void)pthread_mutex_lock(&q->lock);
	t->ready = true;
	(void)pthread_mutex_unlock(&q->lock);
}

void
queue_treated(struct queue *q, struct item *i, uint64_t bytes)
{
	(void)pthread_mutex_lock(&q->lock);
	i->done = true;
	i->bytes = bytes;
	q->bytes += bytes;
	(void)pthread_mutex_unlock(&q->lock);
}

void
queue_written(struct queue *q, struct item *i)
{
	(void)pthread_mutex_lock(&q->lock);
	q->writing = false;
	q->written++;
	q->bytes -= i->bytes;
	if (i->last) {
		q->done++;
		q->bytes -= i->task->bytes;
		(void)pthread_cond_signal(&q->room);
	}
	(void)pthread_mutex_unlock(&q->lock);
}

void
queue_stop(struct queue *q)
{
	(void)pthread_mutex_lock(&q->lock);
	q->stopped = true;
	(void)pthread_cond_broadcast(&q->work);
	(void)pthread_cond_broadcast(&q->room);
	(void)pthread_mutex_unlock(&q->lock);
}
