#include <sys/wait.h>

#include "checksum.h"
#include "frame.h"
#include "le.h"
#include "source.h"
#include "streams.h"

/* Sizes around every change of a header's length, and of a block. */
static const size_t sizes[] = {
	1, 2, 255, 256, 257, 511, 512, 65535, 65536, 65791, 65792, 65793,
	131071, 131072, 131073, 262144, 262145, 1000000
};
#define SIZES (sizeof sizes / sizeof sizes[0])
#define ZSTD "\x28\xb5\x2f\xfd"

/* Read all frames of FD: their contents to PLAIN. */
static int
read_all(int fd, uint64_t plain_max, struct buf *plain, struct err *e)
{
	struct source *s = source_new(fd, plain_max, e);
	struct frame_codec *c = frame_codec_new(e);
	struct frame f = { 0 };
	struct buf content = { 0 };
	int rc;

	assert_non_null(s);
	assert_non_null(c);
	while ((rc = source_read(s, &f, e)) > 0)
		if (f.magic == FRAME_MAGIC_ZSTD &&
		    (frame_expand(c, &f, &content, e) < 0 ||
		    buf_put(plain, content.p, content.n, e) < 0)) {
			rc = -1;
			break;
		}
	buf_free(&content);
	buf_free(&f.raw);
	source_free(s);
	frame_codec_free(c);
	return rc;
}

static int
read_buf(const struct buf *b, uint64_t plain_max, struct buf *plain,
    struct err *e)
{
	int fd = file_of(b->p, b->n);
	int rc = read_all(fd, plain_max, plain, e);

	(void)close(fd);
	return rc;
}

static void
each_size_and_level_comes_back(void **state)
{
	static const int levels[] = { 0, 1, 3, 19, -5, -100 };
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);

	(void)state;
	assert_non_null(c);
	for (size_t l = 0; l < sizeof levels / sizeof levels[0]; l++)
		for (size_t i = 0; i < SIZES; i++) {
			struct buf out = { 0 }, plain = { 0 };
			char *p = noise(sizes[i]);

			assert_int_equal(frame_compress(c, levels[l], p,
			    sizes[i], &out, &e), 0);
			assert_int_equal(le_get32(out.p + 8), out.n - 12);
			if (read_buf(&out, 1 << 20, &plain, &e) < 0)
				fail_msg("%s", e.text);
			assert_int_equal(plain.n, sizes[i]);
			assert_memory_equal(plain.p, p, plain.n);
			free(p);
			buf_free(&out);
			buf_free(&plain);
		}
	frame_codec_free(c);
}

/* However content is cut into parts, the frame is the same. */
static void
parts_give_the_frame_of_the_whole(void **state)
{
	static const size_t cuts[][4] = {
		{ 0, 0, 0, 0 }, { 1, 2, 131072, 262144 },
		{ 131071, 131072, 131073, 299999 },
		{ 150000, 150000, 300000, 300000 },
	};
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	const size_t n = 300000;
	char *p = noise(n);

	(void)state;
	assert_non_null(c);
	for (int level = 0; level < 2; level++)
		for (size_t i = 0; i < 4; i++) {
			struct buf whole = { 0 }, out = { 0 };
			struct frame_part parts[5];

			for (size_t k = 0, at = 0; k < 5; k++) {
				size_t end = k == 4 ? n : cuts[i][k];

				parts[k] = (struct frame_part){ p + at,
				    end - at };
				at = end;
			}
			assert_int_equal(frame_compress(c, level, p, n, &whole,
			    &e), 0);
			assert_int_equal(frame_gather(c, level, parts, 5, &out,
			    &e), 0);
			assert_int_equal(out.n, whole.n);
			assert_memory_equal(out.p, whole.p, out.n);
			buf_free(&whole);
			buf_free(&out);
		}
	frame_codec_free(c);
	free(p);
}

/* A part of nothing need not be anywhere. */
static void
parts_may_be_empty(void **state)
{
	static const struct frame_part parts[] = {
		{ NULL, 0 }, { "ab", 2 }, { NULL, 0 }, { "c", 1 },
		{ NULL, 0 },
	};
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);

	(void)state;
	assert_non_null(c);
	for (int level = 0; level < 2; level++) {
		struct buf out = { 0 }, plain = { 0 };

		assert_int_equal(frame_gather(c, level, parts, 5, &out, &e),
		    0);
		assert_int_equal(read_buf(&out, 10, &plain, &e), 0);
		assert_int_equal(plain.n, 3);
		assert_memory_equal(plain.p, "abc", 3);
		buf_free(&plain);
		buf_clear(&out);
		assert_int_equal(frame_gather(c, level, parts, 1, &out, &e),
		    0);
		assert_int_equal(out.n, 12 + 6 + 3 + 4);
		buf_free(&out);
	}
	frame_codec_free(c);
}

