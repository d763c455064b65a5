#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bpe_cache.h"
#include "bpe_core.h"
#include "bpe_large.h"
#include "bpe_merge.h"
#include "le.h"

/* A word of more bytes than this, not all ASCII, is taken in units. */
#define UNIT_MIN 12

#define SHORTS_SIZE (sizeof(struct bpe_short) << BPE_SHORT_BITS)

struct bpe_cache *
bpe_cache_new(const struct bpe *b, struct err *e)
{
	struct bpe_cache *c = calloc(1, sizeof *c);

	(void)b;
	if (c == NULL) {
		err_memory(e);
		return NULL;
	}
	c->shorts = bpe_large_new(SHORTS_SIZE, e);
	c->longs = calloc((size_t)1 << BPE_LONG_BITS, sizeof *c->longs);
	c->room = malloc(BPE_ROOM);
	if (c->shorts == NULL || c->longs == NULL || c->room == NULL) {
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
	bpe_large_free(c->shorts, SHORTS_SIZE);
	free(c->longs);
	free(c->room);
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

#if defined(__GNUC__)
#define HOT static inline __attribute__((always_inline))
#define RARE static __attribute__((noinline))
#else
#define HOT static inline
#define RARE static
#endif

/* What a short word is known by beside its first eight bytes: its others,
 * HIGH, and its length, since words may end in NUL. */
HOT uint64_t
with_length(uint64_t high, size_t n)
{
	return high | (uint64_t)n << 56;
}

/* The place of the short word whose bytes are LOW and HIGH. */
HOT struct bpe_short *
short_place(const struct bpe_cache *c, uint64_t low, uint64_t high)
{
	uint64_t h = low * UINT64_C(0x9e3779b97f4a7c15) ^
	    high * UINT64_C(0xc2b2ae3d27d4eb4f);

	h = (h ^ h >> 29) * UINT64_C(0xff51afd7ed558ccd);
	return c->shorts + 2 * (h >> (65 - BPE_SHORT_BITS));
}

/* As seek, of a word that is long, or so near the end of the text that
 * sixteen bytes cannot be read. */
RARE void
seek_rare(const struct bpe_cache *c, struct bpe_word *w)
{
	char word[16] = { 0 };

	if (w->n > BPE_SHORT_MAX) {
		w->low = bpe_hash(w->p, w->n);
		BPE_PREFETCH(&c->longs[w->low >> (64 - BPE_LONG_BITS)]);
		return;
	}
	memcpy(word, w->p, w->n);
	w->low = le_get64(word);
	w->high = with_length(le_get64(word + 8), w->n);
	w->place = short_place(c, w->low, w->high);
	BPE_PREFETCH(w->place);
}

/* Find out where the word W is looked for, and bring that near; bytes up to
 * END may be read. */
HOT void
seek(const struct bpe_cache *c, struct bpe_word *w, const char *end)
{
	static const unsigned char mask[32] = {
		255, 255, 255, 255, 255, 255, 255, 255,
		255, 255, 255, 255, 255, 255, 255, 255,
	};
	const size_t n = w->n;

	if (n > BPE_SHORT_MAX || end - w->p < 16) {
		seek_rare(c, w);
		return;
	}
	w->low = le_get64(w->p) & le_get64(mask + 16 - n);
	w->high = with_length(le_get64(w->p + 8) & le_get64(mask + 24 - n),
	    n);
	w->place = short_place(c, w->low, w->high);
	BPE_PREFETCH(w->place);
}

/* Whether S holds the word W. */
static inline bool
is_word(const struct bpe_short *s, const struct bpe_word *w)
{
	return ((s->low ^ w->low) | (s->high ^ w->high)) == 0;
}

/* The tokens of the short word W to OUT, if remembered: how many, or 0. */
static inline size_t
get_short(const struct bpe_cache *c, const struct bpe_word *w, int32_t *out)
{
	const struct bpe_short *s = w->place;
	const char *ids;
	size_t count;
	uint64_t at;

	/* Which of the two it is, if any, nobody can foresee. */
	s += (int)!is_word(s, w) & (int)is_word(s + 1, w);
	if (!is_word(s, w))
		return 0;
	count = s->n_ids;
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

/* Remember the N_IDS tokens of the short word W. */
static void
put_short(struct bpe_cache *c, const struct bpe_word *w, const int32_t *ids,
    size_t n_ids)
{
	struct bpe_short *s = w->place;
	uint64_t at;

	if (!is_word(s, w))
		s[1] = s[0];
	s->low = w->low;
	s->high = w->high;
	s->n_ids = (uint32_t)n_ids;
	if (n_ids <= BPE_INLINE) {
		memcpy(s->id, ids, n_ids * sizeof *ids);
	} else {
		at = put_room(c, ids, n_ids, NULL, 0);
		memcpy(s->id, &at, sizeof at);
	}
}

/* The tokens of the long word W to OUT, if remembered: how many, or 0. */
static size_t
get_long(const struct bpe_cache *c, const struct bpe_word *w, int32_t *out)
{
	const struct bpe_long *l = &c->longs[w->low >> (64 - BPE_LONG_BITS)];
	const char *ids;

	if (l->hash != w->low || l->n != w->n ||
	    (ids = get_room(c, l->at)) == NULL ||
	    memcmp(ids + l->n_ids * sizeof *out, w->p, w->n) != 0)
		return 0;
	memcpy(out, ids, l->n_ids * sizeof *out);
	return l->n_ids;
}

/* Remember the N_IDS tokens of the long word W. */
static void
put_long(struct bpe_cache *c, const struct bpe_word *w, const int32_t *ids,
    size_t n_ids)
{
	c->longs[w->low >> (64 - BPE_LONG_BITS)] = (struct bpe_long){
		.hash = w->low, .at = put_room(c, ids, n_ids, w->p, w->n),
		.n = (uint32_t)w->n, .n_ids = (uint32_t)n_ids,
	};
}

/* The tokens of W to OUT, if remembered: how many, or 0. */
static inline size_t
get_word(const struct bpe_cache *c, const struct bpe_word *w, int32_t *out)
{
	return w->n <= BPE_SHORT_MAX ? get_short(c, w, out) :
	    get_long(c, w, out);
}

/* Remember the N_IDS tokens of the word W. */
static inline void
put_word(struct bpe_cache *c, const struct bpe_word *w, const int32_t *ids,
    size_t n_ids)
{
	if (w->n <= BPE_SHORT_MAX)
		put_short(c, w, ids, n_ids);
	else if (w->n <= BPE_LONG_MAX)
		put_long(c, w, ids, n_ids);
}

/* A word that is not remembered, and where its tokens go: there is room for
 * as many as it has bytes. */
struct cold {
	struct bpe_word word;
	int32_t *out;
	size_t count;
};

/* Tokens up to O, and the words among them that are not found yet. */
struct pass {
	int32_t *o;
	size_t n_cold;
	struct cold cold[BPE_BATCH];
};

/* Find the tokens of the words that have been left out, the short ones
 * together, which is quicker; and remember them. */
static int
merge_cold(const struct bpe *b, struct bpe_cache *c, struct pass *s,
    struct err *e)
{
	struct bpe_job job[BPE_BATCH];
	size_t n_jobs = 0, k = 0;

	for (size_t i = 0; i < s->n_cold; i++) {
		struct cold *cold = &s->cold[i];
		const struct bpe_word *w = &cold->word;

		if (w->n <= BPE_SHORT_JOB) {
			job[n_jobs++] = (struct bpe_job){
				w->p, w->n, cold->out, 0,
			};
			continue;
		}
		cold->count = bpe_merge_word(b, w->p, w->n, cold->out,
		    &c->work, e);
		if (cold->count == 0)
			return -1;
	}
	bpe_merge_shorts(b, job, n_jobs);
	for (size_t i = 0; i < s->n_cold; i++) {
		struct cold *cold = &s->cold[i];

		if (cold->word.n <= BPE_SHORT_JOB)
			cold->count = job[k++].count;
		put_word(c, &cold->word, cold->out, cold->count);
	}
	return 0;
}

/* Find the tokens of what has been left out, and close the gaps. */
static int
fill_gaps(const struct bpe *b, struct bpe_cache *c, struct pass *s,
    struct err *e)
{
	int32_t *to;

	if (s->n_cold == 0)
		return 0;
	if (merge_cold(b, c, s, e) < 0)
		return -1;
	to = s->cold[0].out;
	for (size_t i = 0; i < s->n_cold; i++) {
		const struct cold *cold = &s->cold[i];
		const int32_t *from = cold->out + cold->word.n;
		const int32_t *next = i + 1 < s->n_cold ? cold[1].out : s->o;

		memmove(to, cold->out, cold->count * sizeof *to);
		to += cold->count;
		memmove(to, from, (size_t)(next - from) * sizeof *to);
		to += next - from;
	}
	s->o = to;
	s->n_cold = 0;
	return 0;
}

/* Leave the word W out for now. */
static inline int
leave_out(const struct bpe *b, struct bpe_cache *c, struct pass *s,
    const struct bpe_word *w, struct err *e)
{
	if (s->n_cold == BPE_BATCH && fill_gaps(b, c, s, e) < 0)
		return -1;
	s->cold[s->n_cold++] = (struct cold){ *w, s->o, 0 };
	s->o += w->n;
	return 0;
}

/*
 * Append the tokens of W, which is not remembered, by the units that it falls
 * into: what is written without blanks, such as Chinese, has words that are
 * seen once only, but units that are seen again.
 */
static int
put_units(const struct bpe *b, struct bpe_cache *c, struct pass *s,
    const struct bpe_word *w, const char *end, struct err *e)
{
	const char *p = w->p, *word_end = p + w->n;
	struct bpe_word unit[BPE_NEAR];

	while (p < word_end) {
		size_t k = 0;

		do {
			unit[k].p = p;
			unit[k].n = bpe_merge_unit(b, p,
			    (size_t)(word_end - p));
			p += unit[k].n;
			seek(c, &unit[k], end);
		} while (++k < BPE_NEAR && p < word_end);
		if (unit[0].n == w->n)
			return leave_out(b, c, s, w, e);
		for (size_t i = 0; i < k; i++) {
			size_t count = get_word(c, &unit[i], s->o);

			s->o += count;
			if (count == 0 &&
			    leave_out(b, c, s, &unit[i], e) < 0)
				return -1;
		}
	}
	return 0;
}

/* Whether the word W is looked for in units too. */
static inline bool
has_units(const struct bpe_word *w)
{
	return w->n > UNIT_MIN && (unsigned char)w->p[w->n - 1] >= 0x80;
}

size_t
bpe_cache_encode(const struct bpe *b, struct bpe_cache *c, struct bpe_word *w,
    size_t k, const char *end, int32_t *out, struct err *e)
{
	struct pass s;

	s.o = out;
	s.n_cold = 0;
	for (size_t i = 0; i < k && i < BPE_NEAR; i++)
		seek(c, &w[i], end);
	for (size_t i = 0; i < k; i++) {
		size_t count;

		if (i + BPE_NEAR < k)
			seek(c, &w[i + BPE_NEAR], end);
		count = get_word(c, &w[i], s.o);
		s.o += count;
		if (count == 0 && (has_units(&w[i]) ?
		    put_units(b, c, &s, &w[i], end, e) :
		    leave_out(b, c, &s, &w[i], e)) < 0)
			return 0;
	}
	if (fill_gaps(b, c, &s, e) < 0)
		return 0;
	return (size_t)(s.o - out);
}
