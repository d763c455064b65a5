#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file.h"
#include "frame.h"
#include "window.h"

/* What errno says of W's file. */
static int
cannot_read(const struct window *w, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	return err_errno(e, "cannot read %s", err_quote(quoted,
	    sizeof quoted, w->name, strlen(w->name)));
}

/* Say that E is of W's file. */
static int
blame(const struct window *w, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	return err_wrap(e, "%s", err_quote(quoted, sizeof quoted, w->name,
	    strlen(w->name)));
}

int
window_open(struct window *w, const char *name, bool expand, struct err *e)
{
	window_close(w);
	w->name = name;
	w->fd = strcmp(name, "-") == 0 ? dup(STDIN_FILENO) :
	    open(name, O_RDONLY | O_CLOEXEC);
	if (w->fd < 0)
		return cannot_read(w, e);
	if (expand) {
		w->inflate = frame_inflate_new(w->fd, e);
		if (w->inflate == NULL)
			return -1;
	}
	return 0;
}

int
window_seek(struct window *w, uint64_t at, struct err *e)
{
	if (lseek(w->fd, (off_t)at, SEEK_SET) < 0)
		return cannot_read(w, e);
	w->n = 0;
	w->base = at;
	w->ended = false;
	return 0;
}

/* Make room for a step behind what there is. */
static int
make_room(struct window *w, struct err *e)
{
	size_t cap = w->cap == 0 ? 2 * WINDOW_STEP : w->cap;
	char *p;

	if (w->cap - w->n >= WINDOW_STEP)
		return 0;
	while (cap - w->n < WINDOW_STEP) {
		if (cap > SIZE_MAX / 2)
			return err_memory(e);
		cap *= 2;
	}
	p = realloc(w->p, cap);
	if (p == NULL)
		return err_memory(e);
	w->p = p;
	w->cap = cap;
	return 0;
}

int
window_fill(struct window *w, size_t keep, struct err *e)
{
	size_t got;
	int64_t n;

	w->n -= keep;
	w->base += keep;
	if (keep > 0 && w->n > 0)
		memmove(w->p, w->p + keep, w->n);
	if (make_room(w, e) < 0)
		return -1;
	if (w->inflate != NULL) {
		if (frame_inflate_read(w->inflate, w->p + w->n, WINDOW_STEP,
		    &got, e) < 0)
			return blame(w, e);
		n = (int64_t)got;
	} else {
		n = file_read_some(w->fd, w->p + w->n, WINDOW_STEP, e);
		if (n < 0)
			return blame(w, e);
	}
	w->ended = n == 0;
	w->n += (size_t)n;
	return 0;
}

void
window_close(struct window *w)
{
	/* A window that was { 0 } has not opened descriptor 0. */
	if (w->name != NULL && w->fd >= 0)
		(void)close(w->fd);
	frame_inflate_free(w->inflate);
	w->inflate = NULL;
	w->name = NULL;
	w->fd = -1;
	w->n = 0;
	w->base = 0;
	w->ended = false;
}

void
window_free(struct window *w)
{
	window_close(w);
	free(w->p);
	*w = (struct window){ .fd = -1 };
}
