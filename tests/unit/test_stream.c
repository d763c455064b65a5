#include "checksum.h"
#include "endmark.h"
#include "le.h"
#include "streams.h"

/* Where the frames of a stream lie: prefix and data are one piece. */
struct pieces {
	size_t at[64], end[64];
	uint32_t magic[64];
	size_t n;
};

static struct pieces
split(const struct buf *b)
{
	struct pieces p = { .n = 0 };
	size_t at = 0;

	while (at < b->n) {
		uint32_t n = le_get32(b->p + at + 4);

		assert_true(p.n < 64);
		p.magic[p.n] = le_get32(b->p + at);
		p.at[p.n] = at;
		at += 8 + n;
		if (p.magic[p.n] == FRAME_MAGIC_PREFIX)
			at += le_get32(b->p + at - 4);
		p.end[p.n++] = at;
	}
	return p;
}

/* The first piece of MAGIC. */
static size_t
find(const struct pieces *p, uint32_t magic)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->magic[i] == magic)
			return i;
	fail();
	return 0;
}

static void
put_piece(struct buf *out, const struct buf *b, const struct pieces *p,
    size_t i)
{
	struct err e = { 0 };

	assert_int_equal(buf_put(out, b->p + p->at[i], p->end[i] - p->at[i],
	    &e), 0);
}

static void
what_is_written_is_read(void **state)
{
	static const int levels[] = { 0, 1, 3, -1 };

	(void)state;
	for (int l = 0; l < 4; l++)
		for (int table = 0; table < 2; table++) {
			struct buf b = { 0 };
			struct got g = { 0 };
			unsigned n = put_stream(&b, "second", 9, levels[l],
			    table);
			unsigned i = 0;

			if (read_bytes(b.p, b.n, false, &g) < 0)
				fail_msg("%s", g.e.text);
			assert_int_equal(n, 18);
			assert_int_equal(g.changes, 1);
			assert_int_equal(g.sums.frames, 9);
			assert_int_equal(g.sums.records, 18);
			assert_int_equal(g.sums.errors, 6);
			assert_int_equal(g.sums.rejected, 7);
			assert_int_equal(occurrences(g.programs.p,
			    g.programs.n, "\"program\":\"second\""), 1);
			assert_int_equal(occurrences(g.content.p,
			    g.content.n, "\"number\":"), 18);
			for (char *p = g.content.p; i < n;
			    p = strchr(p, '\n') + 1)
				assert_int_equal(atoi(p + 10), (int)i++);
			got_free(&g);
			buf_free(&b);
		}
}

static void
a_stream_without_records_is_a_stream(void **state)
{
	(void)state;
	for (int table = 0; table < 2; table++) {
		struct buf b = { 0 };
		struct got g = { 0 };

		(void)put_stream(&b, "second", 0, 0, table);
		assert_int_equal(read_bytes(b.p, b.n, false, &g), 0);
		assert_int_equal(g.changes, 1);
		assert_int_equal(g.sums.records, 0);
		assert_int_equal(g.content.n, 0);
		got_free(&g);
		buf_free(&b);
	}
}

/* A stream cut at any byte at all is truncated, never a shorter stream. */
static void
cut_anywhere_is_truncated(void **state)
{
	(void)state;
	for (int table = 0; table < 2; table++) {
		struct buf b = { 0 };
		struct got g = { 0 };
		int fd;

		(void)put_stream(&b, "second", 4, table, table);
		fd = file_of(b.p, b.n);
		for (size_t n = b.n; n-- > 0; ) {
			assert_int_equal(ftruncate(fd, (off_t)n), 0);
			assert_int_equal(read_fd(fd, false, &g), -1);
			assert_int_equal(g.e.kind, ERR_TRUNCATED);
		}
		(void)close(fd);
		got_free(&g);
		buf_free(&b);
	}
}

/*
 * Of the stored stream every bit; of the compressed one, a bit may be such
 * that libzstd gives the same bytes for it.  What the end marker says of
 * rejects, which nobody can check, is the one exception.
 */
