#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_core.h"
#include "bpe_merge.h"
#include "buf.h"
#include "unicode.h"

/* The longest word that is merged by looking through all of it each time. */
#define SCAN_MAX 64

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

/* Put the pairs into their table.  Of two equal ones the later counts, as in
 * tokenizers. */
static void
index_pairs(struct bpe *b, const uint64_t *keys)
{
	const size_t mask = ((size_t)1 << b->pairs.bits) - 1;

	for (size_t rank = 0; rank < b->n_merges; rank++) {
		size_t i = bpe_pair_place(b, keys[rank]);

		if (rank + BPE_AHEAD < b->n_merges)
			BPE_PREFETCH(&b->pairs.slot[bpe_pair_place(b,
			    keys[rank + BPE_AHEAD])]);
		while (b->pairs.slot[i] != BPE_EMPTY &&
		    b->pairs.slot[i] >> 21 != keys[rank])
			i = (i + 1) & mask;
		b->pairs.slot[i] = keys[rank] << 21 | rank;
	}
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

	for (; n >= 8; p += 8, n -= 8)
		any |= bpe_load8(p);
	for (; n > 0; n--)
		any |= (unsigned char)p[n - 1];
	return (any & UINT64_C(0x8080808080808080)) == 0;
}

/* Note which neighbours tokens join. */
static int
index_borders(struct bpe *b, struct err *e)
{
	b->joined = calloc(((size_t)1 << BPE_JOINED_BITS) / 64,
	    sizeof *b->joined);
	if (b->joined == NULL)
		return err_memory(e);
	for (size_t id = 0; id < b->n_vocab; id++) {
		const char *t = b->pool + b->token[id].at;
		size_t n = b->token[id].n;

		if (b->token[id].raw || is_ascii(t, n))
			continue;
		for (size_t at = 1; at < n; at++)
			if (!is_inner(t[at]))
				note_border(b, t, n, at);
	}
	return 0;
}

/*
 * Write down the ranks of all pairs of bytes: each word begins with looking
 * for those, and the table of all pairs is far away.
 */
static int
index_bytes(struct bpe *b, struct err *e)
{
	b->byte_rank = malloc(65536 * sizeof *b->byte_rank);
	if (b->byte_rank == NULL)
		return err_memory(e);
	for (size_t i = 0; i < 65536; i++)
		b->byte_rank[i] = bpe_rank(b, b->byte_id[i >> 8],
		    b->byte_id[i & 255]);
	return 0;
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

/* Merge a word of at most SCAN_MAX bytes, by looking for the lowest rank. */
static size_t
merge_short(const struct bpe *b, const char *p, size_t n, int32_t *out)
{
	const unsigned char *u = (const unsigned char *)p;
	uint32_t id[SCAN_MAX], rank[SCAN_MAX];
	size_t count = n;

	if (b->char_id != NULL && n > 0 && u[n - 1] >= 0x80)
		count = start_short(b, u, n, id);
	else
		for (size_t i = 0; i < n; i++)
			id[i] = b->byte_id[u[i]];
	if (count == n)
		for (size_t i = 0; i + 1 < n; i++)
			rank[i] = b->byte_rank[(size_t)u[i] << 8 | u[i + 1]];
	else
		for (size_t i = 0; i + 1 < count; i++)
			rank[i] = bpe_rank(b, id[i], id[i + 1]);
	n = count;
	while (n > 1) {
		size_t at = 0;

		for (size_t i = 1; i + 1 < n; i++)
			if (rank[i] < rank[at])
				at = i;
		if (rank[at] == BPE_NONE)
			break;
		id[at] = bpe_made(b, rank[at]);
		n--;
		memmove(id + at + 1, id + at + 2, (n - at - 1) * sizeof *id);
		memmove(rank + at, rank + at + 1, (n - at - 1) * sizeof *rank);
		if (at > 0)
			rank[at - 1] = bpe_rank(b, id[at - 1], id[at]);
		if (at + 1 < n)
			rank[at] = bpe_rank(b, id[at], id[at + 1]);
	}
	for (size_t i = 0; i < n; i++)
		out[i] = (int32_t)id[i];
	return n;
}

/*
 * Find the characters that are one token when they are alone.  Merging may
 * begin with them only where each merge is of tokens that earlier merges
 * made: else one that we make too soon might be merged too soon.
 */
static int
find_chars(struct bpe *b, const uint64_t *keys, struct err *e)
{
	uint32_t *char_id;

	for (size_t rank = 0; rank < b->n_merges; rank++)
		if (!b->in_order || keys[rank] >> 21 >= b->merged[rank] ||
		    (keys[rank] & BPE_TOKENS_MAX) >= b->merged[rank])
			return 0;
	char_id = malloc(BPE_CHARS * sizeof *char_id);
	if (char_id == NULL)
		return err_memory(e);
	memset(char_id, 0xff, BPE_CHARS * sizeof *char_id);
	for (size_t id = 0; id < b->n_vocab; id++) {
		const struct bpe_token *t = &b->token[id];
		const char *p = b->pool + t->at;
		int32_t alone[4];
		size_t at;

		if (t->raw || t->n < 2 || t->n > 3 || !is_whole(p, t->n) ||
		    unicode_scan((const unsigned char *)p, t->n, &at) ==
		    UNICODE_BAD || merge_short(b, p, t->n, alone) != 1)
			continue;
		char_id[unicode_decode((const unsigned char *)p, &at)] =
		    (uint32_t)id;
	}
	b->char_id = char_id;
	return 0;
}

int
bpe_merge_prepare(struct bpe *b, const uint64_t *keys, struct err *e)
{
	index_pairs(b, keys);
	b->in_order = true;
	for (size_t i = 0; i < b->n_merges; i++)
		b->in_order = b->in_order && b->merged[i] == b->merged[0] + i;
	if (index_bytes(b, e) < 0)
		return -1;
	if (index_borders(b, e) < 0)
		return -1;
	return find_chars(b, keys, e);
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

	if (n <= SCAN_MAX)
		return merge_short(b, p, n, out);
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
