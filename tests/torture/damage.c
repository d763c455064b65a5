/*
 * damage MODE FILE [N [SEED]]: damage the stream in FILE in many ways, and
 * see that each damage is found, or does no harm: that every reader, by the
 * order of the frames and by the table, gives what was there before.
 *
 *	cut N		its first n bytes, for each n, or for N at random
 *	flip N		each bit flipped, or N of them at random
 *	frames N	each frame left out, repeated, moved, and N random heaps
 *	lie N		each number set to what it is not, or N at random
 *	insert N	N frames of any kind put in anywhere
 *	join N		N times some copies joined, whole, and then cut
 *
 * N is 0 for all.  What may not be is said on stderr, with exit 1; a figure
 * on stdout.  Memory is limited, and what was used is told.
 */
#undef _XOPEN_SOURCE
#define _GNU_SOURCE	/* memfd_create */

#include <sys/mman.h>
#include <sys/resource.h>

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "checksum.h"
#include "file.h"
#include "frame.h"
#include "join.h"
#include "le.h"
#include "ossicle.h"
#include "verify.h"

#define CONTENT_MAX (4u << 20)
#define MEMORY_MAX ((rlim_t)1 << 30)	/* of addresses */
#define RSS_MAX_KIB (256l << 10)	/* in use */

/* The records of a stream, in order: of each the checksums of what it is,
 * and of whence it comes. */
struct content {
	struct record_sums {
		uint64_t what, whence;
	} *v;
	size_t n, cap;
};

/* A frame of the stream that is to be damaged. */
struct part {
	uint32_t magic;
	size_t at, n;
};

struct damage {
	struct buf stream;	/* as it is right */
	struct part *parts;
	size_t n_parts;
	struct content want;	/* what is in it */
	size_t copies;		/* how often that is right now */
	struct content got;
	struct checksum *sum;
	struct buf heap;	/* damaged */
	int fd, other;
	char what[200];		/* the damage */
	uint64_t seed;
	uint64_t found, harmless, by_kind[17];
};

static void fail(const struct damage *d, const char *fmt, ...)
    ERR_PRINTF(2, 3);

/* Say what may not be, keep the damaged stream, and end. */
static void
fail(const struct damage *d, const char *fmt, ...)
{
	va_list ap;
	FILE *f = fopen("damaged.zst", "wb");

	if (f != NULL) {
		(void)fwrite(d->heap.p, 1, d->heap.n, f);
		(void)fclose(f);
	}
	(void)fprintf(stderr, "%s: ", d->what);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);
	exit(1);
}

/* What must not fail here has failed. */
static void
must(bool done, const char *what)
{
	if (done)
		return;
	perror(what);
	exit(2);
}

/* A number below N (xorshift64*). */
static size_t
below(struct damage *d, size_t n)
{
	d->seed ^= d->seed >> 12;
	d->seed ^= d->seed << 25;
	d->seed ^= d->seed >> 27;
	return (size_t)((d->seed * UINT64_C(2685821657736338717)) >> 11) % n;
}

static int
file_without_name(void)
{
	int fd = memfd_create("damage", MFD_CLOEXEC);

	must(fd >= 0, "memfd_create");
	return fd;
}

/* Make FD's file the N bytes at P, to be read from the start. */
static void
fill(int fd, const void *p, size_t n)
{
	must(ftruncate(fd, 0) == 0 && pwrite(fd, p, n, 0) == (ssize_t)n &&
	    lseek(fd, 0, SEEK_SET) == 0, "cannot fill a file");
}

/* The checksum of R, its text and tensors. */
static uint64_t
sum_record(struct damage *d, const struct ossicle_record *r)
{
	checksum_reset(d->sum);
	checksum_update(d->sum, r->json, r->n_json);
	for (size_t i = 0; i < r->n_tensors; i++) {
		const struct ossicle_tensor *t = &r->tensors[i];

		checksum_update(d->sum, t->name, strlen(t->name) + 1);
		checksum_update(d->sum, &t->type, sizeof t->type);
		checksum_update(d->sum, t->shape, t->rank * sizeof *t->shape);
		checksum_update(d->sum, t->data, t->n_bytes);
	}
	return checksum_value(d->sum);
}

