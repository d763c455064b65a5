#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "frame.h"
#include "le.h"
#include "table.h"

#define PREFIX_SIZE 12
#define PIECE 4096

struct table {
	uint64_t entries;
	uint64_t frames;	/* of data */
	uint64_t records;
	/*
	 * Packed numbers, seven bits a byte.  Of a skippable frame: size * 2.
	 * Of a data frame: size * 2 + 1, plain, records.
	 */
	struct buf index;
	/* Of a record: chosen, rejected, number of audios, their tokens. */
	struct buf lengths;
};

/* What is put goes through a piece of memory, or is only counted. */
struct out {
	const struct table_sink *sink;	/* NULL: count */
	uint64_t total;
	size_t n;
	char piece[PIECE];
};

struct table *
table_new(struct err *e)
{
	struct table *t = calloc(1, sizeof *t);

	if (t == NULL)
		(void)err_memory(e);
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	buf_free(&t->index);
	buf_free(&t->lengths);
	free(t);
}

/* Append V, packed, to B. */
static int
pack(struct buf *b, uint64_t v, struct err *e)
{
	char bytes[10];
	size_t n = 0;

	for (; v >= 0x80; v >>= 7)
		bytes[n++] = (char)(v | 0x80);
	bytes[n++] = (char)v;
	return buf_put(b, bytes, n, e);
}

/* The packed number at *P, which moves behind it. */
static uint64_t
unpack(const char **p)
{
	uint64_t v = 0;
	unsigned shift = 0;
	unsigned char c;

	do {
		c = (unsigned char)*(*p)++;
		v |= (uint64_t)(c & 0x7f) << shift;
		shift += 7;
	} while (c & 0x80);
	return v;
}

/* Room for N more entries, of frames of SIZE bytes with PLAIN. */
static int
count_entries(struct table *t, unsigned n, uint64_t size, uint64_t plain,
    struct err *e)
{
	if (t->entries + n > TABLE_ENTRIES_MAX) {
		(void)err_set(e, ERR_SYSTEM,
		    "a shard holds at most 2^27 frames, and this one is full");
		return err_hint(e, "make several: jsonl-split --share I/K");
	}
	if (size > UINT32_MAX || plain > UINT32_MAX)
		return err_set(e, ERR_SYSTEM, "a frame of %llu bytes is more "
		    "than a seek table holds",
		    (unsigned long long)(size > plain ? size : plain));
	t->entries += n;
	return 0;
}

int
table_add_skippable(struct table *t, uint64_t size, struct err *e)
{
	if (count_entries(t, 1, size, 0, e) < 0)
		return -1;
	return pack(&t->index, size * 2, e);
}

int
table_add_data(struct table *t, uint64_t size, uint64_t plain,
    uint32_t records, const struct stream_lengths *lengths, struct err *e)
{
	static const struct stream_lengths none;

	if (count_entries(t, 2, size, plain, e) < 0 ||
	    pack(&t->index, size * 2 + 1, e) < 0 ||
	    pack(&t->index, plain, e) < 0 ||
	    pack(&t->index, records, e) < 0)
		return -1;
	for (uint32_t i = 0; i < records; i++) {
		const struct stream_lengths *l = lengths ? &lengths[i] : &none;

		if (pack(&t->lengths, l->chosen, e) < 0 ||
		    pack(&t->lengths, l->rejected, e) < 0 ||
		    pack(&t->lengths, l->n_audios, e) < 0)
			return -1;
		for (uint32_t k = 0; k < l->n_audios; k++)
			if (pack(&t->lengths, l->audio[k], e) < 0)
				return -1;
	}
	t->frames++;
	t->records += records;
	return 0;
}

/* Hand on what O holds. */
static int
flush(struct out *o, struct err *e)
{
	size_t n = o->n;

	o->n = 0;
	o->total += n;
	if (o->sink == NULL || n == 0)
		return 0;
	return o->sink->put(o->sink->self, o->piece, n, e);
}

/* Put N bytes, far fewer than a piece. */
static int
put(struct out *o, const void *p, size_t n, struct err *e)
{
	if (n > PIECE - o->n && flush(o, e) < 0)
		return -1;
	memcpy(o->piece + o->n, p, n);
	o->n += n;
	return 0;
}

static int
put_text(struct out *o, const char *s, struct err *e)
{
	return put(o, s, strlen(s), e);
}

/* Put V in decimal, behind a comma but for the FIRST. */
static int
put_number(struct out *o, uint64_t v, bool first, struct err *e)
{
	char digits[24], *p = digits + sizeof digits;

	do
		*--p = (char)('0' + v % 10);
	while ((v /= 10) > 0);
	if (!first)
		*--p = ',';
	return put(o, p, (size_t)(digits + sizeof digits - p), e);
}

