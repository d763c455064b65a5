#include <stdlib.h>
#include <string.h>

#include "jsonkeys.h"
#include "jsontext.h"

void
jsonkeys_start(struct jsonkeys *k)
{
	k->p = k->inline_keys;
	k->n = 0;
	k->cap = JSONKEYS_INLINE;
}

void
jsonkeys_free(struct jsonkeys *k)
{
	if (k->p != k->inline_keys)
		free(k->p);
	jsonkeys_start(k);
}

/* Up to eight bytes of what is at P, the N of them, as a number. */
static uint64_t
load(const char *p, size_t n)
{
	uint64_t v = 0;
	uint32_t a, b;

	if (n >= 8) {
		memcpy(&v, p, 8);
	} else if (n >= 4) {
		memcpy(&a, p, 4);
		memcpy(&b, p + n - 4, 4);
		v = (uint64_t)a << 32 | b;
	} else if (n > 0) {
		v = (uint64_t)(unsigned char)p[0] << 16 |
		    (uint64_t)(unsigned char)p[n / 2] << 8 |
		    (unsigned char)p[n - 1];
	}
	return v;
}

/* A hash of the length, the head and the tail, each of up to eight bytes, so
 * that a key costs two loads. */
static uint32_t
mix(size_t n, uint64_t head, uint64_t tail)
{
	uint64_t h = (head ^ UINT64_C(0x9e3779b97f4a7c15)) *
	    UINT64_C(0xff51afd7ed558ccd);

	h = (h ^ h >> 32 ^ tail ^ n) * UINT64_C(0xc4ceb9fe1a85ec53);
	return (uint32_t)(h >> 32);
}

/* The hash of a key with escapes: that of the same key without. */
static uint32_t
hash_escaped(const char *p, size_t n)
{
	const char *end = p + n;
	char head[8] = { 0 }, tail[8] = { 0 };
	size_t count = 0;

	while (p < end) {
		char out[4];
		size_t len = jsontext_decode(&p, end, out);

		for (size_t i = 0; i < len; i++, count++) {
			if (count < 8)
				head[count] = out[i];
			memmove(tail, tail + 1, 7);
			tail[7] = out[i];
		}
	}
	return mix(count, load(head, count),
	    count < 8 ? load(head, count) : load(tail, 8));
}

static uint32_t
hash(const char *p, size_t n, bool escaped)
{
	uint64_t head;

	if (escaped)
		return hash_escaped(p, n);
	head = load(p, n);
	return mix(n, head, n < 8 ? head : load(p + n - 8, 8));
}

/* The order of the keys as they read, some of them with escapes. */
static int
order_decoded(const struct jsonkey *a, const struct jsonkey *b)
{
	const char *p = a->p, *q = b->p;
	const char *p_end = p + a->n, *q_end = q + b->n;
	char x[4], y[4];
	size_t nx = 0, ny = 0, ix = 0, iy = 0;

	for (;;) {
		if (ix == nx) {
			ix = 0;
			nx = p < p_end ? jsontext_decode(&p, p_end, x) : 0;
		}
		if (iy == ny) {
			iy = 0;
			ny = q < q_end ? jsontext_decode(&q, q_end, y) : 0;
		}
		if (nx == 0 || ny == 0)
			return (nx != 0) - (ny != 0);
		if (x[ix] != y[iy])
			return (unsigned char)x[ix] < (unsigned char)y[iy] ?
			    -1 : 1;
		ix++;
		iy++;
	}
}

/* The order of keys, the hash first.  0: they read the same. */
static int
order(const struct jsonkey *a, const struct jsonkey *b)
{
	int d;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	if (a->escaped || b->escaped)
		return order_decoded(a, b);
	d = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);
	if (d != 0)
		return d;
	return (a->n > b->n) - (a->n < b->n);
}

/* Double the room. */
static int
grow(struct jsonkeys *k, struct err *e)
{
	bool was_inline = k->p == k->inline_keys;
	struct jsonkey *p;

	if (k->cap > SIZE_MAX / 2 / sizeof *p)
		return err_memory(e);
	p = realloc(was_inline ? NULL : k->p, 2 * k->cap * sizeof *p);
	if (p == NULL)
		return err_memory(e);
	if (was_inline)
		memcpy(p, k->p, k->n * sizeof *p);
	k->p = p;
	k->cap *= 2;
	return 0;
}

int
jsonkeys_add(struct jsonkeys *k, size_t from, const char *p, size_t n,
    bool escaped, struct err *e)
{
	struct jsonkey key = {
		.p = p, .n = n, .hash = hash(p, n, escaped), .escaped = escaped,
	};

	if (k->n - from < JSONKEYS_FEW)
		for (size_t i = from; i < k->n; i++)
			if (k->p[i].hash == key.hash &&
			    order(&k->p[i], &key) == 0)
				return 0;
	if (k->n == k->cap && grow(k, e) < 0)
		return -1;
	k->p[k->n++] = key;
	return 1;
}

/* The order in which an object is sorted: equal keys as in the text. */
static int
order_in_text(const struct jsonkey *a, const struct jsonkey *b)
{
	int d = order(a, b);

	return d != 0 ? d : (a->p > b->p) - (a->p < b->p);
}

/* Let entry I of the heap of N at P sink to its place. */
static void
sink(struct jsonkey *p, size_t i, size_t n)
{
	struct jsonkey key = p[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n &&
		    order_in_text(&p[child], &p[child + 1]) < 0)
			child++;
		if (order_in_text(&key, &p[child]) >= 0)
			break;
		p[i] = p[child];
		i = child;
	}
	p[i] = key;
}

/* Heapsort: no memory, and no input that makes it slow. */
static void
sort(struct jsonkey *p, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		sink(p, i, n);
	for (size_t i = n; i-- > 1;) {
		struct jsonkey last = p[i];

		p[i] = p[0];
		p[0] = last;
		sink(p, 0, i);
	}
}

const char *
jsonkeys_close(struct jsonkeys *k, size_t from, size_t *n)
{
	struct jsonkey *p = k->p + from;
	const struct jsonkey *found = NULL;
	size_t count = k->n - from;

	k->n = from;
	if (count <= JSONKEYS_FEW)
		return NULL;
	sort(p, count);
	for (size_t i = 1; i < count; i++)
		if (order(&p[i - 1], &p[i]) == 0 &&
		    (found == NULL || p[i].p < found->p))
			found = &p[i];
	if (found == NULL)
		return NULL;
	*n = found->n;
	return found->p;
}
