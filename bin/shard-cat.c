/*
 * shard-cat: look into streams and shards, check them, join them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "completion.h"
#include "content.h"
#include "file.h"
#include "frame.h"
#include "join.h"
#include "model.h"
#include "option.h"
#include "ossicle.h"
#include "pick.h"
#include "show.h"
#include "verdict.h"
#include "verify.h"

/* What a whole number is good for everywhere. */
#define NUMBER_MAX 9007199254740992.0

#define FRAME_MAX_MIN (64 << 10)
#define FRAME_MAX_MAX (1 << 30)

struct range {
	uint64_t first, last;
};

struct cat {
	struct range range;
	bool check, lengths, text;
	const char *model_name;
	const char *output;
	int level;
	bool fragment;
	uint64_t frame_max;
	bool quiet, help, version;
	const char *completion;
	char name[ERR_QUOTE_SIZE];	/* of the input at hand */
	bool damaged;		/* --check has found something */
	struct show show;	/* to standard output */
};

/* N, or A-B. */
static int
parse_range(void *value, const char *arg, struct err *e)
{
	struct range *r = value;
	char first[32];
	size_t n = strcspn(arg, "-");

	if (arg[n] == '\0') {
		if (option_uint(arg, 0, NUMBER_MAX, &r->first, e) < 0)
			return -1;
		r->last = r->first;
		return 0;
	}
	if (n >= sizeof first)
		return err_set(e, ERR_USAGE, "is no record");
	memcpy(first, arg, n);
	first[n] = '\0';
	if (option_uint(first, 0, NUMBER_MAX, &r->first, e) < 0 ||
	    option_uint(arg + n + 1, 0, NUMBER_MAX, &r->last, e) < 0)
		return -1;
	if (r->first > r->last)
		return err_set(e, ERR_USAGE, "the range \"%s\" is empty", arg);
	return 0;
}

static const struct opt options[] = {
	OPT_FN(struct cat, range, "records", 'n', "N|A-B", parse_range,
	    "only record N, or A to B; the first is 0"),
	OPT(struct cat, check, "check", 0, NULL, 0, 0,
	    "read everything, and say what is damaged"),
	OPT(struct cat, lengths, "lengths", 0, NULL, 0, 0,
	    "print how many tokens each record has"),
	OPT(struct cat, text, "text", 0, NULL, 0, 0,
	    "print what the tokens say, and the labels"),
	OPT(struct cat, model_name, "model", 'm', "MODEL", 0, 0,
	    "with --text: the model, a directory or a name"),
	OPT(struct cat, output, "output", 'o', "FILE", 0, 0,
	    "join the inputs to one shard, FILE"),
	OPT(struct cat, level, "level", 'z', "LEVEL",
	    FRAME_LEVEL_MIN, FRAME_LEVEL_MAX,
	    "with -o: compress every frame anew; 0 stores"),
	OPT(struct cat, fragment, "fragment", 0, NULL, 0, 0,
	    "the inputs are parts of streams"),
	OPT(struct cat, frame_max, "max-frame", 0, "BYTES",
	    FRAME_MAX_MIN, FRAME_MAX_MAX,
	    "refuse frames of more content (default: 64MiB)"),
	OPT(struct cat, quiet, "quiet", 'q', NULL, 0, 0,
	    "with --check: only the exit status"),
	OPT(struct cat, help, "help", 'h', NULL, 0, 0, "print this"),
	OPT(struct cat, version, "version", 0, NULL, 0, 0,
	    "print the version"),
	OPT(struct cat, completion, "completion", 0, "SHELL", 0, 0, NULL),
	OPT_END
};

/* Some file systems tell only now that the disk is full. */
static int
finish(struct cat *c, struct err *e)
{
	if (show_flush(&c->show, e) < 0)
		return -1;
	if (close(STDOUT_FILENO) < 0 && errno != EINTR)
		return err_errno(e, "cannot close standard output");
	return 0;
}

/* Tell of a fault that --check has found. */
static void
tell_fault(void *self, const struct err *fault)
{
	struct cat *c = self;

	c->damaged = true;
	if (!c->quiet)
		verdict_tell(c->name, "error", fault);
}

/* Call TREAT for each operand, opened, or standard input. */
static int
each_input(struct cat *c, int n, char *names[],
    int (*treat)(struct cat *c, void *with, int fd, struct err *e),
    void *with, struct err *e)
{
	int rc = 0;

	if (n == 0) {
		(void)strcpy(c->name, "standard input");
		if (isatty(STDIN_FILENO)) {
			(void)err_set(e, ERR_USAGE,
			    "a stream is not read from a terminal");
			return err_hint(e, "name a file, or use a pipe");
		}
		rc = treat(c, with, STDIN_FILENO, e);
	}
	for (int i = 0; rc == 0 && i < n; i++) {
		int fd = open(names[i], O_RDONLY | O_CLOEXEC);

		(void)err_quote(c->name, sizeof c->name, names[i],
		    strlen(names[i]));
		if (fd < 0)
			return err_errno(e, "cannot open \"%s\"", c->name);
		rc = treat(c, with, fd, e);
		(void)close(fd);
	}
	if (rc < 0 && e->kind != ERR_PIPE)
		(void)err_wrap(e, "%s", c->name);
	return rc;
}

static int
pick_one(struct cat *c, void *with, int fd, struct err *e)
{
	(void)c;
	return pick_input(with, fd, e);
}