/* Put the number of records of each data frame. */
static int
put_records(struct out *o, const struct table *t, struct err *e)
{
	const char *p = t->index.p;

	for (uint64_t i = 0; i < t->frames; ) {
		if ((unpack(&p) & 1) == 0)
			continue;
		(void)unpack(&p);
		if (put_number(o, unpack(&p), i == 0, e) < 0)
			return -1;
		i++;
	}
	return 0;
}

enum side { CHOSEN, REJECTED, AUDIO };

/* Put SIDE of each record. */
static int
put_side(struct out *o, const struct table *t, enum side side, struct err *e)
{
	const char *p = t->lengths.p;

	for (uint64_t i = 0; i < t->records; i++) {
		uint64_t chosen = unpack(&p), rejected = unpack(&p);
		uint64_t n = unpack(&p);

		if (side != AUDIO && put_number(o,
		    side == CHOSEN ? chosen : rejected, i == 0, e) < 0)
			return -1;
		if (side == AUDIO && put_text(o, i == 0 ? "[" : ",[", e) < 0)
			return -1;
		for (uint64_t k = 0; k < n; k++) {
			uint64_t tokens = unpack(&p);

			if (side == AUDIO &&
			    put_number(o, tokens, k == 0, e) < 0)
				return -1;
		}
		if (side == AUDIO && put_text(o, "]", e) < 0)
			return -1;
	}
	return 0;
}

/* Put the JSON of the lengths frame, and flush. */
static int
put_lengths(struct out *o, const struct table *t, struct err *e)
{
	if (put_text(o, "{\"records\":[", e) < 0 ||
	    put_records(o, t, e) < 0 ||
	    put_text(o, "],\"chosen\":[", e) < 0 ||
	    put_side(o, t, CHOSEN, e) < 0 ||
	    put_text(o, "],\"rejected\":[", e) < 0 ||
	    put_side(o, t, REJECTED, e) < 0 ||
	    put_text(o, "],\"audio\":[", e) < 0 ||
	    put_side(o, t, AUDIO, e) < 0 ||
	    put_text(o, "]}", e) < 0)
		return -1;
	return flush(o, e);
}

/* Put the header of a skippable frame of N bytes. */
static int
put_skippable(struct out *o, uint32_t magic, uint64_t n, struct err *e)
{
	char head[8];

	if (n > UINT32_MAX - 8)
		return err_set(e, ERR_SYSTEM, "the lengths of the records take "
		    "%llu bytes, more than a frame holds",
		    (unsigned long long)n);
	le_put32(head, magic);
	le_put32(head + 4, (uint32_t)n);
	return put(o, head, sizeof head, e);
}

int
table_put_lengths(struct table *t, const struct table_sink *sink,
    struct err *e)
{
	struct out o = { 0 };

	/* The header says how long it is: count first. */
	if (put_lengths(&o, t, e) < 0)
		return -1;
	o.sink = sink;
	if (table_add_skippable(t, 8 + o.total, e) < 0 ||
	    put_skippable(&o, FRAME_MAGIC_LENGTHS, o.total, e) < 0)
		return -1;
	return put_lengths(&o, t, e);
}

void
table_entry(void *p, uint64_t size, uint64_t plain)
{
	le_put32(p, (uint32_t)size);
	le_put32((char *)p + 4, (uint32_t)plain);
}

void
table_footer(void *p, uint64_t n)
{
	char *c = p;

	le_put32(c, (uint32_t)n);
	c[4] = 0;
	le_put32(c + 5, TABLE_FOOTER_MAGIC);
}

/* Put the entries of the next frame, whose packed index is at *P: one, or
 * two for a data frame and its prefix; how many, or -1. */
static int
put_entries(struct out *o, const char **p, struct err *e)
{
	char entry[TABLE_ENTRY];
	uint64_t v = unpack(p), plain = 0;

	if (v & 1) {
		table_entry(entry, PREFIX_SIZE, 0);
		if (put(o, entry, sizeof entry, e) < 0)
			return -1;
		plain = unpack(p);
		(void)unpack(p);
	}
	table_entry(entry, v >> 1, plain);
	return put(o, entry, sizeof entry, e) < 0 ? -1 : 1 + (int)(v & 1);
}

int
table_put(const struct table *t, const struct table_sink *sink,
    struct err *e)
{
	struct out o = { .sink = sink };
	char footer[TABLE_FOOTER];
	const char *p = t->index.p;

	if (put_skippable(&o, FRAME_MAGIC_TABLE,
	    t->entries * TABLE_ENTRY + TABLE_FOOTER, e) < 0)
		return -1;
	for (uint64_t i = 0; i < t->entries; ) {
		int n = put_entries(&o, &p, e);

		if (n < 0)
			return -1;
		i += (unsigned)n;
	}
	table_footer(footer, t->entries);
	if (put(&o, footer, sizeof footer, e) < 0)
		return -1;
	return flush(&o, e);
}
