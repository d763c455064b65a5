#include <stdlib.h>
#include <string.h>

#include "bpe_added.h"
#include "bpe_core.h"
#include "bpe_read.h"
#include "buf.h"
#include "unicode.h"

/* Ascending by id, and then as they came. */
static int
by_id(const void *x, const void *y)
{
	const struct bpe_added *a = x, *b = y;

	return a->id < b->id ? -1 : a->id > b->id ? 1 :
	    a->text < b->text ? -1 : a->text > b->text;
}

/* What an added token is: content, and flags that are all there. */
enum { ID, CONTENT, SPECIAL, NORMALIZED, SINGLE_WORD, LSTRIP, RSTRIP, N_KEYS };

static const char *const keys[N_KEYS] = {
	"id", "content", "special", "normalized", "single_word", "lstrip",
	"rstrip",
};

/* One token of the list: all but its text, which is put in POOL. */
static int
read_added(struct jsonspan v, struct bpe_added *t, struct buf *pool,
    struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	struct jsonspan value[N_KEYS] = { { 0 } };
	char quoted[ERR_QUOTE_SIZE];
	int64_t id;
	bool flag;

	while (jsonwalk_next(&w))
		for (size_t i = 0; i < N_KEYS; i++)
			if (jsonscan_is(w.key, keys[i]))
				value[i] = w.value;
	for (size_t i = SINGLE_WORD; i <= RSTRIP; i++)
		if (!jsonscan_bool(value[i], &flag) || flag)
			return err_set(e, ERR_MODEL, "tokenizer.json: "
			    "added_tokens: %s of %s is not false, which is "
			    "not implemented", keys[i],
			    err_quote(quoted, sizeof quoted, v.p, v.n));
	if (!jsonscan_int(value[ID], 0, BPE_TOKENS_MAX - 1, &id) ||
	    jsonscan_type(value[CONTENT]) != JSON_STRING ||
	    !jsonscan_bool(value[SPECIAL], &t->special) ||
	    !jsonscan_bool(value[NORMALIZED], &t->normalized))
		return err_set(e, ERR_MODEL, "tokenizer.json: added_tokens: "
		    "%s lacks id, content, special or normalized",
		    err_quote(quoted, sizeof quoted, v.p, v.n));
	t->id = (int32_t)id;
	t->n = pool->n;		/* where the text begins, for now */
	return jsonscan_string(value[CONTENT], pool, e);
}

int
bpe_added_read(struct jsonspan v, struct bpe_added **list, size_t *n,
    struct buf *pool, struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	size_t count = jsonscan_count(v), i = 0;

	if (v.n > 0 && jsonscan_type(v) != JSON_ARRAY)
		return err_set(e, ERR_MODEL, "tokenizer.json: added_tokens "
		    "is %s, not an array",
		    jsonscan_type_name(jsonscan_type(v)));
	*n = 0;
	*list = calloc(count + 1, sizeof **list);
	if (*list == NULL)
		return err_memory(e);
	for (; i < count && jsonwalk_next(&w); i++)
		if (read_added(w.value, &(*list)[i], pool, e) < 0)
			return -1;
	/* The pool has come to rest. */
	for (size_t k = i; k-- > 0; ) {
		size_t end = k + 1 < i ? (size_t)((*list)[k + 1].text -
		    pool->p) : pool->n;
		size_t from = (*list)[k].n;

		(*list)[k].text = pool->p + from;
		(*list)[k].n = end - from;
	}
	qsort(*list, i, sizeof **list, by_id);
	*n = i;
	return 0;
}

/* The number of the added token with the N bytes at TEXT, or -1. */
static int64_t
find_text(const struct bpe *b, const char *text, size_t n, uint64_t h)
{
	const size_t mask = ((size_t)1 << b->texts.bits) - 1;

	if (b->texts.slot == NULL)
		return -1;
	for (size_t i = (size_t)h & mask; ; i = (i + 1) & mask) {
		uint64_t slot = b->texts.slot[i];
		const struct bpe_text *t;

		if (slot == BPE_EMPTY)
			return -1;
		t = &b->added[(uint32_t)slot];
		if (slot >> 32 == h >> 32 && t->n == n &&
		    memcmp(b->texts_pool + t->at, text, n) == 0)
			return (int64_t)(uint32_t)slot;
	}
}

