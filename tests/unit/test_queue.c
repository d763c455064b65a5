/*
 * Whatever the threads do: items are written one at a time, in the order of
 * the input, no more than two a thread are in flight, and none is lost.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"

#include "queue.h"

#define THREADS_MAX 8

/* What the threads of a test share. */
struct crew {
	struct queue *q;
	unsigned threads;
	bool by_line;
	uint64_t bytes;		/* that each item says it takes */
	struct buf written;	/* by whoever writes: no lock */
	atomic_int writing, flying, most_flying, treated;
	int stop_at;		/* items written, or 0: never */
	int to_read;		/* tasks, by the threads; or 0: we put them */
	int read;
	int count;
};

/* Take a time that varies. */
static void
dawdle(const char *p, size_t n)
{
	struct timespec t = { 0, 0 };

	for (size_t i = 0; i < n; i++)
		t.tv_nsec = (t.tv_nsec * 31 + p[i]) % 100000;
	(void)nanosleep(&t, NULL);
}

/* Read a task: its number, and whether it is a frame. */
static void
read_task(struct crew *c, struct task *t)
{
	int number = c->read++;
	struct err e;

	assert_int_equal(t->plain.n, 0);
	assert_int_equal(t->frame.raw.n, 0);
	t->is_frame = number % 3 > 0;
	if (buf_printf(t->is_frame ? &t->frame.raw : &t->plain, &e, "%d\n%d\n",
	    number, number) < 0)
		abort();
	t->by_line = !t->is_frame && c->by_line;
	dawdle("1234567", 7);
	queue_read(c->q, number + 1 < c->to_read);
}

static void
treat(struct crew *c, struct item *i)
{
	int flying = atomic_fetch_add(&c->flying, 1) + 1;
	int most = atomic_load(&c->most_flying);

	while (flying > most && !atomic_compare_exchange_weak(
	    &c->most_flying, &most, flying));
	dawdle(i->p, i->n);
	(void)atomic_fetch_add(&c->treated, 1);
}

static void
write_item(struct crew *c, struct item *i)
{
	struct err e;

	if (atomic_fetch_add(&c->writing, 1) != 0)
		abort();
	if (i->first && buf_puts(&c->written, "<", &e) < 0)
		abort();
	if (buf_put(&c->written, i->p, i->n, &e) < 0)
		abort();
	if (i->last && buf_puts(&c->written, ">", &e) < 0)
		abort();
	if (++c->count == c->stop_at)
		queue_stop(c->q);
	(void)atomic_fetch_sub(&c->flying, 1);
	(void)atomic_fetch_sub(&c->writing, 1);
}

static void *
work(void *arg)
{
	struct crew *c = arg;
	struct task *t = NULL;
	struct item *i = NULL;

	for (;;)
		switch (queue_take(c->q, &t, &i)) {
		case QUEUE_READ:
			read_task(c, t);
			break;
		case QUEUE_EXPAND:
			/* The "frame" is its content. */
			dawdle(t->frame.raw.p, t->frame.raw.n);
			if (buf_put(&t->plain, t->frame.raw.p,
			    t->frame.raw.n, &t->fault) < 0)
				abort();
			t->by_line = c->by_line;
			queue_expanded(c->q, t);
			break;
		case QUEUE_TREAT:
			treat(c, i);
			queue_treated(c->q, i, c->bytes);
			break;
		case QUEUE_WRITE:
			write_item(c, i);
			queue_written(c->q, i);
			break;
		case QUEUE_NOTHING:
			return NULL;
		}
}

static void
start(struct crew *c, unsigned threads, pthread_t *t)
{
	struct err e;

	c->threads = threads;
	c->q = queue_new(threads, c->to_read > 0, &e);
	assert_non_null(c->q);
	for (unsigned i = 0; i < threads; i++)
		assert_int_equal(pthread_create(&t[i], NULL, work, c), 0);
}

static void
finish(struct crew *c, pthread_t *t)
{
	for (unsigned i = 0; i < c->threads; i++)
		assert_int_equal(pthread_join(t[i], NULL), 0);
	queue_free(c->q);
}

/* Put TEXT in; false where the queue was stopped. */
static bool
put(struct crew *c, const char *text, bool is_frame, uint64_t plain)
{
	struct task *t = queue_slot(c->q);
	struct err e;

	if (t == NULL)
		return false;
	assert_int_equal(t->plain.n, 0);
	assert_int_equal(t->frame.raw.n, 0);
	assert_int_equal(t->fault.kind, ERR_NONE);
	assert_false(t->new_chain);
	t->is_frame = is_frame;
	t->frame.plain = plain;
	t->by_line = !is_frame && c->by_line;
	assert_int_equal(buf_puts(is_frame ? &t->frame.raw : &t->plain, text,
	    &e), 0);
	queue_push(c->q);
	return true;
}

static void
written_is(struct crew *c, const char *text)
{
	struct err e;

	assert_int_equal(buf_putc(&c->written, '\0', &e), 0);
	assert_string_equal(c->written.p, text);
	buf_free(&c->written);
}

