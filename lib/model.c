#ifdef __linux__
#define _DEFAULT_SOURCE		/* madvise, MADV_HUGEPAGE */
#endif
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "bpe.h"
#include "file.h"
#include "model_core.h"

/* The greatest tokenizer.json known has 35 MB. */
#define FILE_MAX ((uint64_t)128 << 20)

/* Whether PATH is a directory. */
static bool
is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/*
 * Whether NAME may be org/name or name in the cache: nothing in it that would
 * lead elsewhere.
 */
static bool
is_cache_name(const char *name)
{
	size_t slashes = 0;

	if (*name == '\0' || *name == '.' || strstr(name, "..") != NULL ||
	    strstr(name, "/.") != NULL)
		return false;
	for (const char *p = name; *p != '\0'; p++) {
		slashes += *p == '/';
		if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV"
		    "WXYZ0123456789-_./", *p) == NULL)
			return false;
	}
	return slashes <= 1 && *name != '/' && name[strlen(name) - 1] != '/';
}

/* Append PATH, in which a first ~ is the home directory. */
static int
put_path(struct buf *out, const char *path, struct err *e)
{
	const char *home = getenv("HOME");

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') &&
	    home != NULL) {
		if (buf_puts(out, home, e) < 0)
			return -1;
		path++;
	}
	return buf_puts(out, path, e);
}

/* Append the directory of the cache, as huggingface_hub finds it. */
static int
put_cache(struct buf *out, struct err *e)
{
	static const struct {
		const char *variable, *below;
	} places[] = {
		{ "HF_HUB_CACHE", "" },
		{ "HUGGINGFACE_HUB_CACHE", "" },
		{ "HF_HOME", "/hub" },
		{ "XDG_CACHE_HOME", "/huggingface/hub" },
	};

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		const char *path = getenv(places[i].variable);

		if (path == NULL || *path == '\0')
			continue;
		return put_path(out, path, e) < 0 ||
		    buf_puts(out, places[i].below, e) < 0 ? -1 : 0;
	}
	return put_path(out, "~/.cache/huggingface/hub", e);
}

/* Say that there is no model NAME; CACHE is where we looked, if we did. */
static int
no_model(const char *name, const char *cache, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	err_quote(quoted, sizeof quoted, name, strlen(name));
	if (cache == NULL)
		err_set(e, ERR_MODEL, "\"%s\" is neither a directory nor "
		    "the name of a model", quoted);
	else
		err_set(e, ERR_MODEL, "\"%s\" is no directory, and no model "
		    "in %s", quoted, cache);
	err_hint(e, cache == NULL ? "give the model's directory, which holds "
	    "tokenizer.json and preprocessor_config.json" :
	    "give the model's directory, or fetch it first with: "
	    "hf download %s", quoted);
	return -1;
}

/*
 * Append to DIR the directory of model NAME in the cache: the snapshot of
 * the revision that refs/main names.
 */
static int
find_in_cache(const char *name, struct buf *dir, struct err *e)
{
	struct buf cache = { 0 }, revision = { 0 };
	struct err none = { 0 };
	size_t base;
	int rc = -1;

	if (put_cache(&cache, e) < 0 || buf_putc(&cache, '\0', e) < 0 ||
	    buf_printf(dir, e, "%s/models--", cache.p) < 0)
		goto out;
	for (const char *p = name; *p != '\0'; p++)
		if ((*p == '/' ? buf_puts(dir, "--", e) :
		    buf_putc(dir, *p, e)) < 0)
			goto out;
	base = dir->n;
	if (buf_puts(dir, "/refs/main", e) < 0 || buf_putc(dir, '\0', e) < 0)
		goto out;
	if (file_read(dir->p, 256, &revision, &none) < 0) {
		no_model(name, cache.p, e);
		goto out;
	}
	while (revision.n > 0 && (revision.p[revision.n - 1] == '\n' ||
	    revision.p[revision.n - 1] == '\r'))
		revision.n--;
	if (buf_putc(&revision, '\0', e) < 0)
		goto out;
	dir->n = base;
	if (!is_cache_name(revision.p) || strchr(revision.p, '/') != NULL) {
		err_set(e, ERR_MODEL, "%.*s/refs/main names no revision",
		    (int)base, dir->p);
		goto out;
	}
	rc = buf_printf(dir, e, "/snapshots/%s", revision.p);
out:
	buf_free(&cache);
	buf_free(&revision);
	return rc;
}

struct model *
model_open(const char *name, struct err *e)
{
	struct model *m = calloc(1, sizeof *m);
	struct buf dir = { 0 };

	if (m == NULL) {
		err_memory(e);
		return NULL;
	}
	if (is_directory(name)) {
		if (buf_puts(&dir, name, e) < 0)
			goto fail;
	} else if (!is_cache_name(name)) {
		no_model(name, NULL, e);
		goto fail;
	} else if (find_in_cache(name, &dir, e) < 0) {
		goto fail;
	}
	if (buf_putc(&dir, '\0', e) < 0)
		goto fail;
	if (!is_directory(dir.p)) {
		err_set(e, ERR_MODEL, "%s is not there", dir.p);
		goto fail;
	}
	m->dir = dir.p;
	return m;
fail:
	buf_free(&dir);
	free(m);
	return NULL;
}