static void
a_flipped_bit_is_found_or_harmless(void **state)
{
	(void)state;
	for (int level = 0; level < 4; level += 3) {
		struct buf b = { 0 };
		struct got want = { 0 }, g = { 0 };
		struct pieces p;
		size_t harmless = 0, rejected = 0;

		(void)put_stream(&b, "second", 4, level, true);
		assert_int_equal(read_bytes(b.p, b.n, false, &want), 0);
		p = split(&b);
		for (size_t bit = 0; bit < 8 * b.n; bit++) {
			int rc;

			b.p[bit / 8] ^= (char)(1 << bit % 8);
			rc = read_bytes(b.p, b.n, false, &g);
			b.p[bit / 8] ^= (char)(1 << bit % 8);
			if (rc < 0)
				continue;
			assert_int_equal(g.content.n, want.content.n);
			assert_memory_equal(g.content.p, want.content.p,
			    g.content.n);
			assert_int_equal(g.programs.n, want.programs.n);
			assert_memory_equal(g.programs.p, want.programs.p,
			    g.programs.n);
			if (g.sums.rejected != want.sums.rejected) {
				size_t i = find(&p, FRAME_MAGIC_END);

				assert_true(bit / 8 > p.at[i]);
				assert_true(bit / 8 < p.end[i]);
				rejected++;
			} else {
				harmless++;
			}
		}
		/* Of "7" the lowest three bits make another digit of it. */
		assert_true(rejected <= 3);
		if (level == 0)
			assert_int_equal(harmless, 0);
		assert_true(harmless < 64);
		got_free(&want);
		got_free(&g);
		buf_free(&b);
	}
}

/* The pieces of B in the ORDER of N numbers: whether they are a stream. */
static bool
is_stream(const struct buf *b, const struct pieces *p, const size_t *order,
    size_t n)
{
	struct buf other = { 0 };
	struct got g = { 0 };
	bool is;

	for (size_t i = 0; i < n; i++)
		put_piece(&other, b, p, order[i]);
	is = read_bytes(other.p, other.n, false, &g) == 0;
	got_free(&g);
	buf_free(&other);
	return is;
}

static void
a_frame_moved_doubled_or_lost_is_found(void **state)
{
	(void)state;
	for (int table = 0; table < 2; table++) {
		struct buf b = { 0 };
		struct pieces p;
		size_t all[64], order[128], n;

		(void)put_stream(&b, "second", 5, 0, table);
		p = split(&b);
		n = p.n;
		for (size_t i = 0; i < n; i++)
			all[i] = i;
		assert_true(is_stream(&b, &p, all, n));
		for (size_t i = 0; i < n; i++) {
			/* Lost. */
			memcpy(order, all, sizeof all);
			memmove(order + i, order + i + 1,
			    (n - i - 1) * sizeof *order);
			assert_false(is_stream(&b, &p, order, n - 1));
			/* Doubled. */
			memcpy(order, all, sizeof all);
			memmove(order + i + 1, order + i,
			    (n - i) * sizeof *order);
			assert_false(is_stream(&b, &p, order, n + 1));
			/* All from it on once more. */
			memcpy(order, all, n * sizeof *order);
			memcpy(order + n, all + i, (n - i) * sizeof *order);
			assert_int_equal(is_stream(&b, &p, order, 2 * n - i),
			    i == 0);
			/* Swapped with another. */
			for (size_t j = 0; j < i; j++) {
				memcpy(order, all, sizeof all);
				order[i] = j;
				order[j] = i;
				assert_false(is_stream(&b, &p, order, n));
			}
		}
		buf_free(&b);
	}
}

static void
joined_streams_are_a_stream(void **state)
{
	struct buf b = { 0 };
	struct got g = { 0 };
	unsigned n = 0;

	(void)state;
	n += put_stream(&b, "one", 3, 0, false);
	n += put_stream(&b, "two", 4, 1, true);
	n += put_stream(&b, "two", 0, 1, true);
	n += put_stream(&b, "three", 5, 0, false);
	assert_int_equal(read_bytes(b.p, b.n, false, &g), 0);
	assert_int_equal(g.sums.records, n);
	assert_int_equal(g.sums.frames, 12);
	assert_int_equal(g.sums.rejected, 28);
	assert_int_equal(g.changes, 3);
	got_free(&g);
	buf_free(&b);
}

static void
empty_input_is_truncation(void **state)
{
	struct got g = { 0 };

	(void)state;
	assert_int_equal(read_bytes("", 0, false, &g), -1);
	assert_int_equal(g.e.kind, ERR_TRUNCATED);
	assert_true(g.e.hint[0] != '\0');
	assert_int_equal(read_bytes("", 0, true, &g), 0);
	got_free(&g);
}

