/*
 * A tokenizer.json from strangers, and behind its first NUL, if any, a text:
 * what loads encodes any text, the same twice, and back to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "buf.h"
#include "unicode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Encode the N bytes at TEXT twice, and decode them. */
static void
there_and_back(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n)
{
	struct bpe_ids ids = { 0 }, again = { 0 };
	struct bpe_found found;
	struct buf out = { 0 };
	struct err e = { 0 };
	size_t at;

	if (bpe_encode(b, c, text, n, &ids, &e) < 0) {
		if (e.kind != ERR_RECORD && e.kind != ERR_MEMORY)
			abort();
		goto out;
	}
	if (bpe_encode(b, c, text, n, &again, &e) < 0 ||
	    bpe_decode(b, ids.p, ids.n, &out, &e) < 0) {
		if (e.kind != ERR_MEMORY)
			abort();
		goto out;
	}
	if (again.n != ids.n || (ids.n > 0 &&
	    memcmp(again.p, ids.p, ids.n * sizeof *ids.p) != 0))
		abort();
	/* NFC may change a text, and an added token stands for what it is
	 * written as in the byte alphabet. */
	if (unicode_scan((const unsigned char *)text, n, &at) ==
	    UNICODE_END && !bpe_find_added(b, text, n, 0, &found) &&
	    (out.n != n || (n > 0 && memcmp(out.p, text, n) != 0)))
		abort();
out:
	bpe_ids_free(&ids);
	bpe_ids_free(&again);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "abcabcde I'll 12 \xe4\xbd\xa0\xe5\xa5\xbd "
	    "e\xcc\x81\n\n  <|a|>b c <|in|>aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabc";
	const char *p = (const char *)data;
	const char *nul = size == 0 ? NULL : memchr(p, '\0', size);
	size_t n = nul == NULL ? size : (size_t)(nul - p);
	struct err e = { 0 };
	struct bpe *b = bpe_load(p, n, NULL, &e);
	struct bpe_cache *c;

	if (b == NULL) {
		if (e.kind != ERR_MODEL && e.kind != ERR_MEMORY)
			abort();
		return 0;
	}
	c = bpe_cache_new(b, &e);
	if (c != NULL) {
		there_and_back(b, c, text, sizeof text - 1);
		if (nul != NULL)
			there_and_back(b, c, nul + 1, size - n - 1);
	}
	bpe_cache_free(c);
	bpe_free(b);
	return 0;
}
