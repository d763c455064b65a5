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
	uint64_t clock;
};

struct clipcache *
clipcache_new(unsigned threads, size_t bytes, struct err *e)
{
	struct clipcache *c = calloc(1, sizeof *c);

	if (c != NULL) {
		c->n = threads + (size_t)ENTRIES;
		c->bytes_max = bytes;
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

/*
 * The slot to use next: an empty one, else that which nobody has wanted for
 * longest.  There is one, since there are more slots than threads.
 */
static struct slot *
oldest(struct clipcache *c, enum state least)
{
	struct slot *old = NULL;

	for (size_t i = 0; i < c->n; i++) {
		struct slot *s = &c->slot[i];

		if (s->holders > 0 || s->state < least)
			continue;
		if (s->state == EMPTY)
			return s;
		if (old == NULL || s->used < old->used)
			old = s;
	}
	return old;
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
		s = oldest(c, EMPTY);
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

/* Forget clips, the oldest first, until what is kept is not too much. */
static void
shrink(struct clipcache *c)
{
	size_t bytes = 0;

	for (size_t i = 0; i < c->n; i++)
		if (c->slot[i].holders == 0)
			bytes += c->slot[i].entry.pcm.cap;
	while (bytes > c->bytes_max) {
		struct slot *s = oldest(c, READY);

		if (s == NULL)
			return;
		bytes -= s->entry.pcm.cap;
		buf_free(&s->entry.pcm);
		s->state = EMPTY;
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

