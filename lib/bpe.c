#include <stdlib.h>
#include <string.h>

#include "bpe.h"
#include "bpe_added.h"
#include "bpe_cache.h"
#include "bpe_core.h"
#include "bpe_large.h"
#include "bpe_load.h"
#include "bpe_read.h"
#include "bpe_split.h"
#include "buf.h"
#include "unicode.h"

int
bpe_grow(void *array, size_t *cap, size_t n, size_t size, struct err *e)
{
	size_t more = *cap < 16 ? 16 : *cap;
	void *p;

	if (n <= *cap)
		return 0;
	while (more < n)
		more += more / 2;
	memcpy(&p, array, sizeof p);
	p = realloc(p, more * size);
	if (p == NULL)
		return err_memory(e);
	memcpy(array, &p, sizeof p);
	*cap = more;
	return 0;
}

int
bpe_table_new(struct bpe_table *t, size_t n, struct err *e)
{
	t->bits = 6;
	while (((size_t)3 << t->bits) / 4 < n)
		t->bits++;
	t->slot = bpe_large_new(sizeof *t->slot << t->bits, e);
	if (t->slot == NULL)
		return -1;
	memset(t->slot, 0xff, sizeof *t->slot << t->bits);
	return 0;
}

void
bpe_table_free(struct bpe_table *t)
{
	bpe_large_free(t->slot, sizeof *t->slot << t->bits);
	t->slot = NULL;
}

/* Add the tokens of CONFIG, or the file's own, V. */
static int
add_tokens(struct bpe *b, const struct bpe_config *config, struct jsonspan v,
    struct err *e)
{
	struct bpe_added *own = NULL;
	const struct bpe_added *added = config->added;
	size_t n_added = config->n_added;
	struct buf pool = { 0 };
	int rc = -1;

	if (added == NULL) {
		if (bpe_added_read(v, &own, &n_added, &pool, e) < 0)
			goto out;
		added = own;
	}
	if (bpe_added_put(b, added, n_added, e) < 0)
		(void)err_wrap(e, "%s", added == own ? "tokenizer.json" :
		    "tokenizer_config.json");
	else if (bpe_added_special(b, config->special, config->n_special,
	    e) == 0)
		rc = bpe_added_index(b, e);
out:
	free(own);
	buf_free(&pool);
	return rc;
}

struct bpe *
bpe_load(const char *p, size_t n, const struct bpe_config *config,
    struct err *e)
{
	static const struct bpe_config none;
	struct bpe *b = calloc(1, sizeof *b);
	struct jsonspan v;

	if (b == NULL) {
		err_memory(e);
		return NULL;
	}
	if (bpe_load_model(b, p, n, &v, e) < 0 ||
	    add_tokens(b, config == NULL ? &none : config, v, e) < 0) {
		bpe_free(b);
		return NULL;
	}
	return b;
}

void
bpe_free(struct bpe *b)
{
	if (b == NULL)
		return;
	bpe_added_free(b);
	free(b->token);
	free(b->pool);
	bpe_table_free(&b->words);
	bpe_table_free(&b->pairs);
	free(b->merged);
	free(b->byte_rank);
	free(b->joined);
	free(b->char_id);
	free(b);
}

size_t
bpe_size(const struct bpe *b)
{
	return b->size;
}

/* Append ID to IDS. */
static int
put_id(struct bpe_ids *ids, int32_t id, struct err *e)
{
	if (bpe_ids_reserve(ids, 1, e) < 0)
		return -1;
	ids->p[ids->n++] = id;
	return 0;
}

/* Encode N bytes at P in which no added token is, and which are in NFC. */
static int
encode_words(const struct bpe *b, struct bpe_cache *c, const char *p,
    size_t n, struct bpe_ids *ids, struct err *e)
{
	const char *end = p + n;
	int32_t *out;

	if (bpe_ids_reserve(ids, n + BPE_INLINE, e) < 0)
		return -1;
	out = ids->p + ids->n;
	while (p < end) {
		struct bpe_word word[BPE_BATCH];
		size_t k = bpe_split(p, end, word, BPE_BATCH), count;

		p = word[k - 1].p + word[k - 1].n;
		count = bpe_cache_encode(b, c, word, k, end, out, e);
		if (count == 0)
			return -1;
		out += count;
	}
	ids->n = (size_t)(out - ids->p);
	return 0;
}

/* Encode N bytes at P in which no added token is: they are in NFC, but those
 * that are looked for after it may be there. */
