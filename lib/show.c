#include "file.h"
#include "show.h"
#include "spell.h"
#include "table.h"
#include "view.h"

/* As much is gathered before it is written. */
#define GATHER (64u << 10)

int
show_flush(struct show *s, struct err *e)
{
	size_t n = s->out.n;

	buf_clear(&s->out);
	return n == 0 ? 0 : file_write(s->fd, s->out.p, n, e);
}

/* A line is complete but for its newline. */
static int
end_line(struct show *s, struct err *e)
{
	if (buf_putc(&s->out, '\n', e) < 0)
		return -1;
	return s->out.n < GATHER ? 0 : show_flush(s, e);
}

int
show_json(void *self, uint64_t number, struct view *v, struct err *e)
{
	struct show *s = self;
	struct jsonspan json = view_json(v);

	(void)number;
	if (buf_put(&s->out, json.p, json.n, e) < 0)
		return -1;
	return end_line(s, e);
}

int
show_text(void *self, uint64_t number, struct view *v, struct err *e)
{
	struct show *s = self;
	size_t was = s->out.n;

	if (spell_record(s->bpe, number, v, &s->out, e) < 0) {
		s->out.n = was;	/* whole lines, or none */
		return -1;
	}
	return end_line(s, e);
}

int
show_lengths(void *self, uint64_t number, const struct stream_lengths *row,
    struct err *e)
{
	struct show *s = self;

	if (buf_printf(&s->out, e, "%llu\t%u\t%u\t",
	    (unsigned long long)number, row->chosen, row->rejected) < 0)
		return -1;
	for (uint32_t k = 0; k < row->n_audios; k++)
		if (buf_printf(&s->out, e, k > 0 ? ",%u" : "%u",
		    row->audio[k]) < 0)
			return -1;
	return end_line(s, e);
}

void
show_free(struct show *s)
{
	buf_free(&s->out);
}
