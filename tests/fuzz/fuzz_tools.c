/*
 * Tools, function calls and what Python makes of JSON.  What has been loaded
 * is loaded again as it is.
 */
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "pyjson.h"
#include "tools.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	const char *text = (const char *)data;
	struct buf once = { 0 }, twice = { 0 }, out = { 0 };
	struct err e = { 0 };

	if (tools_describe(text, n, &out, &e) < 0 && e.kind != ERR_RECORD)
		abort();
	if (tools_call(text, n, &out, &e) < 0 && e.kind != ERR_RECORD)
		abort();
	if (pyjson_load(text, n, &once, &e) == 0) {
		struct jsonspan v = { once.p, once.n };

		(void)pyjson_true(v);
		if (pyjson_str(v, &out, &e) < 0 ||
		    pyjson_load(once.p, once.n, &twice, &e) < 0 ||
		    once.n != twice.n ||
		    memcmp(once.p, twice.p, once.n) != 0)
			abort();
	}
	buf_free(&once);
	buf_free(&twice);
	buf_free(&out);
	return 0;
}