static int
encode_normal(const struct bpe *b, struct bpe_cache *c, const char *p,
    size_t n, struct bpe_ids *ids, struct err *e)
{
	struct bpe_found found;
	size_t from = 0;

	while (bpe_added_find(&b->after_nfc, p, n, from, &found)) {
		if (encode_words(b, c, p + from, found.at - from, ids,
		    e) < 0 || put_id(ids, found.id, e) < 0)
			return -1;
		from = found.at + found.n;
	}
	return encode_words(b, c, p + from, n - from, ids, e);
}

/* Encode the piece from FROM to TO of TEXT, between two added tokens. */
static int
encode_piece(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t from, size_t to, struct bpe_ids *ids, struct err *e)
{
	const unsigned char *p = (const unsigned char *)text + from;
	size_t n = to - from, at;

	if (n == 0)
		return 0;
	switch (unicode_scan(p, n, &at)) {
	case UNICODE_END:
		return encode_normal(b, c, text + from, n, ids, e);
	case UNICODE_HEED:
		buf_clear(&c->nfc);
		if (unicode_nfc(p, n, &c->nfc, &c->nfc_work, e) < 0)
			return -1;
		return encode_normal(b, c, c->nfc.p, c->nfc.n, ids, e);
	case UNICODE_BAD:
		break;
	}
	return err_record(e, CODE_BAD_UTF8,
	    "byte %zu of the text, 0x%02x, is not UTF-8", from + at, p[at]);
}

int
bpe_encode(const struct bpe *b, struct bpe_cache *c, const char *text,
    size_t n, struct bpe_ids *ids, struct err *e)
{
	struct bpe_found found;
	size_t from = 0, was = ids->n;

	while (bpe_added_find(&b->before_nfc, text, n, from, &found)) {
		if (encode_piece(b, c, text, from, found.at, ids, e) < 0 ||
		    put_id(ids, found.id, e) < 0)
			goto undo;
		from = found.at + found.n;
	}
	if (encode_piece(b, c, text, from, n, ids, e) == 0)
		return 0;
undo:
	ids->n = was;
	return -1;
}

int
bpe_decode(const struct bpe *b, const int32_t *ids, size_t n,
    struct buf *out, struct err *e)
{
	size_t was = out->n;

	for (size_t i = 0; i < n; i++) {
		const struct bpe_token *t;

		if (ids[i] < 0 || (size_t)ids[i] >= b->size) {
			out->n = was;
			return err_set(e, ERR_DAMAGED, "id %d is not one of "
			    "the model's %zu tokens", (int)ids[i], b->size);
		}
		t = &b->token[ids[i]];
		if (buf_put(out, b->pool + t->at, t->n, e) < 0) {
			out->n = was;
			return -1;
		}
	}
	return 0;
}

int32_t
bpe_id(const struct bpe *b, const char *text, size_t n)
{
	char bytes[BPE_TEXT_MAX];
	int32_t id = bpe_added_id(b, text, n);
	int64_t count;
	uint32_t found;

	if (id >= 0 || n == 0 || n > sizeof bytes)
		return id;
	count = bpe_read_bytes(text, n, bytes);
	found = count < 0 ? bpe_word(b, text, n, bpe_hash(text, n), true) :
	    bpe_word(b, bytes, (size_t)count,
	    bpe_hash(bytes, (size_t)count), false);
	return found == BPE_NONE ? -1 : (int32_t)found;
}

bool
bpe_is_added(const struct bpe *b, int32_t id)
{
	return id >= 0 && (size_t)id < b->size && b->token[id].added;
}

bool
bpe_is_special(const struct bpe *b, int32_t id)
{
	return id >= 0 && (size_t)id < b->size && b->token[id].special;
}

bool
bpe_find_added(const struct bpe *b, const char *text, size_t n, size_t from,
    struct bpe_found *found)
{
	struct bpe_found late;

	if (!bpe_added_find(&b->before_nfc, text, n, from, found))
		return bpe_added_find(&b->after_nfc, text, n, from, found);
	/* What is looked for later counts only before the other begins. */
	if (bpe_added_find(&b->after_nfc, text, found->at, from, &late))
		*found = late;
	return true;
}

int
bpe_ids_reserve(struct bpe_ids *ids, size_t more, struct err *e)
{
	if (more > SIZE_MAX / 8 - ids->n)
		return err_memory(e);
	return bpe_grow(&ids->p, &ids->cap, ids->n + more, sizeof *ids->p, e);
}

void
bpe_ids_free(struct bpe_ids *ids)
{
	free(ids->p);
	*ids = (struct bpe_ids){ 0 };
}
