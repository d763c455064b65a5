#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "completion.h"
#include "content.h"
#include "frame.h"
#include "option.h"
#include "ossicle.h"
#include "stage_options.h"
#include "stage_program.h"
#include "stage_run.h"
#include "thread.h"

#define FRAME_MAX_MIN (64 << 10)	/* that an error always fits */
#define FRAME_MAX_MAX (1 << 30)		/* the memory in flight */

static const struct opt options[] = {
	OPT(struct stage_common, output, "output", 'o', "FILE", 0, 0,
	    "write a shard, FILE, whole or not at all"),
	OPT(struct stage_common, threads, "threads", 'j', "N", 1, THREAD_MAX,
	    "use N threads (default: all that we may use)"),
	OPT(struct stage_common, level, "level", 'z', "LEVEL",
	    FRAME_LEVEL_MIN, FRAME_LEVEL_MAX,
	    "zstd's level; 0 stores (default: 0; with -o what pays)"),
	OPT(struct stage_common, rejects, "rejects", 'r', "FILE", 0, 0,
	    "take records with an error out, to FILE"),
	OPT_FN(struct stage_common, limit, "max-rejects", 0, "N|P%",
	    reject_parse_limit,
	    "fail beyond N, or P percent (default: 5%, or 10)"),
	OPT(struct stage_common, strict, "strict", 0, NULL, 0, 0,
	    "what is doubtful is an error"),
	OPT(struct stage_common, fragment, "fragment", 0, NULL, 0, 0,
	    "the input is a part of a stream"),
	OPT(struct stage_common, frame_max, "max-frame", 0, "BYTES",
	    FRAME_MAX_MIN, FRAME_MAX_MAX,
	    "refuse frames of more content (default: 64MiB)"),
	OPT(struct stage_common, progress, "progress", 0, NULL, 0, 0,
	    "show how far it is, on stderr"),
	OPT(struct stage_common, stats, "stats", 0, "FILE", 0, 0,
	    "keep in FILE how far it is, as JSON (or .prom)"),
	OPT(struct stage_common, quiet, "quiet", 'q', NULL, 0, 0,
	    "say nothing about single records"),
	OPT(struct stage_common, help, "help", 'h', NULL, 0, 0,
	    "print this"),
	OPT(struct stage_common, version, "version", 0, NULL, 0, 0,
	    "print the version"),
	OPT(struct stage_common, completion, "completion", 0, "SHELL", 0, 0,
	    NULL),
	OPT_END
};

/* Whether paths A and B are the same file, be it there or not. */
static bool
same_file(const char *a, const char *b)
{
	struct stat sa, sb;

	if (strcmp(a, b) == 0)
		return true;
	return stat(a, &sa) == 0 && stat(b, &sb) == 0 &&
	    sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

/* Refuse that a file be written twice, or be read and written at once. */
static int
check_files(const struct stage_run *r, struct err *e)
{
	const struct stage_common *c = &r->common;
	const char *const files[] = { c->output, c->rejects, c->stats };
	char quoted[ERR_QUOTE_SIZE];

	for (int i = 0; i < 3; i++) {
		if (files[i] == NULL)
			continue;
		(void)err_quote(quoted, sizeof quoted, files[i],
		    strlen(files[i]));
		for (int k = 0; k < i; k++)
			if (files[k] != NULL && same_file(files[i], files[k]))
				return err_set(e, ERR_USAGE, "\"%s\" would be "
				    "written twice", quoted);
		for (size_t k = 0; k < r->n_operands; k++)
			if (same_file(files[i], r->operands[k]))
				return err_set(e, ERR_USAGE, "\"%s\" would be "
				    "read and written", quoted);
	}
	return 0;
}

/* Check what no single option can know. */
static int
check(const struct stage_run *r, struct err *e)
{
	const struct stage_common *c = &r->common;
	char quoted[ERR_QUOTE_SIZE];

	if (r->n_operands > 0 && r->stage->operands == NULL) {
		(void)err_set(e, ERR_USAGE, "unexpected operand \"%s\"",
		    err_quote(quoted, sizeof quoted, r->operands[0],
		    strlen(r->operands[0])));
		return err_hint(e, "%s reads a stream on standard input",
		    r->stage->name);
	}
	if (check_files(r, e) < 0)
		return -1;
	if (c->limit.given && c->rejects == NULL) {
		(void)err_set(e, ERR_USAGE, "--max-rejects without -r");
		return err_hint(e, "without -r FILE errors stay in the "
		    "stream, and are judged where it is given");
	}
	if (c->output == NULL && isatty(STDOUT_FILENO)) {
		(void)err_set(e, ERR_USAGE,
		    "a stream is not written to a terminal");
		return err_hint(e, "use -o FILE, or a pipe");
	}
	return 0;
}

/* Answer --help, --version or --completion on stdout. */
static int
answer(const struct stage_run *r, const struct opt_table *tables, size_t n,
    struct err *e)
{
	const struct stage *s = r->stage;

	if (r->common.help)
		option_help(tables, n, s->name, s->operands, s->about,
		    stdout);
	else if (r->common.version)
		(void)printf("%s (ossicle) %s\n", s->name, OSSICLE_VERSION);
	else if (completion_write(tables, n, s->name, r->common.completion,
	    stdout, e) < 0)
		return -1;
	if (fflush(stdout) != 0 && errno != EPIPE)
		return err_errno(e, "cannot write");
	return 0;
}

int
stage_options_parse(struct stage_run *r, int argc, char *argv[], bool *done,
    struct err *e)
{
	const struct opt_table tables[] = {
		{ r->stage->options, r->self }, { options, &r->common },
	};
	struct stage_common *c = &r->common;
	int first;

	*done = false;
	c->level = CONTENT_LEVEL_KEEP;
	c->frame_max = FRAME_PLAIN_MAX;
	if (option_parse(tables, 2, argc, argv, &first, e) < 0)
		return -1;
	r->operands = argv + first;
	r->n_operands = (size_t)(argc - first);
	if (c->help || c->version || c->completion != NULL) {
		*done = true;
		return answer(r, tables, 2, e);
	}
	if (c->level == CONTENT_LEVEL_KEEP && c->output == NULL)
		c->level = 0;
	r->threads = c->threads > 0 ? (unsigned)c->threads :
	    thread_available();
	return check(r, e);
}