/* None of it is there to be read: it is refused before. */
static void
what_no_frame_can_hold_is_refused(void **state)
{
	static const struct frame_part parts[] = {
		{ NULL, (size_t)UINT32_MAX / 2 + 1 }, { NULL, SIZE_MAX - 9 },
	};
	/* Each has room, but not both. */
	static const struct frame_part both[] = {
		{ NULL, 0x60000000 }, { NULL, 0x60000000 },
	};
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf out = { 0 };

	(void)state;
	assert_non_null(c);
	for (size_t n = 1; n <= 2; n++) {
		assert_int_equal(frame_gather(c, 0, parts, n, &out, &e), -1);
		assert_int_equal(e.kind, ERR_SYSTEM);
		assert_non_null(strstr(e.text, "more than the format holds"));
	}
	assert_int_equal(frame_gather(c, 0, both, 2, &out, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(frame_skippable(FRAME_MAGIC_END, NULL,
	    (size_t)UINT32_MAX - 7, &out, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(out.n, 0);
	/* And room is made for one that just does not fit. */
	out.cap = 7;
	out.p = malloc(out.cap);
	assert_non_null(out.p);
	assert_int_equal(frame_skippable(FRAME_MAGIC_END, "", 0, &out, &e),
	    0);
	assert_int_equal(out.n, 8);
	buf_free(&out);
	frame_codec_free(c);
}

/* As many blocks as need more room than there is to spare. */
static void
a_stored_frame_of_many_blocks_comes_back(void **state)
{
	const size_t n = 100 * (128 << 10) + 1;
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf out = { 0 }, plain = { 0 };
	char *p = noise(n);

	(void)state;
	assert_non_null(c);
	/* Memory that is nearly enough. */
	out.cap = n + 328 - 1;
	out.p = malloc(out.cap);
	assert_non_null(out.p);
	assert_int_equal(frame_compress(c, 0, p, n, &out, &e), 0);
	assert_int_equal(out.n, 12 + 9 + 3 * 101 + n + 4);
	assert_int_equal(read_buf(&out, n, &plain, &e), 0);
	assert_int_equal(plain.n, n);
	assert_memory_equal(plain.p, p, n);
	free(p);
	buf_free(&out);
	buf_free(&plain);
	frame_codec_free(c);
}

/* One codec after another or the same again: the same bytes. */
static void
the_same_content_gives_the_same_bytes(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	char *p = noise(200000);

	(void)state;
	assert_non_null(c);
	for (int level = -3; level < 10; level += 3) {
		struct buf first = { 0 }, again = { 0 }, other = { 0 };
		struct frame_codec *fresh = frame_codec_new(&e);

		assert_non_null(fresh);
		assert_int_equal(frame_compress(fresh, level, p, 100000,
		    &first, &e), 0);
		for (size_t n = 1; n <= 200000; n += 66666)
			assert_int_equal(frame_compress(c, level, p, n,
			    &other, &e), 0);
		assert_int_equal(frame_compress(c, level, p, 100000, &again,
		    &e), 0);
		assert_int_equal(again.n, first.n);
		assert_memory_equal(again.p, first.p, first.n);
		frame_codec_free(fresh);
		buf_free(&first);
		buf_free(&again);
		buf_free(&other);
	}
	free(p);
	frame_codec_free(c);
}

/* As ossicle(5) has it: 3 bytes for each 128 KiB, and 9 to 13 beside. */
static void
a_stored_frame_is_its_content_and_little_more(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < SIZES; i++) {
		struct buf out = { 0 };
		char *p = noise(sizes[i]);
		size_t blocks = (sizes[i] + (128 << 10) - 1) / (128 << 10);
		size_t field = sizes[i] < 256 ? 1 : sizes[i] < 65792 ? 2 : 4;

		assert_int_equal(frame_compress(c, 0, p, sizes[i], &out, &e),
		    0);
		assert_int_equal(out.n, 12 + 5 + field + 3 * blocks +
		    sizes[i] + 4);
		free(p);
		buf_free(&out);
	}
	frame_codec_free(c);
}

/* A frame with CONTENT's header bytes changed in all ways is refused, or
 * gives the content. */
static void
headers_that_lie_are_refused(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf out = { 0 }, plain = { 0 };

	(void)state;
	assert_non_null(c);
	assert_int_equal(frame_compress(c, 0, "what it was", 11, &out, &e), 0);
	for (size_t at = 0; at < 12 + 9; at++)
		for (int with = 1; with < 256; with++) {
			out.p[at] = (char)(out.p[at] ^ with);
			buf_clear(&plain);
			if (read_buf(&out, 1 << 20, &plain, &e) == 0) {
				/* Some other skippable frame, and then one
				 * without a prefix: the stream's affair. */
				assert_true(at == 0 && with < 16);
			}
			out.p[at] = (char)(out.p[at] ^ with);
		}
	buf_free(&out);
	buf_free(&plain);
	frame_codec_free(c);
}

static void
a_frame_of_nothing_comes_back(void **state)
{
	/* One block, of no byte repeated. */
	static const char repeated[] = ZSTD "\x24\x00" "\x03\x00\x00" "x"
	    "\x99\xe9\xd8\x51";
	struct buf b = { 0 }, none = { 0 };
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);

	(void)state;
	assert_non_null(c);
	for (int level = 0; level < 4; level++) {
		struct buf out = { 0 }, plain = { 0 };

		assert_int_equal(frame_compress(c, level, "", 0, &out, &e),
		    0);
		if (read_buf(&out, 1 << 20, &plain, &e) < 0)
			fail_msg("level %d: %s", level, e.text);
		assert_int_equal(plain.n, 0);
		buf_free(&out);
		buf_free(&plain);
	}
	assert_int_equal(buf_put(&b, repeated, sizeof repeated - 1, &e), 0);
	if (read_buf(&b, 1 << 20, &none, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(none.n, 0);
	buf_free(&b);
	buf_free(&none);
	frame_codec_free(c);
}

struct refused {
	const char *bytes;
	size_t n;
	const char *text;	/* that the message holds */
};

static void
frames_that_are_none_of_ours_say_why(void **state)
{
	static const struct refused refused[] = {
		{ ZSTD "\x20\x01\x09\x00\x00" "a", 10, "no checksum" },
		{ ZSTD "\x04\x00\x09\x00\x00" "a" "1234", 14,
		    "does not say its content size" },
		{ ZSTD "\x25\x07\x01\x09\x00\x00" "a" "1234", 15,
		    "needs a dictionary" },
		{ ZSTD "\x2c\x01\x09\x00\x00" "a" "1234", 14,
		    "reserved bit" },
		{ ZSTD "\x34\x01\x09\x00\x00" "a" "1234", 14,
		    "reserved bit" },
		{ ZSTD "\x24\x01\x0f\x00\x00" "a" "1234", 14,
		    "block of no known kind" },
		{ ZSTD "\x24\x01\x01\x00\x20" "a" "1234", 14,
		    "block of no known kind" },
		{ ZSTD "\xe4\xff\xff\xff\xff\xff\xff\xff\xff" "\x09\x00\x00"
		    "a" "1234", 21, "--max-frame" },
		{ ZSTD "\xa4\x01\x00\x10\x00" "\x09\x00\x00" "a" "1234", 17,
		    "more than the limit of 1048576" },
		{ "\x50\x2a\x4d\x18\x05\x00\x00\x00" "12345", 13,
		    "a length other than 4" },
		{ "\x50\x2a\x4d\x18\x04\x00\x00\x00" "\0\0\0\0", 12,
		    "announces nothing" },
		{ "\x51\x2a\x4d\x18\x01\x00\x00\x01" "12345678", 16,
		    "more than 16 MiB" },
		{ "\x60\x2a\x4d\x18\x01\x00\x00\x01" "12345678", 16,
		    "begins no frame" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct buf b = { 0 }, plain = { 0 };
		struct err e = { 0 };

		assert_int_equal(buf_put(&b, refused[i].bytes, refused[i].n,
		    &e), 0);
		assert_int_equal(read_buf(&b, 1 << 20, &plain, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		if (strstr(e.text, refused[i].text) == NULL &&
		    strstr(e.hint, refused[i].text) == NULL)
			fail_msg("%zu: %s", i, e.text);
		buf_free(&b);
		buf_free(&plain);
	}
}

/* Blocks of nothing for ever, for a content of one byte. */
static void
more_blocks_than_content_can_need_are_refused(void **state)
{
	struct buf b = { 0 }, plain = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_put(&b, ZSTD "\x24\x01", 6, &e), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_put(&b, "\0\0\0", 3, &e), 0);
	assert_int_equal(read_buf(&b, 1 << 20, &plain, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "more blocks"));
	assert_true(plain.cap < 1000);
	buf_free(&b);
	buf_free(&plain);
}

static void
stored_content_longer_or_shorter_than_it_says_is_refused(void **state)
{
	static const struct { const char *p; size_t n; } frames[] = {
		{ ZSTD "\x24\x02\x09\x00\x00" "a" "1234", 14 },
		{ ZSTD "\x24\x01\x11\x00\x00" "ab" "1234", 15 },
		/* Of two blocks, the second. */
		{ ZSTD "\x24\x04\x18\x00\x00" "abc" "\x11\x00\x00" "de"
		    "1234", 21 },
		{ ZSTD "\x24\x06\x18\x00\x00" "abc" "\x11\x00\x00" "de"
		    "1234", 21 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		struct buf b = { 0 }, plain = { 0 };
		struct err e = { 0 };

		assert_int_equal(buf_put(&b, frames[i].p, frames[i].n, &e),
		    0);
		assert_int_equal(read_buf(&b, 1 << 20, &plain, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_non_null(strstr(e.text, "than it says"));
		buf_free(&b);
		buf_free(&plain);
	}
}

static void
skippable_frames_come_in_pieces_or_are_stepped_over(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	char *p = noise(200000);
	struct frame f = { 0 };

	(void)state;
	assert_int_equal(frame_skippable(FRAME_MAGIC_LENGTHS, p, 200000, &b,
	    &e), 0);
	assert_int_equal(frame_skippable(0x184d2a53, "xyz", 3, &b, &e), 0);
	assert_int_equal(frame_skippable(FRAME_MAGIC_END, "end", 3, &b, &e),
	    0);
	for (int on = 0; on < 2; on++) {
		int fd = file_of(b.p, b.n);
		struct source *s = source_new(fd, 1, &e);
		struct buf all = { 0 };
		size_t n;

		assert_non_null(s);
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_int_equal(f.magic, FRAME_MAGIC_LENGTHS);
		assert_int_equal(f.raw.n, 8);
		assert_int_equal(f.size, 200008);
		while (on && source_read_on(s, &f, &e) > 0)
			assert_int_equal(buf_put(&all, f.raw.p, f.raw.n, &e),
			    0);
		if (on) {
			assert_int_equal(all.n, 200000);
			assert_memory_equal(all.p, p, all.n);
		}
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_int_equal(f.magic, 0x184d2a53);
		assert_int_equal(f.offset, 200008);
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_memory_equal(frame_body(&f, &n), "end", 3);
		assert_int_equal(n, 3);
		assert_int_equal(source_read(s, &f, &e), 0);
		source_free(s);
		buf_free(&all);
		(void)close(fd);
	}
	/* Cut inside what is stepped over: truncated all the same. */
	{
		int fd = file_of(b.p, 100000);
		struct source *s = source_new(fd, 1, &e);

		assert_non_null(s);
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_int_equal(source_read(s, &f, &e), -1);
		assert_int_equal(e.kind, ERR_TRUNCATED);
		source_free(s);
		(void)close(fd);
	}
	buf_free(&f.raw);
	buf_free(&b);
	free(p);
}

/* Bytes that come one by one are the same stream. */
static void
a_pipe_that_drips_is_read(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf b = { 0 }, plain = { 0 };
	int fds[2];
	pid_t child;

	(void)state;
	assert_non_null(c);
	for (int i = 0; i < 20; i++)
		assert_int_equal(frame_compress(c, i % 2, "0123456789", 10,
		    &b, &e), 0);
	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		(void)close(fds[0]);
		for (size_t i = 0; i < b.n; i++)
			if (write(fds[1], b.p + i, 1) != 1)
				_exit(1);
		_exit(0);
	}
	(void)close(fds[1]);
	assert_int_equal(read_all(fds[0], 100, &plain, &e), 0);
	assert_int_equal(plain.n, 200);
	(void)close(fds[0]);
	assert_int_equal(waitpid(child, NULL, 0), child);
	buf_free(&b);
	buf_free(&plain);
	frame_codec_free(c);
}

static void
a_source_goes_to_any_frame(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf b = { 0 }, plain = { 0 };
	struct frame f = { 0 };
	size_t at[10];
	int fd;
	struct source *s;

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < 10; i++) {
		char text[2] = { (char)('0' + i), '\n' };

		at[i] = b.n;
		assert_int_equal(frame_compress(c, 0, text, 2, &b, &e), 0);
	}
	fd = file_of(b.p, b.n);
	s = source_new(fd, 100, &e);
	assert_non_null(s);
	for (size_t k = 0; k < 30; k++) {
		size_t i = k * 7 % 10;

		source_seek(s, at[i]);
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_int_equal(f.offset, at[i]);
		assert_int_equal(source_read(s, &f, &e), 1);
		assert_int_equal(frame_expand(c, &f, &plain, &e), 0);
		assert_int_equal(plain.p[0], '0' + i);
	}
	assert_int_equal(lseek(fd, 0, SEEK_CUR), 0);
	source_free(s);
	frame_codec_free(c);
	buf_free(&b);
	buf_free(&plain);
	buf_free(&f.raw);
	(void)close(fd);
}

static void
a_descriptor_that_cannot_be_read_is_a_system_error(void **state)
{
	struct err e = { 0 };
	struct buf plain = { 0 };

	(void)state;
	assert_int_equal(read_all(-1, 100, &plain, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
}

/* Values of xxHash's own test suite: XXH64 of nothing, and of "abc". */
static void
the_checksum_is_xxh64(void **state)
{
	struct err e = { 0 };
	struct checksum *c = checksum_new(&e);

	(void)state;
	assert_non_null(c);
	assert_true(checksum_value(c) == UINT64_C(0xef46db3751d8e999));
	checksum_update(c, "a", 1);
	checksum_update(c, "bc", 2);
	assert_true(checksum_value(c) == UINT64_C(0x44bc2cf5ad770999));
	checksum_reset(c);
	assert_true(checksum_value(c) == UINT64_C(0xef46db3751d8e999));
	checksum_free(c);
}

static void
integers_are_little_endian(void **state)
{
	unsigned char b[9] = { 0 };

	(void)state;
	le_put64(b + 1, UINT64_C(0x0123456789abcdef));
	assert_memory_equal(b, "\0\xef\xcd\xab\x89\x67\x45\x23\x01", 9);
	assert_true(le_get64(b + 1) == UINT64_C(0x0123456789abcdef));
	assert_int_equal(le_get32(b + 1), 0x89abcdef);
	assert_int_equal(le_get24(b + 1), 0xabcdef);
	le_put24(b + 1, 0x010203);
	le_put32(b + 5, 0xfffefdfc);
	assert_memory_equal(b, "\0\x03\x02\x01\x89\xfc\xfd\xfe\xff", 9);
}

static void
levels_are_those_of_the_library(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf out = { 0 };

	(void)state;
	assert_non_null(c);
	assert_int_equal(frame_compress(c, FRAME_LEVEL_MIN, "a", 1, &out,
	    &e), 0);
	assert_int_equal(frame_compress(c, FRAME_LEVEL_MAX, "a", 1, &out,
	    &e), 0);
	assert_true(strlen(frame_library_version()) >= 5);
	frame_codec_free(c);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_size_and_level_comes_back),
		cmocka_unit_test(the_same_content_gives_the_same_bytes),
		cmocka_unit_test(parts_give_the_frame_of_the_whole),
		cmocka_unit_test(parts_may_be_empty),
		cmocka_unit_test(what_no_frame_can_hold_is_refused),
		cmocka_unit_test(a_stored_frame_of_many_blocks_comes_back),
		cmocka_unit_test(
		    a_stored_frame_is_its_content_and_little_more),
		cmocka_unit_test(headers_that_lie_are_refused),
		cmocka_unit_test(a_frame_of_nothing_comes_back),
		cmocka_unit_test(frames_that_are_none_of_ours_say_why),
		cmocka_unit_test(
		    more_blocks_than_content_can_need_are_refused),
		cmocka_unit_test(
		    stored_content_longer_or_shorter_than_it_says_is_refused),
		cmocka_unit_test(
		    skippable_frames_come_in_pieces_or_are_stepped_over),
		cmocka_unit_test(a_pipe_that_drips_is_read),
		cmocka_unit_test(a_source_goes_to_any_frame),
		cmocka_unit_test(
		    a_descriptor_that_cannot_be_read_is_a_system_error),
		cmocka_unit_test(the_checksum_is_xxh64),
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(levels_are_those_of_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