static uint64_t
sum_provenance(struct damage *d, const struct ossicle_provenance *p)
{
	checksum_reset(d->sum);
	for (size_t i = 0; i < p->n; i++)
		checksum_update(d->sum, p->programs[i].p, p->programs[i].n);
	return checksum_value(d->sum);
}

/* Read FD in order: whether it is whole, with what it holds in C. */
static bool
read_in_order(struct damage *d, int fd, struct content *c)
{
	struct ossicle_record record;
	struct ossicle_provenance chain;
	struct ossicle_error e;
	struct ossicle_reader *r = ossicle_reader_open(fd, CONTENT_MAX, 0, &e);
	int rc;

	must(r != NULL, "cannot open a reader");
	c->n = 0;
	while ((rc = ossicle_read(r, &record, &e)) > 0) {
		must(ossicle_reader_provenance(r, &chain, &e) == 0, e.text);
		if (c->n == c->cap) {
			c->cap = c->cap * 2 + 64;
			c->v = realloc(c->v, c->cap * sizeof *c->v);
			must(c->v != NULL, "no memory");
		}
		c->v[c->n++] = (struct record_sums){
			sum_record(d, &record), sum_provenance(d, &chain),
		};
	}
	ossicle_reader_close(r);
	if (rc < 0 && (e.kind == OSSICLE_OK || e.text[0] == '\0'))
		fail(d, "no reason is given");
	if (rc < 0 && e.kind == OSSICLE_SYSTEM)
		fail(d, "blamed on the system: %s", e.text);
	return rc == 0;
}

/* Whether C is all that there ought to be. */
static bool
is_whole(const struct damage *d, const struct content *c)
{
	if (c->n != d->want.n * d->copies)
		return false;
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].what != d->want.v[i % d->want.n].what ||
		    c->v[i].whence != d->want.v[i % d->want.n].whence)
			return false;
	return true;
}

static void
ignore(void *self, const struct err *fault)
{
	must(fault->text[0] != '\0', "a fault without a text");
	(void)self;
}

/* --check finds a fault where there is one, and none where there is none. */
static void
judge_check(struct damage *d, bool whole)
{
	struct verify v = { .frame_max = CONTENT_MAX, .fault = ignore };
	struct err e = { 0 };

	must(lseek(d->fd, 0, SEEK_SET) == 0, "lseek");
	if (verify_input(&v, d->fd, &e) < 0)
		fail(d, "--check cannot go on: %s", e.text);
	if ((v.faults == 0) != whole)
		fail(d, "--check finds %" PRIu64 " faults in what is %s",
		    v.faults, whole ? "whole" : "broken");
}

/* What is broken is not joined; what is whole comes out of it so. */
static void
judge_join(struct damage *d, bool whole)
{
	struct join_rules rules = { .frame_max = CONTENT_MAX, .level = 0,
	    .last = UINT64_MAX };
	struct err e = { 0 };
	struct join *j;
	bool joined;

	fill(d->other, "", 0);
	must(lseek(d->fd, 0, SEEK_SET) == 0, "lseek");
	j = join_new(d->other, &rules, &e);
	must(j != NULL, "cannot open a join");
	joined = join_input(j, d->fd, &e) == 0 && join_end(j, &e) == 0;
	join_free(j);
	if (joined != whole)
		fail(d, "%s is joined: %s", whole ? "not what is whole" :
		    "what is broken", e.text);
	if (!joined)
		return;
	must(lseek(d->other, 0, SEEK_SET) == 0, "lseek");
	if (!read_in_order(d, d->other, &d->got) || !is_whole(d, &d->got))
		fail(d, "another stream when joined");
}