void
model_free(struct model *m)
{
	if (m == NULL)
		return;
	json_doc_free(m->processor);
	bpe_free(m->bpe);
	for (size_t i = 0; i < sizeof m->texts / sizeof *m->texts; i++)
		buf_free(&m->texts[i]);
	free(m->dir);
	free(m);
}

const char *
model_dir(const struct model *m)
{
	return m->dir;
}

/* Append the path of the file NAME, and a NUL. */
static int
put_file_path(const struct model *m, const char *name, struct buf *out,
    struct err *e)
{
	return buf_printf(out, e, "%s/%s", m->dir, name) < 0 ||
	    buf_putc(out, '\0', e) < 0 ? -1 : 0;
}

bool
model_has(const struct model *m, const char *name)
{
	struct buf path = { 0 };
	struct err none = { 0 };
	struct stat st;
	bool there;

	/* Without memory we say that it is there: reading it will tell. */
	there = put_file_path(m, name, &path, &none) < 0 ||
	    stat(path.p, &st) == 0 || errno != ENOENT;
	buf_free(&path);
	return there;
}

#ifdef MADV_HUGEPAGE
#define PAGE ((size_t)2 << 20)		/* a large one */

/*
 * Make room for the content of PATH in OUT, which is empty, in large pages:
 * three thousand small ones take longer to get than to fill.  Where this
 * fails nothing is lost.
 */
static void
reserve_large(const char *path, struct buf *out)
{
	struct stat st;
	void *p;
	size_t size;

	if (stat(path, &st) < 0 || st.st_size < (off_t)PAGE ||
	    (uint64_t)st.st_size > FILE_MAX)
		return;
	/* file_read wants a little more than the size. */
	size = ((size_t)st.st_size + 131072 + PAGE - 1) / PAGE * PAGE;
	if (posix_memalign(&p, PAGE, size) != 0)
		return;
	(void)madvise(p, size, MADV_HUGEPAGE);
	*out = (struct buf){ .p = p, .cap = size };
}
#else
static void
reserve_large(const char *path, struct buf *out)
{
	(void)path;
	(void)out;
}
#endif

/* Append the content of file NAME to OUT; *R is where its sum is to go, NULL
 * if that is known. */
static int
read_content(struct model *m, const char *name, struct buf *out,
    struct model_read **r, struct err *e)
{
	struct buf path = { 0 };
	int rc;

	*r = NULL;
	if (put_file_path(m, name, &path, e) < 0) {
		buf_free(&path);
		return -1;
	}
	if (out->cap == 0)
		reserve_large(path.p, out);
	rc = file_read(path.p, FILE_MAX, out, e);
	buf_free(&path);
	if (rc < 0) {
		if (e->kind == ERR_SYSTEM)
			e->kind = ERR_MODEL;
		return -1;
	}
	for (size_t i = 0; i < m->n_read; i++)
		if (strcmp(m->read[i].file.name, name) == 0)
			return 0;
	if (m->n_read == MODEL_FILES_MAX)
		return err_set(e, ERR_MODEL, "too many files");
	*r = &m->read[m->n_read++];
	(*r)->file = (struct model_file){ name, (*r)->sha256 };
	return 0;
}

int
model_read(struct model *m, const char *name, struct buf *out, struct err *e)
{
	size_t from = out->n;
	struct model_read *r;

	if (read_content(m, name, out, &r, e) < 0)
		return -1;
	if (r != NULL)
		digest_sha256(out->p + from, out->n - from, r->sha256);
	return 0;
}

/* The thread of model_read_begin. */
static void *
sum(void *arg)
{
	struct model_summing *s = arg;

	digest_sha256(s->p, s->n, s->read->sha256);
	return NULL;
}

int
model_read_begin(struct model *m, const char *name, struct buf *out,
    struct model_summing *s, struct err *e)
{
	*s = (struct model_summing){ 0 };
	if (read_content(m, name, out, &s->read, e) < 0)
		return -1;
	if (s->read == NULL)
		return 0;
	s->p = out->p;
	s->n = out->n;
	s->alone = pthread_create(&s->thread, NULL, sum, s) != 0;
	if (s->alone)
		(void)sum(s);
	return 0;
}

void
model_read_end(struct model_summing *s)
{
	if (s->read != NULL && !s->alone)
		(void)pthread_join(s->thread, NULL);
	s->read = NULL;
}

int
model_read_processor(struct model *m, struct err *e)
{
	static const char name[] = "processor_config.json";
	struct buf text = { 0 };

	if (m->processor_read)
		return 0;
	if (model_has(m, name)) {
		if (model_read(m, name, &text, e) == 0)
			m->processor = json_doc_new(text.p, text.n, name,
			    ERR_MODEL, e);
		buf_free(&text);
		if (m->processor == NULL)
			return -1;
	}
	m->processor_read = true;
	return 0;
}

size_t
model_files(const struct model *m)
{
	return m->n_read;
}

const struct model_file *
model_file(const struct model *m, size_t i)
{
	return &m->read[i].file;
}
