#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "message.h"
#include "outlet.h"
#include "progress.h"
#include "queue.h"
#include "record.h"
#include "safetensors.h"
#include "stage_input.h"
#include "stage_program.h"
#include "stage_run.h"
#include "stage_work.h"
#include "stage_write.h"
#include "stream.h"

/* What a thread has for itself. */
struct worker {
	struct stage_run *run;
	pthread_t thread;
	bool started;
	struct frame_codec *codec;
	struct record *record;
	void *own;		/* the program's */
	uint64_t records, errors;	/* read, of the item at hand */
};

/* Put "file:line: " before a fault that R's content has brought about. */
static int
wrap_place(struct worker *w, struct err *e)
{
	struct buf place = { 0 };
	struct err ignored;
	bool known = false;

	if (message_place(&place, w->record, &known, &ignored) == 0 && known)
		(void)err_wrap(e, "%.*s", (int)place.n, place.p);
	buf_free(&place);
	return -1;
}

/* Treat the record that has been read. */
static int
treat_record(struct worker *w, struct outlet *o, struct err *e)
{
	const struct stage_run *r = w->run;
	int rc;

	w->records++;
	if (record_has_error(w->record)) {
		w->errors++;
		rc = outlet_pass(o, w->record, e);
	} else {
		o->notes = jsonscan_count(record_get(w->record,
		    RECORD_NOTES));
		rc = r->stage->each(r->self, w->own, w->record, o, e);
		if (rc < 0 && e->kind == ERR_RECORD) {
			rc = record_fail(w->record, r->stage->name, e, e);
			if (rc == 0)
				rc = outlet_put(o, w->record, e);
		}
	}
	if (rc < 0 && e->kind != ERR_MEMORY && e->kind != ERR_PIPE)
		return wrap_place(w, e);
	return rc;
}

/* Treat the records in the N bytes at P, JSON Lines. */
static int
treat_lines(struct worker *w, const char *p, size_t n, struct outlet *o,
    struct err *e)
{
	while (n > 0) {
		const char *newline = memchr(p, '\n', n);
		size_t line = newline == NULL ? n : (size_t)(newline - p);

		if (record_parse(w->record, p, line, e) < 0 ||
		    treat_record(w, o, e) < 0)
			return -1;
		line += newline != NULL;
		p += line;
		n -= line;
	}
	return 0;
}

/* Treat what item I holds. */
static int
treat_content(struct worker *w, const struct item *i, struct err *e)
{
	const struct stage_run *r = w->run;

	if (i->task->fault.kind != ERR_NONE) {
		*e = i->task->fault;
		return -1;
	}
	if (!i->task->is_frame && r->reader == NULL &&
	    r->stage->batch != NULL)
		return i->n == 0 ? 0 : r->stage->batch(r->self, w->own, i->p,
		    i->n, i->outlet, e);
	if (!i->task->is_frame || !safetensors_is(i->p, i->n))
		return treat_lines(w, i->p, i->n, i->outlet, e);
	if (record_parse_image(w->record, i->p, i->n, e) < 0)
		return -1;
	return treat_record(w, i->outlet, e);
}

/* Treat item I, all but for the writing. */
static void
treat(struct worker *w, struct item *i)
{
	struct outlet *o = i->outlet;

	outlet_begin(o, w->codec, !(i->first && i->last));
	w->records = w->errors = 0;
	if (treat_content(w, i, &o->fault) == 0 &&
	    outlet_end(o, &o->fault) == 0) {
		o->fault.kind = ERR_NONE;
		if (i->task->is_frame)
			stream_reader_count(w->run->reader, i->task->section,
			    w->records, w->errors);
	} else if (o->fault.kind == ERR_NONE) {
		(void)err_set(&o->fault, ERR_SYSTEM, "no reason was given");
	}
	record_clear(w->record);
}

/* Make T's frame plain. */
static void
expand(struct worker *w, struct task *t)
{
	if (frame_expand(w->codec, &t->frame, &t->plain, &t->fault) < 0) {
		buf_clear(&t->plain);
		return;
	}
	t->by_line = w->run->stage->grain == STAGE_RECORDS &&
	    !safetensors_is(t->plain.p, t->plain.n);
}

