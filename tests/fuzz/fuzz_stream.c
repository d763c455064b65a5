/*
 * A stream from strangers: read in order, by its tables, searched for what
 * can be saved, and joined.  What a reader takes for a whole stream must be
 * one to all of them.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "join.h"
#include "ossicle.h"
#include "pick.h"
#include "verify.h"
#include "view.h"

#define FRAME_MAX (1u << 20)

/* A file without a name, of N bytes at P. */
static int
file_of(const uint8_t *p, size_t n)
{
	char path[] = "/tmp/ossicle-fuzz-XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || unlink(path) < 0 || write(fd, p, n) != (ssize_t)n)
		abort();
	return fd;
}

static int
count(void *self, uint64_t number, struct view *v, struct err *e)
{
	uint64_t *n = self;

	(void)number;
	(void)e;
	if (view_json(v).n == 0)
		abort();
	++*n;
	return 0;
}

static void
ignore(void *self, const struct err *fault)
{
	(void)self;
	if (fault->text[0] == '\0')
		abort();
}

/* Read FD through the public interface: how many records, or -1. */
static int64_t
read_in_order(int fd, int fragment)
{
	struct ossicle_record record;
	struct ossicle_provenance chain;
	struct ossicle_error e;
	struct ossicle_reader *r = ossicle_reader_open(fd, FRAME_MAX,
	    fragment, &e);
	int64_t n = 0;
	int rc;

	if (r == NULL)
		abort();
	while ((rc = ossicle_read(r, &record, &e)) > 0) {
		if (ossicle_reader_provenance(r, &chain, &e) < 0)
			abort();
		n++;
	}
	ossicle_reader_close(r);
	return rc < 0 ? -1 : n;
}

/* Join FD to a shard: whether it could be. */
static int
join(int fd, int *to)
{
	struct join_rules rules = { .frame_max = FRAME_MAX, .level = 1,
	    .last = UINT64_MAX };
	struct err e = { 0 };
	struct join *j;
	int rc;

	*to = file_of((const uint8_t *)"", 0);
	j = join_new(*to, &rules, &e);
	if (j == NULL)
		abort();
	rc = join_input(j, fd, &e) == 0 && join_end(j, &e) == 0;
	join_free(j);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t picked = 0;
	struct pick p = { .frame_max = FRAME_MAX, .first = 0,
	    .last = INT64_MAX, .each = count, .self = &picked };
	struct verify v = { .frame_max = FRAME_MAX, .fault = ignore };
	struct err e = { 0 };
	int fd = file_of(data, size), to;
	int64_t n;

	(void)lseek(fd, 0, SEEK_SET);
	n = read_in_order(fd, 0);
	(void)lseek(fd, 0, SEEK_SET);
	(void)read_in_order(fd, 1);
	(void)lseek(fd, 0, SEEK_SET);
	if (pick_input(&p, fd, &e) == 0 && n >= 0 && picked != (uint64_t)n)
		abort();
	(void)lseek(fd, 0, SEEK_SET);
	if (verify_input(&v, fd, &e) < 0)
		abort();
	if ((v.faults == 0) != (n >= 0) ||
	    (n >= 0 && v.records != (uint64_t)n))
		abort();
	(void)lseek(fd, 0, SEEK_SET);
	if (join(fd, &to) != (n >= 0))
		abort();
	if (n >= 0) {
		(void)lseek(to, 0, SEEK_SET);
		if (read_in_order(to, 0) != n)
			abort();
	}
	(void)close(to);
	(void)close(fd);
	return 0;
}