/* Put the number of a text with hash H into the table of texts. */
static void
put_slot(struct bpe_table *t, uint64_t h, size_t number)
{
	const size_t mask = ((size_t)1 << t->bits) - 1;
	size_t i = (size_t)h & mask;

	while (t->slot[i] != BPE_EMPTY)
		i = (i + 1) & mask;
	t->slot[i] = (h >> 32 << 32) | number;
}

/* Room for one text more in the table of texts. */
static int
grow_texts(struct bpe *b, struct err *e)
{
	struct bpe_table table;

	if (b->texts.slot != NULL &&
	    b->n_added < ((size_t)1 << b->texts.bits) / 2)
		return 0;
	if (bpe_table_new(&table, 2 * b->n_added + 1, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n_added; i++)
		put_slot(&table, bpe_hash(b->texts_pool + b->added[i].at,
		    b->added[i].n), i);
	bpe_table_free(&b->texts);
	b->texts = table;
	return 0;
}

/*
 * The next id, for a token written as the N bytes at TEXT; decoding gives
 * what that stands for, if it is of the byte alphabet.
 */
static int32_t
put_token(struct bpe *b, const char *text, size_t n, struct err *e)
{
	int64_t bytes;
	bool raw;

	if (b->size >= BPE_TOKENS_MAX)
		return err_set(e, ERR_MODEL, "there are too many tokens");
	if (bpe_grow(&b->pool, &b->pool_cap, b->pool_n + n, 1, e) < 0 ||
	    bpe_grow(&b->token, &b->token_cap, b->size + 1,
	    sizeof *b->token, e) < 0)
		return -1;
	bytes = bpe_read_bytes(text, n, b->pool + b->pool_n);
	raw = bytes < 0;
	if (raw) {
		memcpy(b->pool + b->pool_n, text, n);
		bytes = (int64_t)n;
	}
	b->token[b->size] = (struct bpe_token){ .at = (uint32_t)b->pool_n,
	    .n = (uint32_t)bytes & 0xfffffff, .raw = raw };
	b->pool_n += (size_t)bytes;
	return (int32_t)b->size++;
}

int32_t
bpe_added_id(const struct bpe *b, const char *text, size_t n)
{
	int64_t number = find_text(b, text, n, bpe_hash(text, n));

	return number < 0 ? -1 : b->added[number].id;
}

/*
 * Add TOKEN as tokenizers' add_tokens does: it keeps its id where it has one,
 * and gets the next free one where not.  The id, or -1.
 */
static int32_t
add_one(struct bpe *b, const struct bpe_added *token, struct err *e)
{
	const uint64_t h = bpe_hash(token->text, token->n);
	int64_t number = find_text(b, token->text, token->n, h);
	struct bpe_text *t;
	int32_t id;

	if (token->n == 0 || token->n > BPE_TEXT_MAX)
		return err_set(e, ERR_MODEL, "tokenizer: an added token "
		    "has %zu bytes",
		    token->n);
	if (number < 0) {
		id = bpe_id(b, token->text, token->n);
		if (grow_texts(b, e) < 0 ||
		    bpe_grow(&b->added, &b->added_cap, b->n_added + 1,
		    sizeof *b->added, e) < 0 ||
		    bpe_grow(&b->texts_pool, &b->texts_cap,
		    b->texts_n + token->n, 1, e) < 0)
			return -1;
		if (id < 0 &&
		    (id = put_token(b, token->text, token->n, e)) < 0)
			return -1;
		memcpy(b->texts_pool + b->texts_n, token->text, token->n);
		b->added[b->n_added] = (struct bpe_text){ .at = b->texts_n,
		    .n = token->n, .id = id };
		b->texts_n += token->n;
		put_slot(&b->texts, h, b->n_added);
		number = (int64_t)b->n_added++;
	}
	t = &b->added[number];
	t->normalized = token->normalized;
	b->token[t->id].added = 1;
	/* Once special, always: tokenizers keeps a set. */
	if (token->special)
		b->token[t->id].special = 1;
	return t->id;
}

int
bpe_added_put(struct bpe *b, const struct bpe_added *list, size_t n,
    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		char quoted[ERR_QUOTE_SIZE];
		int32_t id = add_one(b, &list[i], e);

		if (id < 0)
			return -1;
		if (id != list[i].id)
			return err_set(e, ERR_MODEL, "added token \"%s\" "
			    "cannot have id %d: tokenizers gives it %d",
			    err_quote(quoted, sizeof quoted, list[i].text,
			    list[i].n), (int)list[i].id, (int)id);
	}
	return 0;
}

