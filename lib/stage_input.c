#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "progress.h"
#include "queue.h"
#include "stage_input.h"
#include "stage_program.h"
#include "stage_run.h"
#include "stream.h"

/* The length of standard input where it is a file, else 0: for the ETA. */
static uint64_t
input_size(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) == 0 && S_ISREG(st.st_mode) ?
	    (uint64_t)st.st_size : 0;
}

int
stage_input_wait(struct stage_run *run, int fd, struct err *e)
{
	struct pollfd p[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = run->stop[0], .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0)
		if (errno != EINTR && errno != EAGAIN)
			return err_errno(e, "cannot wait for input");
	if (p[1].revents != 0)
		return err_set(e, ERR_SYSTEM, "the run has failed");
	return 0;
}

/*
 * Read the stream up to its next data frame into T.  *MORE is false at the
 * end of it: T then holds at most provenance.
 */
static int
next_frame(struct stage_run *r, struct task *t, bool *more, struct err *e)
{
	enum stream_event event = STREAM_PROVENANCE;
	const struct buf *chain;

	while (event == STREAM_PROVENANCE) {
		/* Inside a frame its writer will not keep us waiting. */
		if ((!stream_reader_pending(r->reader) &&
		    stage_input_wait(r, STDIN_FILENO, e) < 0) ||
		    stream_read(r->reader, &event, &t->frame, e) < 0)
			return -1;
		if (event != STREAM_PROVENANCE)
			break;
		chain = stream_reader_provenance(r->reader);
		buf_clear(&t->chain);
		if (buf_put(&t->chain, chain->p, chain->n, e) < 0)
			return -1;
		t->new_chain = true;
	}
	*more = t->is_frame = event == STREAM_DATA;
	t->section = stream_reader_section(r->reader);
	return 0;
}

void
stage_input_read(struct stage_run *r, struct task *t)
{
	bool more = true;

	if (next_frame(r, t, &more, &t->fault) < 0)
		more = t->is_frame = false;
	if (more)
		progress_input(r->progress, t->frame.offset +
		    t->frame.raw.n, input_size());
	queue_read(r->queue, more);
}

int
stage_input_feed(struct stage_run *run, const void *p, size_t n, uint64_t done,
    uint64_t total, struct err *e)
{
	struct task *t = queue_slot(run->queue);

	if (t == NULL)
		return err_set(e, ERR_SYSTEM, "the run has failed");
	if (buf_put(&t->plain, p, n, e) < 0)
		return -1;
	t->by_line = run->stage->batch == NULL &&
	    run->stage->grain == STAGE_RECORDS;
	progress_input(run->progress, done, total);
	queue_push(run->queue);
	return 0;
}

void *
stage_input_feed_main(void *run)
{
	struct stage_run *r = run;
	struct task *t = NULL;
	struct err fault;

	fault.kind = ERR_NONE;
	/* A fault is told when all before it is written. */
	if (r->stage->feed(r->self, r, &fault) < 0 &&
	    (t = queue_slot(r->queue)) != NULL) {
		t->fault = fault;
		queue_push(r->queue);
	}
	queue_close(r->queue);
	return NULL;
}
