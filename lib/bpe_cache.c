#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_cache.h"
#include "bpe_core.h"
#include "bpe_merge.h"

/* A word of more bytes than this, not all ASCII, is taken in units. */
#define UNIT_MIN 12

/* Where a word of at most BPE_SHORT_MAX bytes is looked for. */
struct key {
	uint64_t low, high;
	struct bpe_short *place;	/* and the one behind it */
};

struct bpe_cache *
bpe_cache_new(const struct bpe *b, struct err *e)
{
	struct bpe_cache *c = calloc(1, sizeof *c);

	if (c == NULL) {
		err_memory(e);
		return NULL;
	}
	c->shorts = calloc((size_t)1 << BPE_SHORT_BITS, sizeof *c->shorts);
	c->longs = calloc((size_t)1 << BPE_LONG_BITS, sizeof *c->longs);
	c->room = malloc(BPE_ROOM);
	c->whole = calloc(b->n_vocab / 64 + 1, sizeof *c->whole);
	if (c->shorts == NULL || c->longs == NULL || c->room == NULL ||
	    c->whole == NULL) {
		err_memory(e);
		bpe_cache_free(c);
		return NULL;
	}
	return c;
}

void
bpe_cache_free(struct bpe_cache *c)
{
	if (c == NULL)
		return;
	free(c->shorts);
	free(c->longs);
	free(c->room);
	free(c->whole);
	buf_free(&c->nfc);
	buf_free(&c->nfc_work);
	buf_free(&c->work);
	free(c);
}

/* Put N_IDS tokens and N bytes into the room: where. */
static uint64_t
put_room(struct bpe_cache *c, const int32_t *ids, size_t n_ids,
    const char *p, size_t n)
{
	const size_t ids_size = n_ids * sizeof *ids;
	const size_t size = ids_size + ((n + 3) & ~(size_t)3);
	size_t at = (size_t)(c->head % BPE_ROOM);

	if (size > BPE_ROOM - at) {
		c->head += BPE_ROOM - at;
		at = 0;
	}
	memcpy(c->room + at, ids, ids_size);
	if (n > 0)
		memcpy(c->room + at + ids_size, p, n);
	c->head += size;
	return c->head - size;
}

/* What was put into the room AT a place, or NULL if it is gone. */
static inline const char *
get_room(const struct bpe_cache *c, uint64_t at)
{
	return c->head - at > BPE_ROOM ? NULL : c->room + at % BPE_ROOM;
}

/* The key of the N bytes at P; bytes up to END may be read. */
static inline struct key
make_key(const struct bpe_cache *c, const char *p, size_t n, const char *end)
{
	static const unsigned char mask[32] = {
		255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255,
	};
	struct key k;
	uint64_t h;

	if (end - p >= BPE_SHORT_MAX) {
		k.low = bpe_load8(p) & bpe_load8(mask + 16 - n);
		k.high = bpe_load8(p + 8) & bpe_load8(mask + 24 - n);
	} else {
		char word[BPE_SHORT_MAX] = { 0 };

		memcpy(word, p, n);
		k.low = bpe_load8(word);
		k.high = bpe_load8(word + 8);
	}
	h = k.low * UINT64_C(0x9e3779b97f4a7c15) ^
	    k.high * UINT64_C(0xc2b2ae3d27d4eb4f);
	h = (h ^ h >> 29) * UINT64_C(0xff51afd7ed558ccd);
	k.place = c->shorts + 2 * (h >> (65 - BPE_SHORT_BITS));
	return k;
}

/* Whether S holds the word of N bytes with key K. */
static inline bool
is_word(const struct bpe_short *s, const struct key *k, size_t n)
{
	return s->low == k->low && s->high == k->high &&
	    (s->about & 0xff) == n;
}

/* The tokens of the word of N bytes with key K to OUT, if remembered: how
 * many, or 0. */
static inline size_t
get_short(const struct bpe_cache *c, const struct key *k, size_t n,
    int32_t *out)
{
	const struct bpe_short *s = k->place;
	const char *ids;
	size_t count;
	uint64_t at;

	if (!is_word(s, k, n) && !is_word(++s, k, n))
		return 0;
	count = s->about >> 8;
	if (count <= BPE_INLINE) {
		memcpy(out, s->id, sizeof s->id);
		return count;
	}
	memcpy(&at, s->id, sizeof at);
	ids = get_room(c, at);
	if (ids == NULL)
		return 0;
	memcpy(out, ids, count * sizeof *out);
	return count;
}

