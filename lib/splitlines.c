#include <string.h>

#include "jsontext.h"
#include "split.h"
#include "splitlines.h"

/* Put the line of the window from FROM to END. */
static int
put_line(struct split *s, size_t from, size_t end, struct err *e)
{
	const char *p = s->w.p;
	struct piece piece = { 0 };

	while (!s->paths && from < end && jsontext_is_space(p[from]))
		from++;
	/* What is too long is so with the blanks at its end. */
	if (end - from > s->max)
		piece.flaw = PIECE_TOO_LONG;
	/* Of a path, blanks are a part; not what Windows puts at the end. */
	while (piece.flaw == PIECE_WHOLE && from < end && (s->paths ?
	    p[end - 1] == '\r' : jsontext_is_space(p[end - 1])))
		end--;
	if (from == end)
		return 0;
	split_locate(s, from, &piece);
	piece.p = p + from;
	piece.n = piece.total = end - from;
	if (piece.flaw == PIECE_TOO_LONG && piece.n > SPLIT_RAW)
		piece.n = SPLIT_RAW;
	return split_put(s, &piece, e);
}

/* Put the line that starts at S's place and is too long to be held. */
static int
put_long_line(struct split *s, struct err *e)
{
	struct piece piece = { .flaw = PIECE_TOO_LONG };
	const char *nl;

	/* What is left may be short enough: look again. */
	if (!s->paths && jsontext_is_space(s->w.p[s->at])) {
		while (s->at < s->w.n && jsontext_is_space(s->w.p[s->at]))
			s->at++;
		return 0;
	}
	split_locate(s, s->at, &piece);
	if (split_keep_head(s, s->w.p + s->at, s->w.n - s->at, e) < 0)
		return -1;
	while ((nl = memchr(s->w.p + s->at, '\n', s->w.n - s->at)) == NULL) {
		if (s->w.ended)
			break;
		if (window_fill(&s->w, s->w.n, e) < 0)
			return -1;
		s->at = 0;
	}
	s->at = nl != NULL ? (size_t)(nl - s->w.p) : s->w.n;
	piece.p = s->head.p;
	piece.n = s->head.n;
	piece.total = split_offset(s, s->at) - piece.offset;
	return split_put(s, &piece, e);
}

int
splitlines_run(struct split *s, struct err *e)
{
	struct window *w = &s->w;
	size_t scanned = s->at;		/* no line ends before it */

	while (s->line_start < s->part.to) {
		const char *nl = w->n == scanned ? NULL :
		    memchr(w->p + scanned, '\n', w->n - scanned);

		if (nl != NULL || (w->ended && s->at < w->n)) {
			size_t end = nl != NULL ? (size_t)(nl - w->p) : w->n;

			if (put_line(s, s->at, end, e) < 0)
				return -1;
			s->at = nl != NULL ? end + 1 : end;
			split_new_line(s, s->at);
		} else if (w->ended) {
			break;
		} else if (w->n - s->at > split_held(s)) {
			if (put_long_line(s, e) < 0)
				return -1;
			/* Its newline is next, an empty line. */
		} else {
			size_t more = w->n - s->at;

			if (window_fill(w, s->at, e) < 0)
				return -1;
			s->at = 0;
			scanned = more;
			continue;
		}
		scanned = s->at;
	}
	return 0;
}
