/*
 * stages: what the tests of the stage share: running a small program, which
 * the test defines, in a process of its own, and looking at its output.
 */
#ifndef STAGES_H
#define STAGES_H

#include <sys/wait.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "buf.h"
#include "frame.h"
#include "option.h"
#include "stage.h"
#include "stream.h"

#define UNUSED(x) ((void)(x))

/* What a program has left behind. */
struct ran {
	int status;		/* of exit, or 128 and the signal */
	struct buf out, err;
};

static inline void
ran_free(struct ran *r)
{
	buf_free(&r->out);
	buf_free(&r->err);
}

/* Append all that F holds, from its start, to B. */
static inline void
slurp(FILE *f, struct buf *b)
{
	struct err e;
	char piece[4096];
	size_t n;

	rewind(f);
	while ((n = fread(piece, 1, sizeof piece, f)) > 0)
		assert_int_equal(buf_put(b, piece, n, &e), 0);
}

/* The content of the file PATH. */
static inline struct buf
file_content(const char *path)
{
	FILE *f = fopen(path, "rb");
	struct buf b = { 0 };

	assert_non_null(f);
	slurp(f, &b);
	(void)fclose(f);
	return b;
}

static inline void
text_is(const struct buf *b, const char *text)
{
	if (b->n != strlen(text) ||
	    (b->n > 0 && memcmp(b->p, text, b->n) != 0)) {
		print_error("is:     <<%.*s>>\n", (int)b->n,
		    b->p == NULL ? "" : b->p);
		print_error("should: <<%s>>\n", text);
		fail();
	}
}

static inline void
same_bytes(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->n, b->n);
	if (a->n > 0)
		assert_memory_equal(a->p, b->p, a->n);
}

static inline bool
contains(const struct buf *b, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; i + n <= b->n; i++)
		if (memcmp(b->p + i, text, n) == 0)
			return true;
	return false;
}

/*
 * Run STAGE with standard input from the N bytes at IN.  ARGV, ended by
 * NULL, holds options and operands.
 */
static inline struct ran
run_stage(const struct stage *stage, void *self, const void *in, size_t n,
    const char *const argv[])
{
	FILE *fin = tmpfile(), *fout = tmpfile(), *ferr = tmpfile();
	struct ran r = { 0 };
	int status;
	pid_t pid;

	assert_true(fin != NULL && fout != NULL && ferr != NULL);
	assert_int_equal(n == 0 ? 0 : fwrite(in, 1, n, fin), n);
	rewind(fin);
	(void)fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char *args[32] = { (char *)stage->name };
		int argc = 1;

		for (; argv[argc - 1] != NULL && argc < 31; argc++)
			args[argc] = (char *)argv[argc - 1];
		if (dup2(fileno(fin), 0) < 0 || dup2(fileno(fout), 1) < 0 ||
		    dup2(fileno(ferr), 2) < 0)
			_exit(99);
		exit(stage_main(stage, self, argc, args));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	r.status = WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
	slurp(fout, &r.out);
	slurp(ferr, &r.err);
	(void)fclose(fin);
	(void)fclose(fout);
	(void)fclose(ferr);
	return r;
}

#define RUN(stage, self, in, ...) run_stage(stage, self, (in)->p, (in)->n, \
	(const char *const []){ __VA_ARGS__ })

/* A stream, read. */
struct seen {
	struct buf text;	/* its lines; of a record with tensors "*\n" */
	char shape[512];	/* of each frame the records, "*" with tensors */
	struct stream_sums sums;	/* by its end markers */
	unsigned chains;	/* times that the provenance changed */
	struct buf chain;	/* all provenance, in a row */
	int rc;			/* 0, or -1 and e */
	struct err e;
};

static inline void
seen_free(struct seen *s)
{
	buf_free(&s->text);
	buf_free(&s->chain);
}

/* Note what the frame that holds PLAIN looks like. */
static inline void
see_frame(struct seen *s, const struct buf *plain)
{
	size_t lines = 0, at = strlen(s->shape);

	if (plain->n > 8 && plain->p[7] == '\0') {
		(void)snprintf(s->shape + at, sizeof s->shape - at, "* ");
		assert_int_equal(buf_puts(&s->text, "*\n", &s->e), 0);
		return;
	}
	for (size_t i = 0; i < plain->n; i++)
		lines += plain->p[i] == '\n';
	(void)snprintf(s->shape + at, sizeof s->shape - at, "%zu ", lines);
	assert_int_equal(buf_put(&s->text, plain->p, plain->n, &s->e), 0);
}

/* Read the stream in B. */
static inline struct seen
see(const struct buf *b)
{
	FILE *f = tmpfile();
	struct seen s = { 0 };
	struct frame frame = { 0 };
	struct buf plain = { 0 };
	struct frame_codec *c = frame_codec_new(&s.e);
	struct stream_reader *r;
	enum stream_event event = STREAM_DATA;

	assert_non_null(f);
	assert_int_equal(b->n == 0 ? 0 : fwrite(b->p, 1, b->n, f), b->n);
	rewind(f);
	r = stream_reader_new(fileno(f), FRAME_PLAIN_MAX, false, &s.e);
	assert_true(c != NULL && r != NULL);
	while ((s.rc = stream_read(r, &event, &frame, &s.e)) == 0 &&
	    event != STREAM_ENDED) {
		if (event == STREAM_PROVENANCE) {
			const struct buf *p = stream_reader_provenance(r);

			s.chains++;
			assert_int_equal(buf_put(&s.chain, p->p, p->n, &s.e),
			    0);
			continue;
		}
		assert_int_equal(frame_expand(c, &frame, &plain, &s.e), 0);
		see_frame(&s, &plain);
	}
	s.sums = stream_reader_sums(r);
	stream_reader_free(r);
	frame_codec_free(c);
	buf_free(&frame.raw);
	buf_free(&plain);
	(void)fclose(f);
	return s;
}

/*
 * A source of streams: what SELF, a struct given, holds, in batches of so
 * many lines.
 */
struct given {
	const char *text;
	size_t lines;
};

static inline int
given_feed(void *self, struct stage_run *run, struct err *e)
{
	const struct given *g = self;
	const char *from = g->text, *p = from;
	size_t lines = 0;

	while (*p != '\0') {
		const char *newline = strchr(p, '\n');

		p = newline == NULL ? p + strlen(p) : newline + 1;
		if ((++lines == g->lines || *p == '\0') && p > from) {
			if (stage_feed(run, from, (size_t)(p - from), 0, 0,
			    e) < 0)
				return -1;
			from = p;
			lines = 0;
		}
	}
	return 0;
}

static const struct opt no_options[] = { OPT_END };

/* A stream of TEXT's records, LINES of them a frame. */
static inline struct buf
stream_of(const char *text, size_t lines,
    int (*each)(void *, void *, struct record *, struct outlet *,
    struct err *))
{
	const struct stage source = {
		.name = "given", .about = "gives what it was given",
		.options = no_options, .each = each, .feed = given_feed,
	};
	struct given g = { text, lines };
	struct buf none = { 0 };
	struct ran r = RUN(&source, &g, &none, "-j", "1", NULL);

	assert_int_equal(r.status, 0);
	buf_free(&r.err);
	return r.out;
}

#endif
