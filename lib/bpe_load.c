#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_check.h"
#include "bpe_core.h"
#include "bpe_load.h"
#include "bpe_merge.h"
#include "bpe_read.h"

/* An entry of the vocabulary is at least "a":0 and a comma. */
#define ENTRY_MIN 6

/* What is being read. */
struct load {
	struct bpe *b;
	struct bpe_cursor c;
	size_t tokens_max;		/* more than the file can hold */
	uint32_t *written;		/* by id: where in the file it is */
	struct bpe_cursor merges;	/* where they begin, if met first */
	bool vocab_read, merges_read;
};

/* Read "token": id, and note it. */
static int
read_entry(struct load *l, struct err *e)
{
	struct bpe *b = l->b;
	const char *from;
	size_t n;
	bool raw;
	uint32_t id;

	bpe_read_space(&l->c);
	from = l->c.p;
	if (bpe_read_entry(&l->c, b->pool + b->pool_n, &n, &raw,
	    BPE_TOKENS_MAX, &id, e) < 0)
		return -1;
	if (n == 0)
		return bpe_read_fault(&l->c, e, "a token is empty");
	if (id >= l->tokens_max)
		return bpe_read_fault(&l->c, e, "an id is greater than the "
		    "number of tokens");
	if (b->token[id].n != 0)
		return bpe_read_fault(&l->c, e, "two tokens have one id");
	b->token[id] = (struct bpe_token){ .at = (uint32_t)b->pool_n,
	    .n = (uint32_t)n & 0xfffffff, .raw = raw };
	l->written[id] = (uint32_t)(from - l->c.start);
	b->pool_n += n;
	if (id >= b->n_vocab)
		b->n_vocab = (size_t)id + 1;
	return 0;
}

/* Put token ID, whose bytes have hash H, into the table of words, if there is
 * no other with these bytes. */
static bool
put_word(struct bpe *b, uint64_t h, size_t id)
{
	const size_t mask = ((size_t)1 << b->words.bits) - 1;
	const struct bpe_token *t = &b->token[id];

	for (size_t i = (size_t)h & mask; ; i = (i + 1) & mask) {
		uint64_t slot = b->words.slot[i];
		const struct bpe_token *u;

		if (slot == BPE_EMPTY) {
			b->words.slot[i] = (h & ~(uint64_t)BPE_TOKENS_MAX) |
			    id;
			return true;
		}
		if (slot >> 21 != h >> 21)
			continue;
		b->hashed = false;
		u = &b->token[slot & BPE_TOKENS_MAX];
		if (u->n == t->n && u->raw == t->raw && bpe_same(b->pool +
		    u->at, b->pool + t->at, t->n))
			return false;
	}
}

/* Put the tokens of the vocabulary into the table of words. */
static int
index_words(struct load *l, struct err *e)
{
	struct bpe *b = l->b;
	const size_t mask = ((size_t)1 << b->words.bits) - 1;
	uint64_t ahead[BPE_AHEAD] = { 0 };

	b->hashed = true;
	for (size_t id = 0; id < b->n_vocab + BPE_AHEAD; id++) {
		uint64_t *h = &ahead[id % BPE_AHEAD];

		if (id >= BPE_AHEAD && !put_word(b, *h, id - BPE_AHEAD))
			return bpe_read_fault(&l->c, e, "two ids have one "
			    "token");
		if (id < b->n_vocab) {
			const struct bpe_token *t = &b->token[id];

			*h = bpe_hash(b->pool + t->at, t->n);
			BPE_PREFETCH(&b->words.slot[*h & mask]);
		}
	}
	return 0;
}

/* Find the tokens that are one byte each. */
static int
find_bytes(struct bpe *b, struct err *e)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char ch = (char)byte;

		b->byte_id[byte] = bpe_word(b, &ch, 1, bpe_hash(&ch, 1),
		    false);
		if (b->byte_id[byte] == BPE_NONE)
			return err_set(e, ERR_MODEL, "tokenizer.json: "
			    "model.vocab: no token is byte 0x%02x alone",
			    byte);
	}
	return 0;
}

