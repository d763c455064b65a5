#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "share.h"
#include "unit.h"

/* A file of N bytes that begin with HEAD; NAME has room for 32. */
static void
write_file(char *name, const char *head, off_t n)
{
	int fd;

	strcpy(name, "/tmp/ossicle-share-XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, head, strlen(head)),
	    (ssize_t)strlen(head));
	assert_int_equal(ftruncate(fd, n), 0);
	(void)close(fd);
}

/* Each byte of the files is in one share, and shares are of equal size. */
static void
ranges_cover_all_bytes_once(const char *const *names, const uint64_t *sizes,
    size_t n, uint64_t k)
{
	uint64_t total = 0, next[8] = { 0 };

	for (size_t f = 0; f < n; f++)
		total += sizes[f];
	for (uint64_t i = 1; i <= k; i++) {
		struct share_part parts[8];
		struct err e = { 0 };
		uint64_t mine = 0;

		assert_int_equal(share_plan(names, n, i, k, parts, &e), 0);
		for (size_t f = 0; f < n; f++) {
			const struct share_part *p = &parts[f];
			uint64_t to = p->to;

			if (sizes[f] == 0) {
				assert_false(p->ranged);
				continue;
			}
			assert_true(p->ranged);
			assert_true(p->size == sizes[f]);
			/* Nothing, wherever it stands. */
			if (p->from == p->to)
				continue;
			if (to == SHARE_TO_END)
				to = sizes[f];
			assert_true(p->from == next[f]);
			assert_true(p->from < to && to <= sizes[f]);
			next[f] = to;
			mine += to - p->from;
		}
		assert_true(mine >= total / k && mine <= total / k + 1);
	}
	for (size_t f = 0; f < n; f++)
		assert_true(next[f] == sizes[f]);
}

static void
shares_are_ranges_of_the_files_laid_end_to_end(void **state)
{
	static const uint64_t sizes[] = { 10, 1, 0, 997, (uint64_t)1 << 42,
	    3 };
	static const uint64_t ks[] = { 1, 2, 3, 5, 7, 64, 1000 };
	char name[6][32];
	const char *names[6];

	(void)state;
	for (size_t f = 0; f < 6; f++) {
		write_file(name[f], "", (off_t)sizes[f]);
		names[f] = name[f];
	}
	for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
		ranges_cover_all_bytes_once(names, sizes, 6, ks[i]);
		ranges_cover_all_bytes_once(names, sizes, 4, ks[i]);
		ranges_cover_all_bytes_once(names + 1, sizes + 1, 1, ks[i]);
	}
	for (size_t f = 0; f < 6; f++)
		(void)unlink(name[f]);
}

static void
what_is_no_plain_file_is_dealt_out(void **state)
{
	struct share_part part;
	struct err e = { 0 };
	char name[32], fifo[40];
	const char *names[1] = { name };

	(void)state;
	write_file(name, "\x28\xb5\x2f\xfd", 100);
	assert_int_equal(share_plan(names, 1, 2, 3, &part, &e), 0);
	assert_false(part.ranged);
	(void)unlink(name);
	write_file(name, "\x51\x2a\x4d\x18", 100);
	assert_int_equal(share_plan(names, 1, 2, 3, &part, &e), 0);
	assert_false(part.ranged);
	/* A pipe is not even opened: that would wait, or take its bytes. */
	(void)strcat(strcpy(fifo, name), ".fifo");
	assert_int_equal(mkfifo(fifo, 0600), 0);
	names[0] = fifo;
	assert_int_equal(share_plan(names, 1, 1, 1, &part, &e), 0);
	assert_false(part.ranged);
	assert_true(part.from == 0 && part.to == SHARE_TO_END);
	(void)unlink(fifo);
	(void)unlink(name);
	for (uint64_t i = 0; i < 20; i++)
		for (uint64_t k = 1; k < 5; k++)
			for (uint64_t me = 1; me <= k; me++)
				assert_int_equal(share_has(i, me, k),
				    i % k + 1 == me);
}

static void
what_cannot_be_read_is_a_fault(void **state)
{
	static const char *const names[] = { "/tmp/no/such\x1b[31mfile" };
	struct share_part part;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(share_plan(names, 1, 1, 1, &part, &e), -1);
	assert_int_equal(e.kind, ERR_SYSTEM);
	assert_string_equal(e.text,
	    "cannot read /tmp/no/such\\x1b[31mfile: No such file or "
	    "directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    shares_are_ranges_of_the_files_laid_end_to_end),
		cmocka_unit_test(what_is_no_plain_file_is_dealt_out),
		cmocka_unit_test(what_cannot_be_read_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
