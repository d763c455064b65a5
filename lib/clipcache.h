/*
 * clipcache: the last clips, since pairs share them.
 *
 * A clip is known by its file: device, inode, size and time of change.  What
 * is remembered is what came of it, a fault of the file too.  A thread that
 * wants a clip which another is decoding waits for that.  Threads share one.
 */
#ifndef CLIPCACHE_H
#define CLIPCACHE_H

#include <sys/stat.h>

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"
#include "clip.h"
#include "err.h"

/* What came of a file: read only, but for the thread that makes it. */
struct clipcache_entry {
	struct err err;		/* ERR_NONE: what follows stands */
	struct clip_facts facts;
	struct buf pcm;		/* the samples kept */
};

struct clipcache;

/*
 * A cache for so many THREADS, of at most BYTES of samples beyond those in
 * use, and the memory of one more clip a thread.  NULL on failure.
 */
struct clipcache *clipcache_new(unsigned threads, size_t bytes,
    struct err *e) ERR_CHECK;
void clipcache_free(struct clipcache *c);

/*
 * The clip of the file ST is about.  *FRESH is true where it has yet to be
 * made: the caller then fills in the entry and calls clipcache_made.  Every
 * entry is given back with clipcache_release.  No thread holds two.
 */
struct clipcache_entry *clipcache_take(struct clipcache *c,
    const struct stat *st, bool *fresh);

/* ENTRY is filled in; not GOOD: forget it, it says nothing of the file. */
void clipcache_made(struct clipcache *c, struct clipcache_entry *entry,
    bool good);

void clipcache_release(struct clipcache *c, struct clipcache_entry *entry);

#endif