/* What a table leads to is right, or nothing. */
static void
judge_table(struct damage *d)
{
	struct ossicle_record record;
	struct ossicle_error e = { OSSICLE_OK, "", "" };
	struct ossicle_shard *s;
	char path[64];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", d->fd);
	s = ossicle_shard_open(path, CONTENT_MAX, &e);
	if (s == NULL) {
		if (e.kind != OSSICLE_DAMAGED && e.kind != OSSICLE_TRUNCATED)
			fail(d, "by the table: %s", e.text);
		return;
	}
	if (ossicle_shard_records(s) != d->want.n * d->copies)
		fail(d, "by the table there are %" PRIu64 " records",
		    ossicle_shard_records(s));
	for (uint64_t i = 0; i < ossicle_shard_records(s); i++)
		if (ossicle_shard_read(s, i, &record, &e) > 0 &&
		    sum_record(d, &record) != d->want.v[i % d->want.n].what)
			fail(d, "by the table record %" PRIu64 " is another",
			    i);
		else if (e.kind == OSSICLE_SYSTEM)
			fail(d, "by the table: %s", e.text);
	ossicle_shard_close(s);
}

/* Of which kind is the byte AT of the right stream: 0 to 15, or data. */
static size_t
kind_at(const struct damage *d, size_t at)
{
	for (size_t i = 0; i < d->n_parts; i++)
		if (at - d->parts[i].at < d->parts[i].n)
			return d->parts[i].magic == FRAME_MAGIC_ZSTD ? 16 :
			    d->parts[i].magic & 15;
	return 16;
}

/*
 * Judge what lies on the heap, which was damaged at byte AT: every reader
 * says that it is broken, or it holds what it did.
 */
static bool
judge(struct damage *d, size_t at)
{
	bool whole;

	fill(d->fd, d->heap.p, d->heap.n);
	whole = read_in_order(d, d->fd, &d->got);
	if (whole && !is_whole(d, &d->got))
		fail(d, "passes for a whole stream, of %zu records",
		    d->got.n);
	judge_check(d, whole);
	judge_join(d, whole);
	judge_table(d);
	d->found += !whole;
	d->harmless += whole;
	if (whole)
		d->by_kind[kind_at(d, at)]++;
	return whole;
}

/* Make the heap the right stream. */
static void
restore(struct damage *d)
{
	struct err e;

	buf_clear(&d->heap);
	must(buf_put(&d->heap, d->stream.p, d->stream.n, &e) == 0, "memory");
}

/* Put what is between FROM and TO of the right stream on the heap. */
static void
put(struct damage *d, size_t from, size_t to)
{
	struct err e;

	must(buf_put(&d->heap, d->stream.p + from, to - from, &e) == 0,
	    "memory");
}

static void
put_part(struct damage *d, const struct part *p)
{
	put(d, p->at, p->at + p->n);
}

#define WHAT(d, ...) (void)snprintf((d)->what, sizeof (d)->what, __VA_ARGS__)

static void
cut(struct damage *d, size_t n)
{
	bool all = n == 0;

	if (all)
		n = d->stream.n;
	for (size_t i = 0; i < n; i++) {
		size_t at = all ? i : below(d, d->stream.n);

		WHAT(d, "cut after %zu of %zu bytes", at, d->stream.n);
		restore(d);
		d->heap.n = at;
		if (judge(d, at))
			fail(d, "passes for a whole stream");
	}
}

/* Whether byte AT is a digit of what nothing else tells: how many records -r
 * has taken out. */
static bool
is_rejected(const struct damage *d, size_t at)
{
	static const char name[] = "\"rejected\":";
	const char *p = d->stream.p;

	while (at > 0 && p[at] >= '0' && p[at] <= '9')
		at--;
	return at >= sizeof name && memcmp(p + at - (sizeof name - 2), name,
	    sizeof name - 1) == 0;
}

