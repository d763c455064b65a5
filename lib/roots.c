#if defined(__linux__) && !defined(ROOTS_PORTABLE)
#define _GNU_SOURCE	/* O_PATH */
#else
#define _XOPEN_SOURCE 700	/* realpath */
#endif
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "roots.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

/* A file is opened without waiting (pipes) and without becoming a terminal. */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
#ifdef O_PATH
#define OPEN_ROOT (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define OPEN_ROOT (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif

struct root {
	char *name;	/* as given */
	char *real;	/* without links, "/" being "" */
	int fd;
	bool base;	/* relative paths are tried from here */
};

/*
 * Why a path was not opened, in ascending order of what tells most: with
 * several roots the highest is reported.
 */
enum why { WHY_MISSING, WHY_DENIED, WHY_NOT_A_FILE, WHY_OUTSIDE, WHY_SYSTEM };

struct fault {
	enum why why;
	int error;	/* errno of missing, denied and system */
	mode_t mode;	/* of what is no file */
	char *real;	/* where the path leads outside; the fault's own */
};

/* Add the root DIR, a BASE of relative paths or not. */
static int
add(struct roots *r, const char *dir, bool base, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	struct root *v, root = { .fd = -1, .base = base };

	v = realloc(r->v, (r->n + 1) * sizeof *v);
	if (v == NULL)
		return err_memory(e);
	r->v = v;
	root.name = strdup(dir);
	root.real = realpath(dir, NULL);
	if (root.real != NULL)
		root.fd = open(root.real, OPEN_ROOT);
	if (root.name == NULL || root.fd < 0) {
		int number = errno;

		(void)err_errno(e, "cannot use \"%s\" as a root",
		    err_quote(quoted, sizeof quoted, dir, strlen(dir)));
		free(root.name);
		free(root.real);
		errno = number;
		return -1;
	}
	if (strcmp(root.real, "/") == 0)
		root.real[0] = '\0';
	r->v[r->n++] = root;
	return 0;
}

int
roots_add(struct roots *r, const char *dir, struct err *e)
{
	return add(r, dir, true, e);
}

int
roots_allow(struct roots *r, const char *dir, struct err *e)
{
	return add(r, dir, false, e);
}

void
roots_free(struct roots *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].name);
		free(r->v[i].real);
		(void)close(r->v[i].fd);
	}
	free(r->v);
	*r = (struct roots){ 0 };
}

/* The root that REAL, a path without links, is, or is below; or NULL. */
static const struct root *
above(const struct roots *r, const char *real)
{
	for (size_t i = 0; i < r->n; i++) {
		size_t n = strlen(r->v[i].real);

		if (strncmp(real, r->v[i].real, n) == 0 &&
		    (real[n] == '/' || real[n] == '\0'))
			return &r->v[i];
	}
	return NULL;
}

/* Keep what is told about the path: the more telling fault. */
static int
fail(struct fault *f, enum why why, int error, mode_t mode, const char *real)
{
	if (f->error != 0 && why <= f->why)
		return -1;
	f->why = why;
	f->error = error;
	f->mode = mode;
	if (real != NULL && f->real == NULL)
		f->real = strdup(real);
	return -1;
}

/* As fail, for what a system call has said in errno. */
static int
fail_errno(struct fault *f)
{
	switch (errno) {
	case EMFILE: case ENFILE: case ENOMEM:
		return fail(f, WHY_SYSTEM, errno, 0, NULL);
	case ENOENT: case ENOTDIR: case ENAMETOOLONG: case ELOOP:
		return fail(f, WHY_MISSING, errno, 0, NULL);
	default:
		return fail(f, WHY_DENIED, errno, 0, NULL);
	}
}

/*
 * Where O_PATH is not known, or /proc is not mounted: resolve the links, see
 * that the end is below a root, and walk there from the root, following no
 * link.  What is swapped in between is a link not followed, or a file below
 * the root all the same.  *FD is -2 where this way is not open either.
 */
