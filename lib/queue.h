/*
 * queue: what is in flight between reading and writing.
 *
 * A task is a frame of the input, or what a source has fed; tasks are put in
 * in order.  An item is what one thread treats at a time: a whole task, or
 * one line of it.  Threads ask with queue_take what to do next; items are
 * begun, and written, strictly in the order of the input.  Which thread
 * writes does not matter: the one that comes by when the next item is
 * finished.  Nor does it matter which one reads: whoever has nothing better
 * to do, so that it mostly goes on with what it has read, and nothing is
 * handed from processor to processor.  Only a source, which pushes, has a
 * thread of its own.
 *
 * At most two tasks and two items a thread are in flight, and QUEUE_BYTES
 * in all where more than one item is.  All functions may be called from any
 * thread, but queue_slot, queue_push and queue_close: from the thread that
 * reads, where that is none of these.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "frame.h"

#define QUEUE_BYTES (UINT64_C(1) << 30)

struct outlet;

struct task {
	/* Whoever reads fills these in. */
	struct frame frame;	/* its input, where it is_frame */
	bool is_frame;
	uint64_t section;	/* of the stream */
	struct buf chain;	/* provenance from here on, if new_chain */
	bool new_chain;
	struct err fault;	/* the run ends here, if it has a kind */

	/* Whoever expands it; without a frame, whoever reads. */
	struct buf plain;
	bool by_line;		/* each line is an item of its own */

	/* The queue's. */
	bool ready;		/* to be treated */
	size_t cursor;		/* of plain: where the next item begins */
	uint64_t bytes;
};

struct item {
	struct task *task;
	const char *p;		/* in the task's plain */
	size_t n;
	bool first, last;	/* of its task */
	struct outlet *outlet;	/* the owner's, kept from item to item */

	/* The queue's. */
	bool done;
	uint64_t bytes;
};

enum queue_work {
	QUEUE_READ,	/* TASK, which is empty */
	QUEUE_EXPAND,	/* TASK: fill in plain and by_line */
	QUEUE_TREAT,	/* ITEM */
	QUEUE_WRITE,	/* ITEM; nobody else is writing */
	QUEUE_NOTHING	/* all is done, or queue_stop was called */
};

struct queue;

/*
 * A queue for THREADS threads, which are told to READ; else somebody else
 * reads.  NULL on failure.
 */
struct queue *queue_new(unsigned threads, bool read, struct err *e) ERR_CHECK;
void queue_free(struct queue *q);	/* Q may be NULL */

/* The items, N of them, that are used again and again: for their outlets. */
struct item *queue_items(struct queue *q, size_t *n);

/*
 * An empty task to fill, when there is room for one; it is not in the queue
 * yet.  NULL when the queue was stopped.
 */
struct task *queue_slot(struct queue *q);

/* Put the task of the last queue_slot in. */
void queue_push(struct queue *q);

/* There will be no more. */
void queue_close(struct queue *q);

/* What to do next; waits for it.  *TASK or *ITEM is what to do it to. */
enum queue_work queue_take(struct queue *q, struct task **task,
    struct item **item);

/*
 * That is done: the task is read, and put in, and MORE may follow; T is ready
 * to be treated; I, which takes BYTES of memory, to be written; I is written.
 */
void queue_read(struct queue *q, bool more);
void queue_expanded(struct queue *q, struct task *t);
void queue_treated(struct queue *q, struct item *i, uint64_t bytes);
void queue_written(struct queue *q, struct item *i);

/* Every thread is told QUEUE_NOTHING from now on. */
void queue_stop(struct queue *q);

#endif
