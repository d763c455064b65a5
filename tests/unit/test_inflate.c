/* The plain bytes of a file, compressed or not, come out as they are, or with
 * a reason. */
#include <sys/socket.h>

#include <fcntl.h>

#include "frame.h"
#include "streams.h"

#define ZSTD "\x28\xb5\x2f\xfd"

/* Inflate FD by STEP bytes at a time. */
static int
inflate(int fd, size_t step, struct buf *out, bool *compressed,
    struct err *e)
{
	struct frame_inflate *z = frame_inflate_new(fd, e);
	size_t got;
	int rc = 0;

	assert_non_null(z);
	do {
		assert_int_equal(buf_reserve(out, step, e), 0);
		rc = frame_inflate_read(z, out->p + out->n, step, &got, e);
		out->n += rc < 0 ? 0 : got;
	} while (rc == 0 && got > 0);
	*compressed = frame_inflate_compressed(z);
	frame_inflate_free(z);
	return rc;
}

static void
plain_and_compressed_input_inflate_to_the_same(void **state)
{
	static const size_t steps[] = { 1, 7, 4096, 300000 };
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	char *p = noise(250000);

	(void)state;
	assert_non_null(c);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		for (int kind = 0; kind < 4; kind++) {
			struct buf in = { 0 }, out = { 0 };
			size_t n = kind == 3 ? 3 : 250000;
			bool compressed;
			int fd;

			if (kind == 0 || kind == 3) {
				assert_int_equal(buf_put(&in, p, n, &e), 0);
			} else {	/* several frames, stored or not */
				for (size_t k = 0; k < n; k += 50000)
					assert_int_equal(frame_compress(c,
					    kind - 1, p + k, 50000, &in, &e),
					    0);
			}
			fd = file_of(in.p, in.n);
			assert_int_equal(inflate(fd, steps[i], &out,
			    &compressed, &e), 0);
			assert_int_equal(out.n, n);
			assert_memory_equal(out.p, p, n);
			assert_int_equal(compressed, kind == 1 || kind == 2);
			(void)close(fd);
			buf_free(&in);
			buf_free(&out);
		}
	free(p);
	frame_codec_free(c);
}

/* Frames without a checksum: all of the input is in before all is out. */
static void
output_goes_on_when_the_input_has_ended(void **state)
{
	static const char frames[] = ZSTD "\x20\x05\x29\0\0" "abcde"
	    ZSTD "\x20\x02\x11\0\0" "fg" ZSTD "\x20\x07\x3b\0\0x";
	struct frame_inflate *z;
	struct err e = { 0 };
	struct buf out = { 0 };
	bool compressed;
	size_t got = 1;
	int fd = file_of(frames, sizeof frames - 1);

	(void)state;
	assert_int_equal(inflate(fd, 1, &out, &compressed, &e), 0);
	assert_int_equal(out.n, 14);
	assert_memory_equal(out.p, "abcdefgxxxxxxx", 14);
	/* Nothing wanted is nothing read. */
	for (int plain = 0; plain < 2; plain++) {
		assert_int_equal(lseek(fd, plain, SEEK_SET), plain);
		z = frame_inflate_new(fd, &e);
		assert_non_null(z);
		assert_int_equal(frame_inflate_read(z, NULL, 0, &got, &e), 0);
		assert_int_equal(got, 0);
		frame_inflate_free(z);
	}
	(void)close(fd);
	/* Cut in the second frame or the third, begun to come or not. */
	for (size_t n = 15; n < sizeof frames - 1; n++) {
		if (n == 25)
			continue;
		fd = file_of(frames, n);
		buf_clear(&out);
		assert_int_equal(inflate(fd, 100, &out, &compressed, &e), -1);
		assert_int_equal(e.kind, ERR_TRUNCATED);
		(void)close(fd);
	}
	buf_free(&out);
}