/* Read the vocabulary. */
static int
read_vocab(struct load *l, struct err *e)
{
	struct bpe *b = l->b;
	struct bpe_token *all;
	size_t count = 0;
	int more;

	l->c.where = "model.vocab";
	if (l->vocab_read)
		return bpe_read_fault(&l->c, e, "is there twice");
	l->vocab_read = true;
	if (bpe_read_mark(&l->c, '{', e) < 0)
		return -1;
	while ((more = bpe_read_more(&l->c, '}', count == 0, e)) > 0) {
		if (read_entry(l, e) < 0)
			return -1;
		count++;
	}
	if (more < 0)
		return -1;
	if (count != b->n_vocab)
		return bpe_read_fault(&l->c, e, "the ids have gaps");
	all = realloc(b->token, (count + 1) * sizeof *all);
	if (all == NULL)
		return err_memory(e);
	b->token = all;
	b->size = count;
	b->token_cap = count + 1;
	if (bpe_table_new(&b->words, count, e) < 0)
		return -1;
	return index_words(l, e) < 0 ? -1 : find_bytes(b, e);
}

/* Half of a merge that has been read: N bytes at P. */
struct half {
	const char *p;
	size_t n;
	uint64_t hash;
};

struct pair {
	struct half left, right;	/* the right one lies behind the left */
	uint32_t made;
};

/* Merges are read some at a time, and then looked up. */
#define BATCH 64

/*
 * Read the two halves of a merge, as ["a","b"] or (before tokenizers 0.20)
 * "a b": their bytes, one after the other, to OUT.
 */
static int
read_halves(struct load *l, char *out, size_t *left_n, size_t *right_n,
    struct err *e)
{
	bool raw, raw2 = false;
	size_t n;
	int64_t a, z;
	char *gap;

	if (l->c.p < l->c.end && *l->c.p == '[') {
		l->c.p++;
		if (bpe_read_token(&l->c, out, left_n, &raw, e) < 0 ||
		    bpe_read_mark(&l->c, ',', e) < 0 ||
		    bpe_read_token(&l->c, out + *left_n, right_n, &raw2,
		    e) < 0 ||
		    bpe_read_mark(&l->c, ']', e) < 0)
			return -1;
		if (raw || raw2)
			return bpe_read_fault(&l->c, e, "a merge is of "
			    "characters that stand for no bytes");
		return 0;
	}
	if (bpe_read_token(&l->c, out, &n, &raw, e) < 0)
		return -1;
	gap = raw ? memchr(out, ' ', n) : NULL;
	if (gap == NULL)
		return bpe_read_fault(&l->c, e, "a merge is not of two "
		    "tokens");
	a = bpe_read_bytes(out, (size_t)(gap - out), out);
	z = a < 0 ? -1 : bpe_read_bytes(gap + 1,
	    n - (size_t)(gap + 1 - out), out + a);
	if (z < 0)
		return bpe_read_fault(&l->c, e, "a merge is not of two "
		    "tokens that stand for bytes");
	*left_n = (size_t)a;
	*right_n = (size_t)z;
	return 0;
}

/* A half of N bytes at P, which will be looked up soon. */
static inline struct half
make_half(const struct bpe *b, const char *p, size_t n)
{
	struct half h = { p, n, bpe_hash(p, n) };

	if (n > 1)
		BPE_PREFETCH(&b->words.slot[h.hash &
		    (((size_t)1 << b->words.bits) - 1)]);
	return h;
}

/*
 * Read a merge, its bytes to *OUT if we don't have them already: in nearly
 * all files tokens are numbered in the order of their merges, and it makes
 * NEXT.
 */
static int
read_merge(struct load *l, uint32_t next, struct pair *pair, char **out,
    struct err *e)
{
	const struct bpe *b = l->b;
	const char *p = *out;
	size_t left_n = 0, right_n = 0;

	if (next < b->n_vocab && !b->token[next].raw &&
	    bpe_read_halves(&l->c, l->c.start + l->written[next], &left_n,
	    &right_n)) {
		p = b->pool + b->token[next].at;
		pair->made = next;
	} else {
		bpe_read_space(&l->c);
		if (read_halves(l, *out, &left_n, &right_n, e) < 0)
			return -1;
		*out += left_n + right_n;
		pair->made = bpe_word(b, p, left_n + right_n,
		    bpe_hash(p, left_n + right_n), false);
	}
	pair->left = make_half(b, p, left_n);
	pair->right = make_half(b, p + left_n, right_n);
	return 0;
}

/*
 * Read up to BATCH merges, the bytes of some to the free end of the pool: *N
 * of them, and *MORE whether there are others.  The last one made *MADE.
 */
static int
read_batch(struct load *l, uint32_t *made, struct pair pair[BATCH], size_t *n,
    bool *more, struct err *e)
{
	char *out = l->b->pool + l->b->pool_n;

	*more = true;
	for (*n = 0; *n < BATCH; ) {
		int any = bpe_read_more(&l->c, ']',
		    l->b->n_merges == 0 && *n == 0, e);

		if (any < 0)
			return -1;
		if (any == 0) {
			*more = false;
			break;
		}
		if (read_merge(l, *made + 1, &pair[*n], &out, e) < 0)
			return -1;
		*made = pair[(*n)++].made;
	}
	return 0;
}

