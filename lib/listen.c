#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "clipcache.h"
#include "listen.h"
#include "record.h"
#include "roots.h"

#define CACHE_BYTES ((size_t)8 << 20)	/* eight clips of 30 s */

struct listen {
	struct listen_rules rules;
	struct roots roots;	/* the same for every record, or none */
	struct decoder *decoder;
	struct clipcache *cache;
};

struct listen_worker {
	const struct listen *shared;
	struct decoder_worker *worker;
	struct buf dir;		/* folder of the last record's data, ... */
	struct roots roots;	/* ... which is its root */
	struct buf text, facts;
	struct clipcache_entry *lent;	/* to the last record, or NULL */
};

void
listen_free(struct listen *l)
{
	if (l == NULL)
		return;
	clipcache_free(l->cache);
	decoder_free(l->decoder);
	roots_free(&l->roots);
	free(l);
}

/* The roots that are the same for every record, if there are any. */
static int
find_roots(struct listen *l, struct err *e)
{
	const struct listen_rules *r = &l->rules;

	for (size_t i = 0; i < r->n_roots; i++)
		if (roots_add(&l->roots, r->root[i], e) < 0)
			return -1;
	if (r->n_roots > 0 || !r->anywhere)
		return 0;
	return roots_add(&l->roots, ".", e) < 0 ? -1 :
	    roots_allow(&l->roots, "/", e);
}

