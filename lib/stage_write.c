#include "message.h"
#include "progress.h"
#include "queue.h"
#include "stage_run.h"
#include "stage_write.h"
#include "stream.h"

/* What follows comes from CHAIN, and from us. */
static int
write_chain(struct stage_run *r, const struct buf *chain, struct err *e)
{
	buf_clear(&r->chain);
	if (buf_put(&r->chain, chain->p, chain->n, e) < 0 ||
	    buf_put(&r->chain, r->own_chain.p, r->own_chain.n, e) < 0)
		return -1;
	r->any_chain = true;
	return stream_write_provenance(r->writer, &r->chain, e);
}

/* Write the pieces of O that are frames. */
static int
write_frames(struct stage_run *r, struct outlet *o, struct err *e)
{
	for (size_t i = 0; i < o->n_pieces; i++) {
		if (outlet_write(o, &o->pieces[i], r->writer, e) < 0)
			return -1;
		progress_output(r->progress, o->pieces[i].n);
	}
	return 0;
}

/* Make frames of the lines gathered so far, and write them. */
static int
write_joined(struct stage_run *r, struct frame_codec *codec, struct err *e)
{
	if (outlet_end(r->join, e) < 0 || write_frames(r, r->join, e) < 0)
		return -1;
	outlet_begin(r->join, codec, false);
	return 0;
}

/*
 * Write what I holds.  Lines are joined with those of the items before and
 * after it in its task, so that the grouping of the input is kept however
 * many threads have treated it.
 */
static int
write_pieces(struct stage_run *r, struct item *i, struct frame_codec *codec,
    struct err *e)
{
	struct outlet *o = i->outlet;

	if (i->first && i->last)
		return write_frames(r, o, e);
	if (i->first)
		outlet_begin(r->join, codec, false);
	r->join->codec = codec;
	for (size_t k = 0; k < o->n_pieces; k++) {
		if (o->pieces[k].text) {
			if (outlet_join(r->join, o, &o->pieces[k], e) < 0)
				return -1;
			continue;
		}
		if (write_joined(r, codec, e) < 0 ||
		    outlet_write(o, &o->pieces[k], r->writer, e) < 0)
			return -1;
		progress_output(r->progress, o->pieces[k].n);
	}
	return i->last ? write_joined(r, codec, e) : 0;
}

/* Tell, and put aside, what O has brought. */
static int
write_aside(struct stage_run *r, struct outlet *o, struct err *e)
{
	if (o->messages.n > 0) {
		progress_pause(r->progress);
		message_print(&o->messages);
		progress_resume(r->progress);
	}
	r->records += o->records;
	r->taken += o->taken;
	progress_add(r->progress, o->records, o->errors - o->taken);
	progress_add_rejected(r->progress, o->taken);
	if (o->rejects.n == 0)
		return 0;
	return reject_write(r->rejects, o->rejects.p, o->rejects.n, e);
}

int
stage_write_item(struct stage_run *run, struct item *i,
    struct frame_codec *codec)
{
	static const struct buf none;
	struct outlet *o = i->outlet;
	struct task *t = i->task;
	struct err *e = &run->fault;

	if (i->first && (t->new_chain || !run->any_chain) &&
	    write_chain(run, t->new_chain ? &t->chain : &none, e) < 0)
		return -1;
	if (write_aside(run, o, e) < 0)
		return -1;
	if (o->fault.kind != ERR_NONE) {
		*e = o->fault;
		return -1;
	}
	return write_pieces(run, i, codec, e);
}

void
stage_write_rest(struct stage_run *run)
{
	struct err second;	/* the first is told of */

	if (stream_write_flush(run->writer, &second) < 0)
		return;
}

int
stage_write_end(struct stage_run *run, uint64_t rejected, struct err *e)
{
	static const struct buf none;

	if (!run->any_chain && write_chain(run, &none, e) < 0)
		return -1;
	return stream_write_end(run->writer, rejected, e);
}
