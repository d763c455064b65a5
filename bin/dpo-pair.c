/*
 * dpo-pair: the usual layouts of preference data into the canonical record.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "dataset.h"
#include "layout.h"
#include "option.h"
#include "outlet.h"
#include "pair.h"
#include "paircheck.h"
#include "record.h"
#include "stage.h"

struct pairing {
	const char *format;
	const char *info, *name;
	struct dataset named;		/* by --info */
	const struct dataset *dataset;	/* the one in force */
};

/* A thread's own. */
struct own {
	struct layout layout;
	struct pair pair;
};

static const struct opt options[] = {
	OPT_CHOICE(struct pairing, format, "format", 0,
	    "auto|sharegpt|openai|alpaca|trl|swift", "layout of the records"),
	OPT(struct pairing, info, "info", 0, "FILE", 0, 0,
	    "dataset_info.json, which names columns and tags"),
	OPT(struct pairing, name, "name", 0, "NAME", 0, 0,
	    "data set in it"),
	OPT_END
};

/* Tell the provenance by which names the records are read. */
static int
describe(const struct pairing *s, struct stage_run *run, struct err *e)
{
	if (stage_option_text(run, "format",
	    dataset_format_name(s->dataset->format), e) < 0)
		return -1;
	if (s->info == NULL)
		return 0;
	if (stage_option_text(run, "info", s->info, e) < 0 ||
	    stage_option_text(run, "name", s->name, e) < 0)
		return -1;
	if (stage_option_texts(run, "columns", s->named.column,
	    DATASET_COLUMNS, e) < 0)
		return -1;
	return stage_option_texts(run, "tags", s->named.tag, DATASET_TAGS, e);
}

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct pairing *s = self;
	enum dataset_format format = dataset_format_find(s->format);

	if ((s->info == NULL) != (s->name == NULL)) {
		(void)err_set(e, ERR_USAGE, "--info and --name go together");
		return err_hint(e, "--info dataset_info.json --name NAME");
	}
	s->dataset = dataset_usual(format);
	if (s->info != NULL) {
		if (dataset_read(&s->named, s->info, s->name, e) < 0)
			return -1;
		s->dataset = &s->named;
	}
	if (format != DATASET_AUTO && format != s->dataset->format)
		return err_set(e, ERR_USAGE, "--format is %s, but %s has %s "
		    "as the formatting of \"%s\"", s->format, s->info,
		    dataset_format_name(s->dataset->format), s->name);
	return describe(s, run, e);
}

static void *
own_new(void *self, struct err *e)
{
	struct own *own = calloc(1, sizeof *own);

	(void)self;
	if (own == NULL)
		(void)err_memory(e);
	return own;
}

static void
own_free(void *p)
{
	struct own *own = p;

	if (own == NULL)
		return;
	layout_free(&own->layout);
	pair_free(&own->pair);
	free(own);
}

/* Read R, as it was found or canonical already, into OWN's pair. */
static int
read_pair(const struct pairing *s, struct own *own, const struct record *r,
    struct err *e)
{
	struct jsonspan data = record_get(r, RECORD_DATA);

	if (data.p != NULL)
		return layout_read(&own->layout, s->dataset, data, &own->pair,
		    e);
	if (record_get(r, RECORD_MESSAGES).p == NULL &&
	    record_get(r, RECORD_CHOSEN).p == NULL &&
	    record_get(r, RECORD_REJECTED).p == NULL) {
		(void)err_set(e, ERR_DAMAGED,
		    "a record has neither data nor messages");
		return err_hint(e, "dpo-pair reads what jsonl-split writes "
		    "(without --paths)");
	}
	return pair_read(&own->pair, r, e);
}

/* The pair's notes become the record's. */
static int
put_notes(const struct pair *p, struct record *r, struct err *e)
{
	for (size_t i = 0; i < p->n_notes; i++)
		if (record_note(r, "dpo-pair", p->notes[i].code,
		    p->notes[i].text, p->notes[i].hint, e) < 0)
			return -1;
	return 0;
}

static int
each(void *self, void *own, struct record *r, struct outlet *out,
    struct err *e)
{
	struct pair *p = &((struct own *)own)->pair;

	if (read_pair(self, own, r, e) < 0 || paircheck_run(p, e) < 0 ||
	    put_notes(p, r, e) < 0)
		return -1;
	if (record_get(r, RECORD_DATA).p != NULL && pair_write(p, r, e) < 0)
		return -1;
	return outlet_put(out, r, e);
}

static void
stop(void *self)
{
	dataset_free(&((struct pairing *)self)->named);
}

int
main(int argc, char *argv[])
{
	static const struct stage stage = {
		.name = "dpo-pair",
		.about = "turn the usual layouts into the canonical pair",
		.options = options, .grain = STAGE_FRAMES,
		.start = start, .own_new = own_new, .own_free = own_free,
		.each = each, .stop = stop,
	};
	struct pairing s = { .format = "auto" };

	return stage_main(&stage, &s, argc, argv);
}
