/*
 * golden: a file of tests/golden, one JSON value a line.
 *
 *	struct golden g = golden_open("tests/golden/tools.txt");
 *	while (golden_next(&g, &line))
 *		...
 *	golden_close(&g, 300);
 *
 * golden_close asserts that there were at least so many lines.
 */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <string.h>

#include "buf.h"
#include "file.h"
#include "jsonscan.h"
#include "unit.h"

struct golden {
	struct buf text;
	size_t at, lines;
};

static inline struct golden
golden_open(const char *path)
{
	struct golden g = { .at = 0 };
	struct err e = { 0 };

	if (file_read(path, 16u << 20, &g.text, &e) < 0)
		fail_msg("%s", e.text);
	return g;
}

static inline int
golden_next(struct golden *g, struct jsonspan *line)
{
	const char *p = g->text.p + g->at, *eol;

	if (g->at == g->text.n)
		return 0;
	eol = memchr(p, '\n', g->text.n - g->at);
	assert_non_null(eol);
	*line = jsonscan_value(p, (size_t)(eol - p));
	g->at += (size_t)(eol - p) + 1;
	g->lines++;
	return 1;
}

static inline void
golden_close(struct golden *g, size_t least)
{
	assert_true(g->lines >= least);
	buf_free(&g->text);
}

#endif