int
bpe_added_special(struct bpe *b, const char *const *texts, size_t n,
    struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(texts[i]);
		int64_t number = find_text(b, texts[i], len,
		    bpe_hash(texts[i], len));
		char quoted[ERR_QUOTE_SIZE];

		if (number < 0)
			return err_set(e, ERR_MODEL, "tokenizer_config.json: "
			    "special token \"%s\" is not an added token",
			    err_quote(quoted, sizeof quoted, texts[i], len));
		/* Qwen2Tokenizer adds them once more, with these flags. */
		b->added[number].normalized = false;
		b->token[b->added[number].id].special = 1;
	}
	return 0;
}

/* The order of two texts in POOL, which is that of their bytes. */
static int
compare_texts(const char *pool, const struct bpe_text *x,
    const struct bpe_text *y)
{
	int order = memcmp(pool + x->at, pool + y->at,
	    x->n < y->n ? x->n : y->n);

	return order != 0 ? order : x->n < y->n ? -1 : x->n > y->n;
}

/* Sort the N texts at P, whose bytes are in POOL: a heap, since qsort has no
 * argument for the pool. */
static void
sort_texts(struct bpe_text *p, size_t n, const char *pool)
{
	for (size_t start = n / 2, end = n; end > 1; ) {
		size_t i;
		struct bpe_text t;

		if (start > 0) {
			t = p[--start];
		} else {
			t = p[--end];
			p[end] = p[0];
		}
		for (i = start; 2 * i + 1 < end; ) {
			size_t child = 2 * i + 1;

			if (child + 1 < end &&
			    compare_texts(pool, &p[child], &p[child + 1]) < 0)
				child++;
			if (compare_texts(pool, &t, &p[child]) >= 0)
				break;
			p[i] = p[child];
			i = child;
		}
		p[i] = t;
	}
}

/* How many bytes all of S begin with, one less than the shortest has at
 * most. */
static size_t
common_start(const struct bpe_needles *s)
{
	const char *first = s->pool + s->p[0].at;
	const char *last = s->pool + s->p[s->n - 1].at;
	size_t least = s->p[0].n, n = 0;

	for (size_t k = 1; k < s->n; k++)
		least = s->p[k].n < least ? s->p[k].n : least;
	while (n + 1 < least && first[n] == last[n])
		n++;
	return n;
}

/* Set what tells quickly that no text begins at a byte. */
static void
index_starts(struct bpe_needles *s)
{
	size_t k = 0;

	s->common = s->n == 0 ? 0 : common_start(s);
	memset(s->pair, 0, sizeof s->pair);
	for (unsigned byte = 0; byte < 256; byte++) {
		s->from[byte] = (uint32_t)k;
		while (k < s->n &&
		    (unsigned char)s->pool[s->p[k].at + s->common] == byte)
			k++;
	}
	s->from[256] = (uint32_t)s->n;
	for (k = 0; k < s->n; k++) {
		const unsigned char *u =
		    (const unsigned char *)s->pool + s->p[k].at;

		/* One byte alone may be followed by any. */
		for (unsigned second = s->p[k].n > 1 ? u[1] : 0;
		    second <= (s->p[k].n > 1 ? u[1] : 255u); second++) {
			unsigned bit = (unsigned)u[0] << 8 | second;

			s->pair[bit >> 6] |= (uint64_t)1 << (bit & 63);
		}
	}
	s->only = -1;
	if (s->n > 0 && s->pool[s->p[0].at] == s->pool[s->p[s->n - 1].at])
		s->only = (unsigned char)s->pool[s->p[0].at];
}

