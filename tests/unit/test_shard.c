#include <errno.h>

#include "content.h"
#include "endmark.h"
#include "jsonscan.h"
#include "le.h"
#include "shard.h"
#include "source.h"
#include "streams.h"
#include "table.h"

static struct shard *
open_shard(const struct buf *b, int *fd)
{
	struct err e = { 0 };
	struct shard *s;

	*fd = file_of(b->p, b->n);
	if (shard_new(*fd, 1 << 20, &s, &e) != 1)
		fail_msg("not usable: %s", e.text);
	return s;
}

/* Whether the file of B can be used. */
static int
usable(const struct buf *b)
{
	struct err e = { 0 };
	struct shard *s = NULL;
	int fd = file_of(b->p, b->n);
	int rc = shard_new(fd, 1 << 20, &s, &e);

	assert_true(rc >= 0);
	assert_int_equal(rc, s != NULL);
	shard_free(s);
	(void)close(fd);
	return rc;
}

/* Record NUMBER of S is the one that has LOCAL written in it. */
static void
record_is(struct shard *s, uint64_t number, unsigned local)
{
	struct err e = { 0 };
	struct content_record r;
	char want[64];
	int n = snprintf(want, sizeof want, "{\"number\":%u%s}", local,
	    local % 3 == 2 ? ",\"error\":{}" : "");

	if (shard_read(s, number, &r, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(r.n, n);
	assert_memory_equal(r.p, want, r.n);
	assert_false(r.image);
}

static void
each_record_is_found_by_its_number(void **state)
{
	(void)state;
	for (int level = 0; level < 2; level++) {
		struct buf b = { 0 };
		unsigned n = put_stream(&b, "x", 100, level, true);
		int fd;
		struct shard *s = open_shard(&b, &fd);

		assert_int_equal(shard_records(s), n);
		assert_int_equal(shard_frames(s), 100);
		for (unsigned i = 0; i < n; i++)
			record_is(s, i, i);
		for (unsigned i = n; i-- > 0; )
			record_is(s, i, i);
		for (unsigned i = 0; i < 3 * n; i++)
			record_is(s, i * 67 % n, i * 67 % n);
		record_is(s, 5, 5);
		record_is(s, 5, 5);
		shard_free(s);
		(void)close(fd);
		buf_free(&b);
	}
}

static void
beyond_the_last_there_is_none(void **state)
{
	struct buf b = { 0 };
	struct content_record r;
	struct err e = { 0 };
	unsigned n = put_stream(&b, "x", 4, 0, true);
	int fd;
	struct shard *s = open_shard(&b, &fd);

	(void)state;
	assert_int_equal(shard_read(s, n, &r, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	assert_int_equal(shard_read(s, UINT64_MAX, &r, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	record_is(s, n - 1, n - 1);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
}

static void
joined_shards_are_one_sequence(void **state)
{
	struct buf b = { 0 }, lengths = { 0 };
	struct err e = { 0 };
	unsigned first = put_stream(&b, "x", 7, 0, true);
	unsigned none = put_stream(&b, "x", 0, 0, true);
	unsigned second = put_stream(&b, "y", 40, 1, true);
	int fd;
	struct shard *s = open_shard(&b, &fd);

	(void)state;
	assert_int_equal(none, 0);
	assert_int_equal(shard_records(s), first + second);
	for (unsigned i = 0; i < first + second; i++)
		record_is(s, i, i < first ? i : i - first);
	/* Sections come in the order of the file. */
	assert_int_equal(shard_lengths(s, 0, &lengths, &e), 1);
	assert_int_equal(buf_putc(&lengths, '\0', &e), 0);
	assert_non_null(strstr(lengths.p, "{\"records\":[1,2,3,1,2,3,1],"));
	buf_clear(&lengths);
	assert_int_equal(shard_lengths(s, 1, &lengths, &e), 1);
	assert_memory_equal(lengths.p, "{\"records\":[],", 14);
	assert_int_equal(shard_lengths(s, 2, &lengths, &e), 1);
	assert_int_equal(shard_lengths(s, 3, &lengths, &e), 0);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
	buf_free(&lengths);
}

static void
what_cannot_be_sought_in_is_not_usable(void **state)
{
	struct buf b = { 0 }, other = { 0 };
	struct err e = { 0 };
	struct shard *s;
	int fds[2];

	(void)state;
	assert_int_equal(usable(&b), 0);
	(void)put_stream(&b, "x", 5, 0, false);
	assert_int_equal(usable(&b), 0);
	(void)put_stream(&b, "x", 5, 0, true);	/* a shard behind a stream */
	assert_int_equal(usable(&b), 0);
	buf_clear(&b);
	(void)put_stream(&b, "x", 5, 0, true);
	assert_int_equal(usable(&b), 1);
	/* Anything before, behind, or missing. */
	assert_int_equal(frame_skippable(0x184d2a55, "", 0, &other, &e), 0);
	assert_int_equal(buf_put(&other, b.p, b.n, &e), 0);
	assert_int_equal(usable(&other), 0);
	for (size_t n = b.n; n-- > 0; ) {
		struct buf cut = { b.p, n, n };

		assert_int_equal(usable(&cut), 0);
	}
	assert_int_equal(frame_skippable(0x184d2a55, "", 0, &b, &e), 0);
	assert_int_equal(usable(&b), 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(shard_new(fds[0], 1 << 20, &s, &e), 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
	buf_free(&b);
	buf_free(&other);
}

/* A section made by hand; what is not said is as it should be. */
struct forged {
	const char *content;		/* of its one data frame */
	const char *lengths;		/* the body of its lengths frame, or
					 * NULL: seven bytes, no frame */
	struct endmark mark;
	unsigned lengths_magic;		/* added to it */
	unsigned mark_size;		/* added to what the table says */
	unsigned table_size;		/* added to what its frame says */
	char flags;			/* of the table's footer */
	unsigned mark_magic;		/* added to the end marker's */
	unsigned early;			/* the table has the data frame begin
					 * so many bytes too early */
};

/* Put the section that F is: a data frame first, without provenance. */
static struct buf
forge(const struct forged *f)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf b = { 0 };
	char table[8 + 4 * TABLE_ENTRY + TABLE_FOOTER];
	size_t ends[3];

	assert_non_null(c);
	assert_int_equal(frame_compress(c, 0, f->content, strlen(f->content),
	    &b, &e), 0);
	ends[0] = b.n;
	assert_int_equal(f->lengths == NULL ? buf_put(&b, "1234567", 7, &e) :
	    frame_skippable(FRAME_MAGIC_LENGTHS + f->lengths_magic,
	    f->lengths, strlen(f->lengths), &b, &e), 0);
	ends[1] = b.n;
	assert_int_equal(endmark_frame(&f->mark, &b, &e), 0);
	le_put32(b.p + ends[1], FRAME_MAGIC_END + f->mark_magic);
	ends[2] = b.n;
	le_put32(table, FRAME_MAGIC_TABLE);
	le_put32(table + 4, (uint32_t)sizeof table - 8 + f->table_size);
	table_entry(table + 8, 12 - f->early, 0);
	table_entry(table + 8 + TABLE_ENTRY, ends[0] - 12 + f->early,
	    strlen(f->content));
	table_entry(table + 8 + 2 * TABLE_ENTRY, ends[1] - ends[0], 0);
	table_entry(table + 8 + 3 * TABLE_ENTRY, ends[2] - ends[1] +
	    f->mark_size, 0);
	table_footer(table + 8 + 4 * TABLE_ENTRY, 4);
	table[8 + 4 * TABLE_ENTRY + 4] = f->flags;
	assert_int_equal(buf_put(&b, table, sizeof table, &e), 0);
	frame_codec_free(c);
	return b;
}

#define ONE "{\"number\":0}\n"
#define TWELVE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE ONE
#define MARK(n) { .frames = 1, .records = (n), .table = true }

static void
a_section_by_hand_is_one(void **state)
{
	static const struct forged right[] = {
		{ ONE, "{\"records\":[1],\"x\":[]}", MARK(1), 0, 0, 0, 0,
		    0, 0 },
		{ TWELVE, "{\"records\":[12]}", MARK(12), 0, 0, 0, 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct buf b = forge(&right[i]), two = { 0 };
		struct err e = { 0 };
		int fd;
		struct shard *s = open_shard(&b, &fd);

		assert_int_equal(shard_records(s), i == 0 ? 1 : 12);
		record_is(s, shard_records(s) - 1, 0);
		shard_free(s);
		(void)close(fd);
		/* And two of them, of which neither begins with others. */
		assert_int_equal(buf_put(&two, b.p, b.n, &e), 0);
		assert_int_equal(buf_put(&two, b.p, b.n, &e), 0);
		s = open_shard(&two, &fd);
		assert_int_equal(shard_records(s), i == 0 ? 2 : 24);
		record_is(s, shard_records(s) - 1, 0);
		shard_free(s);
		(void)close(fd);
		buf_free(&b);
		buf_free(&two);
	}
}

/* What stands in the frames of a section, and nothing of it is data. */
struct bare {
	const char *first;	/* a frame's body; NULL: no frame */
	size_t lengths;		/* bytes of lengths, blanks and all */
	size_t mark;		/* bytes of end marker, or of what is none */
};

/* Append to B a skippable frame of N bytes, header and all: BODY, and
 * blanks. */
static void
put_padded(struct buf *b, uint32_t magic, const char *body, size_t n)
{
	struct err e = { 0 };
	size_t start = b->n;

	assert_int_equal(frame_skippable(magic, body, strlen(body), b, &e),
	    0);
	while (b->n < start + n)
		assert_int_equal(buf_putc(b, ' ', &e), 0);
	b->n = start + n;
	if (n >= 8)
		le_put32(b->p + start + 4, (uint32_t)n - 8);
}

/* Whether F can be used; it has no records. */
static bool
bare_usable(const struct bare *f)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char table[8 + 3 * TABLE_ENTRY + TABLE_FOOTER], *entry = table + 8;
	size_t n = f->first == NULL ? 2 : 3;
	int rc;

	if (f->first != NULL) {
		put_padded(&b, 0x184d2a55, f->first, 8 + strlen(f->first));
		table_entry(entry, b.n, 0);
		entry += TABLE_ENTRY;
	}
	put_padded(&b, FRAME_MAGIC_LENGTHS, "{\"records\":[]}", f->lengths);
	table_entry(entry, f->lengths, 0);
	put_padded(&b, FRAME_MAGIC_END, "{\"frames\":0,\"records\":0,"
	    "\"errors\":0,\"rejected\":0,\"table\":true,"
	    "\"digest\":\"0000000000000000\"}", f->mark);
	table_entry(entry + TABLE_ENTRY, f->mark, 0);
	table_footer(entry + 2 * TABLE_ENTRY, n);
	le_put32(table, FRAME_MAGIC_TABLE);
	le_put32(table + 4, (uint32_t)(n * TABLE_ENTRY + TABLE_FOOTER));
	assert_int_equal(buf_put(&b, table, 8 + n * TABLE_ENTRY +
	    TABLE_FOOTER, &e), 0);
	rc = usable(&b);
	buf_free(&b);
	return rc > 0;
}

static void
a_section_has_three_frames_and_an_end_of_64_kib_at_most(void **state)
{
	static const struct { struct bare f; bool usable; } is[] = {
		{ { "", 100, 200 }, true },
		{ { NULL, 100, 200 }, false },
		{ { "", 100, 65536 }, true },
		{ { "", 100, 65537 }, false },
		{ { "", 100, 65536 - 512 }, true },
		{ { "", 100, 7 }, false },
		{ { "", 100, 8 }, false },
		{ { "", 100, 0 }, false },
		{ { "", 7, 200 }, false },
		{ { "", 8, 200 }, false },
		{ { "", 0, 200 }, false },
		{ { "x", 200000, 200 }, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++)
		if (bare_usable(&is[i].f) != is[i].usable)
			fail_msg("number %zu", i);
}

/* Lengths are read 64 KiB at a time, and their end may be anywhere. */
static void
the_last_byte_of_the_lengths_may_be_the_first_of_a_piece(void **state)
{
	static const char head[] = "{\"records\":[";
	static char lengths[65536 + 20];

	(void)state;
	for (size_t n = 65536 - 3; n < 65536 + 4; n++) {
		const struct forged f = { .content = ONE, .lengths = lengths,
		    .mark = MARK(1) };
		struct buf b;

		memset(lengths, '0', n);
		memcpy(lengths, head, sizeof head - 1);
		memcpy(lengths + n - 2, "1]", 3);
		b = forge(&f);
		if (usable(&b) != 1)
			fail_msg("%zu bytes are not", n);
		buf_free(&b);
	}
}

/* Record numbers are what 32 bits can count. */
static void
a_frame_may_say_that_it_holds_as_many_as_32_bits_can_count(void **state)
{
	static const struct forged most = { .content = ONE,
	    .lengths = "{\"records\":[4294967295]}",
	    .mark = MARK(UINT32_MAX) };
	struct content_record r;
	struct err e = { 0 };
	struct buf b = forge(&most);
	int fd;
	struct shard *s = open_shard(&b, &fd);

	(void)state;
	assert_int_equal(shard_records(s), UINT32_MAX);
	record_is(s, 0, 0);
	assert_int_equal(shard_read(s, UINT32_MAX - 1, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(shard_read(s, UINT32_MAX, &r, &e), -1);
	assert_int_equal(e.kind, ERR_ABSENT);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
}

static void
a_section_that_contradicts_itself_is_not_usable(void **state)
{
	static const struct forged wrong[] = {
		{ ONE, "{\"records\":[1]}", { 1, 1, 0, 0, false, 0 }, 0, 0, 0,
		    0, 0, 0 },
		{ ONE, "{\"records\":[1]}", { 2, 1, 0, 0, true, 0 }, 0, 0, 0,
		    0, 0, 0 },
		{ ONE, "{\"records\":[1]}", { 0, 1, 0, 0, true, 0 }, 0, 0, 0,
		    0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(2), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(0), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(1), 1, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(1), 0, 1, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(1), 0, 100000, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(1), 0, 0, 1, 0, 0, 0 },
		{ ONE, "{\"records\":[1]}", MARK(1), 0, 0, 0, 1, 0, 0 },
		{ ONE, "", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"record\":[1]}", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1,", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1,]", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[]", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[,1]", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[ 1]", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[1,0]", MARK(1), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[:]", MARK(10), 0, 0, 0, 0, 0, 0 },
		{ ONE, "{\"records\":[/]", MARK(UINT64_MAX >> 11), 0, 0, 0,
		    0, 0, 0 },
		{ ONE, "{\"records\":[4294967296]", MARK(4294967296), 0, 0, 0,
		    0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct buf b = forge(&wrong[i]);

		if (usable(&b))
			fail_msg("number %zu is", i);
		buf_free(&b);
	}
}

/* Though a frame of no records would agree with it. */
static void
a_section_without_an_end_or_lengths_is_not_usable(void **state)
{
	static const struct forged wrong[] = {
		{ .content = ONE, .lengths = "{\"records\":[0]}",
		    .mark = MARK(0), .mark_magic = 1 },
		{ .content = ONE, .mark = MARK(0) },
		/* No room for the prefix of its data frame. */
		{ .content = ONE, .lengths = "{\"records\":[1]}",
		    .mark = MARK(1), .early = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct buf b = forge(&wrong[i]);

		assert_int_equal(usable(&b), 0);
		buf_free(&b);
	}
}

/* What changes under a shard that has been opened is seen. */
static void
a_frame_that_is_not_there_is_damage(void **state)
{
	static const struct forged few = { ONE, "{\"records\":[2]}", MARK(2),
	    0, 0, 0, 0, 0, 0 };
	struct content_record r;
	struct err e = { 0 };
	struct buf b = forge(&few), lengths = { 0 };
	int fd;
	struct shard *s = open_shard(&b, &fd);

	(void)state;
	record_is(s, 0, 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(shard_read(s, 1, &r, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_non_null(strstr(e.text, "fewer records"));
	}
	/* Some other frame, of the same size, where a prefix was. */
	assert_int_equal(pwrite(fd, "\x53\x2a\x4d\x18", 4, 0), 4);
	assert_int_equal(shard_read(s, 0, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "there is none"));
	e = (struct err){ 0 };
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(shard_read(s, 0, &r, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "there is none"));
	errno = EINTR;		/* of some other call */
	assert_int_equal(shard_lengths(s, 0, &lengths, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(lengths.n, 0);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
	buf_free(&lengths);
}

/* Tables and lengths of more than is read at a time, 64 KiB. */
static void
a_shard_of_many_frames_is_no_other(void **state)
{
	const unsigned frames = 40000;
	struct err e = { 0 };
	struct buf b = { 0 }, lengths = { 0 };
	unsigned n = put_stream(&b, "x", frames, 0, true);
	int fd;
	struct shard *s = open_shard(&b, &fd);

	(void)state;
	assert_int_equal(shard_records(s), n);
	assert_int_equal(shard_frames(s), frames);
	for (unsigned i = 0; i < n; i += 97)
		record_is(s, i, i);
	record_is(s, n - 1, n - 1);
	assert_int_equal(shard_lengths(s, 0, &lengths, &e), 1);
	assert_int_equal(jsonscan_check(lengths.p, lengths.n, NULL, &e), 0);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
	buf_free(&lengths);
}

/* Sections of other lengths than each other's, in the order of the file. */
static void
each_section_has_its_own_lengths(void **state)
{
	struct buf b = { 0 }, lengths = { 0 };
	struct err e = { 0 };
	struct shard *s;
	int fd;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		(void)put_stream(&b, "x", 3 * i, 0, true);
	s = open_shard(&b, &fd);
	for (unsigned i = 0; i < 20; i++) {
		struct jsonspan v;

		buf_clear(&lengths);
		assert_int_equal(shard_lengths(s, i, &lengths, &e), 1);
		v = jsonscan_value(lengths.p, lengths.n);
		assert_int_equal(jsonscan_count(jsonscan_get(v, "records")),
		    3 * i);
	}
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
	buf_free(&lengths);
}

/* Whatever bit is flipped, a record is right, or absent, or a fault. */
static void
a_flipped_bit_never_gives_a_wrong_record(void **state)
{
	struct buf b = { 0 };
	unsigned n = put_stream(&b, "x", 5, 0, true);

	(void)state;
	for (size_t bit = 0; bit < 8 * b.n; bit++) {
		struct err e = { 0 };
		struct content_record r;
		struct shard *s;
		int fd;

		b.p[bit / 8] ^= (char)(1 << bit % 8);
		fd = file_of(b.p, b.n);
		if (shard_new(fd, 1 << 20, &s, &e) == 1) {
			assert_int_equal(shard_records(s), n);
			for (unsigned i = 0; i < n; i++)
				if (shard_read(s, i, &r, &e) == 0)
					record_is(s, i, i);
				else
					assert_true(e.kind == ERR_DAMAGED ||
					    e.kind == ERR_TRUNCATED);
			shard_free(s);
		}
		(void)close(fd);
		b.p[bit / 8] ^= (char)(1 << bit % 8);
	}
	buf_free(&b);
}

/* The stream reader's own offset is not the shard's affair. */
static void
the_descriptors_offset_is_left_alone(void **state)
{
	struct buf b = { 0 };
	int fd;
	struct shard *s;

	(void)state;
	(void)put_stream(&b, "x", 5, 0, true);
	s = open_shard(&b, &fd);
	assert_int_equal(lseek(fd, 17, SEEK_SET), 17);
	record_is(s, 3, 3);
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 17);
	shard_free(s);
	(void)close(fd);
	buf_free(&b);
}

static void
content_is_lines_or_one_image(void **state)
{
	struct content c = { "a\n\nbc", 5, 0 };
	struct content_record r;

	(void)state;
	assert_true(content_next(&c, &r));
	assert_int_equal(r.n, 1);
	assert_true(content_next(&c, &r));
	assert_int_equal(r.n, 0);
	assert_true(content_next(&c, &r));
	assert_int_equal(r.n, 2);
	assert_memory_equal(r.p, "bc", 2);
	assert_false(content_next(&c, &r));
	c = (struct content){ "1234567\0\n34\n", 12, 0 };
	assert_true(content_next(&c, &r));
	assert_true(r.image);
	assert_int_equal(r.n, 12);
	assert_false(content_next(&c, &r));
	c = (struct content){ "\n234567\0\n34\n", 12, 1 };
	assert_true(content_next(&c, &r));
	assert_false(r.image);
	c = (struct content){ "", 0, 0 };
	assert_false(content_next(&c, &r));
}

/* A million records and their lengths take some fifteen bytes each. */
static void
a_full_table_is_refused_and_a_long_one_is_small(void **state)
{
	struct err e = { 0 };
	struct table *t = table_new(&e);
	uint32_t audio = 750;
	struct stream_lengths row = { 2048, 2048, 1, &audio };

	(void)state;
	assert_non_null(t);
	assert_int_equal(table_add_data(t, (uint64_t)UINT32_MAX + 1, 1, 1,
	    &row, &e), -1);
	assert_int_equal(table_add_data(t, 1, (uint64_t)UINT32_MAX + 1, 1,
	    &row, &e), -1);
	assert_int_equal(table_add_skippable(t, (uint64_t)UINT32_MAX + 1,
	    &e), -1);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(table_add_data(t, 400000, 380000, 1, &row,
		    &e), 0);
	table_free(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_record_is_found_by_its_number),
		cmocka_unit_test(beyond_the_last_there_is_none),
		cmocka_unit_test(joined_shards_are_one_sequence),
		cmocka_unit_test(what_cannot_be_sought_in_is_not_usable),
		cmocka_unit_test(a_section_by_hand_is_one),
		cmocka_unit_test(
		    a_section_has_three_frames_and_an_end_of_64_kib_at_most),
		cmocka_unit_test(
		    the_last_byte_of_the_lengths_may_be_the_first_of_a_piece),
		cmocka_unit_test(
		    a_frame_may_say_that_it_holds_as_many_as_32_bits_can_count),
		cmocka_unit_test(
		    a_section_that_contradicts_itself_is_not_usable),
		cmocka_unit_test(
		    a_section_without_an_end_or_lengths_is_not_usable),
		cmocka_unit_test(a_frame_that_is_not_there_is_damage),
		cmocka_unit_test(a_shard_of_many_frames_is_no_other),
		cmocka_unit_test(each_section_has_its_own_lengths),
		cmocka_unit_test(a_flipped_bit_never_gives_a_wrong_record),
		cmocka_unit_test(the_descriptors_offset_is_left_alone),
		cmocka_unit_test(content_is_lines_or_one_image),
		cmocka_unit_test(
		    a_full_table_is_refused_and_a_long_one_is_small),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
