#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"
#include "frame.h"
#include "le.h"
#include "share.h"

/* What errno says of NAME. */
static int
cannot_read(const char *name, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];

	return err_errno(e, "cannot read %s",
	    err_quote(quoted, sizeof quoted, name, strlen(name)));
}

/* Whether the regular file FD is a .zst file.  It is read from its start and
 * left there. */
static int
is_compressed(int fd, const char *name, bool *yes, struct err *e)
{
	unsigned char magic[4];
	size_t n = 0;

	while (n < sizeof magic) {
		ssize_t got = pread(fd, magic + n, sizeof magic - n,
		    (off_t)n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return cannot_read(name, e);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*yes = n == sizeof magic && (le_get32(magic) == FRAME_MAGIC_ZSTD ||
	    (le_get32(magic) & 0xfffffff0u) == FRAME_MAGIC_PREFIX);
	return 0;
}

/* Fill in PART but for its range, from the open file FD. */
static int
look_open(int fd, const struct stat *st, const char *name,
    struct share_part *part, struct err *e)
{
	bool compressed = false;

	if (lseek(fd, 0, SEEK_CUR) != 0)
		return 0;
	if (is_compressed(fd, name, &compressed, e) < 0)
		return -1;
	if (compressed)
		return 0;
	part->ranged = true;
	part->size = (uint64_t)st->st_size;
	return 0;
}

/* Learn whether the input NAME is ranged, and its size. */
static int
look(const char *name, struct share_part *part, struct err *e)
{
	bool standard = strcmp(name, "-") == 0;
	char quoted[ERR_QUOTE_SIZE];
	struct stat st;
	int fd, rc;

	*part = (struct share_part){ .to = SHARE_TO_END };
	if ((standard ? fstat(STDIN_FILENO, &st) : stat(name, &st)) < 0)
		return cannot_read(name, e);
	if (S_ISDIR(st.st_mode))
		return err_set(e, ERR_SYSTEM, "cannot read %s: it is a folder",
		    err_quote(quoted, sizeof quoted, name, strlen(name)));
	/* What says 0 may still have content, as in /proc. */
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return 0;
	if (standard)
		return look_open(STDIN_FILENO, &st, name, part, e);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return cannot_read(name, e);
	rc = look_open(fd, &st, name, part, e);
	(void)close(fd);
	return rc;
}

/* I K-ths of TOTAL, rounded down; no overflow, since I <= K <= SHARE_MAX. */
static uint64_t
bound(uint64_t total, uint64_t i, uint64_t k)
{
	return total / k * i + total % k * i / k;
}

int
share_plan(const char *const *names, size_t n, uint64_t i, uint64_t k,
    struct share_part *parts, struct err *e)
{
	uint64_t total = 0, from, to, start = 0;

	for (size_t f = 0; f < n; f++) {
		if (look(names[f], &parts[f], e) < 0)
			return -1;
		total += parts[f].size;
	}
	from = bound(total, i - 1, k);
	to = bound(total, i, k);
	for (size_t f = 0; f < n; f++) {
		struct share_part *p = &parts[f];
		uint64_t end = start + p->size;

		if (!p->ranged)
			continue;
		p->from = from <= start ? 0 : from >= end ? p->size :
		    from - start;
		/* A file that has grown since belongs to whom has its end. */
		p->to = to >= end ? SHARE_TO_END : to <= start ? 0 :
		    to - start;
		if (p->from == p->size)
			p->to = p->from;
		start = end;
	}
	return 0;
}

bool
share_has(uint64_t number, uint64_t i, uint64_t k)
{
	return number % k == i - 1;
}