struct listen *
listen_new(const struct listen_rules *rules, unsigned threads, struct err *e)
{
	struct decoder_rules d = {
		.clip = { rules->fact.resample, rules->fact.max_s,
		    rules->facts_only ? 0 :
		    audiofact_samples(rules->fact.clip_s) },
		.sandbox = rules->sandbox,
		.memory_max = DECODER_MEMORY_MAX, .cpu_s = DECODER_CPU_S,
		.stall_s = DECODER_STALL_S, .idle_s = DECODER_IDLE_S,
	};
	struct listen *l = calloc(1, sizeof *l);

	if (l == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	l->rules = *rules;
	if (find_roots(l, e) == 0)
		l->decoder = decoder_new(&d, threads, e);
	if (l->decoder != NULL)
		l->cache = clipcache_new(threads, CACHE_BYTES, e);
	if (l->cache == NULL) {
		listen_free(l);
		return NULL;
	}
	return l;
}

unsigned
listen_missing(const struct listen *l)
{
	return decoder_missing(l->decoder);
}

/* The last record is done with the clip that was lent to it. */
static void
take_back(struct listen_worker *w)
{
	if (w->lent != NULL)
		clipcache_release(w->shared->cache, w->lent);
	w->lent = NULL;
}

void
listen_worker_free(struct listen_worker *w)
{
	if (w == NULL)
		return;
	take_back(w);
	decoder_worker_free(w->worker);
	roots_free(&w->roots);
	buf_free(&w->dir);
	buf_free(&w->text);
	buf_free(&w->facts);
	free(w);
}

struct listen_worker *
listen_worker_new(struct listen *l, struct err *e)
{
	struct listen_worker *w = calloc(1, sizeof *w);

	if (w == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	w->shared = l;
	w->worker = decoder_worker_new(l->decoder, e);
	if (w->worker == NULL) {
		listen_worker_free(w);
		return NULL;
	}
	return w;
}

/* The folder of the data that R came from, to w->text, ended by a NUL. */
static int
find_folder(struct listen_worker *w, const struct record *r, struct err *e)
{
	struct jsonspan file = jsonscan_get(record_get(r, RECORD_AT), "file");
	struct buf *b = &w->text;

	buf_clear(b);
	if (jsonscan_type(file) == JSON_STRING &&
	    jsonscan_string(file, b, e) < 0)
		return -1;
	while (b->n > 1 && b->p[b->n - 1] != '/')
		b->n--;
	if (b->n == 0 || b->p[b->n - 1] != '/') {
		buf_clear(b);
		return buf_put(b, ".", 2, e);
	}
	return buf_putc(b, '\0', e);
}

/* The roots of R's audios; NULL on failure. */
static const struct roots *
roots_of(struct listen_worker *w, const struct record *r, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	if (w->shared->roots.n > 0)
		return &w->shared->roots;
	if (find_folder(w, r, e) < 0)
		return NULL;
	if (w->roots.n > 0 && w->text.n == w->dir.n &&
	    memcmp(w->text.p, w->dir.p, w->dir.n) == 0)
		return &w->roots;
	roots_free(&w->roots);
	buf_clear(&w->dir);
	if (buf_put(&w->dir, w->text.p, w->text.n, e) < 0)
		return NULL;
	if (roots_add(&w->roots, w->dir.p, e) < 0) {
		/* What the system lacks is no fault of the record. */
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES &&
		    errno != ELOOP && errno != ENAMETOOLONG)
			return NULL;
		(void)err_record(e, CODE_AUDIO_MISSING, "the folder \"%s\", "
		    "which the data came from, is not here",
		    err_quote(quoted, sizeof quoted, w->dir.p,
		    w->dir.n - 1));
		(void)err_hint(e,
		    "--root DIR names the folder that paths are relative to");
		return NULL;
	}
	return &w->roots;
}

/* What there is to know of the file FD, from the cache or the decoder. */
static struct clipcache_entry *
read_clip(struct listen_worker *w, int fd, struct err *e)
{
	struct clipcache *cache = w->shared->cache;
	struct clipcache_entry *clip;
	struct stat st;
	bool fresh;

	if (fstat(fd, &st) < 0) {
		(void)err_errno(e, "cannot look at a file");
		return NULL;
	}
	clip = clipcache_take(cache, &st, &fresh);
	if (!fresh)
		return clip;
	if (decoder_read(w->worker, fd, &clip->pcm, &clip->facts,
	    &clip->err) < 0 && clip->err.kind != ERR_RECORD) {
		*e = clip->err;
		clipcache_made(cache, clip, false);
		clipcache_release(cache, clip);
		return NULL;
	}
	clipcache_made(cache, clip, true);
	return clip;
}

/*
 * Put the samples of CLIP into R as those of its audio K: as LENT they stay
 * where they are.
 */
static int
put_pcm(struct record *r, size_t k, const struct clipcache_entry *clip,
    bool lent, struct err *e)
{
	enum dtype type = clip->facts.i16 ? DTYPE_I16 : DTYPE_F32;
	char name[32];
	void *to;

	(void)snprintf(name, sizeof name, "pcm.%zu", k);
	if (lent)
		return record_lend_tensor(r, name, type, 1, clip->facts.kept,
		    0, clip->pcm.p, e);
	to = record_put_tensor(r, name, type, 1, clip->facts.kept, 0, e);
	if (to == NULL)
		return -1;
	memcpy(to, clip->pcm.p, clip->pcm.n);
	return 0;
}

/*
 * CLIP is that of audio K of R, whose path is V, for people QUOTED.  The
 * last one of a record is lent: a thread may hold one clip, no more.
 */
static int
use_clip(struct listen_worker *w, struct record *r, size_t k, bool last,
    struct jsonspan v, const char *quoted, struct clipcache_entry *clip,
    struct err *e)
{
	const struct listen_rules *rules = &w->shared->rules;

	*e = clip->err;
	if (e->kind != ERR_NONE ||
	    audiofact_check(&clip->facts, &rules->fact, e) < 0)
		return err_wrap(e, "%s", quoted);
	if ((w->facts.n > 1 && buf_putc(&w->facts, ',', e) < 0) ||
	    audiofact_put(&clip->facts, &rules->fact, v, &w->facts, e) < 0 ||
	    audiofact_note(&clip->facts, &rules->fact, rules->stage, quoted,
	    r, e) < 0)
		return -1;
	if (rules->facts_only)
		return 0;
	if (put_pcm(r, k, clip, last, e) < 0)
		return -1;
	if (last)
		w->lent = clip;
	return 0;
}

/* Audio K of R, which may be its LAST, is at the path V. */
static int
check_audio(struct listen_worker *w, const struct roots *roots,
    struct record *r, size_t k, bool last, struct jsonspan v, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	struct clipcache_entry *clip;
	struct jsonspan path;
	int fd, rc;

	if (jsonscan_type(v) != JSON_STRING) {
		(void)err_record(e, CODE_AUDIO_INLINE,
		    "audios[%zu] is %s, not a path", k,
		    jsonscan_type_name(jsonscan_type(v)));
		return err_hint(e, "write the audio to files first");
	}
	buf_clear(&w->text);
	if (jsonscan_text(v, &w->text, &path, e) < 0)
		return -1;
	fd = roots_open(roots, path.p, path.n, e);
	if (fd < 0)
		return -1;
	clip = read_clip(w, fd, e);
	(void)close(fd);
	if (clip == NULL)
		return -1;
	rc = use_clip(w, r, k, last, v, err_quote(quoted, sizeof quoted,
	    path.p, path.n), clip, e);
	if (w->lent == NULL)
		clipcache_release(w->shared->cache, clip);
	return rc;
}

int
listen_record(struct listen_worker *w, struct record *r, struct err *e)
{
	struct jsonspan audios = record_get(r, RECORD_AUDIOS);
	struct jsonwalk walk = jsonwalk_start(audios);
	size_t n = jsonscan_count(audios), k = 0;
	const struct roots *roots;

	take_back(w);
	if (n == 0)
		return 0;
	if (n > RECORD_AUDIOS_MAX) {
		(void)err_record(e, CODE_RECORD_TOO_LONG,
		    "%zu audios in a record are more than %d", n,
		    RECORD_AUDIOS_MAX);
		return err_hint(e, "split the record");
	}
	roots = roots_of(w, r, e);
	buf_clear(&w->facts);
	if (roots == NULL || buf_putc(&w->facts, '[', e) < 0)
		return -1;
	for (; jsonwalk_next(&walk); k++)
		if (check_audio(w, roots, r, k, k + 1 == n, walk.value,
		    e) < 0)
			return -1;
	if (buf_putc(&w->facts, ']', e) < 0)
		return -1;
	return record_set(r, RECORD_AUDIO, w->facts.p, w->facts.n, e);
}

int
listen_put_file(const char *file, struct buf *out, struct err *e)
{
	struct buf name = { 0 };
	int rc = buf_put_json(&name, file, strlen(file), e);

	if (rc == 0 && jsonscan_check(name.p, name.n, NULL, e) < 0)
		rc = err_set(e, ERR_USAGE, "the file's name is not UTF-8");
	if (rc == 0)
		rc = buf_printf(out, e, "{\"at\":{\"file\":%.*s,"
		    "\"offset\":0},\"audios\":[%.*s]}\n", (int)name.n,
		    name.p, (int)name.n, name.p);
	buf_free(&name);
	return rc;
}
