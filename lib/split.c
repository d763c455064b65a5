#include "split.h"

void
split_locate(const struct split *s, size_t i, struct piece *piece)
{
	piece->offset = split_offset(s, i);
	piece->line = s->line;
	piece->column = piece->offset - s->line_start + 1;
}

void
split_new_line(struct split *s, size_t i)
{
	s->line_start = split_offset(s, i);
	if (s->line > 0)
		s->line++;
}

int
split_flush(struct split *s, struct err *e)
{
	uint64_t done = s->before + split_offset(s, s->at) - s->part.from;

	if (s->content == 0)
		return 0;
	s->content = 0;
	/* The last record may reach into the next share. */
	if (s->total > 0 && done > s->total)
		done = s->total;
	if (s->sink(s->to, s->batch.p, s->batch.n, done, s->total, e) < 0)
		return -1;
	return piece_batch(&s->batch, s->w.name, e);
}

int
split_put(struct split *s, const struct piece *piece, struct err *e)
{
	bool ours = s->part.ranged ? piece->offset >= s->part.from :
	    share_has(s->number, s->share, s->shares);

	s->number++;
	if (!ours)
		return 0;
	if (piece_put(&s->batch, piece, e) < 0)
		return -1;
	s->content += piece->n;
	return s->content >= SPLIT_BATCH ? split_flush(s, e) : 0;
}

int
split_keep_head(struct split *s, const char *p, size_t n, struct err *e)
{
	buf_clear(&s->head);
	return buf_put(&s->head, p, n < SPLIT_RAW ? n : SPLIT_RAW, e);
}
