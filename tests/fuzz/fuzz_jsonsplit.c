/*
 * jsonl-split's work without its process: whatever a file holds, records do
 * not overlap, each becomes one that can be read, and the shares of a file
 * that can be split to its end have as many as the whole.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "intake.h"
#include "jsonsplit.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

struct found {
	struct intake *intake;
	struct record *record;
	struct buf json;
	uint64_t records, end;	/* of the last record */
};

/* Each piece becomes a record that can be parsed. */
static int
sink(void *to, const void *p, size_t n, uint64_t done, uint64_t total,
    struct err *e)
{
	struct found *f = to;
	struct piece_walk w = piece_walk_start(p, n);

	(void)done;
	(void)total;
	while (piece_walk_next(&w)) {
		demand(w.piece.offset >= f->end);
		f->end = w.piece.offset + w.piece.total;
		f->records++;
		if (f->intake == NULL)
			continue;
		demand(intake_record(f->intake, w.name, &w.piece, false,
		    f->record, e) == 0);
		buf_clear(&f->json);
		demand(record_put_json(f->record, &f->json, e) == 0);
		demand(record_parse(f->record, f->json.p, f->json.n, e) == 0);
	}
	return 0;
}

/* Split NAME by PLAN to F; whether it went on to the end. */
static bool
split(const char *name, const struct jsonsplit_plan *plan, struct found *f)
{
	struct err e = { 0 };
	struct jsonsplit *j = jsonsplit_new(plan, &name, 1, &e);
	int rc;

	demand(j != NULL);
	rc = jsonsplit_run(j, sink, f, &e);
	demand(rc == 0 || e.kind == ERR_DAMAGED || e.kind == ERR_TRUNCATED);
	jsonsplit_free(j);
	return rc == 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jsonsplit_plan plan = {
		.max_record = 64, .share = 1, .shares = 1,
	};
	struct err e;
	struct found whole = {
		.intake = intake_new("fuzz", &e), .record = record_new(&e),
	}, parts = { .records = 0 };
	char name[64];
	bool ended = true;
	int fd;

	(void)snprintf(name, sizeof name, "/tmp/ossicle-fuzz-%ld",
	    (long)getpid());
	fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
	demand(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)close(fd);
	if (split(name, &plan, &whole)) {
		plan.shares = 3;
		for (plan.share = 1; plan.share <= 3; plan.share++) {
			/* A .zst file deals out: not in order. */
			parts.end = 0;
			ended &= split(name, &plan, &parts);
		}
		demand(ended && parts.records == whole.records);
	}
	(void)unlink(name);
	intake_free(whole.intake);
	record_free(whole.record);
	buf_free(&whole.json);
	return 0;
}
