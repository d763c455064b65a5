#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "clipcache.h"

#define ENTRIES 64		/* besides one for each thread */

#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

enum state { EMPTY, MAKING, READY };

struct slot {
	struct clipcache_entry entry;	/* first: an entry is its slot */
	enum state state;
	unsigned holders;
	uint64_t used;		/* when it was last taken */
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime;
};

struct clipcache {
	pthread_mutex_t lock;
	pthread_cond_t made;
	struct slot *slot;
	size_t n;
	size_t bytes_max;
	unsigned threads;
	uint64_t clock;
};

struct clipcache *
clipcache_new(unsigned threads, size_t bytes, struct err *e)
{
	struct clipcache *c = calloc(1, sizeof *c);

	if (c != NULL) {
		c->n = threads + (size_t)ENTRIES;
		c->bytes_max = bytes;
		c->threads = threads;
		c->slot = calloc(c->n, sizeof *c->slot);
	}
	if (c == NULL || c->slot == NULL) {
		free(c);
		(void)err_memory(e);
		return NULL;
	}
	if (pthread_mutex_init(&c->lock, NULL) != 0 ||
	    pthread_cond_init(&c->made, NULL) != 0) {
		free(c->slot);
		free(c);
		(void)err_set(e, ERR_SYSTEM, "cannot make a lock");
		return NULL;
	}
	return c;
}

void
clipcache_free(struct clipcache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < c->n; i++)
		buf_free(&c->slot[i].entry.pcm);
	(void)pthread_cond_destroy(&c->made);
	(void)pthread_mutex_destroy(&c->lock);
	free(c->slot);
	free(c);
}

/* The slot that has, or will have, the file ST is about; or NULL. */
static struct slot *
find(struct clipcache *c, const struct stat *st)
{
	for (size_t i = 0; i < c->n; i++) {
		struct slot *s = &c->slot[i];

		if (s->state != EMPTY && s->ino == st->st_ino &&
		    s->dev == st->st_dev && s->size == st->st_size &&
		    s->mtime.tv_sec == st->st_mtim.tv_sec &&
		    s->mtime.tv_nsec == st->st_mtim.tv_nsec)
			return s;
	}
	return NULL;
}

/* The clip that nobody has wanted for longest, or NULL. */
static struct slot *
oldest(struct clipcache *c)
{
	struct slot *old = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct slot *s = &c->slot[i];

		if (s->holders == 0 && s->state == READY &&
		    (old == NULL || s->used < old->used))
			old = s;
	}
	return old;
}

/*
 * The slot to use next: an empty one, of which one that has memory is best,
 * else the oldest.  There is one, since there are more slots than threads.
 */
static struct slot *
spare(struct clipcache *c)
{
	struct slot *best = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct slot *s = &c->slot[i];

		if (s->holders == 0 && s->state == EMPTY && (best == NULL ||
		    s->entry.pcm.cap > best->entry.pcm.cap))
			best = s;
	}
	return best != NULL ? best : oldest(c);
}

struct clipcache_entry *
clipcache_take(struct clipcache *c, const struct stat *st, bool *fresh)
{
	struct slot *s;

	(void)pthread_mutex_lock(&c->lock);
	while ((s = find(c, st)) != NULL && s->state == MAKING)
		(void)pthread_cond_wait(&c->made, &c->lock);
	*fresh = s == NULL;
	if (s == NULL) {
		s = spare(c);
		s->state = MAKING;
		s->dev = st->st_dev;
		s->ino = st->st_ino;
		s->size = st->st_size;
		s->mtime = st->st_mtim;
		s->entry.err = (struct err){ 0 };
		buf_clear(&s->entry.pcm);
	}
	s->holders++;
	s->used = ++c->clock;
	(void)pthread_mutex_unlock(&c->lock);
	return &s->entry;
}

void
clipcache_made(struct clipcache *c, struct clipcache_entry *entry, bool good)
{
	struct slot *s = (struct slot *)(void *)entry;

	(void)pthread_mutex_lock(&c->lock);
	s->state = good ? READY : EMPTY;
	(void)pthread_cond_broadcast(&c->made);
	(void)pthread_mutex_unlock(&c->lock);
}

/*
 * Forget clips, the oldest first, until what is kept is not too much.  Their
 * memory stays for the next ones, of which there is one a thread: to give it
 * back, and take new pages, costs as much as to decode a WAV.
 */
static void
shrink(struct clipcache *c)
{
	size_t bytes = 0, spares = 0;
	struct slot *old;

	for (size_t i = 0; i < c->n; i++) {
		const struct slot *s = &c->slot[i];

		if (s->holders == 0 && s->state == READY)
			bytes += s->entry.pcm.cap;
		if (s->holders == 0 && s->state == EMPTY)
			spares += s->entry.pcm.cap > 0;
	}
	while (bytes > c->bytes_max && (old = oldest(c)) != NULL) {
		bytes -= old->entry.pcm.cap;
		old->state = EMPTY;
		if (spares++ >= c->threads)
			buf_free(&old->entry.pcm);
	}
}

void
clipcache_release(struct clipcache *c, struct clipcache_entry *entry)
{
	struct slot *s = (struct slot *)(void *)entry;

	(void)pthread_mutex_lock(&c->lock);
	s->holders--;
	shrink(c);
	(void)pthread_mutex_unlock(&c->lock);
}