/* The run has failed: nobody need wait for anything any more. */
static void
stop(struct stage_run *r)
{
	queue_stop(r->queue);
	while (write(r->stop[1], "", 1) < 0 && errno == EINTR);
}

/* Do what the queue has to do: a thread's function. */
static void *
work(void *arg)
{
	struct worker *w = arg;
	struct queue *q = w->run->queue;
	struct task *t = NULL;
	struct item *i = NULL;

	for (;;)
		switch (queue_take(q, &t, &i)) {
		case QUEUE_READ:
			stage_input_read(w->run, t);
			break;
		case QUEUE_EXPAND:
			expand(w, t);
			queue_expanded(q, t);
			break;
		case QUEUE_TREAT:
			treat(w, i);
			queue_treated(q, i, outlet_bytes(i->outlet));
			break;
		case QUEUE_WRITE:
			if (stage_write_item(w->run, i, w->codec) < 0)
				stop(w->run);
			queue_written(q, i);
			break;
		case QUEUE_NOTHING:
			return NULL;
		}
}

/* Give back what W has, of the program STAGE. */
static void
worker_free(struct worker *w, const struct stage *stage)
{
	if (w->own != NULL && stage->own_free != NULL)
		stage->own_free(w->own);
	frame_codec_free(w->codec);
	record_free(w->record);
}

/* Make W ready, before any thread runs: a program may want to fork. */
static int
worker_prepare(struct worker *w, struct stage_run *r, struct err *e)
{
	w->run = r;
	w->codec = frame_codec_new(e);
	if (w->codec == NULL)
		return -1;
	w->record = record_new(e);
	if (w->record == NULL)
		return -1;
	if (r->stage->own_new == NULL)
		return 0;
	e->kind = ERR_NONE;
	w->own = r->stage->own_new(r->self, e);
	return w->own == NULL && e->kind != ERR_NONE ? -1 : 0;
}

/* Start thread W in FUNCTION. */
static int
start(pthread_t *thread, void *(*function)(void *), void *arg, struct err *e)
{
	int error = pthread_create(thread, NULL, function, arg);

	if (error == 0)
		return 0;
	errno = error;
	return err_errno(e, "cannot start a thread");
}

/* Run N workers, of which the first is this thread, and the feeder of a
 * source beside them. */
static int
run_threads(struct stage_run *r, struct worker *w, unsigned n, struct err *e)
{
	bool feeds = r->reader == NULL;
	pthread_t feeder;
	int rc = 0;

	if (feeds && start(&feeder, stage_input_feed_main, r, e) < 0)
		return -1;
	for (unsigned i = 1; i < n && rc == 0; i++) {
		rc = start(&w[i].thread, work, &w[i], e);
		w[i].started = rc == 0;
	}
	if (rc < 0)
		stop(r);
	else
		(void)work(&w[0]);
	for (unsigned i = 1; i < n; i++)
		if (w[i].started)
			(void)pthread_join(w[i].thread, NULL);
	if (feeds)
		(void)pthread_join(feeder, NULL);
	return rc;
}

/* Begin to show how far it is, where that is asked for. */
static int
show_progress(struct stage_run *r, struct err *e)
{
	const struct stage_common *c = &r->common;
	bool line = c->progress ||
	    (c->output != NULL && isatty(STDERR_FILENO));

	r->progress = progress_new(r->stage->name, line, c->stats, e);
	return r->progress == NULL ? -1 : 0;
}

int
stage_work_run(struct stage_run *run, struct err *e)
{
	struct worker *w = calloc(run->threads, sizeof *w);
	int rc = 0;

	if (w == NULL)
		return err_memory(e);
	for (unsigned i = 0; i < run->threads && rc == 0; i++)
		rc = worker_prepare(&w[i], run, e);
	/* Not before: it is a thread, and a program may have forked above. */
	if (rc == 0)
		rc = show_progress(run, e);
	if (rc == 0)
		rc = run_threads(run, w, run->threads, e);
	for (unsigned i = 0; i < run->threads; i++)
		worker_free(&w[i], run->stage);
	free(w);
	return rc;
}