/* Make S of the added tokens that are, or are not, looked for after NFC. */
static int
make_needles(const struct bpe *b, bool normalized, struct bpe_needles *s,
    struct err *e)
{
	struct buf pool = { 0 }, work = { 0 };
	int rc = -1;

	s->p = calloc(b->n_added + 1, sizeof *s->p);
	if (s->p == NULL)
		return err_memory(e);
	for (size_t i = 0; i < b->n_added; i++) {
		struct bpe_text t = b->added[i];
		const char *text = b->texts_pool + t.at;

		if (t.normalized != normalized)
			continue;
		t.at = pool.n;
		if (normalized ? unicode_nfc((const unsigned char *)text, t.n,
		    &pool, &work, e) < 0 : buf_put(&pool, text, t.n, e) < 0)
			goto out;
		t.n = pool.n - t.at;
		s->p[s->n++] = t;
	}
	s->pool = pool.p;
	sort_texts(s->p, s->n, s->pool);
	for (size_t i = 1; i < s->n; i++)
		if (compare_texts(s->pool, &s->p[i - 1], &s->p[i]) == 0) {
			err_set(e, ERR_MODEL, "added tokens %d and %d are "
			    "the same after NFC", (int)s->p[i - 1].id,
			    (int)s->p[i].id);
			goto out;
		}
	index_starts(s);
	rc = 0;
out:
	s->pool = pool.p;
	buf_free(&work);
	return rc;
}

/* Give back what S holds. */
static void
free_needles(struct bpe_needles *s)
{
	free(s->p);
	free(s->pool);
	*s = (struct bpe_needles){ 0 };
}

int
bpe_added_index(struct bpe *b, struct err *e)
{
	free_needles(&b->before_nfc);
	free_needles(&b->after_nfc);
	if (make_needles(b, false, &b->before_nfc, e) < 0)
		return -1;
	return make_needles(b, true, &b->after_nfc, e);
}

/*
 * Of the texts from LO to HI, which agree in their first DEPTH bytes, the
 * first whose next byte is not less than CH.
 */
static size_t
first_not_less(const struct bpe_needles *s, size_t lo, size_t hi,
    size_t depth, unsigned ch)
{
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if ((unsigned char)s->pool[s->p[mid].at + depth] < ch)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The longest text that begins the N bytes at P, or NULL. */
static const struct bpe_text *
longest_at(const struct bpe_needles *s, const unsigned char *p, size_t n)
{
	const struct bpe_text *best = NULL;
	size_t lo, hi;

	if (n <= s->common ||
	    memcmp(p, s->pool + s->p[0].at, s->common) != 0)
		return NULL;
	lo = s->from[p[s->common]];
	hi = s->from[p[s->common] + 1];
	for (size_t depth = s->common + 1; lo < hi; depth++) {
		if (s->p[lo].n == depth)
			best = &s->p[lo++];
		if (depth == n)
			break;
		lo = first_not_less(s, lo, hi, depth, p[depth]);
		hi = first_not_less(s, lo, hi, depth, p[depth] + 1u);
	}
	return best;
}

bool
bpe_added_find(const struct bpe_needles *s, const char *text, size_t n,
    size_t from, struct bpe_found *found)
{
	const unsigned char *p = (const unsigned char *)text;

	if (s->n == 0)
		return false;
	for (size_t i = from; i < n; i++) {
		const struct bpe_text *t;

		if (s->only >= 0) {
			const unsigned char *q = memchr(p + i, s->only, n - i);

			if (q == NULL)
				return false;
			i = (size_t)(q - p);
		}
		if (i + 1 < n) {
			unsigned bit = (unsigned)p[i] << 8 | p[i + 1];

			if ((s->pair[bit >> 6] >> (bit & 63) & 1) == 0)
				continue;
		}
		t = longest_at(s, p + i, n - i);
		if (t != NULL) {
			*found = (struct bpe_found){ i, t->n, t->id };
			return true;
		}
	}
	return false;
}

void
bpe_added_free(struct bpe *b)
{
	free_needles(&b->before_nfc);
	free_needles(&b->after_nfc);
	free(b->added);
	bpe_table_free(&b->texts);
	free(b->texts_pool);
}