/* Remember the N_IDS tokens of a short word. */
static void
put_short(struct bpe_cache *c, const struct key *k, size_t n,
    const int32_t *ids, size_t n_ids)
{
	struct bpe_short *s = k->place;
	uint64_t at;

	if (!is_word(s, k, n))
		s[1] = s[0];
	s->low = k->low;
	s->high = k->high;
	s->about = (uint32_t)(n | n_ids << 8);
	if (n_ids <= BPE_INLINE) {
		memcpy(s->id, ids, n_ids * sizeof *ids);
	} else {
		at = put_room(c, ids, n_ids, NULL, 0);
		memcpy(s->id, &at, sizeof at);
	}
}

/* The tokens of the N bytes at P, whose hash is H, to OUT, if remembered: how
 * many, or 0. */
static size_t
get_long(const struct bpe_cache *c, const char *p, size_t n, uint64_t h,
    int32_t *out)
{
	const struct bpe_long *l = &c->longs[h >> (64 - BPE_LONG_BITS)];
	const char *ids;

	if (l->hash != h || l->n != n || (ids = get_room(c, l->at)) == NULL ||
	    memcmp(ids + l->n_ids * sizeof *out, p, n) != 0)
		return 0;
	memcpy(out, ids, l->n_ids * sizeof *out);
	return l->n_ids;
}

/* Remember the N_IDS tokens of a long word. */
static void
put_long(struct bpe_cache *c, const char *p, size_t n, uint64_t h,
    const int32_t *ids, size_t n_ids)
{
	c->longs[h >> (64 - BPE_LONG_BITS)] = (struct bpe_long){
		.hash = h, .at = put_room(c, ids, n_ids, p, n),
		.n = (uint32_t)n, .n_ids = (uint32_t)n_ids,
	};
}

/*
 * The tokens of the N bytes at P, which are not remembered, to OUT: how
 * many, or 0 with E.  A word that is in the vocabulary is not always one
 * token: merging may never get there.  Where it did, we know it.
 */
static size_t
encode_anew(const struct bpe *b, struct bpe_cache *c, const char *p, size_t n,
    int32_t *out, struct err *e)
{
	uint32_t id = BPE_NONE;
	size_t count;

	if (n <= BPE_LONG_MAX)
		id = bpe_word(b, p, n, bpe_hash(p, n), false);
	if (id != BPE_NONE && (c->whole[id >> 6] >> (id & 63) & 1) != 0) {
		*out = (int32_t)id;
		return 1;
	}
	count = bpe_merge_word(b, p, n, out, &c->work, e);
	if (count == 1 && id != BPE_NONE)
		c->whole[id >> 6] |= (uint64_t)1 << (id & 63);
	return count;
}

/* The tokens of a unit, remembered or not. */
static size_t
encode_unit(const struct bpe *b, struct bpe_cache *c, const char *p, size_t n,
    const char *end, int32_t *out, struct err *e)
{
	struct key k;
	size_t count;

	if (n > BPE_SHORT_MAX)
		return encode_anew(b, c, p, n, out, e);
	k = make_key(c, p, n, end);
	count = get_short(c, &k, n, out);
	if (count == 0 && (count = encode_anew(b, c, p, n, out, e)) > 0)
		put_short(c, &k, n, out, count);
	return count;
}

/*
 * The tokens of a word that is not remembered.  What is written without
 * blanks, such as Chinese, has words that are seen once only; the units that
 * they fall into are seen again.
 */
static size_t
encode_word(const struct bpe *b, struct bpe_cache *c, const char *p, size_t n,
    const char *end, int32_t *out, struct err *e)
{
	const char *word_end = p + n;
	size_t sum = 0;

	if (n <= UNIT_MIN || (unsigned char)p[n - 1] < 0x80)
		return encode_anew(b, c, p, n, out, e);
	while (p < word_end) {
		size_t unit = bpe_merge_unit(b, p, (size_t)(word_end - p));
		size_t count = encode_unit(b, c, p, unit, end, out + sum, e);

		if (count == 0)
			return 0;
		sum += count;
		p += unit;
	}
	return sum;
}

size_t
bpe_cache_encode(const struct bpe *b, struct bpe_cache *c, const char *p,
    size_t n, const char *end, int32_t *out, struct err *e)
{
	struct key k;
	uint64_t h;
	size_t count;

	if (n <= BPE_SHORT_MAX) {
		k = make_key(c, p, n, end);
		count = get_short(c, &k, n, out);
		if (count == 0 &&
		    (count = encode_word(b, c, p, n, end, out, e)) > 0)
			put_short(c, &k, n, out, count);
		return count;
	}
	if (n > BPE_LONG_MAX)
		return encode_word(b, c, p, n, end, out, e);
	h = bpe_hash(p, n);
	count = get_long(c, p, n, h, out);
	if (count == 0 && (count = encode_word(b, c, p, n, end, out, e)) > 0)
		put_long(c, p, n, h, out, count);
	return count;
}
