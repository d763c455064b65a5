/*
 * streams: what the tests of streams and shards share: small streams made,
 * and read to their end.
 */
#ifndef STREAMS_H
#define STREAMS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "provenance.h"
#include "stream.h"
#include "unit.h"

/* A file without a name that holds the N bytes at P, at its start. */
static inline int
file_of(const void *p, size_t n)
{
	char path[] = "/tmp/ossicle-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Append all that FD holds to OUT. */
static inline void
slurp(int fd, struct buf *out)
{
	struct err e = { 0 };
	ssize_t n;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	do {
		assert_int_equal(buf_reserve(out, 65536, &e), 0);
		n = read(fd, out->p + out->n, 65536);
		assert_true(n >= 0);
		out->n += (size_t)n;
	} while (n > 0);
}

/* Append the provenance of PROGRAM to OUT. */
static inline void
put_program(struct buf *out, const char *program)
{
	struct err e = { 0 };
	struct provenance *p = provenance_new(program, "1", &e);

	assert_non_null(p);
	assert_int_equal(provenance_frame(p, out, &e), 0);
	provenance_free(p);
}

/* Write to W a data frame of N records; number I says so, and every third
 * has an error.  NEXT is the number of the first. */
static inline void
write_records(struct stream_writer *w, int level, unsigned n, unsigned next)
{
	struct stream_lengths lengths[64];
	uint32_t audio[64][3];
	struct buf plain = { 0 }, frame = { 0 };
	struct err e = { 0 };
	struct frame_codec *c = frame_codec_new(&e);
	uint32_t errors = 0;

	assert_non_null(c);
	assert_true(n <= 64);
	for (unsigned i = 0; i < n; i++) {
		bool bad = (next + i) % 3 == 2;

		assert_int_equal(buf_printf(&plain, &e, "{\"number\":%u%s}\n",
		    next + i, bad ? ",\"error\":{}" : ""), 0);
		errors += bad;
		for (unsigned k = 0; k < 3; k++)
			audio[i][k] = 100 * k + next + i;
		lengths[i] = (struct stream_lengths){ .chosen = next + i,
		    .rejected = 2 * (next + i), .n_audios = (next + i) % 4,
		    .audio = audio[i] };
	}
	assert_int_equal(frame_compress(c, level, plain.p, plain.n, &frame,
	    &e), 0);
	assert_int_equal(stream_write_data(w, frame.p, frame.n, plain.n, n,
	    errors, lengths, &e), 0);
	frame_codec_free(c);
	buf_free(&plain);
	buf_free(&frame);
}

/* Append to OUT a stream of data frames, of which the I-th, at LEVEL, has
 * I % 3 + 1 records; TABLE makes it a shard.  Its records, in all. */
static inline unsigned
put_stream(struct buf *out, const char *program, unsigned frames, int level,
    bool table)
{
	struct err e = { 0 };
	struct buf chain = { 0 };
	int fd = file_of("", 0);
	struct stream_writer *w = stream_writer_new(fd, table, &e);
	unsigned next = 0;

	assert_non_null(w);
	put_program(&chain, "first");
	put_program(&chain, program);
	assert_int_equal(stream_write_provenance(w, &chain, &e), 0);
	for (unsigned i = 0; i < frames; i++) {
		write_records(w, level, i % 3 + 1, next);
		next += i % 3 + 1;
	}
	assert_int_equal(stream_write_end(w, 7, &e), 0);
	slurp(fd, out);
	stream_writer_free(w);
	buf_free(&chain);
	(void)close(fd);
	return next;
}

/* What a stream was read as. */
struct got {
	struct buf content;
	struct buf programs;
	unsigned changes;	/* of provenance */
	struct stream_sums sums;
	struct err e;
};

static inline void
got_free(struct got *g)
{
	buf_free(&g->content);
	buf_free(&g->programs);
}

/* How many times TEXT stands in the N bytes at P. */
static inline uint64_t
occurrences(const char *p, size_t n, const char *text)
{
	size_t m = strlen(text);
	uint64_t count = 0;

	for (size_t i = 0; i + m <= n; i++)
		count += memcmp(p + i, text, m) == 0;
	return count;
}

/* N bytes that compress a little. */
static inline char *
noise(size_t n)
{
	char *p = malloc(n + 1);
	uint32_t x = 12345;

	assert_non_null(p);
	for (size_t i = 0; i < n; i++) {
		x = x * 1664525 + 1013904223;
		p[i] = (char)(x >> 24 & 0x3f);
	}
	return p;
}

/* Read FD, from its start, to its end: 0, or -1 with G's err. */
static inline int
read_fd(int fd, bool fragment, struct got *g)
{
	struct frame f = { 0 };
	struct buf plain = { 0 };
	struct frame_codec *c = frame_codec_new(&g->e);
	struct stream_reader *r = stream_reader_new(fd, 1 << 20, fragment,
	    &g->e);
	enum stream_event event = STREAM_DATA;
	int rc = -1;

	assert_non_null(c);
	assert_non_null(r);
	buf_clear(&g->content);
	buf_clear(&g->programs);
	g->changes = 0;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	for (;;) {
		if (stream_read(r, &event, &f, &g->e) < 0)
			goto out;
		if (event == STREAM_ENDED)
			break;
		if (event == STREAM_PROVENANCE) {
			const struct buf *b = stream_reader_provenance(r);

			g->changes++;
			if (buf_put(&g->programs, b->p, b->n, &g->e) < 0)
				goto out;
			continue;
		}
		if (frame_expand(c, &f, &plain, &g->e) < 0 ||
		    buf_put(&g->content, plain.p, plain.n, &g->e) < 0)
			goto out;
		stream_reader_count(r, stream_reader_section(r),
		    occurrences(plain.p, plain.n, "\n"),
		    occurrences(plain.p, plain.n, "\"error\":"));
	}
	g->sums = stream_reader_sums(r);
	rc = stream_reader_settle(r, &g->e);
out:
	buf_free(&f.raw);
	buf_free(&plain);
	frame_codec_free(c);
	stream_reader_free(r);
	return rc;
}

/* Read the N bytes at P. */
static inline int
read_bytes(const void *p, size_t n, bool fragment, struct got *g)
{
	int fd = file_of(p, n), rc = read_fd(fd, fragment, g);

	(void)close(fd);
	return rc;
}

#endif