static int
open_walking(const struct roots *r, const char *path, struct fault *f)
{
	const struct root *root;
	char *real, *part, *rest;
	struct stat st;
	int dir, fd = -1;

	real = realpath(path, NULL);
	if (real == NULL)
		return fail_errno(f);
	root = above(r, real);
	if (root == NULL) {
		(void)fail(f, WHY_OUTSIDE, EXDEV, 0, real);
		free(real);
		return -1;
	}
	part = real + strlen(root->real);
	part += *part == '/';
	if (*part == '\0') {
		free(real);
		return fail(f, WHY_NOT_A_FILE, EINVAL, S_IFDIR, NULL);
	}
	dir = root->fd;
	while ((rest = strchr(part, '/')) != NULL && dir >= 0) {
		int next;

		*rest = '\0';
		next = openat(dir, part,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			(void)fail_errno(f);
		if (dir != root->fd)
			(void)close(dir);
		dir = next;
		part = rest + 1;
	}
	if (dir >= 0 && fstatat(dir, part, &st, AT_SYMLINK_NOFOLLOW) < 0)
		(void)fail_errno(f);
	else if (dir >= 0 && !S_ISREG(st.st_mode))
		(void)fail(f, WHY_NOT_A_FILE, EINVAL, st.st_mode, NULL);
	else if (dir >= 0) {
		fd = openat(dir, part, OPEN_FLAGS | O_NOFOLLOW);
		if (fd < 0)
			(void)fail_errno(f);
	}
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		(void)fail(f, WHY_NOT_A_FILE, EINVAL, st.st_mode, NULL);
		(void)close(fd);
		fd = -1;
	}
	if (dir >= 0 && dir != root->fd)
		(void)close(dir);
	free(real);
	return fd;
}

#ifdef O_PATH
/*
 * Take hold of whatever PATH leads to, which opens nothing yet; look where
 * it really is and what it is; then open that very file, by its number.
 * -2 where /proc is not there to say.
 */
static int
open_held(const struct roots *r, int dir, const char *path, struct fault *f)
{
	char link[64], real[PATH_MAX + 1];
	struct stat st;
	ssize_t n;
	int held, fd = -1;

	held = openat(dir, path, O_PATH | O_CLOEXEC);
	if (held < 0)
		return fail_errno(f);
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", held);
	n = readlink(link, real, PATH_MAX);
	real[n < 0 ? 0 : n] = '\0';
	if (n < 0 && errno == ENOENT)
		fd = -2;
	else if (n < 0 || n == PATH_MAX)
		(void)fail(f, WHY_MISSING, ENAMETOOLONG, 0, NULL);
	else if (fstat(held, &st) < 0)
		(void)fail_errno(f);
	else if (real[0] == '/' && above(r, real) == NULL)
		(void)fail(f, WHY_OUTSIDE, EXDEV, 0, real);
	else if (!S_ISREG(st.st_mode))
		(void)fail(f, WHY_NOT_A_FILE, EINVAL, st.st_mode, NULL);
	else if (real[0] != '/' || st.st_nlink == 0)
		(void)fail(f, WHY_MISSING, ENOENT, 0, NULL);
	else {
		fd = open(link, OPEN_FLAGS);
		if (fd < 0)
			(void)fail_errno(f);
	}
	(void)close(held);
	return fd;
}
#endif

/* Try PATH, relative to ROOT where that is not NULL. */
static int
open_below(const struct roots *r, const struct root *root, const char *path,
    struct fault *f)
{
	char whole[2 * PATH_MAX + 2];
	int fd = -2;

#ifdef O_PATH
	fd = open_held(r, root != NULL ? root->fd : AT_FDCWD, path, f);
#endif
	if (fd != -2)
		return fd;
	if (root == NULL)
		return open_walking(r, path, f);
	if (snprintf(whole, sizeof whole, "%s/%s", root->real, path) >=
	    (int)sizeof whole)
		return fail(f, WHY_MISSING, ENAMETOOLONG, 0, NULL);
	return open_walking(r, whole, f);
}

/* What a person calls a thing of MODE. */
static const char *
thing(mode_t mode)
{
	return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" :
	    S_ISSOCK(mode) ? "a socket" :
	    S_ISCHR(mode) || S_ISBLK(mode) ? "a device" : "no regular file";
}

