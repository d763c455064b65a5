#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_core.h"
#include "bpe_merge.h"
#include "buf.h"
#include "unicode.h"

/* The longest word that is merged by looking through all of it each time. */
#define SCAN_BITS 6
#define SCAN_MAX BPE_SHORT_JOB

/* Whether BYTE is in the middle of a character. */
static inline bool
is_inner(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The bytes of a character that begins with BYTE. */
static inline size_t
char_length(char byte)
{
	unsigned char u = (unsigned char)byte;

	return u < 0x80 ? 1 : u < 0xe0 ? 2 : u < 0xf0 ? 3 : 4;
}

/* Whether the N bytes at P may be one character of more than one byte. */
static inline bool
is_whole(const char *p, size_t n)
{
	return (unsigned char)*p >= 0xc2 && char_length(*p) == n;
}

/* Put SLOT, a pair and its rank, into the table.  Of two equal pairs the later
 * counts, as in tokenizers. */
static inline void
put_pair(struct bpe *b, uint64_t slot)
{
	const size_t mask = ((size_t)1 << b->pairs.bits) - 1;
	size_t i = bpe_pair_place(b, slot >> 21);

	while (b->pairs.slot[i] != BPE_EMPTY &&
	    b->pairs.slot[i] >> 21 != slot >> 21)
		i = (i + 1) & mask;
	b->pairs.slot[i] = slot;
}

/* Room for N pairs more. */
static int
grow_pairs(struct bpe *b, size_t n, struct err *e)
{
	struct bpe_table old = b->pairs;

	if (b->n_merges + n <= ((size_t)3 << old.bits) / 4)
		return 0;
	if (bpe_table_new(&b->pairs, 2 * (b->n_merges + n), e) < 0) {
		b->pairs = old;
		return -1;
	}
	for (size_t i = 0; i >> old.bits == 0; i++)
		if (old.slot[i] != BPE_EMPTY)
			put_pair(b, old.slot[i]);
	bpe_table_free(&old);
	return 0;
}

/* Note what the next N merges make, at M: nothing needs to be where each
 * makes the token behind the one before. */
static int
note_made(struct bpe *b, const struct bpe_merge *m, size_t n, struct err *e)
{
	size_t i = 0;

	if (b->n_merges == 0 && n > 0)
		b->first_merged = m[0].made;
	if (b->merged == NULL) {
		while (i < n && m[i].made == b->first_merged + b->n_merges + i)
			i++;
		if (i == n)
			return 0;
	}
	i = b->merged == NULL ? 0 : b->n_merges;
	if (bpe_grow(&b->merged, &b->merged_cap, b->n_merges + n,
	    sizeof *b->merged, e) < 0)
		return -1;
	for (; i < b->n_merges; i++)
		b->merged[i] = b->first_merged + (uint32_t)i;
	for (; i < b->n_merges + n; i++)
		b->merged[i] = m[i - b->n_merges].made;
	return 0;
}

int
bpe_merge_add(struct bpe *b, const struct bpe_merge *m, size_t n,
    struct err *e)
{
	if (grow_pairs(b, n, e) < 0 || note_made(b, m, n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++, m++) {
		put_pair(b, (uint64_t)m->left << 42 |
		    (uint64_t)m->right << 21 | b->n_merges++);
		b->founded = b->founded && m->left < m->made &&
		    m->right < m->made;
	}
	return 0;
}

/* Note the characters on both sides of border AT in the token T. */
static void
note_border(struct bpe *b, const char *t, size_t n, size_t at)
{
	const unsigned char *u = (const unsigned char *)t;
	size_t from = at - 1, left_n, right_n;
	uint32_t bit;

	while (from > 0 && is_inner(t[from]))
		from--;
	if (u[from] < 0x80 && u[at] < 0x80)
		return;
	if (is_inner(t[from]) || char_length(t[from]) != at - from ||
	    at + char_length(t[at]) > n) {
		bit = (uint32_t)u[at - 1] << 8 | u[at];
		b->joined_part[bit >> 6] |= (uint64_t)1 << (bit & 63);
		return;
	}
	bit = bpe_joined_bit(unicode_decode(u + from, &left_n),
	    unicode_decode(u + at, &right_n));
	b->joined[bit >> 6] |= (uint64_t)1 << (bit & 63);
}

/* Whether the N bytes at P are all ASCII. */
static bool
is_ascii(const char *p, size_t n)
{
	uint64_t any = 0;

	for (; n > 8; p += 8, n -= 8)
		any |= bpe_load8(p);
	any |= n == 8 ? bpe_load8(p) : bpe_load_few(p, n);
	return (any & UINT64_C(0x8080808080808080)) == 0;
}

/* Note which neighbours tokens join. */
static void
index_borders(struct bpe *b)
{
	for (size_t id = 0; id < b->n_vocab; id++) {
		const char *t = b->pool + b->token[id].at;
		size_t n = b->token[id].n;

		if (b->token[id].raw || is_ascii(t, n))
			continue;
		for (size_t at = 1; at < n; at++)
			if (!is_inner(t[at]))
				note_border(b, t, n, at);
	}
}

/*
 * Write down the ranks of all pairs of bytes: each word begins with looking
 * for those, and the table of all pairs is far away.  What two bytes make has
 * two.
 */
static void
index_bytes(struct bpe *b)
{
	memset(b->byte_rank, 0xff, 65536 * sizeof *b->byte_rank);
	for (size_t id = 0; id < b->n_vocab; id++) {
		const unsigned char *u = (const unsigned char *)b->pool +
		    b->token[id].at;

		if (b->token[id].n == 2 && !b->token[id].raw)
			b->byte_rank[(size_t)u[0] << 8 | u[1]] = bpe_rank(b,
			    b->byte_id[u[0]], b->byte_id[u[1]]);
	}
}

/*
 * What the merging of the N bytes at P begins with, to ID: bytes, or whole
 * characters where that comes to the same.  It does where a character alone
 * becomes one token and no token has a part of it together with bytes beyond
 * its ends: nothing reaches into it before it is whole.  How many.
 */
static size_t
start_short(const struct bpe *b, const unsigned char *p, size_t n,
    uint32_t *id)
{
	size_t count = 0, len;

	for (size_t i = 0; i < n; i += len) {
		uint32_t c, whole = BPE_NONE;

		if (p[i] < 0xc2) {
			id[count++] = b->byte_id[p[i]];
			len = 1;
			continue;
		}
		c = unicode_decode(p + i, &len);
		if (c < BPE_CHARS)
			whole = b->char_id[c];
		if (whole != BPE_NONE &&
		    (i == 0 || !bpe_joined_part(b, p[i - 1], p[i])) &&
		    (i + len == n ||
		    !bpe_joined_part(b, p[i + len - 1], p[i + len])))
			id[count++] = whole;
		else
			for (size_t k = i; k < i + len; k++)
				id[count++] = b->byte_id[p[k]];
	}
	return count;
}

/*
 * What merging symbol I of a short word with its next is known by: the rank,
 * and then the place, so that the least is what is merged first.  No rank
 * gives NO_KEY or more.
 */
#define NO_KEY (BPE_NONE << SCAN_BITS)

static inline uint32_t
key_of(uint32_t rank, size_t i)
{
	return rank << SCAN_BITS | (uint32_t)i;
}

/* The least of the first N keys, which may be read by fours.  Nobody can
 * tell which it will be, the processor neither: there is no branch. */
static inline uint32_t
least_key(const uint32_t *key, size_t n)
{
	uint32_t a = BPE_NONE, b = BPE_NONE;

	for (size_t i = 0; i < n; i += 4) {
		uint32_t p = key[i] < key[i + 1] ? key[i] : key[i + 1];
		uint32_t q = key[i + 2] < key[i + 3] ? key[i + 2] : key[i + 3];

		a = p < a ? p : a;
		b = q < b ? q : b;
	}
	return a < b ? a : b;
}

/* Give the N symbols ID of a short word, which are whole characters or the
 * bytes at U, their keys. */
static inline void
rank_short(const struct bpe *b, const unsigned char *u, bool bytes,
    const uint32_t *id, size_t n, uint32_t *key)
{
	size_t i = 0;

	if (bytes)
		for (; i + 1 < n; i++)
			key[i] = key_of(b->byte_rank[(size_t)u[i] << 8 |
			    u[i + 1]], i);
	else
		for (; i + 1 < n; i++)
			key[i] = key_of(bpe_rank(b, id[i], id[i + 1]), i);
	/* The last has no next; and to be read by fours. */
	key[i] = key[i + 1] = key[i + 2] = key[i + 3] = BPE_NONE;
}

/*
 * A word of at most SCAN_MAX bytes that is being merged, by looking for the
 * lowest rank.  ID has its symbols, each in the place of its first byte or
 * character; what is merged into its neighbour on the left has no key any
 * more.  The keys on both sides of AT, if it is a place, are yet to be found.
 */
struct lane {
	const struct bpe_job *job;
	uint32_t id[SCAN_MAX], key[SCAN_MAX + 3];
	unsigned char next[SCAN_MAX], before[SCAN_MAX + 1];
	size_t all, at;
};

/* As many words at a time as hide how far away the table of pairs is. */
#define LANES 8

/* Begin with the word of JOB. */
static void
begin_word(const struct bpe *b, struct lane *l, const struct bpe_job *job)
{
	const unsigned char *u = (const unsigned char *)job->p;
	const size_t n = job->n;

	l->job = job;
	l->all = n;
	l->at = SCAN_MAX;
	if (b->char_id != NULL && n > 0 && u[n - 1] >= 0x80)
		l->all = start_short(b, u, n, l->id);
	else
		for (size_t i = 0; i < n; i++)
			l->id[i] = b->byte_id[u[i]];
	rank_short(b, u, l->all == n, l->id, l->all, l->key);
	for (size_t i = 0; i < l->all; i++) {
		l->next[i] = (unsigned char)(i + 1);
		l->before[i + 1] = (unsigned char)i;
	}
}

/* Find the keys on both sides of symbol I. */
static inline void
rank_sides(const struct bpe *b, struct lane *l, size_t i)
{
	size_t after = l->next[i], before = l->before[i];

	l->key[i] = after == l->all ? BPE_NONE :
	    key_of(bpe_rank(b, l->id[i], l->id[after]), i);
	if (i > 0)
		l->key[before] = key_of(bpe_rank(b, l->id[before], l->id[i]),
		    before);
}

/* Let what bpe_rank will look at come near. */
static inline void
expect_pair(const struct bpe *b, uint32_t left, uint32_t right)
{
	BPE_PREFETCH(&b->pairs.slot[bpe_pair_place(b,
	    (uint64_t)left << 21 | right)]);
}

/* Merge two symbols of L, if any can be merged. */
static inline bool
merge_next(const struct bpe *b, struct lane *l)
{
	size_t i, gone, after;
	uint32_t least;

	if (l->at < SCAN_MAX)
		rank_sides(b, l, l->at);
	least = least_key(l->key, l->all);
	if (least >= NO_KEY)
		return false;
	i = least % SCAN_MAX;
	gone = l->next[i];
	after = l->next[gone];
	l->id[i] = bpe_made(b, least >> SCAN_BITS);
	l->next[i] = (unsigned char)after;
	l->before[after] = (unsigned char)i;
	l->key[gone] = BPE_NONE;
	l->at = i;
	if (after < l->all)
		expect_pair(b, l->id[i], l->id[after]);
	if (i > 0)
		expect_pair(b, l->id[l->before[i]], l->id[i]);
	return true;
}

/* Give the tokens of L away: how many. */
static size_t
end_word(const struct lane *l)
{
	size_t count = 0;

	for (size_t i = 0; i < l->all; i = l->next[i])
		l->job->out[count++] = (int32_t)l->id[i];
	return count;
}

void
bpe_merge_shorts(const struct bpe *b, struct bpe_job *job, size_t n)
{
	struct lane lane[LANES], *busy[LANES];
	size_t taken = 0, lanes = 0;

	for (; lanes < LANES && taken < n; lanes++) {
		busy[lanes] = &lane[lanes];
		begin_word(b, busy[lanes], &job[taken++]);
	}
	for (size_t i = 0; lanes > 0; i = i + 1 < lanes ? i + 1 : 0) {
		struct lane *l = busy[i];

		if (merge_next(b, l))
			continue;
		job[l->job - job].count = end_word(l);
		if (taken < n)
			begin_word(b, l, &job[taken++]);
		else
			busy[i] = busy[--lanes];
	}
}

/* The token that the bytes at P of one character become, N of them, 2 or 3;
 * or BPE_NONE. */
static uint32_t
merge_char(const struct bpe *b, const unsigned char *p, size_t n)
{
	uint32_t left = b->byte_rank[(size_t)p[0] << 8 | p[1]], right;

	if (n == 2)
		return left == BPE_NONE ? BPE_NONE : bpe_made(b, left);
	right = b->byte_rank[(size_t)p[1] << 8 | p[2]];
	if (left <= right)
		left = left == BPE_NONE ? BPE_NONE : bpe_rank(b,
		    bpe_made(b, left), b->byte_id[p[2]]);
	else
		left = bpe_rank(b, b->byte_id[p[0]], bpe_made(b, right));
	return left == BPE_NONE ? BPE_NONE : bpe_made(b, left);
}

/*
 * Find the characters that are one token when they are alone.  Merging may
 * begin with them only where each merge is of tokens that earlier merges
 * made: else one that we make too soon might be merged too soon.
 */
static int
find_chars(struct bpe *b, struct err *e)
{
	if (b->merged != NULL || !b->founded)
		return 0;
	b->char_id = malloc(BPE_CHARS * sizeof *b->char_id);
	if (b->char_id == NULL)
		return err_memory(e);
	memset(b->char_id, 0xff, BPE_CHARS * sizeof *b->char_id);
	for (size_t id = 0; id < b->n_vocab; id++) {
		const struct bpe_token *t = &b->token[id];
		const char *p = b->pool + t->at;
		const unsigned char *u = (const unsigned char *)p;
		size_t at;

		if (t->raw || t->n < 2 || t->n > 3 || !is_whole(p, t->n) ||
		    unicode_scan(u, t->n, &at) == UNICODE_BAD ||
		    merge_char(b, u, t->n) == BPE_NONE)
			continue;
		b->char_id[unicode_decode(u, &at)] = (uint32_t)id;
	}
	return 0;
}

int
bpe_merge_begin(struct bpe *b, struct err *e)
{
	b->founded = true;
	b->joined = calloc(((size_t)1 << BPE_JOINED_BITS) / 64,
	    sizeof *b->joined);
	b->byte_rank = malloc(65536 * sizeof *b->byte_rank);
	if (b->joined == NULL || b->byte_rank == NULL)
		return err_memory(e);
	/* There are nearly as many as tokens. */
	return bpe_table_new(&b->pairs, b->n_vocab, e);
}

int
bpe_merge_end(struct bpe *b, struct err *e)
{
	index_bytes(b);
	index_borders(b);
	return find_chars(b, e);
}

/* A symbol of a long word; RANK is that of merging it with the next. */
struct symbol {
	uint32_t id, rank, prev, next;
};

/* Put KEY, rank << 32 | place, on the heap of N. */
static void
heap_push(uint64_t *heap, size_t n, uint64_t key)
{
	while (n > 0 && heap[(n - 1) / 2] > key) {
		heap[n] = heap[(n - 1) / 2];
		n = (n - 1) / 2;
	}
	heap[n] = key;
}

/* Take the least off the heap of N. */
static uint64_t
heap_pop(uint64_t *heap, size_t n)
{
	uint64_t least = heap[0], last = heap[n - 1];
	size_t i = 0, child;

	n--;
	while ((child = 2 * i + 1) < n) {
		if (child + 1 < n && heap[child + 1] < heap[child])
			child++;
		if (heap[child] >= last)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = last;
	return least;
}

/* Work out the rank of symbol I and its next one; it goes on the heap. */
static void
rank_symbol(const struct bpe *b, struct symbol *s, uint32_t i, uint64_t *heap,
    size_t *heap_n)
{
	s[i].rank = s[i].next == BPE_NONE ? BPE_NONE :
	    bpe_rank(b, s[i].id, s[s[i].next].id);
	if (s[i].rank != BPE_NONE)
		heap_push(heap, (*heap_n)++, (uint64_t)s[i].rank << 32 | i);
}

/*
 * Merge a word of any length: symbols in a list, pairs in a heap, in which
 * those that are no more are told by their rank.
 */
static size_t
merge_long(const struct bpe *b, const char *p, size_t n, int32_t *out,
    struct symbol *s, uint64_t *heap)
{
	size_t heap_n = 0, count = 0;

	for (size_t i = 0; i < n; i++)
		s[i] = (struct symbol){ b->byte_id[(unsigned char)p[i]],
		    BPE_NONE, (uint32_t)i - 1,
		    i + 1 < n ? (uint32_t)i + 1 : BPE_NONE };
	for (uint32_t i = 0; i < n; i++)
		rank_symbol(b, s, i, heap, &heap_n);
	while (heap_n > 0) {
		uint64_t key = heap_pop(heap, heap_n--);
		uint32_t i = (uint32_t)key, gone = s[i].next;

		if (s[i].rank != key >> 32)
			continue;
		s[i].id = bpe_made(b, s[i].rank);
		s[i].next = s[gone].next;
		s[gone].rank = BPE_NONE;
		if (s[i].next != BPE_NONE)
			s[s[i].next].prev = i;
		rank_symbol(b, s, i, heap, &heap_n);
		if (s[i].prev != BPE_NONE)
			rank_symbol(b, s, s[i].prev, heap, &heap_n);
	}
	for (uint32_t i = 0; i != BPE_NONE; i = s[i].next)
		out[count++] = (int32_t)s[i].id;
	return count;
}

size_t
bpe_merge_word(const struct bpe *b, const char *p, size_t n, int32_t *out,
    struct buf *work, struct err *e)
{
	uint64_t *heap;

	if (n <= BPE_SHORT_JOB) {
		struct bpe_job job = { p, n, out, 0 };

		bpe_merge_shorts(b, &job, 1);
		return job.count;
	}
	if (n > UINT32_MAX / 64) {
		err_record(e, CODE_RECORD_TOO_LONG,
		    "a word of %zu bytes is too long to encode", n);
		return 0;
	}
	/* Each merge frees one place of the heap and takes at most two. */
	buf_clear(work);
	if (buf_reserve(work, n * (2 * sizeof *heap + sizeof(struct symbol)),
	    e) < 0)
		return 0;
	heap = (uint64_t *)(void *)work->p;
	return merge_long(b, p, n, out,
	    (struct symbol *)(void *)(heap + 2 * n), heap);
}

size_t
bpe_merge_unit(const struct bpe *b, const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t at, len;
	uint32_t left = unicode_decode(u, &at);

	for (; at < n; at += len) {
		uint32_t right = unicode_decode(u + at, &len);

		if (left >= 0x80 || right >= 0x80) {
			uint32_t bit = bpe_joined_bit(left, right);

			if ((b->joined[bit >> 6] >> (bit & 63) & 1) == 0 &&
			    !bpe_joined_part(b, u[at - 1], u[at]))
				break;
		}
		left = right;
	}
	return at;
}