/*
 * The id of the token with the bytes of H, or BPE_NONE.  All halves are
 * tokens, or the file is no good; so where no two tokens have the same hash,
 * we need not look at their bytes, which are far away.
 */
static inline uint32_t
find(const struct bpe *b, const struct half *h)
{
	const size_t mask = ((size_t)1 << b->words.bits) - 1;
	size_t i = (size_t)h->hash & mask;

	if (h->n == 1)
		return b->byte_id[(unsigned char)*h->p];
	if (!b->hashed)
		return bpe_word(b, h->p, h->n, h->hash, false);
	for (;; i = (i + 1) & mask) {
		uint64_t slot = b->words.slot[i];

		if (slot == BPE_EMPTY)
			return BPE_NONE;
		if (slot >> 21 == h->hash >> 21)
			return (uint32_t)slot & BPE_TOKENS_MAX;
	}
}

/* Look up what the N merges at PAIR are of. */
static int
find_merges(struct load *l, const struct pair *pair, size_t n,
    struct bpe_merge *m, struct err *e)
{
	const struct bpe *b = l->b;

	for (size_t k = 0; k < n; k++) {
		m[k].left = find(b, &pair[k].left);
		m[k].right = find(b, &pair[k].right);
		m[k].made = pair[k].made;
		if (m[k].left == BPE_NONE || m[k].right == BPE_NONE ||
		    m[k].made == BPE_NONE)
			return bpe_read_fault(&l->c, e, "a merge is of "
			    "tokens that the vocabulary does not have");
		BPE_PREFETCH(&b->pairs.slot[bpe_pair_place(b,
		    (uint64_t)m[k].left << 21 | m[k].right)]);
	}
	return 0;
}

/* Read the merges and make of them what the merging of words needs. */
static int
load_merges(struct load *l, struct err *e)
{
	struct pair pair[BATCH];
	struct bpe_merge m[BATCH];
	uint32_t made = 255;
	bool more = true;
	size_t n;

	l->c.where = "model.merges";
	if (bpe_read_mark(&l->c, '[', e) < 0 || bpe_merge_begin(l->b, e) < 0)
		return -1;
	while (more) {
		if (read_batch(l, &made, pair, &n, &more, e) < 0 ||
		    find_merges(l, pair, n, m, e) < 0 ||
		    bpe_merge_add(l->b, m, n, e) < 0)
			return -1;
		if (l->b->n_merges >= BPE_TOKENS_MAX)
			return bpe_read_fault(&l->c, e,
			    "there are too many merges");
	}
	return bpe_merge_end(l->b, e);
}

/* Read a member of "model". */
static int
read_model_member(struct load *l, bool *typed, struct err *e)
{
	struct jsonspan key, value;

	if (bpe_read_string(&l->c, &key, e) < 0 ||
	    bpe_read_mark(&l->c, ':', e) < 0)
		return -1;
	if (jsonscan_is(key, "vocab"))
		return read_vocab(l, e);
	if (jsonscan_is(key, "merges")) {
		l->c.where = "model.merges";
		if (l->merges_read)
			return bpe_read_fault(&l->c, e, "is there twice");
		l->merges_read = true;
		if (l->vocab_read)
			return load_merges(l, e);
		l->merges = l->c;
		return bpe_read_skip(&l->c, &value, e);
	}
	if (bpe_read_value(&l->c, &value, e) < 0)
		return -1;
	*typed = *typed || jsonscan_is(key, "type");
	return bpe_check_model(key, value, e);
}

/* Read "model". */
static int
read_model(struct load *l, struct err *e)
{
	bool typed = false, first = true;
	int more;

	l->c.where = "model";
	if (l->vocab_read)
		return bpe_read_fault(&l->c, e, "is there twice");
	if (bpe_read_mark(&l->c, '{', e) < 0)
		return -1;
	while ((more = bpe_read_more(&l->c, '}', first, e)) > 0) {
		l->c.where = "model";
		if (read_model_member(l, &typed, e) < 0)
			return -1;
		first = false;
	}
	if (more < 0)
		return -1;
	l->c.where = "model";
	if (!typed || !l->vocab_read || !l->merges_read)
		return bpe_read_fault(&l->c, e, "type, vocab or merges are "
		    "missing");
	if (l->merges.p != NULL) {
		struct bpe_cursor after = l->c;

		l->c = l->merges;
		if (load_merges(l, e) < 0)
			return -1;
		l->c = after;
	}
	return 0;
}

