/*
 * table: the index that the writer of a shard keeps, and what it becomes:
 * the lengths frame and the seek table.
 *
 * The seek table is the official one (zstd's contrib/seekable_format):
 * an entry of two u32, compressed and plain size, for each frame before it,
 * skippable ones too; then u32 count, one byte of flags (0), the magic.
 * Kept packed: some 15 bytes a record of one data frame and one audio.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#define TABLE_ENTRIES_MAX (UINT64_C(1) << 27)
#define TABLE_ENTRY 8			/* bytes of an entry */
#define TABLE_FOOTER 9			/* bytes behind the last one */
#define TABLE_FOOTER_MAGIC 0x8f92eab1u

/* What the lengths frame says of one record: tokens of each side and of
 * each audio (N_AUDIOS); zeros where there are none. */
struct stream_lengths {
	uint32_t chosen, rejected;
	uint32_t n_audios;
	const uint32_t *audio;
};

/* Where bytes go. */
struct table_sink {
	int (*put)(void *self, const void *p, size_t n, struct err *e);
	void *self;
};

struct table;

struct table *table_new(struct err *e) ERR_CHECK;
void table_free(struct table *t);	/* T may be NULL */

/* A skippable frame of SIZE bytes follows in the file. */
int table_add_skippable(struct table *t, uint64_t size, struct err *e)
    ERR_CHECK;

/*
 * A prefix and a data frame of SIZE bytes, which holds PLAIN bytes and
 * RECORDS records, follow.  LENGTHS has an entry a record, or is NULL.
 */
int table_add_data(struct table *t, uint64_t size, uint64_t plain,
    uint32_t records, const struct stream_lengths *lengths, struct err *e)
    ERR_CHECK;

/* Put the lengths frame, whole, and enter it in the table. */
int table_put_lengths(struct table *t, const struct table_sink *sink,
    struct err *e) ERR_CHECK;

/* Put the seek table, whole. */
int table_put(const struct table *t, const struct table_sink *sink,
    struct err *e) ERR_CHECK;

/* An entry, at P; the footer of a table of N entries, at P. */
void table_entry(void *p, uint64_t size, uint64_t plain);
void table_footer(void *p, uint64_t n);

#endif
