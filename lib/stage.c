#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "frame.h"
#include "model.h"
#include "ossicle.h"
#include "progress.h"
#include "provenance.h"
#include "queue.h"
#include "stage.h"
#include "stage_input.h"
#include "stage_options.h"
#include "stage_run.h"
#include "stage_work.h"
#include "stage_write.h"
#include "stream.h"
#include "verdict.h"

/* Whether the program makes its own input, rather than read a stream. */
static bool
is_source(const struct stage_run *r)
{
	const struct stage *s = r->stage;

	return s->feed != NULL && (s->feeds == NULL ||
	    s->feeds(r->self, r));
}

/* Say for the provenance what all programs have. */
static int
describe(struct stage_run *r, struct err *e)
{
	const struct stage_common *c = &r->common;
	char number[32];

	if (stage_library(r, "zstd", frame_library_version(), e) < 0 ||
	    (c->strict && stage_option(r, "strict", "true", e) < 0) ||
	    (c->fragment && stage_option(r, "fragment", "true", e) < 0) ||
	    (c->rejects != NULL && stage_option(r, "rejects", "true", e) < 0))
		return -1;
	if (c->frame_max == FRAME_PLAIN_MAX)
		return 0;
	(void)snprintf(number, sizeof number, "%llu",
	    (unsigned long long)c->frame_max);
	return stage_option(r, "max-frame", number, e);
}

/* Let the program begin, and learn what our provenance is. */
static int
begin(struct stage_run *r, struct err *e)
{
	r->provenance = provenance_new(r->stage->name, OSSICLE_VERSION, e);
	if (r->provenance == NULL || describe(r, e) < 0)
		return -1;
	if (r->stage->start != NULL && r->stage->start(r->self, r, e) < 0)
		return -1;
	return provenance_frame(r->provenance, &r->own_chain, e);
}

/* Open the stream on standard input, where the program reads one. */
static int
open_input(struct stage_run *r, struct err *e)
{
	if (is_source(r))
		return 0;
	if (isatty(STDIN_FILENO)) {
		(void)err_set(e, ERR_USAGE,
		    "a stream is not read from a terminal");
		return err_hint(e, "jsonl-split FILE | %s ... makes one",
		    r->stage->name);
	}
	r->reader = stream_reader_new(STDIN_FILENO, r->common.frame_max,
	    r->common.fragment, e);
	return r->reader == NULL ? -1 : 0;
}

/* Open what the run writes. */
static int
open_output(struct stage_run *r, struct err *e)
{
	const struct stage_common *c = &r->common;
	int fd = STDOUT_FILENO;

	if (c->rejects != NULL) {
		r->rejects = reject_open(c->rejects, e);
		if (r->rejects == NULL)
			return -1;
	}
	if (c->output != NULL) {
		r->file = file_new_open(c->output, e);
		if (r->file == NULL)
			return -1;
		fd = file_new_fd(r->file);
	}
	r->writer = stream_writer_new(fd, c->output != NULL, e);
	return r->writer == NULL ? -1 : 0;
}

/* Make the queue and the outlets of its items. */
static int
make_queue(struct stage_run *r, struct err *e)
{
	struct item *items;
	size_t n;

	r->rules = (struct outlet_rules){
		.program = r->stage->name, .level = r->common.level,
		.frame_max = r->common.frame_max,
		.strict = r->common.strict, .quiet = r->common.quiet,
		.rejects = r->rejects != NULL, .packs = r->stage->packs,
		.lengths = r->file != NULL,
	};
	if (pipe(r->stop) < 0)
		return err_errno(e, "cannot make a pipe");
	for (int i = 0; i < 2; i++)
		(void)fcntl(r->stop[i], F_SETFD, FD_CLOEXEC);
	r->queue = queue_new(r->threads, r->reader != NULL, e);
	if (r->queue == NULL)
		return -1;
	items = queue_items(r->queue, &n);
	for (size_t i = 0; i < n; i++) {
		items[i].outlet = outlet_new(&r->rules, e);
		if (items[i].outlet == NULL)
			return -1;
	}
	r->join = outlet_new(&r->rules, e);
	return r->join == NULL ? -1 : 0;
}

/*
 * Judge a run that has come to the end of its input.  REJECTED are those
 * that were taken out, here and upstream.
 */
static int
judge(struct stage_run *r, uint64_t *rejected, struct err *e)
{
	uint64_t upstream = 0;

	if (r->reader != NULL) {
		if (stream_reader_settle(r->reader, e) < 0)
			return -1;
		upstream = stream_reader_sums(r->reader).rejected;
	}
	*rejected = r->taken + upstream;
	return r->rejects == NULL ? 0 : reject_judge(&r->common.limit,
	    *rejected, r->records + upstream, e);
}

/* The end marker, and the shard's name or the last word of stdout. */
static int
publish(struct stage_run *r, uint64_t rejected, struct err *e)
{
	struct file_new *f = r->file;

	if (stage_write_end(r, rejected, e) < 0)
		return -1;
	if (f != NULL) {
		r->file = NULL;
		return file_new_publish(f, e);
	}
	/* Some file systems tell only now that the disk is full. */
	if (close(STDOUT_FILENO) < 0 && errno != EINTR)
		return err_errno(e, "cannot close standard output");
	return 0;
}

/*
 * Run from end to end.  Rejects are published whatever happens, and before
 * the shard is: a record is in one of the two, never in neither.
 */
