#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "unit.h"
#include "window.h"

enum { SIZE = 3 * 256 * 1024 + 77 };

/* Byte I of the files here. */
static char
byte(uint64_t i)
{
	return (char)(i * 31 >> 3);
}

/* A file of N bytes at P; NAME has room for 32. */
static void
write_file(char *name, const void *p, size_t n)
{
	int fd;

	strcpy(name, "/tmp/ossicle-window-XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	(void)close(fd);
}

/* The window holds what the file has there. */
static void
is_right(const struct window *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (w->p[i] != byte(w->base + i))
			fail_msg("byte %zu of %zu at %llu", i, w->n,
			    (unsigned long long)w->base);
}

/* Read W to its end, keeping KEEP bytes each time. */
static void
read_on(struct window *w, size_t keep)
{
	struct err e = { 0 };

	while (!w->ended) {
		size_t go = w->n > keep ? w->n - keep : 0;
		uint64_t end = w->base + w->n;

		assert_int_equal(window_fill(w, go, &e), 0);
		assert_true(w->ended ? w->base + w->n == end :
		    w->base + w->n > end);
		assert_true(w->n <= keep + WINDOW_STEP);
		is_right(w);
	}
	assert_true(w->base + w->n == SIZE);
}

static void
a_file_passes_through_plain_or_compressed(void **state)
{
	char *p = malloc(SIZE), *z = malloc(ZSTD_compressBound(SIZE));
	char plain[32], packed[32];
	struct window w = { .fd = -1 };
	struct err e = { 0 };
	size_t n;

	(void)state;
	assert_non_null(p);
	assert_non_null(z);
	for (size_t i = 0; i < SIZE; i++)
		p[i] = byte(i);
	n = ZSTD_compress(z, ZSTD_compressBound(SIZE), p, SIZE, 1);
	assert_false(ZSTD_isError(n));
	write_file(plain, p, SIZE);
	write_file(packed, z, n);
	free(p);
	free(z);
	for (size_t keep = 0; keep < SIZE; keep = 2 * keep + 1) {
		assert_int_equal(window_open(&w, plain, false, &e), 0);
		read_on(&w, keep);
		/* What is not compressed is not expanded. */
		assert_int_equal(window_open(&w, plain, true, &e), 0);
		assert_int_equal(w.n, 0);
		assert_false(w.ended);
		read_on(&w, keep);
		assert_int_equal(window_open(&w, packed, true, &e), 0);
		read_on(&w, keep);
	}
	window_close(&w);
	assert_int_equal(window_open(&w, plain, false, &e), 0);
	assert_int_equal(window_seek(&w, SIZE - 9, &e), 0);
	read_on(&w, 100);
	assert_int_equal(w.n, 9);
	assert_int_equal(window_seek(&w, 0, &e), 0);
	read_on(&w, 0);
	window_free(&w);
	(void)unlink(plain);
	(void)unlink(packed);
}

static void
a_fault_names_the_file(void **state)
{
	static const unsigned char cut[] = { 0x28, 0xb5, 0x2f, 0xfd, 0x24 };
	struct window w = { .fd = -1 };
	struct err e = { 0 };
	char name[32];

	(void)state;
	assert_int_equal(window_open(&w, "/tmp/no/such\nfile", false, &e),
	    -1);
	assert_string_equal(e.text,
	    "cannot read /tmp/no/such\\nfile: No such file or directory");
	write_file(name, cut, sizeof cut);
	assert_int_equal(window_open(&w, name, true, &e), 0);
	assert_int_equal(window_fill(&w, 0, &e), -1);
	assert_int_equal(e.kind, ERR_TRUNCATED);
	assert_memory_equal(e.text, name, strlen(name));
	assert_int_equal(window_open(&w, "/tmp", false, &e), 0);
	assert_int_equal(window_fill(&w, 0, &e), -1);
	assert_memory_equal(e.text, "/tmp: ", 6);
	window_free(&w);
	(void)unlink(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_passes_through_plain_or_compressed),
		cmocka_unit_test(a_fault_names_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
