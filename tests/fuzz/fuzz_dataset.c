/*
 * A dataset_info.json from strangers, and behind its first NUL, if any, a
 * record: what is read names columns that a record can be read by.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "dataset.h"
#include "layout.h"
#include "pair.h"
#include "paircheck.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	const char *nul = size == 0 ? NULL : memchr(p, '\0', size);
	size_t n = nul == NULL ? size : (size_t)(nul - p);
	struct dataset d = { 0 };
	struct layout layout = { 0 };
	struct pair pair = { 0 };
	struct err e = { 0 };
	const char *text;
	size_t left;

	if (dataset_parse(&d, p, n, "x", &e) < 0) {
		if ((e.kind != ERR_USAGE && e.kind != ERR_MEMORY) ||
		    e.text[0] == '\0')
			abort();
	} else if (nul != NULL) {
		text = nul + 1;
		left = size - n - 1;
		if (jsonscan_check(text, left, NULL, &e) == 0 &&
		    layout_read(&layout, &d, jsonscan_value(text, left),
		    &pair, &e) == 0 && paircheck_run(&pair, &e) < 0 &&
		    e.text[0] == '\0')
			abort();
	}
	layout_free(&layout);
	pair_free(&pair);
	dataset_free(&d);
	return 0;
}