/* Each read gives one byte: what it is is known by the fourth. */
static void
the_first_bytes_may_come_one_by_one(void **state)
{
	static const char frame[] = ZSTD "\x20\x02\x11\0\0" "fg";
	struct err e = { 0 };
	struct buf out = { 0 };
	bool compressed;
	int fds[2], fd;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	for (size_t i = 0; i < sizeof frame - 1; i++)
		assert_int_equal(write(fds[1], frame + i, 1), 1);
	(void)close(fds[1]);
	assert_int_equal(inflate(fds[0], 100, &out, &compressed, &e), 0);
	assert_true(compressed);
	assert_int_equal(out.n, 2);
	assert_memory_equal(out.p, "fg", 2);
	(void)close(fds[0]);
	/* Four bytes are enough for it to be a frame, which is cut. */
	fd = file_of(frame, 4);
	assert_int_equal(inflate(fd, 100, &out, &compressed, &e), -1);
	assert_int_equal(e.kind, ERR_TRUNCATED);
	(void)close(fd);
	buf_free(&out);
}

static void
compressed_input_that_is_cut_or_damaged_is_no_input(void **state)
{
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	struct buf in = { 0 }, out = { 0 };
	char *p = noise(5000);
	bool compressed;

	(void)state;
	assert_non_null(c);
	assert_int_equal(frame_compress(c, 1, p, 5000, &in, &e), 0);
	for (size_t n = 13; n < in.n; n += 97) {
		int fd = file_of(in.p, n);

		buf_clear(&out);
		assert_int_equal(inflate(fd, 4096, &out, &compressed, &e), -1);
		assert_int_equal(e.kind, ERR_TRUNCATED);
		(void)close(fd);
	}
	in.p[in.n / 2] ^= 4;
	{
		int fd = file_of(in.p, in.n);

		buf_clear(&out);
		assert_int_equal(inflate(fd, 4096, &out, &compressed, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		(void)close(fd);
	}
	free(p);
	buf_free(&in);
	buf_free(&out);
	frame_codec_free(c);
}

/* What came before a cut comes out, byte by byte, and then the reason. */
static void
what_is_before_a_cut_comes_out(void **state)
{
	static const char cut[] = ZSTD "\x20\x0a\x28\0\0" "abcde";
	struct err e = { 0 };
	struct buf out = { 0 };
	bool compressed;
	int fd = file_of(cut, sizeof cut - 1);

	(void)state;
	assert_int_equal(inflate(fd, 1, &out, &compressed, &e), -1);
	assert_int_equal(e.kind, ERR_TRUNCATED);
	assert_int_equal(out.n, 5);
	assert_memory_equal(out.p, "abcde", 5);
	(void)close(fd);
	buf_free(&out);
}

static void
a_read_that_fails_is_no_end(void **state)
{
	static const char plain[] = "{\"a\":1}", packed[] = ZSTD "\x20\x0a";
	const char *const text[] = { plain, packed };
	const size_t n[] = { sizeof plain - 1, sizeof packed - 1 };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct err e = { 0 };
		struct buf out = { 0 };
		bool compressed;
		int ends[2];

		/* Of a pipe that does not wait, the second read fails. */
		assert_int_equal(pipe(ends), 0);
		assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
		assert_int_equal(write(ends[1], text[i], n[i]), n[i]);
		assert_int_equal(inflate(ends[0], 100, &out, &compressed, &e),
		    -1);
		assert_int_equal(e.kind, ERR_SYSTEM);
		(void)close(ends[0]);
		(void)close(ends[1]);
		buf_free(&out);
	}
}

static void
empty_input_inflates_to_nothing(void **state)
{
	struct err e = { 0 };
	struct buf out = { 0 };
	bool compressed;
	int fd = file_of("", 0);

	(void)state;
	assert_int_equal(inflate(fd, 10, &out, &compressed, &e), 0);
	assert_int_equal(out.n, 0);
	assert_false(compressed);
	(void)close(fd);
	buf_free(&out);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    plain_and_compressed_input_inflate_to_the_same),
		cmocka_unit_test(output_goes_on_when_the_input_has_ended),
		cmocka_unit_test(the_first_bytes_may_come_one_by_one),
		cmocka_unit_test(
		    compressed_input_that_is_cut_or_damaged_is_no_input),
		cmocka_unit_test(what_is_before_a_cut_comes_out),
		cmocka_unit_test(a_read_that_fails_is_no_end),
		cmocka_unit_test(empty_input_inflates_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