static void
flip(struct damage *d, size_t n)
{
	bool all = n == 0;

	if (all)
		n = d->stream.n * 8;
	for (size_t i = 0; i < n; i++) {
		size_t bit = all ? i : below(d, d->stream.n * 8);

		WHAT(d, "bit %zu of byte %zu flipped", bit % 8, bit / 8);
		restore(d);
		d->heap.p[bit / 8] ^= (char)(1 << bit % 8);
		/* In compressed blocks some bits mean nothing to zstd. */
		if (judge(d, bit / 8) && kind_at(d, bit / 8) != 16 &&
		    !is_rejected(d, bit / 8))
			fail(d, "is not found");
	}
}

/* Judge the heap of parts that was made; a whole one must be the right one. */
static void
judge_heap(struct damage *d)
{
	if (judge(d, 0) && (d->heap.n != d->stream.n ||
	    memcmp(d->heap.p, d->stream.p, d->heap.n) != 0))
		fail(d, "is not found");
}

/* Put all parts but I, and I before J, if it is one. */
static void
put_moved(struct damage *d, size_t i, size_t j)
{
	buf_clear(&d->heap);
	for (size_t k = 0; k <= d->n_parts; k++) {
		if (k == j)
			put_part(d, &d->parts[i]);
		if (k != i && k < d->n_parts)
			put_part(d, &d->parts[k]);
	}
}

static void
frames(struct damage *d, size_t n)
{
	for (size_t i = 0; i < d->n_parts; i++) {
		WHAT(d, "frame %zu left out", i);
		put_moved(d, i, SIZE_MAX);
		judge_heap(d);
		for (size_t j = 0; j <= d->n_parts; j++) {
			WHAT(d, "frame %zu moved to %zu", i, j);
			put_moved(d, i, j);
			judge_heap(d);
			WHAT(d, "frame %zu again at %zu", i, j);
			buf_clear(&d->heap);
			for (size_t k = 0; k <= d->n_parts; k++) {
				if (k == j)
					put_part(d, &d->parts[i]);
				if (k < d->n_parts)
					put_part(d, &d->parts[k]);
			}
			judge_heap(d);
		}
	}
	for (size_t i = 0; i < n; i++) {
		size_t k = below(d, 2 * d->n_parts);

		WHAT(d, "heap %zu, of %zu frames", i, k);
		buf_clear(&d->heap);
		while (k-- > 0)
			put_part(d, &d->parts[below(d, d->n_parts)]);
		judge_heap(d);
	}
}

/* The bytes in which numbers may lie: all but a data frame's blocks. */
static bool
is_of_numbers(const struct damage *d, size_t at)
{
	for (size_t i = 0; i < d->n_parts; i++)
		if (at - d->parts[i].at < d->parts[i].n)
			return d->parts[i].magic != FRAME_MAGIC_ZSTD ||
			    at - d->parts[i].at < 16;
	return false;
}

/* Set the word at AT to lie number K: false where there are no more. */
static bool
set_word(struct damage *d, size_t at, size_t k)
{
	static const uint32_t words[] = {
		0, 1, 2, 4, 8, 9, 12, 17, 0xff, 0x100, 0xffff, 0x10000,
		1 << 20, 1 << 24, (1 << 26) - 1, 1 << 26, 1 << 27, 1 << 28,
		0x7fffffff, 0x80000000, 0xfffffff7, 0xfffffff8, 0xfffffffe,
		0xffffffff, 0x184d2a50, 0x184d2a51, 0x184d2a52, 0x184d2a5d,
		0x184d2a5e, 0xfd2fb528, 0x8f92eab1
	};
	const size_t n = sizeof words / sizeof *words;
	char *p = d->heap.p + at;
	uint32_t now = le_get32(p);

	if (k < n)
		le_put32(p, words[k]);
	else if (k < n + 4)
		le_put32(p, now + (uint32_t[]){ 1, 0xffffffff, now, 12 }
		    [k - n]);
	else
		return false;
	return true;
}