static void
text_is_no_stream_and_the_hint_says_what_makes_one(void **state)
{
	struct got g = { 0 };

	(void)state;
	assert_int_equal(read_bytes("{\"messages\":[]}\n", 16, false, &g), -1);
	assert_int_equal(g.e.kind, ERR_DAMAGED);
	assert_non_null(strstr(g.e.hint, "jsonl-split"));
	got_free(&g);
}

static void
unknown_skippable_frames_are_stepped_over(void **state)
{
	struct buf b = { 0 }, other = { 0 }, big = { 0 };
	struct got g = { 0 };
	struct err e = { 0 };
	struct pieces p;
	unsigned n;

	(void)state;
	n = put_stream(&b, "second", 5, 0, true);
	p = split(&b);
	assert_int_equal(buf_reserve(&big, 300000, &e), 0);
	memset(big.p, 'x', 300000);
	for (size_t i = 0; i <= p.n; i++) {
		buf_clear(&other);
		for (size_t k = 0; k < p.n; k++) {
			if (k == i)
				assert_int_equal(frame_skippable(0x184d2a57,
				    big.p, 300000, &other, &e), 0);
			put_piece(&other, &b, &p, k);
		}
		if (i == p.n)
			assert_int_equal(frame_skippable(0x184d2a50 + 15,
			    "", 0, &other, &e), 0);
		if (read_bytes(other.p, other.n, false, &g) < 0)
			fail_msg("%zu: %s", i, g.e.text);
		assert_int_equal(g.sums.records, n);
	}
	got_free(&g);
	buf_free(&b);
	buf_free(&big);
	buf_free(&other);
}

/* The stream B with the end marker M, its digest as it was. */
static int
with_end(const struct buf *b, const struct endmark *m, struct got *g)
{
	struct pieces p = split(b);
	struct buf other = { 0 };
	struct err e = { 0 };
	int rc;

	for (size_t i = 0; i < p.n; i++)
		if (p.magic[i] != FRAME_MAGIC_END)
			put_piece(&other, b, &p, i);
		else
			assert_int_equal(endmark_frame(m, &other, &e), 0);
	rc = read_bytes(other.p, other.n, false, g);
	buf_free(&other);
	return rc;
}

static void
an_end_marker_that_lies_is_found(void **state)
{
	struct buf b = { 0 };
	struct got g = { 0 };
	struct pieces p;
	struct endmark m = { 0 }, lie;
	struct err e = { 0 };
	size_t i;

	(void)state;
	(void)put_stream(&b, "second", 5, 0, false);
	p = split(&b);
	i = find(&p, FRAME_MAGIC_END);
	assert_int_equal(endmark_parse(b.p + p.at[i] + 8,
	    p.end[i] - p.at[i] - 8, &m, &e), 0);
	assert_int_equal(with_end(&b, &m, &g), 0);
	for (int k = 0; k < 5; k++) {
		lie = m;
		lie.frames += k == 0;
		lie.records -= k == 1;
		lie.errors += k == 2;
		lie.digest ^= k == 3;
		lie.table = k == 4;
		assert_int_equal(with_end(&b, &lie, &g), -1);
		assert_int_equal(g.e.kind,
		    k == 4 ? ERR_TRUNCATED : ERR_DAMAGED);
	}
	got_free(&g);
	buf_free(&b);
}

