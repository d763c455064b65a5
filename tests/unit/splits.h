/*
 * splits: what jsonsplit makes of files, as text that a test can compare.
 *
 * A record is a line "offset:line:column text"; "~" before the text where
 * it is cut, with its whole length, "^" where a comma is missing before it.
 */
#ifndef SPLITS_H
#define SPLITS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "jsonsplit.h"
#include "unit.h"

#define SPLITS_ALL { .max_record = 4 << 20, .share = 1, .shares = 1 }

struct splits {
	struct buf text;
	size_t records, batches;
	struct err e;
	int rc;
};

static inline int
splits_sink(void *to, const void *p, size_t n, uint64_t done, uint64_t total,
    struct err *e)
{
	struct splits *s = to;
	struct piece_walk w = piece_walk_start(p, n);
	size_t content = 0;

	assert_true(total == 0 || done <= total);
	s->batches++;
	while (piece_walk_next(&w)) {
		const struct piece *i = &w.piece;

		assert_true(i->n <= i->total);
		if (buf_printf(&s->text, e, "%llu:%llu:%llu ",
		    (unsigned long long)i->offset,
		    (unsigned long long)i->line,
		    (unsigned long long)i->column) < 0)
			return -1;
		if (i->flaw == PIECE_TOO_LONG && buf_printf(&s->text, e,
		    "~%llu ", (unsigned long long)i->total) < 0)
			return -1;
		if (i->flaw == PIECE_NO_COMMA && buf_puts(&s->text, "^", e) <
		    0)
			return -1;
		if (buf_put(&s->text, i->p, i->n, e) < 0 ||
		    buf_putc(&s->text, '\n', e) < 0)
			return -1;
		/* A batch is full with the record that fills it. */
		assert_true(content < SPLIT_BATCH);
		content += i->n;
		s->records++;
	}
	return 0;
}

/* Split NAMES by PLAN; free what comes back with splits_free. */
static inline struct splits
splits_files(const struct jsonsplit_plan *plan, const char *const *names,
    size_t n)
{
	struct splits s = { .rc = -1 };
	struct jsonsplit *j = jsonsplit_new(plan, names, n, &s.e);

	if (j != NULL)
		s.rc = jsonsplit_run(j, splits_sink, &s, &s.e);
	jsonsplit_free(j);
	if (buf_putc(&s.text, '\0', &s.e) < 0)
		fail();
	return s;
}

static inline void
splits_free(struct splits *s)
{
	buf_free(&s->text);
}

/* A new file of N bytes; NAME has room for 32. */
static inline void
splits_write(char *name, const void *p, size_t n)
{
	int fd;

	strcpy(name, "/tmp/ossicle-split-XXXXXX");
	fd = mkstemp(name);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	(void)close(fd);
}

/* Split the N bytes at P, from a file, by PLAN. */
static inline struct splits
splits_bytes(const struct jsonsplit_plan *plan, const void *p, size_t n)
{
	char name[32];
	const char *names[] = { name };
	struct splits s;

	splits_write(name, p, n);
	s = splits_files(plan, names, 1);
	(void)unlink(name);
	/* The name, which differs from run to run, is @ in messages. */
	if (s.rc < 0 && strncmp(s.e.text, name, strlen(name)) == 0)
		memmove(s.e.text + 1, s.e.text + strlen(name),
		    strlen(s.e.text + strlen(name)) + 1);
	if (s.rc < 0 && s.e.text[0] == '/')
		s.e.text[0] = '@';
	return s;
}

/* TEXT splits into WANT, and ends with WORDS, or well where that is NULL. */
static inline void
splits_into(const char *text, const char *want, const char *words)
{
	const struct jsonsplit_plan plan = SPLITS_ALL;
	struct splits s = splits_bytes(&plan, text, strlen(text));

	if (strcmp(s.text.p, want) != 0)
		fail_msg("%s\nis split into\n%s", text, s.text.p);
	if (words == NULL && s.rc < 0)
		fail_msg("%s\nends with %s", text, s.e.text);
	if (words != NULL) {
		assert_int_equal(s.rc, -1);
		assert_int_equal(s.e.kind, ERR_DAMAGED);
		assert_string_equal(s.e.text, words);
	}
	splits_free(&s);
}

#endif