static int
run(struct stage_run *r, struct err *e)
{
	struct reject *rejects;
	struct err second;
	uint64_t rejected = 0;
	int rc;

	if (begin(r, e) < 0 || open_input(r, e) < 0 ||
	    open_output(r, e) < 0 || make_queue(r, e) < 0)
		return -1;
	rc = stage_work_run(r, e);
	if (rc == 0 && r->fault.kind != ERR_NONE) {
		*e = r->fault;
		rc = -1;
	}
	if (rc == 0)
		rc = judge(r, &rejected, e);
	rejects = r->rejects;
	r->rejects = NULL;
	if (rejects != NULL && reject_publish(rejects,
	    rc == 0 ? e : &second) < 0) {
		if (rc < 0)
			verdict_tell(r->stage->name, "error", &second);
		rc = -1;
	}
	if (rc == 0)
		return publish(r, rejected, e);
	if (r->file == NULL)
		stage_write_rest(r);
	return -1;
}

/* Give back all that R holds; what is not published is thrown away. */
static void
clean_up(struct stage_run *r)
{
	struct item *items;
	size_t n = 0;

	items = r->queue == NULL ? NULL : queue_items(r->queue, &n);
	for (size_t i = 0; i < n; i++)
		outlet_free(items[i].outlet);
	for (int i = 0; i < 2; i++)
		if (r->stop[i] >= 0)
			(void)close(r->stop[i]);
	outlet_free(r->join);
	queue_free(r->queue);
	stream_writer_free(r->writer);
	stream_reader_free(r->reader);
	reject_discard(r->rejects);
	file_new_discard(r->file);
	provenance_free(r->provenance);
	buf_free(&r->own_chain);
	buf_free(&r->chain);
}

/*
 * Where the program was started with a standard descriptor closed, a file
 * that is opened would take its number, and our stream might end up in the
 * rejects.  What is put there instead fails when it is used.
 */
static void
fill_standard(void)
{
	static const int mode[] = { O_WRONLY, O_RDONLY, O_WRONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", mode[fd]) < 0)
			return;
}

int
stage_main(const struct stage *stage, void *self, int argc, char *argv[])
{
	struct stage_run r = {
		.stage = stage, .self = self, .stop = { -1, -1 },
	};
	struct err e = { 0 };
	bool answered;
	int rc;

	rc = stage_options_parse(&r, argc, argv, &answered, &e);
	if (rc == 0 && !answered) {
		fill_standard();
		file_catch_signals();
		(void)signal(SIGPIPE, SIG_IGN);
		rc = run(&r, &e);
	}
	if (rc == 0)
		e.kind = ERR_NONE;
	else if (e.kind == ERR_NONE)
		(void)err_set(&e, ERR_SYSTEM, "no reason was given");
	clean_up(&r);
	progress_end(r.progress, rc == 0 ? "done" : "failed");
	if (stage->stop != NULL)
		stage->stop(self);
	if (rc < 0 && e.kind != ERR_PIPE)
		verdict_tell(stage->name, "error", &e);
	return verdict_status(&e);
}

size_t
stage_operands(const struct stage_run *run)
{
	return run->n_operands;
}

const char *
stage_operand(const struct stage_run *run, size_t i)
{
	return run->operands[i];
}

unsigned
stage_threads(const struct stage_run *run)
{
	return run->threads;
}

bool
stage_strict(const struct stage_run *run)
{
	return run->common.strict;
}

int
stage_option(struct stage_run *run, const char *name, const char *json,
    struct err *e)
{
	return provenance_option(run->provenance, name, json, e);
}

int
stage_option_text(struct stage_run *run, const char *name, const char *text,
    struct err *e)
{
	struct buf json = { 0 };
	int rc = -1;

	if (text == NULL)
		return 0;
	if (buf_put_json(&json, text, strlen(text), e) == 0 &&
	    buf_putc(&json, '\0', e) == 0)
		rc = stage_option(run, name, json.p, e);
	buf_free(&json);
	return rc;
}

/* Put the N texts at TEXT to B, as a JSON array. */
static int
put_texts(struct buf *b, const char *const *text, size_t n, struct err *e)
{
	if (buf_putc(b, '[', e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && buf_putc(b, ',', e) < 0)
			return -1;
		if ((text[i] == NULL ? buf_puts(b, "null", e) :
		    buf_put_json(b, text[i], strlen(text[i]), e)) < 0)
			return -1;
	}
	return buf_put(b, "]", 2, e);
}

int
stage_option_texts(struct stage_run *run, const char *name,
    const char *const *text, size_t n, struct err *e)
{
	struct buf json = { 0 };
	int rc = put_texts(&json, text, n, e);

	if (rc == 0)
		rc = stage_option(run, name, json.p, e);
	buf_free(&json);
	return rc;
}

int
stage_library(struct stage_run *run, const char *name, const char *version,
    struct err *e)
{
	return provenance_library(run->provenance, name, version, e);
}

int
stage_input(struct stage_run *run, const char *name, struct err *e)
{
	return provenance_input(run->provenance, name, e);
}

int
stage_model(struct stage_run *run, const struct model *m, struct err *e)
{
	for (size_t i = 0; i < model_files(m); i++) {
		const struct model_file *f = model_file(m, i);

		if (provenance_model(run->provenance, f->name, f->sha256,
		    e) < 0)
			return -1;
	}
	return 0;
}

int
stage_feed(struct stage_run *run, const void *p, size_t n, uint64_t done,
    uint64_t total, struct err *e)
{
	return stage_input_feed(run, p, n, done, total, e);
}

int
stage_wait(struct stage_run *run, int fd, struct err *e)
{
	return stage_input_wait(run, fd, e);
}

void
stage_warn(struct stage_run *run, const char *fmt, ...)
{
	struct err warning = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(warning.text, sizeof warning.text, fmt, ap);
	va_end(ap);
	if (run->progress != NULL)
		progress_pause(run->progress);
	verdict_tell(run->stage->name, "warning", &warning);
	if (run->progress != NULL)
		progress_resume(run->progress);
}
