/* What is read, or fed, comes into the queue, and its faults in their turn;
 * and that a wait is let go when the run has failed. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stages.h"

#include "outlet.h"
#include "progress.h"
#include "queue.h"
#include "stage_input.h"
#include "stage_run.h"

static struct stage_run r;
static struct err e;

static int
pass(void *self, void *own, struct record *rec, struct outlet *o,
    struct err *err)
{
	UNUSED(self);
	UNUSED(own);
	return outlet_put(o, rec, err);
}

static int
begin(void **state)
{
	UNUSED(state);
	memset(&r, 0, sizeof r);
	r.queue = queue_new(8, false, &e);
	r.progress = progress_new("test", false, NULL, &e);
	return r.queue == NULL || r.progress == NULL || pipe(r.stop) < 0;
}

static int
end(void **state)
{
	UNUSED(state);
	stream_reader_free(r.reader);
	queue_free(r.queue);
	progress_end(r.progress, "done");
	(void)close(r.stop[0]);
	(void)close(r.stop[1]);
	return 0;
}

/* Take the next item, which must be there, as if it were written at once. */
static struct item *
next(enum queue_work want)
{
	struct task *t = NULL;
	struct item *i = NULL;
	enum queue_work work = queue_take(r.queue, &t, &i);

	if (work == QUEUE_EXPAND) {
		queue_expanded(r.queue, t);
		work = queue_take(r.queue, &t, &i);
	}
	assert_int_equal(work, want);
	if (work == QUEUE_NOTHING)
		return NULL;
	queue_treated(r.queue, i, 0);
	assert_int_equal(queue_take(r.queue, &t, &i), QUEUE_WRITE);
	return i;
}

/* Read the stream that IN holds. */
static void
read_stream(const struct buf *in)
{
	FILE *f = tmpfile();
	int saved = dup(STDIN_FILENO);
	struct task *t;

	assert_non_null(f);
	assert_int_equal(fwrite(in->p, 1, in->n, f), in->n);
	rewind(f);
	(void)dup2(fileno(f), STDIN_FILENO);
	r.reader = stream_reader_new(STDIN_FILENO, FRAME_PLAIN_MAX, false,
	    &e);
	assert_non_null(r.reader);
	do {
		t = queue_slot(r.queue);
		assert_non_null(t);
		stage_input_read(&r, t);
	} while (t->is_frame);
	if (saved >= 0) {
		(void)dup2(saved, STDIN_FILENO);
		(void)close(saved);
	}
	(void)fclose(f);
}

static void
a_stream_becomes_tasks_and_its_provenance_goes_with_the_first(void **state)
{
	struct buf in = stream_of("{}\n{}\n{}\n", 1, pass);
	struct item *i;

	UNUSED(state);
	read_stream(&in);
	for (int k = 0; k < 3; k++) {
		i = next(QUEUE_TREAT);
		assert_true(i->task->is_frame);
		assert_int_equal(i->task->new_chain, k == 0);
		assert_int_equal(i->task->fault.kind, ERR_NONE);
		assert_int_equal(i->task->frame.plain, 3);
		if (k == 0)
			assert_true(contains(&i->task->chain, "\"given\""));
		queue_written(r.queue, i);
	}
	i = next(QUEUE_TREAT);		/* the end, which brings nothing */
	assert_false(i->task->is_frame || i->task->new_chain);
	assert_int_equal(i->n, 0);
	queue_written(r.queue, i);
	(void)next(QUEUE_NOTHING);
	buf_free(&in);
}

static void
a_fault_of_the_stream_comes_in_its_turn(void **state)
{
	struct buf in = stream_of("{}\n{}\n", 1, pass);
	struct item *i;

	UNUSED(state);
	in.n -= 3;
	read_stream(&in);
	for (int k = 0; k < 2; k++) {
		i = next(QUEUE_TREAT);
		assert_int_equal(i->task->fault.kind, ERR_NONE);
		queue_written(r.queue, i);
	}
	i = next(QUEUE_TREAT);
	assert_int_equal(i->task->fault.kind, ERR_TRUNCATED);
	assert_false(i->task->is_frame);
	queue_written(r.queue, i);
	(void)next(QUEUE_NOTHING);
	buf_free(&in);
}

/* Never called: there is no thread to call it. */
static int
no_batch(void *self, void *own, const void *p, size_t n, struct outlet *o,
    struct err *err)
{
	UNUSED(self);
	UNUSED(own);
	UNUSED(p);
	UNUSED(n);
	UNUSED(o);
	return err_set(err, ERR_SYSTEM, "called");
}

static void
what_a_source_feeds_becomes_tasks(void **state)
{
	const struct stage batches = { .feed = given_feed,
	    .batch = no_batch, .grain = STAGE_RECORDS };
	const struct stage lines = { .feed = given_feed,
	    .grain = STAGE_RECORDS };
	const struct stage *const stages[] = { &batches, &lines };
	struct given g = { "1\n2\n3\n", 2 };

	UNUSED(state);
	for (int k = 0; k < 2; k++) {
		struct item *i;

		r.stage = stages[k];
		r.self = &g;
		assert_int_equal(given_feed(&g, &r, &e), 0);
		/* A batch is the program's to cut, lines are ours. */
		for (int n = k == 0 ? 2 : 3; n > 0; n--) {
			i = next(QUEUE_TREAT);
			assert_false(i->task->is_frame);
			assert_int_equal(i->n, k == 0 && n == 2 ? 4 : 2);
			queue_written(r.queue, i);
		}
	}
}

static int
no_feed(void *self, struct stage_run *run, struct err *err)
{
	UNUSED(self);
	UNUSED(run);
	return err_set(err, ERR_SYSTEM, "no such file");
}

static void
a_fault_of_a_source_comes_in_its_turn(void **state)
{
	const struct stage s = { .feed = no_feed };
	struct item *i;

	UNUSED(state);
	r.stage = &s;
	assert_null(stage_input_feed_main(&r));
	i = next(QUEUE_TREAT);
	assert_string_equal(i->task->fault.text, "no such file");
	queue_written(r.queue, i);
	(void)next(QUEUE_NOTHING);
}

static void
a_queue_that_was_stopped_takes_no_more(void **state)
{
	UNUSED(state);
	queue_stop(r.queue);
	assert_int_equal(stage_input_feed(&r, "x", 1, 0, 0, &e), -1);
	(void)next(QUEUE_NOTHING);
}

static void
waiting_ends_with_input_its_end_or_a_failed_run(void **state)
{
	int ends[2];

	UNUSED(state);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_int_equal(stage_input_wait(&r, ends[0], &e), 0);
	(void)close(ends[1]);
	assert_int_equal(stage_input_wait(&r, ends[0], &e), 0);
	assert_int_equal(write(r.stop[1], "", 1), 1);
	assert_int_equal(stage_input_wait(&r, ends[0], &e), -1);
	(void)close(ends[0]);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stream_becomes_tasks_and_its_provenance_goes_with_the_first),
		TEST(a_fault_of_the_stream_comes_in_its_turn),
		TEST(what_a_source_feeds_becomes_tasks),
		TEST(a_fault_of_a_source_comes_in_its_turn),
		TEST(a_queue_that_was_stopped_takes_no_more),
		TEST(waiting_ends_with_input_its_end_or_a_failed_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