/* Tasks of 0 to 6 lines, with and without frames, by N threads. */
static void
run_many(unsigned threads, bool by_line)
{
	struct crew c = { .by_line = by_line };
	struct buf want = { 0 };
	struct err e;
	pthread_t t[THREADS_MAX];

	start(&c, threads, t);
	for (int i = 0; i < 300; i++) {
		char text[128] = "";
		size_t n = 0;

		for (int k = 0; k < i % 7; k++)
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "%d.%d\n", i, k);
		/* The last line need not end. */
		if (i % 11 == 0 && n > 0)
			text[n - 1] = '\0';
		assert_int_equal(buf_printf(&want, &e, "<%s>", text), 0);
		assert_true(put(&c, text, i % 3 != 0, n));
	}
	queue_close(c.q);
	finish(&c, t);
	assert_int_equal(buf_putc(&want, '\0', &e), 0);
	written_is(&c, want.p);
	assert_in_range(atomic_load(&c.most_flying), 1, 2 * threads);
	buf_free(&want);
}

static void
all_is_written_once_and_in_order(void **state)
{
	(void)state;
	for (unsigned threads = 1; threads <= THREADS_MAX; threads++) {
		run_many(threads, false);
		run_many(threads, true);
	}
}

static void
each_line_is_an_item_where_that_is_asked_for(void **state)
{
	struct crew c = { .by_line = true };
	pthread_t t[2];

	(void)state;
	start(&c, 2, t);
	assert_true(put(&c, "a\n\nb\nc", true, 6));
	assert_true(put(&c, "", true, 0));
	queue_close(c.q);
	finish(&c, t);
	written_is(&c, "<a\n\nb\nc><>");
	assert_int_equal(atomic_load(&c.treated), 5);
}

static void
an_empty_queue_that_is_closed_ends_the_threads(void **state)
{
	struct crew c = { .by_line = true };
	pthread_t t[4];

	(void)state;
	start(&c, 4, t);
	queue_close(c.q);
	finish(&c, t);
	assert_int_equal(c.written.n, 0);
}

/* The reader is told that nobody wants more, and the threads end. */
static void
a_stop_reaches_reader_and_threads(void **state)
{
	struct crew c = { .by_line = true, .stop_at = 10 };
	pthread_t t[3];
	int pushed = 0;

	(void)state;
	start(&c, 3, t);
	while (put(&c, "1\n2\n", true, 4))
		pushed++;
	assert_null(queue_slot(c.q));
	finish(&c, t);
	assert_int_equal(c.count, 10);
	assert_in_range(pushed, 5, 5 + 2 * 3);
	buf_free(&c.written);
}

/* By whatever thread: one at a time, and no more than fly. */
static void
what_threads_read_comes_out_in_order(void **state)
{
	struct buf want = { 0 };
	struct err e;

	(void)state;
	for (int number = 0; number < 100; number++)
		assert_int_equal(buf_printf(&want, &e, "<%d\n%d\n>", number,
		    number), 0);
	for (unsigned threads = 1; threads <= THREADS_MAX; threads *= 2)
		for (int by_line = 0; by_line < 2; by_line++) {
			struct crew c = { .by_line = by_line, .to_read = 100 };
			pthread_t t[THREADS_MAX];

			start(&c, threads, t);
			finish(&c, t);
			assert_int_equal(c.written.n, want.n);
			assert_memory_equal(c.written.p, want.p, want.n);
			buf_free(&c.written);
		}
	buf_free(&want);
}

/* Claims, not memory: a task that says it is 1 GiB flies alone. */
static void
large_tasks_fly_alone(void **state)
{
	struct crew c = { 0 };
	pthread_t t[4];

	(void)state;
	start(&c, 4, t);
	for (int i = 0; i < 50; i++)
		assert_true(put(&c, "x", true, QUEUE_BYTES));
	queue_close(c.q);
	finish(&c, t);
	assert_int_equal(c.count, 50);
	assert_int_equal(atomic_load(&c.most_flying), 1);
	buf_free(&c.written);
}

/* What was made of a record counts too. */
static void
large_results_hold_the_next_items_back(void **state)
{
	struct crew c = { .by_line = true, .bytes = QUEUE_BYTES };
	pthread_t t[4];

	(void)state;
	start(&c, 4, t);
	for (int i = 0; i < 20; i++)
		assert_true(put(&c, "1\n2\n3\n4\n5\n6\n", true, 12));
	queue_close(c.q);
	finish(&c, t);
	assert_int_equal(c.count, 120);
	/* Those that had begun before the first was done: no more. */
	assert_in_range(atomic_load(&c.most_flying), 1, 5);
	buf_free(&c.written);
}

static void
an_item_keeps_its_owners_outlet(void **state)
{
	struct queue *q;
	struct item *items;
	struct err e;
	size_t n;

	(void)state;
	q = queue_new(3, false, &e);
	assert_non_null(q);
	items = queue_items(q, &n);
	assert_int_equal(n, 6);
	for (size_t i = 0; i < n; i++)
		assert_null(items[i].outlet);
	queue_free(q);
	queue_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_written_once_and_in_order),
		cmocka_unit_test(each_line_is_an_item_where_that_is_asked_for),
		cmocka_unit_test(
		    an_empty_queue_that_is_closed_ends_the_threads),
		cmocka_unit_test(a_stop_reaches_reader_and_threads),
		cmocka_unit_test(what_threads_read_comes_out_in_order),
		cmocka_unit_test(large_tasks_fly_alone),
		cmocka_unit_test(large_results_hold_the_next_items_back),
		cmocka_unit_test(an_item_keeps_its_owners_outlet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