static void
end_markers_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"", "{", "[]", "7", "{}",
		"{\"frames\":0,\"records\":0,\"errors\":0,\"rejected\":0,"
		    "\"table\":0,\"digest\":\"0123456789abcdef\"}",
		"{\"frames\":0,\"records\":0,\"errors\":0,\"rejected\":0,"
		    "\"table\":true,\"digest\":\"0123456789abcdeF\"}",
		"{\"frames\":0,\"records\":0,\"errors\":0,\"rejected\":0,"
		    "\"table\":true,\"digest\":\"0123456789abcde\"}",
		"{\"frames\":-1,\"records\":0,\"errors\":0,\"rejected\":0,"
		    "\"table\":true,\"digest\":\"0123456789abcdef\"}",
		"{\"frames\":0,\"records\":0.5,\"errors\":0,\"rejected\":0,"
		    "\"table\":true,\"digest\":\"0123456789abcdef\"}",
		"{\"frames\":0,\"records\":0,\"errors\":9007199254740993,"
		    "\"rejected\":0,\"table\":true,"
		    "\"digest\":\"0123456789abcdef\"}",
		"{\"frames\":0,\"frames\":0,\"records\":0,\"errors\":0,"
		    "\"rejected\":0,\"table\":true,"
		    "\"digest\":\"0123456789abcdef\"}",
	};
	struct endmark m;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = { 0 };

		assert_int_equal(endmark_parse(bad[i], strlen(bad[i]), &m,
		    &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
}

static void
a_fragment_needs_neither_provenance_nor_end(void **state)
{
	struct buf b = { 0 }, part = { 0 };
	struct got g = { 0 };
	struct pieces p;

	(void)state;
	(void)put_stream(&b, "second", 6, 0, true);
	p = split(&b);
	/* Any run of whole pieces at all. */
	for (size_t i = 0; i < p.n; i++)
		for (size_t j = i; j < p.n; j++) {
			uint64_t frames = 0;

			buf_clear(&part);
			for (size_t k = i; k <= j; k++) {
				put_piece(&part, &b, &p, k);
				frames += p.magic[k] == FRAME_MAGIC_PREFIX;
			}
			if (read_bytes(part.p, part.n, true, &g) < 0)
				fail_msg("%zu-%zu: %s", i, j, g.e.text);
			assert_int_equal(g.sums.frames, frames);
		}
	/* But a frame cut is a frame cut. */
	for (size_t n = p.at[3] + 1; n < p.end[3]; n++) {
		assert_int_equal(read_bytes(b.p, n, true, &g), -1);
		assert_int_equal(g.e.kind, ERR_TRUNCATED);
	}
	got_free(&g);
	buf_free(&b);
	buf_free(&part);
}

static void
a_prefix_announces_the_frame_behind_it(void **state)
{
	struct buf b = { 0 };
	struct got g = { 0 };
	struct pieces p;
	size_t at;

	(void)state;
	(void)put_stream(&b, "second", 2, 0, false);
	p = split(&b);
	at = p.at[find(&p, FRAME_MAGIC_PREFIX)] + 8;
	for (int by = -3; by < 4; by++) {
		uint32_t n = le_get32(b.p + at);

		if (by == 0)
			continue;
		le_put32(b.p + at, n + (uint32_t)by);
		assert_int_equal(read_bytes(b.p, b.n, false, &g), -1);
		assert_int_equal(g.e.kind, ERR_DAMAGED);
		le_put32(b.p + at, n);
	}
	/* More than its content can need is refused before it is read. */
	le_put32(b.p + at, UINT32_MAX);
	assert_int_equal(read_bytes(b.p, b.n, false, &g), -1);
	assert_int_equal(g.e.kind, ERR_DAMAGED);
	le_put32(b.p + at, 0);
	assert_int_equal(read_bytes(b.p, b.n, false, &g), -1);
	got_free(&g);
	buf_free(&b);
}

static void
a_higher_version_stops_the_reader(void **state)
{
	struct buf b = { 0 };
	struct got g = { 0 };
	char *version;

	(void)state;
	(void)put_stream(&b, "second", 2, 0, false);
	version = b.p + 8 + strlen("{\"ossicle\":");
	assert_int_equal(*version, '1');
	*version = '2';
	assert_int_equal(read_bytes(b.p, b.n, false, &g), -1);
	assert_int_equal(g.e.kind, ERR_DAMAGED);
	assert_non_null(strstr(g.e.text, "version 2"));
	got_free(&g);
	buf_free(&b);
}

/* Writing the chains A, B, B, A, B makes four changes, and a chain that
 * nothing follows is not written. */
static void
provenance_is_written_where_it_changes(void **state)
{
	struct buf a = { 0 }, b = { 0 }, out = { 0 };
	struct got g = { 0 };
	struct err e = { 0 };
	int fd = file_of("", 0);
	struct stream_writer *w = stream_writer_new(fd, true, &e);
	const struct buf *const order[] = { &a, &b, &b, &a, &b };

	(void)state;
	assert_non_null(w);
	put_program(&a, "a");
	put_program(&b, "b");
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(stream_write_provenance(w, order[i], &e), 0);
		write_records(w, 0, 1, i);
	}
	assert_int_equal(stream_write_provenance(w, &a, &e), 0);
	assert_int_equal(stream_write_end(w, 0, &e), 0);
	slurp(fd, &out);
	assert_int_equal(read_bytes(out.p, out.n, false, &g), 0);
	assert_int_equal(g.changes, 4);
	assert_int_equal(occurrences(out.p, out.n, "\"ossicle\""), 4);
	assert_int_equal(g.sums.records, 5);
	stream_writer_free(w);
	(void)close(fd);
	got_free(&g);
	buf_free(&a);
	buf_free(&b);
	buf_free(&out);
}

