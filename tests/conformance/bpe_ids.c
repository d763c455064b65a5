/*
 * bpe_ids MODEL: the ids of many texts, for comparison.
 *
 * Standard input: for each text its length in bytes (u32, as this machine
 * has it) and its bytes.  Standard output: the count of its ids (u32), and
 * the ids (i32 each).
 */
#include <stdio.h>
#include <stdlib.h>

#include "bpe.h"
#include "buf.h"
#include "model.h"

/* Answer what is on standard input. */
static int
answer(const struct bpe *b, struct err *e)
{
	struct bpe_cache *c = bpe_cache_new(b, e);
	struct bpe_ids ids = { 0 };
	struct buf text = { 0 };
	uint32_t n, count;
	int rc = -1;

	if (c == NULL)
		return -1;
	while (fread(&n, sizeof n, 1, stdin) == 1) {
		buf_clear(&text);
		ids.n = 0;
		if (buf_reserve(&text, (size_t)n + 1, e) < 0)
			goto out;
		if (fread(text.p, 1, n, stdin) != n) {
			err_set(e, ERR_SYSTEM, "a text is cut short");
			goto out;
		}
		if (bpe_encode(b, c, text.p, n, &ids, e) < 0)
			goto out;
		count = (uint32_t)ids.n;
		/* Flushed, since who asks may wait before asking again. */
		if (fwrite(&count, sizeof count, 1, stdout) != 1 ||
		    fwrite(ids.p, sizeof *ids.p, ids.n, stdout) != ids.n ||
		    fflush(stdout) != 0) {
			err_errno(e, "standard output");
			goto out;
		}
	}
	rc = 0;
out:
	bpe_cache_free(c);
	bpe_ids_free(&ids);
	buf_free(&text);
	return rc;
}

int
main(int argc, char *argv[])
{
	struct err e = { 0 };
	struct model *m;
	const struct bpe *b;
	int rc = -1;

	if (argc != 2) {
		(void)fprintf(stderr, "usage: bpe_ids MODEL\n");
		return 2;
	}
	m = model_open(argv[1], &e);
	if (m != NULL && (b = model_tokenizer(m, &e)) != NULL)
		rc = answer(b, &e);
	model_free(m);
	if (rc < 0)
		(void)fprintf(stderr, "bpe_ids: %s\n", e.text);
	return rc < 0 ? 3 : 0;
}
