/*
 * outlet_inside: the side of an outlet that the stage sees.
 *
 * An outlet gathers what one item of the queue gives: frames ready to be
 * written, lines for stderr and for the rejects file, and sums.  It is used
 * again and again, and belongs to one thread at a time.
 */
#ifndef OUTLET_INSIDE_H
#define OUTLET_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct frame_codec;
struct outlet;
struct record;
struct stream_writer;

/* What holds for the whole run. */
struct outlet_rules {
	const char *program;
	int level;		/* as content_level takes it */
	uint64_t frame_max;	/* bytes of a frame's content */
	bool strict;		/* new notes become errors */
	bool quiet;		/* no messages about records */
	bool rejects;		/* errored records are taken out */
	bool packs;		/* else they end the run */
	bool lengths;		/* a shard, which says how long records are */
};

/* Content, in input order: a frame, or lines that are to be joined. */
struct outlet_piece {
	bool text;
	size_t at, n;		/* in packed, or in text */
	uint64_t plain;		/* bytes of content */
	uint32_t records, errors;
	size_t lengths_at;	/* in lengths */
};

struct outlet {
	const struct outlet_rules *rules;
	struct frame_codec *codec;	/* the thread's, while it has us */
	bool joins;		/* leave lines to be joined with neighbours' */
	size_t notes;		/* that the record had before the program */

	struct outlet_piece *pieces;
	size_t n_pieces, cap_pieces;
	struct buf packed;	/* frames */
	struct buf text;	/* lines; those from run.at on are one piece */
	struct outlet_piece run;
	struct buf lengths;	/* rows of lengths.h */
	struct buf rows;	/* struct stream_lengths, of one frame */

	struct buf messages;	/* for stderr */
	struct buf rejects;	/* JSON Lines */
	uint64_t records;	/* put, those that were taken out too */
	uint64_t errors;	/* of these, how many carry an error */
	uint64_t taken;		/* of these, how many were taken out */
	struct err fault;	/* the run ends here, if it has a kind */
};

struct outlet *outlet_new(const struct outlet_rules *rules, struct err *e)
    ERR_CHECK;
void outlet_free(struct outlet *o);	/* O may be NULL */

/* Make O empty, for a thread with CODEC. */
void outlet_begin(struct outlet *o, struct frame_codec *codec, bool joins);

/* Pass on R, which came with its error: nobody is told again. */
int outlet_pass(struct outlet *o, struct record *r, struct err *e) ERR_CHECK;

/* The item has ended: what is gathered becomes pieces. */
int outlet_end(struct outlet *o, struct err *e) ERR_CHECK;

/* Add FROM's PIECE, which is text, to O's lines. */
int outlet_join(struct outlet *o, const struct outlet *from,
    const struct outlet_piece *piece, struct err *e) ERR_CHECK;

/* Write one of O's pieces, which is a frame. */
int outlet_write(struct outlet *o, const struct outlet_piece *piece,
    struct stream_writer *w, struct err *e) ERR_CHECK;

/* The memory that O's content takes. */
uint64_t outlet_bytes(const struct outlet *o);

#endif