/* Whether PATH begins as a URL does: letters and "://", or "data:". */
static bool
is_url(const char *path)
{
	size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyz0123456789+.-");

	return (n > 1 && strncmp(path + n, "://", 3) == 0) ||
	    strncmp(path, "data:", 5) == 0;
}

/* Tell E that there is no file PATH (quoted) below the roots. */
static int
missing(const struct roots *r, const char *path, const char *quoted,
    const struct fault *f, struct err *e)
{
	char dir[ERR_QUOTE_SIZE];

	if (is_url(path)) {
		(void)err_record(e, CODE_AUDIO_INLINE,
		    "\"%s\" is a URL, not a path", quoted);
		return err_hint(e,
		    "fetch the audio into files first, and name these");
	}
	if (f->why == WHY_DENIED || f->error == ENAMETOOLONG ||
	    f->error == ELOOP)
		(void)err_record(e, CODE_AUDIO_MISSING,
		    "\"%s\" cannot be opened: %s", quoted,
		    strerror(f->error));
	else if (path[0] == '/')
		(void)err_record(e, CODE_AUDIO_MISSING,
		    "there is no file \"%s\"", quoted);
	else if (r->n == 1 || !r->v[1].base)
		(void)err_record(e, CODE_AUDIO_MISSING,
		    "there is no file \"%s\" below \"%s\"", quoted,
		    err_quote(dir, sizeof dir, r->v[0].name,
		    strlen(r->v[0].name)));
	else
		(void)err_record(e, CODE_AUDIO_MISSING,
		    "there is no file \"%s\" below any of %zu roots",
		    quoted, r->n);
	return err_hint(e, f->why == WHY_DENIED ?
	    "audio-check needs the right to read it" :
	    "--root DIR names the folder that paths are relative to");
}

/* Say in E why PATH was not opened. */
static int
tell(const struct roots *r, const char *path, size_t n,
    const struct fault *f, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE], real[ERR_QUOTE_SIZE];
	const char *to = f->real != NULL ? f->real : "elsewhere";

	(void)err_quote(quoted, sizeof quoted, path, n);
	switch (f->why) {
	case WHY_SYSTEM:
		errno = f->error;
		return err_errno(e, "cannot open \"%s\"", quoted);
	case WHY_OUTSIDE:
		(void)err_quote(real, sizeof real, to, strlen(to));
		(void)err_record(e, CODE_AUDIO_OUTSIDE, strcmp(to, path) == 0 ?
		    "\"%s\" is below no root" :
		    "\"%s\" leads to \"%s\", which is below no root", quoted,
		    real);
		return err_hint(e,
		    "--root DIR names one more folder that may be read");
	case WHY_NOT_A_FILE:
		(void)err_record(e, CODE_AUDIO_NOT_A_FILE,
		    "\"%s\" is %s, not a file", quoted, thing(f->mode));
		return err_hint(e, "name an audio file");
	default:
		return missing(r, path, quoted, f, e);
	}
}

int
roots_open(const struct roots *r, const char *path, size_t n, struct err *e)
{
	char name[PATH_MAX + 1];
	struct fault f = { 0 };
	int fd = -1;

	if (n > 0 && memchr(path, '\0', n) != NULL) {
		(void)err_quote(name, sizeof name, path, n);
		(void)err_record(e, CODE_AUDIO_MISSING,
		    "the path \"%s\" holds a NUL, as no file's name does",
		    name);
		return err_hint(e, "correct the path");
	}
	memcpy(name, path, n < sizeof name ? n : sizeof name - 1);
	name[n < sizeof name ? n : sizeof name - 1] = '\0';
	if (n >= sizeof name || n == 0)
		(void)fail(&f, WHY_MISSING, n == 0 ? ENOENT : ENAMETOOLONG, 0,
		    NULL);
	else if (name[0] == '/')
		fd = open_below(r, NULL, name, &f);
	else
		for (size_t i = 0; i < r->n && fd < 0 &&
		    f.why != WHY_SYSTEM; i++)
			if (r->v[i].base)
				fd = open_below(r, &r->v[i], name, &f);
	if (fd < 0)
		(void)tell(r, name, n < sizeof name ? n : sizeof name - 1, &f,
		    e);
	free(f.real);
	return fd;
}
