#include <stdio.h>

#include "bpe.h"
#include "buf.h"
#include "jsontext.h"
#include "safetensors.h"
#include "spell.h"
#include "view.h"

/* The label of a token that is not trained on (torch's ignore_index). */
#define IGNORED (-100)

/* Append the N bytes at P as a JSON string, what is no UTF-8 replaced. */
static int
put_text(struct buf *out, const char *p, size_t n, struct err *e)
{
	struct buf whole = { 0 };
	int rc = -1;

	while (n > 0) {
		size_t good = jsontext_utf8(p, n);

		if (buf_put(&whole, p, good, e) < 0)
			goto out;
		p += good;
		n -= good;
		if (n == 0)
			break;
		if (buf_puts(&whole, "\xef\xbf\xbd", e) < 0)
			goto out;
		p++;
		n--;
	}
	rc = buf_put_json(out, whole.p, whole.n, e);
out:
	buf_free(&whole);
	return rc;
}

/* Append what the ids in T say, the ignored ones left out. */
static int
put_ids(const struct bpe *b, const struct tensor *t, struct buf *out,
    struct err *e)
{
	const int32_t *ids = t->data;
	size_t n = t->n_bytes / sizeof *ids;
	struct buf bytes = { 0 };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < n; ) {
		size_t end = i;

		while (end < n && ids[end] != IGNORED)
			end++;
		if (end > i)
			rc = bpe_decode(b, ids + i, end - i, &bytes, e);
		i = end + (end < n);
	}
	if (rc == 0)
		rc = put_text(out, bytes.p, bytes.n, e);
	else if (e->kind == ERR_DAMAGED)
		e->kind = ERR_MODEL;
	buf_free(&bytes);
	return rc;
}

/* The tensor SIDE_PART of V, which must be of ids. */
static int
get_ids(const struct view *v, const char *side, const char *part,
    const struct tensor **t, struct err *e)
{
	char name[64];

	(void)snprintf(name, sizeof name, "%s_%s", side, part);
	*t = view_tensor(v, name);
	if (*t == NULL) {
		(void)err_set(e, ERR_DAMAGED, "the record has no %s", name);
		return err_hint(e, "tokpack adds it");
	}
	if ((*t)->dtype != DTYPE_I32 || (*t)->rank != 1)
		return err_set(e, ERR_DAMAGED, "%s is no list of ids", name);
	return 0;
}

/* Append what SIDE of V says. */
static int
put_side(const struct bpe *b, const struct view *v, const char *side,
    struct buf *out, struct err *e)
{
	const struct tensor *ids, *labels;

	if (get_ids(v, side, "input_ids", &ids, e) < 0 ||
	    get_ids(v, side, "labels", &labels, e) < 0)
		return -1;
	if (buf_printf(out, e, ",\"%s\":{\"text\":", side) < 0 ||
	    put_ids(b, ids, out, e) < 0 ||
	    buf_puts(out, ",\"labels\":", e) < 0 ||
	    put_ids(b, labels, out, e) < 0)
		return -1;
	return buf_putc(out, '}', e);
}

int
spell_record(const struct bpe *b, uint64_t number, const struct view *v,
    struct buf *out, struct err *e)
{
	if (buf_printf(out, e, "{\"record\":%llu",
	    (unsigned long long)number) < 0 ||
	    put_side(b, v, "chosen", out, e) < 0 ||
	    put_side(b, v, "rejected", out, e) < 0 ||
	    buf_putc(out, '}', e) < 0)
		return err_wrap(e, "record %llu", (unsigned long long)number);
	return 0;
}
