/*
 * jsonl-split: JSON arrays, JSON Lines and concatenated JSON into a stream
 * of records, each strictly checked.
 */
#include <stdio.h>
#include <stdlib.h>

#include "intake.h"
#include "jsonsplit.h"
#include "option.h"
#include "outlet.h"
#include "piece.h"
#include "record.h"
#include "stage.h"

#define NAME "jsonl-split"

struct share_option {
	uint64_t i, k;
};

struct program {
	struct jsonsplit_plan plan;
	struct share_option share;
	const char **names;
	size_t n;
	struct jsonsplit *splitter;
};

/* What a thread has. */
struct own {
	const struct program *program;
	struct intake *intake;
	struct record *record;
};

/* --share I/K */
static int
parse_share(void *value, const char *arg, struct err *e)
{
	struct share_option *share = value;
	char *end;
	unsigned long i, k;

	i = arg[0] >= '0' && arg[0] <= '9' ? strtoul(arg, &end, 10) : 0;
	if (i == 0 || *end != '/' || end[1] < '0' || end[1] > '9')
		return err_set(e, ERR_USAGE, "it is I/K, as in 3/8");
	k = strtoul(end + 1, &end, 10);
	if (*end != '\0' || k > SHARE_MAX || i > k)
		return err_set(e, ERR_USAGE, "I is from 1 to K, and K at "
		    "most %d", SHARE_MAX);
	*share = (struct share_option){ i, k };
	return 0;
}

static const struct opt options[] = {
	OPT_FN(struct program, share, "share", 0, "I/K", parse_share,
	    "only the I-th of K equal parts"),
	OPT(struct program, plan.paths, "paths", 0, NULL, 0, 0,
	    "each line is the path of an audio"),
	OPT(struct program, plan.max_record, "max-record", 0, "BYTES", 64,
	    1 << 30, "longest record taken (4 MiB)"),
	OPT_END
};

/* What the provenance says of us. */
static int
describe(const struct program *p, struct stage_run *run, struct err *e)
{
	char text[64];

	(void)snprintf(text, sizeof text, "\"%llu/%llu\"",
	    (unsigned long long)p->share.i, (unsigned long long)p->share.k);
	if (p->share.k > 1 && stage_option(run, "share", text, e) < 0)
		return -1;
	if (p->plan.paths && stage_option(run, "paths", "true", e) < 0)
		return -1;
	(void)snprintf(text, sizeof text, "%llu",
	    (unsigned long long)p->plan.max_record);
	if (stage_option(run, "max-record", text, e) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		if (stage_input(run, p->names[i], e) < 0)
			return -1;
	return 0;
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct program *p = self;
	size_t n = stage_operands(run);

	p->n = n > 0 ? n : 1;
	p->names = calloc(p->n, sizeof *p->names);
	if (p->names == NULL)
		return err_memory(e);
	p->names[0] = "-";
	for (size_t i = 0; i < n; i++)
		p->names[i] = stage_operand(run, i);
	p->plan.share = p->share.i;
	p->plan.shares = p->share.k;
	p->splitter = jsonsplit_new(&p->plan, p->names, p->n, e);
	return p->splitter == NULL ? -1 : describe(p, run, e);
}

static void
stop(void *self)
{
	struct program *p = self;

	jsonsplit_free(p->splitter);
	free(p->names);
}

/* A batch from the splitter goes to the threads. */
static int
sink(void *to, const void *p, size_t n, uint64_t done, uint64_t total,
    struct err *e)
{
	return stage_feed(to, p, n, done, total, e);
}

static int
feed(void *self, struct stage_run *run, struct err *e)
{
	struct program *p = self;

	return jsonsplit_run(p->splitter, sink, run, e);
}

static void
own_free(void *self)
{
	struct own *own = self;

	if (own == NULL)
		return;
	intake_free(own->intake);
	record_free(own->record);
	free(own);
}

static void *
own_new(void *self, struct err *e)
{
	struct own *own = calloc(1, sizeof *own);

	if (own == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	own->program = self;
	own->intake = intake_new(NAME, e);
	own->record = own->intake == NULL ? NULL : record_new(e);
	if (own->record == NULL) {
		own_free(own);
		return NULL;
	}
	return own;
}

static int
batch(void *self, void *mine, const void *p, size_t n, struct outlet *out,
    struct err *e)
{
	const struct program *program = self;
	struct own *own = mine;
	struct piece_walk w = piece_walk_start(p, n);

	while (piece_walk_next(&w))
		if (intake_record(own->intake, w.name, &w.piece,
		    program->plan.paths, own->record, e) < 0 ||
		    outlet_put(out, own->record, e) < 0)
			return -1;
	return 0;
}

int
main(int argc, char *argv[])
{
	static const struct stage stage = {
		.name = NAME, .about = "split JSON into records",
		.operands = "[FILE...]", .options = options,
		.start = start, .stop = stop, .feed = feed, .batch = batch,
		.own_new = own_new, .own_free = own_free,
	};
	struct program p = {
		.plan = { .max_record = 4 << 20 }, .share = { 1, 1 },
	};

	return stage_main(&stage, &p, argc, argv);
}
