/* Filebuf: the bytes of the file at any place, and of the patch. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#include "filebuf.h"
#include "sounds.h"

#define N 400000

static struct filebuf b;
static unsigned char *bytes;
static int fd;
static struct err e;

static int
setup(void **state)
{
	(void)state;
	bytes = malloc(N);
	assert_non_null(bytes);
	for (size_t i = 0; i < N; i++)
		bytes[i] = (unsigned char)(i * 7919 >> 5);
	fd = sound_fd(bytes, N);
	return filebuf_open(&b, fd, &e);
}

static int
teardown(void **state)
{
	(void)state;
	filebuf_free(&b);
	free(bytes);
	return close(fd);
}

static void
any_place_is_read_as_it_is(void **state)
{
	unsigned char *to = malloc(N);

	(void)state;
	assert_non_null(to);
	assert_int_equal(b.size, N);
	assert_int_equal(filebuf_read(&b, 0, to, N), N);
	assert_memory_equal(to, bytes, N);
	srand(3);
	for (int i = 0; i < 300; i++) {	/* through the buffer or past it */
		size_t at = (size_t)rand() % N, n = (size_t)rand() % 90000;
		size_t k = filebuf_read(&b, at, to, n);

		assert_int_equal(k, n < N - at ? n : N - at);
		assert_memory_equal(to, bytes + at, k);
	}
	for (int i = 0; i < 2000; i++) {
		size_t at = (size_t)rand() % N, n = (size_t)rand() % 4096;
		const unsigned char *p = filebuf_peek(&b, at, n);

		if (at + n <= N) {
			assert_non_null(p);
			assert_memory_equal(p, bytes + at, n);
		} else
			assert_null(p);
	}
	free(to);
}

static void
there_is_nothing_behind_the_end(void **state)
{
	unsigned char to[16];

	(void)state;
	assert_int_equal(filebuf_read(&b, N - 3, to, 16), 3);
	assert_int_equal(filebuf_read(&b, N, to, 16), 0);
	assert_int_equal(filebuf_read(&b, UINT64_MAX - 4, to, 16), 0);
	assert_null(filebuf_peek(&b, N - 3, 4));
	assert_null(filebuf_peek(&b, UINT64_MAX - 2, 4));
	assert_non_null(filebuf_peek(&b, N - 4, 4));
	assert_int_equal(b.error, 0);
}

static void
a_patch_is_read_in_place_of_what_is_there(void **state)
{
	unsigned char to[32], *whole = malloc(N);

	(void)state;
	assert_non_null(whole);
	assert_int_equal(filebuf_read(&b, 190, to, 4), 4);
	filebuf_patch(&b, 200, "PATCH", 5);
	for (uint64_t at = 190; at < 210; at++) {
		assert_int_equal(filebuf_read(&b, at, to, 3), 3);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(to[i], at + i >= 200 &&
			    at + i < 205 ? "PATCH"[at + i - 200] :
			    bytes[at + i]);
	}
	assert_int_equal(filebuf_read(&b, 300000, to, 3), 3);	/* away ... */
	assert_int_equal(filebuf_read(&b, 0, whole, N), N);	/* past it */
	assert_memory_equal(whole + 200, "PATCH", 5);
	assert_memory_equal(whole + 205, bytes + 205, N - 205);
	free(whole);
	assert_memory_equal(filebuf_peek(&b, 200, 5), "PATCH", 5);
	assert_int_equal(filebuf_open(&b, fd, &e), 0);
	assert_memory_equal(filebuf_peek(&b, 200, 5), bytes + 200, 5);
}

static void
a_file_that_got_shorter_ends_earlier(void **state)
{
	int other = sound_fd(bytes, N);
	unsigned char to[16];

	(void)state;
	assert_int_equal(filebuf_open(&b, other, &e), 0);
	assert_int_equal(ftruncate(other, N / 2), 0);
	assert_int_equal(filebuf_read(&b, N / 2 - 4, to, 16), 4);
	assert_int_equal(filebuf_read(&b, N - 16, to, 16), 0);
	assert_null(filebuf_peek(&b, N - 16, 16));
	assert_int_equal(close(other), 0);
	assert_int_equal(filebuf_open(&b, fd, &e), 0);
}

static void
a_read_that_fails_is_remembered(void **state)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY), pair[2];
	unsigned char to[4];

	(void)state;
	assert_true(dir >= 0);
	assert_int_equal(filebuf_open(&b, dir, &e), 0);
	if (b.size > 0) {
		assert_int_equal(filebuf_read(&b, 0, to, 4), 0);
		assert_int_equal(b.error, EISDIR);
	}
	assert_int_equal(close(dir), 0);
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(filebuf_open(&b, pair[0], &e), 0);
	assert_int_equal(b.size, 0);
	assert_int_equal(filebuf_open(&b, -1, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_int_equal(close(pair[0]) + close(pair[1]), 0);
	assert_int_equal(filebuf_open(&b, fd, &e), 0);
}

static void
numbers_have_either_order(void **state)
{
	static const unsigned char p[] = { 1, 2, 3, 4, 5, 6, 7, 0xff };

	(void)state;
	assert_int_equal(filebuf_number(p, 2, true), 0x0102);
	assert_int_equal(filebuf_number(p, 2, false), 0x0201);
	assert_int_equal(filebuf_number(p, 8, true), 0x01020304050607ff);
	assert_int_equal(filebuf_number(p, 8, false), 0xff07060504030201);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_place_is_read_as_it_is),
		cmocka_unit_test(there_is_nothing_behind_the_end),
		cmocka_unit_test(a_patch_is_read_in_place_of_what_is_there),
		cmocka_unit_test(a_file_that_got_shorter_ends_earlier),
		cmocka_unit_test(a_read_that_fails_is_remembered),
		cmocka_unit_test(numbers_have_either_order),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