/*
 * Put another number in place of the digits at AT, with the size of the
 * frame made right: false where there are no more.
 */
static bool
set_digits(struct damage *d, const struct part *p, size_t at, size_t k)
{
	static const char *const numbers[] = {
		"0", "1", "2", "9", "10", "65536", "4294967295", "4294967296",
		"9223372036854775807", "18446744073709551615",
		"18446744073709551616", "99999999999999999999999", "-1", "1e9",
		"1.0", "", "null", "\"1\"", "[1]", "00"
	};
	size_t end = at;
	struct err e;

	if (k == sizeof numbers / sizeof *numbers)
		return false;
	while (d->stream.p[end] >= '0' && d->stream.p[end] <= '9')
		end++;
	buf_clear(&d->heap);
	put(d, 0, at);
	must(buf_puts(&d->heap, numbers[k], &e) == 0, "memory");
	put(d, end, d->stream.n);
	le_put32(d->heap.p + p->at + 4, (uint32_t)(p->n - 8 +
	    strlen(numbers[k]) - (end - at)));
	WHAT(d, "%s for the number at byte %zu", numbers[k], at);
	return true;
}

/* Whether byte AT of part P begins a number in its text. */
static bool
begins_number(const struct damage *d, const struct part *p, size_t at)
{
	const char *s = d->stream.p + at;

	return (p->magic == FRAME_MAGIC_END ||
	    p->magic == FRAME_MAGIC_LENGTHS ||
	    p->magic == FRAME_MAGIC_PROVENANCE) && at >= p->at + 8 &&
	    *s >= '0' && *s <= '9' && !(s[-1] >= '0' && s[-1] <= '9');
}

/* A lie that is not found may be about the rejected alone. */
static void
judge_lie(struct damage *d, size_t at)
{
	if (d->heap.n == d->stream.n &&
	    memcmp(d->heap.p, d->stream.p, d->heap.n) == 0)
		return;
	if (judge(d, at) && !is_rejected(d, at))
		fail(d, "is not found");
}

static void
lie(struct damage *d, size_t n)
{
	bool all = n == 0;

	for (size_t i = 0; i < d->n_parts; i++) {
		const struct part *p = &d->parts[i];

		for (size_t at = p->at; at < p->at + p->n; at++)
			for (size_t k = 0; begins_number(d, p, at) &&
			    set_digits(d, p, at, k); k++)
				judge_lie(d, at);
	}
	for (size_t at = 0; all && at + 4 <= d->stream.n; at++)
		for (size_t k = 0; is_of_numbers(d, at); k++) {
			restore(d);
			if (!set_word(d, at, k))
				break;
			WHAT(d, "lie %zu at byte %zu", k, at);
			judge_lie(d, at);
		}
	for (size_t i = 0; i < n; i++) {
		size_t at = below(d, d->stream.n - 3);

		restore(d);
		if (!is_of_numbers(d, at) ||
		    !set_word(d, at, below(d, 35)))
			continue;
		WHAT(d, "lie at byte %zu", at);
		judge_lie(d, at);
	}
}

/* Between which frames nothing may come: a prefix and its data. */
static void
insert(struct damage *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at = below(d, d->n_parts + 1);
		size_t byte = at < d->n_parts ? d->parts[at].at : d->stream.n;
		uint32_t kind = (uint32_t)below(d, 16);
		char body[64];
		size_t size = below(d, sizeof body);
		struct err e;
		bool is_ours = kind <= 2 || kind == 13 || kind == 14;

		for (size_t k = 0; k < size; k++)
			body[k] = (char)below(d, 256);
		buf_clear(&d->heap);
		put(d, 0, byte);
		must(frame_skippable(FRAME_MAGIC_PREFIX + kind, body, size,
		    &d->heap, &e) == 0, "memory");
		put(d, byte, d->stream.n);
		WHAT(d, "a frame of kind %x and %zu bytes before frame %zu",
		    kind, size, at);
		if (judge(d, byte == d->stream.n ? byte - 1 : byte) && is_ours)
			fail(d, "is not found");
	}
}