/* Print records, or their lengths. */
static int
print(struct cat *c, int n, char *names[], struct err *e)
{
	struct pick p = {
		.frame_max = c->frame_max, .fragment = c->fragment,
		.first = c->range.first, .last = c->range.last,
		.each = c->lengths ? NULL : c->text ? show_text : show_json,
		.row = show_lengths, .self = &c->show,
	};

	if (each_input(c, n, names, pick_one, &p, e) < 0) {
		struct err second;

		/* What came before the fault is good. */
		if (e->kind != ERR_PIPE)
			(void)!show_flush(&c->show, &second);
		return -1;
	}
	if (finish(c, e) < 0)
		return -1;
	return pick_end(&p, e);
}

/* Print tokens as text. */
static int
print_texts(struct cat *c, int n, char *names[], struct err *e)
{
	struct model *m = model_open(c->model_name, e);
	int rc = -1;

	if (m == NULL)
		return -1;
	c->show.bpe = model_tokenizer(m, e);
	if (c->show.bpe != NULL)
		rc = print(c, n, names, e);
	model_free(m);
	return rc;
}

static int
check_one(struct cat *c, void *with, int fd, struct err *e)
{
	struct verify *v = with;

	if (verify_input(v, fd, e) < 0)
		return -1;
	if (c->quiet)
		return 0;
	if (buf_printf(&c->show.out, e, "%s: %s: %llu records, %llu with an "
	    "error, in %llu data frames; %llu rejected before\n", c->name,
	    v->faults == 0 ? "ok" : "DAMAGED",
	    (unsigned long long)v->records, (unsigned long long)v->errors,
	    (unsigned long long)v->frames,
	    (unsigned long long)v->rejected) < 0)
		return -1;
	return show_flush(&c->show, e);
}

static int
check(struct cat *c, int n, char *names[], struct err *e)
{
	struct verify v = {
		.frame_max = c->frame_max, .fragment = c->fragment,
		.fault = tell_fault, .self = c,
	};

	if (each_input(c, n, names, check_one, &v, e) < 0)
		return -1;
	return finish(c, e);
}

static int
join_one(struct cat *c, void *with, int fd, struct err *e)
{
	(void)c;
	return join_input(with, fd, e);
}

/* Write the shard. */
static int
join(struct cat *c, int n, char *names[], struct err *e)
{
	struct join_rules rules = {
		.frame_max = c->frame_max, .fragment = c->fragment,
		.level = c->level,
		.first = c->range.first, .last = c->range.last,
	};
	struct pick all = { .first = rules.first, .last = rules.last };
	struct file_new *f = file_new_open(c->output, e);
	struct join *j;
	int rc = -1;

	if (f == NULL)
		return -1;
	j = join_new(file_new_fd(f), &rules, e);
	if (j == NULL || each_input(c, n, names, join_one, j, e) < 0)
		goto out;
	all.count = join_count(j);
	if (pick_end(&all, e) == 0)
		rc = join_end(j, e);
out:
	join_free(j);
	if (rc == 0)
		return file_new_publish(f, e);
	file_new_discard(f);
	return rc;
}

/* Answer --help, --version or --completion. */
static int
answer(const struct cat *c, const struct opt_table *table, struct err *e)
{
	if (c->help)
		option_help(table, 1, "shard-cat", "[SHARD...]",
		    "look into streams and shards, check them, join them",
		    stdout);
	else if (c->version)
		(void)printf("shard-cat (ossicle) %s\n", OSSICLE_VERSION);
	else if (completion_write(table, 1, "shard-cat", c->completion,
	    stdout, e) < 0)
		return -1;
	if (fflush(stdout) != 0 && errno != EPIPE)
		return err_errno(e, "cannot write");
	return 0;
}

/* Do what the options say. */
static int
run(struct cat *c, int argc, char *argv[], struct err *e)
{
	const struct opt_table table = { options, c };
	int first = 0, n;

	if (option_parse(&table, 1, argc, argv, &first, e) < 0)
		return -1;
	if (c->help || c->version || c->completion != NULL)
		return answer(c, &table, e);
	if (c->check + c->lengths + c->text + (c->output != NULL) > 1)
		return err_set(e, ERR_USAGE,
		    "--check, --lengths, --text and -o exclude each other");
	if (c->text != (c->model_name != NULL))
		return err_set(e, ERR_USAGE,
		    "--text and -m MODEL need each other");
	if (c->level != CONTENT_LEVEL_KEEP && c->output == NULL)
		return err_set(e, ERR_USAGE, "-z without -o");
	if (c->check && c->range.last != UINT64_MAX)
		return err_set(e, ERR_USAGE, "--check reads everything: no -n");
	(void)signal(SIGPIPE, SIG_IGN);
	file_catch_signals();
	n = argc - first;
	if (c->check)
		return check(c, n, argv + first, e);
	if (c->output != NULL)
		return join(c, n, argv + first, e);
	return c->text ? print_texts(c, n, argv + first, e) :
	    print(c, n, argv + first, e);
}

int
main(int argc, char *argv[])
{
	struct cat c = {
		.range = { 0, UINT64_MAX }, .level = CONTENT_LEVEL_KEEP,
		.frame_max = FRAME_PLAIN_MAX, .show = { .fd = STDOUT_FILENO },
	};
	struct err e = { 0 };
	int rc = run(&c, argc, argv, &e);

	show_free(&c.show);
	if (rc == 0)
		return c.damaged ? 3 : 0;
	if (e.kind == ERR_NONE)
		(void)err_set(&e, ERR_SYSTEM, "no reason was given");
	if (e.kind != ERR_PIPE)
		verdict_tell("shard-cat", "error", &e);
	return verdict_status(&e);
}
