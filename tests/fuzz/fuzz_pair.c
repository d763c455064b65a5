/*
 * A record as it was found, in any layout, to the canonical pair: the first
 * byte names the layout.  What has become a pair without a fault is read
 * again, from the record that it makes, without one.
 */
#include <stdlib.h>

#include "buf.h"
#include "dataset.h"
#include "layout.h"
#include "pair.h"
#include "paircheck.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Make a record of P, and read that. */
static void
read_again(struct pair *p, struct err *e)
{
	struct record *made = record_new(e), *again = record_new(e);
	struct pair second = { 0 };
	struct buf text = { 0 };

	if (made == NULL || again == NULL || pair_write(p, made, e) < 0 ||
	    record_put_json(made, &text, e) < 0 ||
	    record_parse(again, text.p, text.n, e) < 0 ||
	    pair_read(&second, again, e) < 0 ||
	    paircheck_run(&second, e) < 0 || second.n_notes != p->n_notes)
		abort();
	pair_free(&second);
	record_free(made);
	record_free(again);
	buf_free(&text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data + 1;
	struct layout layout = { 0 };
	struct pair pair = { 0 };
	struct err e = { 0 };

	if (n > 1 && jsonscan_check(text, n - 1, NULL, &e) == 0 &&
	    layout_read(&layout, dataset_usual((enum dataset_format)
	    (data[0] % DATASET_FORMATS)), jsonscan_value(text, n - 1), &pair,
	    &e) == 0 && paircheck_run(&pair, &e) == 0)
		read_again(&pair, &e);
	layout_free(&layout);
	pair_free(&pair);
	return 0;
}