/* The members of tokenizer.json, but for "model". */
enum part {
	PART_VERSION, PART_TRUNCATION, PART_PADDING, PART_ADDED,
	PART_NORMALIZER, PART_PRE_TOKENIZER, PART_POST_PROCESSOR,
	PART_DECODER, PART_N
};

static const char *const part_names[PART_N] = {
	"version", "truncation", "padding", "added_tokens", "normalizer",
	"pre_tokenizer", "post_processor", "decoder",
};

/* Read a member of the file: the model, or a part. */
static int
read_member(struct load *l, struct jsonspan part[PART_N], struct err *e)
{
	struct jsonspan key;

	l->c.where = "the file";
	if (bpe_read_string(&l->c, &key, e) < 0 ||
	    bpe_read_mark(&l->c, ':', e) < 0)
		return -1;
	if (jsonscan_is(key, "model"))
		return read_model(l, e);
	for (size_t i = 0; i < PART_N; i++) {
		if (!jsonscan_is(key, part_names[i]))
			continue;
		l->c.where = part_names[i];
		if (part[i].p != NULL)
			return bpe_read_fault(&l->c, e, "is there twice");
		return bpe_read_value(&l->c, &part[i], e);
	}
	return bpe_check_refuse("a member", key, "what tokenizers 0.22 "
	    "writes", e);
}

/*
 * Truncation and padding are of no account: transformers turns both off
 * where encode() is not asked for them, and LLaMA-Factory does not ask.
 */
static int
check_parts(const struct jsonspan part[PART_N], struct err *e)
{
	if (!jsonscan_is(part[PART_VERSION], "1.0"))
		return bpe_check_refuse("version", part[PART_VERSION],
		    "\"1.0\"", e);
	if (bpe_check_normalizer(part[PART_NORMALIZER], e) < 0 ||
	    bpe_check_pre_tokenizer(part[PART_PRE_TOKENIZER], e) < 0 ||
	    bpe_check_post_processor(part[PART_POST_PROCESSOR], e) < 0)
		return -1;
	return bpe_check_decoder(part[PART_DECODER], e);
}

/* Give back what the pool has not used. */
static void
trim_pool(struct bpe *b)
{
	char *less = realloc(b->pool, b->pool_n + 1);

	if (less != NULL) {
		b->pool = less;
		b->pool_cap = b->pool_n + 1;
	}
}

/* Read all of the file; the values of its PARTs are looked at later. */
static int
read_file(struct load *l, struct jsonspan part[PART_N], struct err *e)
{
	bool first = true;
	int more;

	if (bpe_read_mark(&l->c, '{', e) < 0)
		return -1;
	while ((more = bpe_read_more(&l->c, '}', first, e)) > 0) {
		if (read_member(l, part, e) < 0)
			return -1;
		first = false;
	}
	if (more < 0)
		return -1;
	bpe_read_space(&l->c);
	l->c.where = "the file";
	if (l->c.p != l->c.end)
		return bpe_read_fault(&l->c, e, "there is more after its end");
	if (!l->vocab_read)
		return bpe_read_fault(&l->c, e, "there is no model");
	return 0;
}

int
bpe_load_model(struct bpe *b, const char *p, size_t n, struct jsonspan *added,
    struct err *e)
{
	struct load l = { .b = b, .c = { p, p + n, p, "the file" } };
	struct jsonspan part[PART_N] = { { 0 } };
	int rc;

	if (n > 0xfffffff)
		return err_set(e, ERR_MODEL, "tokenizer.json: %zu bytes are "
		    "too many", n);
	l.tokens_max = n / ENTRY_MIN + 1;
	l.written = malloc(l.tokens_max * sizeof *l.written);
	/* Bytes are never more than the characters that stand for them. */
	b->pool = malloc(n + BPE_READ_SLACK);
	b->token = calloc(l.tokens_max, sizeof *b->token);
	if (l.written == NULL || b->pool == NULL || b->token == NULL) {
		free(l.written);
		return err_memory(e);
	}
	b->pool_cap = n + BPE_READ_SLACK;
	b->token_cap = l.tokens_max;
	rc = read_file(&l, part, e);
	free(l.written);
	if (rc < 0)
		return -1;
	trim_pool(b);
	*added = part[PART_ADDED];
	return check_parts(part, e);
}
