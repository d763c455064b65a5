/*
 * A record as it comes down the pipe, JSON or an image, and as it comes in
 * from a file: what is taken is written again as it was, and what a program
 * makes of a broken one is a record.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "content.h"
#include "intake.h"
#include "piece.h"
#include "record.h"
#include "table.h"
#include "view.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(bool holds)
{
	if (!holds)
		abort();
}

/* What R writes, read again, is written the same. */
static void
written_again(struct record *r)
{
	struct buf once = { 0 }, twice = { 0 };
	struct err e = { 0 };
	struct record *again = record_new(&e);

	demand(again != NULL && record_put_json(r, &once, &e) == 0 &&
	    record_parse(again, once.p, once.n, &e) == 0 &&
	    record_put_json(again, &twice, &e) == 0);
	demand(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
	record_free(again);
	buf_free(&once);
	buf_free(&twice);
}

/* Look at R as shard-cat does. */
static void
look(const struct content_record *r)
{
	struct stream_lengths row;
	struct err e = { 0 };
	struct view *v = view_new(&e);

	demand(v != NULL);
	if (view_open(v, r, &e) == 0) {
		demand(view_json(v).n > 1);
		(void)view_has_error(v);
		demand(view_lengths(v, &row, &e) == 0 ||
		    e.text[0] != '\0');
	} else {
		demand(e.kind == ERR_DAMAGED || e.kind == ERR_MEMORY);
	}
	view_free(v);
}

/* The bytes at P as they stand in a file. */
static void
take_in(const char *p, size_t n)
{
	struct err e = { 0 };
	struct intake *in = intake_new("fuzz", &e);
	struct record *r = record_new(&e);
	struct piece piece = { .p = p, .n = n, .total = n, .line = 1 };

	demand(in != NULL && r != NULL);
	demand(intake_record(in, "a.jsonl", &piece, false, r, &e) == 0);
	written_again(r);
	record_free(r);
	intake_free(in);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	struct content all = { .p = p, .n = size };
	struct content_record one;
	struct err e = { 0 }, note = { 0 };
	struct record *r = record_new(&e);

	demand(r != NULL);
	if (record_parse(r, p, size, &e) == 0) {
		written_again(r);
		demand(record_note(r, "fuzz", CODE_SAME_RESPONSE, "a\n\"b\"",
		    NULL, &e) == 0);
		demand(record_note_to_error(r, 0, &e) == 0);
		demand(record_has_error(r));
		(void)err_record(&note, CODE_BAD_JSON, "it is so");
		demand(record_fail(r, "fuzz", &note, &e) == 0);
		written_again(r);
	} else {
		demand(e.kind == ERR_DAMAGED || e.kind == ERR_MEMORY);
	}
	if (record_parse_image(r, data, size, &e) == 0)
		written_again(r);
	record_free(r);
	while (content_next(&all, &one))
		look(&one);
	take_in(p, size);
	return 0;
}