static void
join(struct damage *d, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t at;

		d->copies = 1 + below(d, 5);
		buf_clear(&d->heap);
		for (size_t k = 0; k < d->copies; k++)
			put(d, 0, d->stream.n);
		WHAT(d, "%zu copies joined", d->copies);
		if (!judge(d, 0))
			fail(d, "is no stream");
		/* Where one ends no cut can be seen. */
		at = below(d, d->heap.n);
		if (at % d->stream.n == 0)
			continue;
		WHAT(d, "%zu copies, cut after byte %zu", d->copies, at);
		d->heap.n = at;
		if (judge(d, 0))
			fail(d, "is not found");
	}
}

/* Learn the frames of the right stream. */
static void
take_apart(struct damage *d)
{
	size_t at = 0, next = 0;

	while (at < d->stream.n) {
		const char *p = d->stream.p + at;
		struct part part = { le_get32(p), at, 0 };

		part.n = part.magic == FRAME_MAGIC_ZSTD ? next :
		    8 + (size_t)le_get32(p + 4);
		if (part.magic == FRAME_MAGIC_PREFIX)
			next = le_get32(p + 8);
		d->parts = realloc(d->parts, (d->n_parts + 1) * sizeof part);
		must(d->parts != NULL, "no memory");
		d->parts[d->n_parts++] = part;
		at += part.n;
	}
}

/* Learn what is in it. */
static void
learn(struct damage *d)
{
	fill(d->fd, d->stream.p, d->stream.n);
	if (!read_in_order(d, d->fd, &d->want) || d->want.n == 0)
		fail(d, "is no stream of records");
	d->copies = 1;
	take_apart(d);
}

static void
tell(const struct damage *d)
{
	struct rusage used;

	must(getrusage(RUSAGE_SELF, &used) == 0, "getrusage");
	(void)printf("%" PRIu64 " damages, %" PRIu64 " found, %" PRIu64
	    " harmless", d->found + d->harmless, d->found, d->harmless);
	for (size_t i = 0; i < 17; i++)
		if (d->by_kind[i] > 0)
			(void)printf(i == 16 ? ", %" PRIu64 " in data" :
			    ", %" PRIu64 " in frames of kind %zx",
			    d->by_kind[i], i);
	(void)printf(", %ld MiB\n", used.ru_maxrss >> 10);
	if (used.ru_maxrss > RSS_MAX_KIB)
		fail(d, "took %ld KiB of memory", used.ru_maxrss);
}

int
main(int argc, char *argv[])
{
	static const struct {
		const char *name;
		void (*run)(struct damage *d, size_t n);
	} modes[] = {
		{ "cut", cut }, { "flip", flip }, { "frames", frames },
		{ "lie", lie }, { "insert", insert }, { "join", join },
	};
	struct rlimit memory = { MEMORY_MAX, MEMORY_MAX };
	struct damage d = { .what = "as it is" };
	struct err e = { 0 };

	if (argc < 3) {
		(void)fprintf(stderr, "usage: damage MODE FILE [N [SEED]]\n");
		return 2;
	}
	must(setrlimit(RLIMIT_AS, &memory) == 0, "setrlimit");
	d.seed = 88172645463325252u +
	    (argc > 4 ? strtoull(argv[4], NULL, 10) : 0);
	d.fd = file_without_name();
	d.other = file_without_name();
	d.sum = checksum_new(&e);
	must(d.sum != NULL, "no memory");
	must(file_read(argv[2], 1u << 30, &d.stream, &e) == 0, argv[2]);
	learn(&d);
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		if (strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run(&d, argc > 3 ?
			    strtoull(argv[3], NULL, 10) : 0);
			tell(&d);
			return 0;
		}
	(void)fprintf(stderr, "damage: no such mode: %s\n", argv[1]);
	return 2;
}
