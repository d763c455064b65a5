#include <string.h>

#include "buf.h"
#include "piece.h"

int
piece_batch(struct buf *out, const char *name, struct err *e)
{
	buf_clear(out);
	return buf_put(out, name, strlen(name) + 1, e);
}

int
piece_put(struct buf *out, const struct piece *piece, struct err *e)
{
	if (buf_reserve(out, sizeof *piece + piece->n, e) < 0)
		return -1;
	memcpy(out->p + out->n, piece, sizeof *piece);
	if (piece->n > 0)
		memcpy(out->p + out->n + sizeof *piece, piece->p, piece->n);
	out->n += sizeof *piece + piece->n;
	return 0;
}

struct piece_walk
piece_walk_start(const void *p, size_t n)
{
	struct piece_walk w = { .name = p };

	w.end = w.name + n;
	w.p = w.name + strlen(w.name) + 1;
	return w;
}

bool
piece_walk_next(struct piece_walk *w)
{
	if (w->p == w->end)
		return false;
	memcpy(&w->piece, w->p, sizeof w->piece);
	w->p += sizeof w->piece;
	w->piece.p = w->p;
	w->p += w->piece.n;
	return true;
}