static void
nothing_is_written_without_provenance(void **state)
{
	struct err e = { 0 };
	struct stream_writer *w = stream_writer_new(1, false, &e);

	(void)state;
	assert_non_null(w);
	assert_int_equal(stream_write_end(w, 0, &e), -1);
	stream_writer_free(w);
}

static void
the_lengths_frame_says_what_was_given(void **state)
{
	static const char want[] =
	    "{\"records\":[1,2,3],\"chosen\":[0,1,2,3,4,5],"
	    "\"rejected\":[0,2,4,6,8,10],\"audio\":[[],[1],[2,102],"
	    "[3,103,203],[],[5]]}";
	struct buf b = { 0 };
	struct pieces p;
	size_t i;

	(void)state;
	(void)put_stream(&b, "second", 3, 0, true);
	p = split(&b);
	i = find(&p, FRAME_MAGIC_LENGTHS);
	assert_int_equal(p.end[i] - p.at[i] - 8, sizeof want - 1);
	assert_memory_equal(b.p + p.at[i] + 8, want, sizeof want - 1);
	buf_free(&b);
}

/* The digest, computed by another hand, and the table's entries. */
static void
digest_and_table_are_as_the_format_says(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	struct checksum *sum = checksum_new(&e);
	struct endmark m;
	struct pieces p;
	const char *entry;
	size_t entries = 0;

	(void)state;
	assert_non_null(sum);
	(void)put_stream(&b, "second", 3, 1, true);
	p = split(&b);
	assert_int_equal(p.magic[p.n - 1], FRAME_MAGIC_TABLE);
	entry = b.p + p.at[p.n - 1] + 8;
	for (size_t i = 0; i < p.n - 1; i++) {
		size_t at = p.at[i];

		if (p.magic[i] == FRAME_MAGIC_PREFIX) {
			assert_int_equal(le_get32(entry), 12);
			assert_int_equal(le_get32(entry + 4), 0);
			entry += 8;
			entries++;
			at += 12;
			checksum_update(sum, b.p + p.end[i] - 4, 4);
			assert_true(le_get32(entry + 4) > 0);
		} else {
			assert_int_equal(le_get32(entry + 4), 0);
		}
		assert_int_equal(le_get32(entry), p.end[i] - at);
		entry += 8;
		entries++;
		if (p.magic[i] == FRAME_MAGIC_PROVENANCE ||
		    p.magic[i] == FRAME_MAGIC_LENGTHS)
			checksum_update(sum, b.p + at, p.end[i] - at);
	}
	assert_int_equal(le_get32(entry), entries);
	assert_int_equal(entry[4], 0);
	assert_int_equal(le_get32(entry + 5), 0x8f92eab1u);
	assert_ptr_equal(entry + 9, b.p + b.n);
	assert_int_equal(endmark_parse(b.p + p.at[p.n - 2] + 8,
	    p.end[p.n - 2] - p.at[p.n - 2] - 8, &m, &e), 0);
	assert_true(m.digest == checksum_value(sum));
	assert_true(m.table);
	checksum_free(sum);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_stream_without_records_is_a_stream),
		cmocka_unit_test(cut_anywhere_is_truncated),
		cmocka_unit_test(a_flipped_bit_is_found_or_harmless),
		cmocka_unit_test(a_frame_moved_doubled_or_lost_is_found),
		cmocka_unit_test(joined_streams_are_a_stream),
		cmocka_unit_test(empty_input_is_truncation),
		cmocka_unit_test(
		    text_is_no_stream_and_the_hint_says_what_makes_one),
		cmocka_unit_test(unknown_skippable_frames_are_stepped_over),
		cmocka_unit_test(an_end_marker_that_lies_is_found),
		cmocka_unit_test(end_markers_that_are_none_are_refused),
		cmocka_unit_test(a_fragment_needs_neither_provenance_nor_end),
		cmocka_unit_test(a_prefix_announces_the_frame_behind_it),
		cmocka_unit_test(a_higher_version_stops_the_reader),
		cmocka_unit_test(provenance_is_written_where_it_changes),
		cmocka_unit_test(nothing_is_written_without_provenance),
		cmocka_unit_test(the_lengths_frame_says_what_was_given),
		cmocka_unit_test(digest_and_table_are_as_the_format_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
