#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"
#include "endmark.h"
#include "frame.h"
#include "le.h"
#include "shard.h"
#include "source.h"
#include "table.h"

#define PIECE (64u << 10)
#define HEAD 8		/* of a skippable frame */
#define PREFIX 12

/* A data frame. */
struct place {
	uint64_t offset;	/* of its prefix */
	uint64_t first;		/* record; before finish(), how many records */
};

/* Bytes of the file. */
struct stretch {
	uint64_t offset, n;
};

struct shard {
	int fd;
	struct source *source;
	struct frame_codec *codec;
	struct place *v;	/* and one more: where the records end */
	size_t n, cap;
	struct stretch *sections;	/* their lengths frames' content */
	size_t n_sections;
	/* The frame read last, if its index is below n: its content, which
	 * goes on with record NEXT. */
	size_t current;
	struct frame frame;
	struct buf plain;
	struct content content;
	uint64_t next;
};

/* A section, known from its end. */
struct section {
	uint64_t start, table, end;	/* offsets */
	uint64_t entries;
	uint64_t frames;		/* of data */
	uint64_t mark_size, lengths_size;
	struct endmark mark;
};

/* What a file's sections are found in. */
struct file {
	int fd;
	char *piece;		/* PIECE bytes */
};

/* Read all N bytes at OFFSET: 1; 0 where the file is too short; -1. */
static int
read_at(int fd, uint64_t offset, void *p, size_t n, struct err *e)
{
	char *c = p;

	while (n > 0) {
		ssize_t got = pread(fd, c, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "cannot read at byte %llu",
			    (unsigned long long)offset);
		if (got == 0)
			return 0;
		c += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 1;
}

/* Enter a data frame whose prefix is at OFFSET. */
static int
add_place(struct shard *s, uint64_t offset, struct err *e)
{
	if (s->n + 1 >= s->cap) {
		size_t cap = s->cap < 64 ? 64 : s->cap + s->cap / 2;
		struct place *v = realloc(s->v, cap * sizeof *v);

		if (v == NULL)
			return err_memory(e);
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = (struct place){ offset, 0 };
	return 1;
}

/*
 * Walk the entries of SECTION's table from the last to the first, to find
 * where it starts; enter its data frames, in that order, in S.  1; 0 where
 * they cannot be right; -1.
 */
static int
walk_entries(const struct file *f, struct section *t, struct shard *s,
    struct err *e)
{
	uint64_t at = t->table, left = t->entries;

	while (left > 0) {
		uint64_t n = left < PIECE / TABLE_ENTRY ? left :
		    PIECE / TABLE_ENTRY;
		int rc;

		left -= n;
		rc = read_at(f->fd, t->table + HEAD + left * TABLE_ENTRY,
		    f->piece, (size_t)n * TABLE_ENTRY, e);
		if (rc <= 0)
			return rc;
		while (n-- > 0) {
			const char *entry = f->piece + n * TABLE_ENTRY;
			uint32_t size = le_get32(entry);
			bool data = le_get32(entry + 4) > 0;

			if (size > at || (data && at - size < PREFIX))
				return 0;
			at -= size;
			if (left + n == t->entries - 1)
				t->mark_size = size;
			if (left + n == t->entries - 2)
				t->lengths_size = size;
			if (!data)
				continue;
			t->frames++;
			if (add_place(s, at - PREFIX, e) < 0)
				return -1;
		}
	}
	t->start = at;
	return 1;
}

/* Read the end marker of T. */
static int
read_mark(const struct file *f, struct section *t, struct err *e)
{
	struct err ignored = { 0 };
	size_t n = (size_t)t->mark_size;
	int rc;

	if (n < HEAD || n > PIECE)
		return 0;
	rc = read_at(f->fd, t->table - n, f->piece, n, e);
	if (rc <= 0)
		return rc;
	if (le_get32(f->piece) != FRAME_MAGIC_END ||
	    le_get32(f->piece + 4) != n - HEAD ||
	    endmark_parse(f->piece + HEAD, n - HEAD, &t->mark, &ignored) < 0)
		return 0;
	return t->mark.table && t->mark.frames == t->frames;
}

/* Find the section T that ends at byte END: 1; 0 where there is none. */
static int
find_section(const struct file *f, uint64_t end, struct section *t,
    struct shard *s, struct err *e)
{
	char b[TABLE_FOOTER];
	uint64_t size;
	int rc;

	*t = (struct section){ .end = end };
	if (end < HEAD + TABLE_FOOTER)
		return 0;
	rc = read_at(f->fd, end - sizeof b, b, sizeof b, e);
	if (rc <= 0)
		return rc;
	t->entries = le_get32(b);
	if (le_get32(b + 5) != TABLE_FOOTER_MAGIC || b[4] != 0 ||
	    t->entries < 3 || t->entries > TABLE_ENTRIES_MAX)
		return 0;
	size = HEAD + t->entries * TABLE_ENTRY + TABLE_FOOTER;
	if (size > end)
		return 0;
	t->table = end - size;
	rc = read_at(f->fd, t->table, b, HEAD, e);
	if (rc <= 0)
		return rc;
	if (le_get32(b) != FRAME_MAGIC_TABLE ||
	    le_get32(b + 4) != size - HEAD)
		return 0;
	rc = walk_entries(f, t, s, e);
	return rc <= 0 ? rc : read_mark(f, t, e);
}

/* Bytes of a lengths frame, one by one. */
struct reader {
	const struct file *file;
	uint64_t at, end;
	size_t i, n;
};

/* The next byte; 0, which is in no JSON, at the end; -1. */
static int
next_byte(struct reader *r, struct err *e)
{
	if (r->i == r->n) {
		r->n = r->end - r->at < PIECE ? (size_t)(r->end - r->at) :
		    PIECE;
		r->i = 0;
		if (r->n == 0)
			return 0;
		if (read_at(r->file->fd, r->at, r->file->piece, r->n, e) < 0)
			return -1;
		r->at += r->n;
	}
	return (unsigned char)r->file->piece[r->i++];
}

/*
 * Read "records", the first member of the lengths frame, which stands at
 * the byte that R does: how many each data frame of T holds.  T's frames
 * are S's last ones, in reverse.
 */
static int
read_records(struct reader *r, const struct section *t, struct shard *s,
    struct err *e)
{
	static const char head[] = "{\"records\":[";
	uint64_t records = 0, frames = 0, v = 0;
	bool digits = false;
	int c = 0;

	for (const char *p = head; *p != '\0'; p++)
		if ((c = next_byte(r, e)) != *p)
			return c < 0 ? -1 : 0;
	do {
		c = next_byte(r, e);
		if (c < 0)
			return -1;
		if (c >= '0' && c <= '9') {
			v = v * 10 + (uint64_t)(c - '0');
			digits = true;
			if (v > UINT32_MAX)
				return 0;
		} else if (digits && (c == ',' || c == ']')) {
			if (frames == t->frames)
				return 0;
			frames++;
			s->v[s->n - frames].first = v;
			records += v;
			v = 0;
			digits = false;
		} else if (c != ']' || frames > 0) {
			return 0;
		}
	} while (c != ']');
	return frames == t->frames && records == t->mark.records;
}

/* Remember where the lengths are. */
static int
add_section(struct shard *s, uint64_t offset, uint64_t n, struct err *e)
{
	struct stretch *v = s->sections;

	/* When there are a power of two of them, the room is full. */
	if ((s->n_sections & (s->n_sections - 1)) == 0) {
		v = realloc(v, (2 * s->n_sections + 1) * sizeof *v);
		if (v == NULL)
			return err_memory(e);
		s->sections = v;
	}
	v[s->n_sections++] = (struct stretch){ offset, n };
	return 0;
}

/* Read the lengths frame of T. */
static int
read_lengths(const struct file *f, const struct section *t, struct shard *s,
    struct err *e)
{
	uint64_t at = t->table - t->mark_size - t->lengths_size;
	struct reader r = { .file = f, .at = at + HEAD,
	    .end = at + t->lengths_size };
	char head[HEAD];
	int rc;

	if (t->lengths_size < HEAD)
		return 0;
	rc = read_at(f->fd, at, head, sizeof head, e);
	if (rc <= 0)
		return rc;
	if (le_get32(head) != FRAME_MAGIC_LENGTHS ||
	    le_get32(head + 4) != t->lengths_size - HEAD)
		return 0;
	if (add_section(s, at + HEAD, t->lengths_size - HEAD, e) < 0)
		return -1;
	return read_records(&r, t, s, e);
}

/* Find the sections of F, which has SIZE bytes, from the last to the first. */
static int
find_sections(const struct file *f, uint64_t size, struct shard *s,
    struct err *e)
{
	struct section t;
	int rc;

	if (size == 0)
		return 0;
	for (uint64_t end = size; end > 0; end = t.start) {
		rc = find_section(f, end, &t, s, e);
		if (rc > 0)
			rc = read_lengths(f, &t, s, e);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* Put what S has of frames and sections, found last first, in order, and
 * number the records. */
static int
finish(struct shard *s, struct err *e)
{
	uint64_t records = 0;

	for (size_t i = 0; i < s->n / 2; i++) {
		struct place swap = s->v[i];

		s->v[i] = s->v[s->n - 1 - i];
		s->v[s->n - 1 - i] = swap;
	}
	for (size_t i = 0; i < s->n_sections / 2; i++) {
		struct stretch swap = s->sections[i];

		s->sections[i] = s->sections[s->n_sections - 1 - i];
		s->sections[s->n_sections - 1 - i] = swap;
	}
	if (add_place(s, 0, e) < 0)
		return -1;
	s->n--;
	assert(s->v != NULL);
	for (size_t i = 0; i <= s->n; i++) {
		uint64_t n = s->v[i].first;

		s->v[i].first = records;
		records += n;
	}
	s->current = s->n;
	return 1;
}

/* find_sections of FD, if it is a file at all. */
static int
find(int fd, struct shard *s, struct err *e)
{
	struct file f = { .fd = fd };
	struct stat st;
	int rc;

	if (fstat(fd, &st) < 0)
		return err_errno(e, "cannot look at the file");
	if (!S_ISREG(st.st_mode))
		return 0;
	f.piece = malloc(PIECE);
	if (f.piece == NULL)
		return err_memory(e);
	rc = find_sections(&f, (uint64_t)st.st_size, s, e);
	free(f.piece);
	return rc;
}

int
shard_new(int fd, uint64_t plain_max, struct shard **made, struct err *e)
{
	struct shard *s = calloc(1, sizeof *s);
	int rc = -1;

	*made = NULL;
	if (s == NULL)
		return err_memory(e);
	s->fd = fd;
	s->source = source_new(fd, plain_max, e);
	if (s->source == NULL)
		goto out;
	s->codec = frame_codec_new(e);
	if (s->codec == NULL)
		goto out;
	rc = find(fd, s, e);
	if (rc > 0)
		rc = finish(s, e);
out:
	if (rc > 0)
		*made = s;
	else
		shard_free(s);
	return rc;
}

void
shard_free(struct shard *s)
{
	if (s == NULL)
		return;
	source_free(s->source);
	frame_codec_free(s->codec);
	free(s->v);
	free(s->sections);
	buf_free(&s->frame.raw);
	buf_free(&s->plain);
	free(s);
}

uint64_t
shard_records(const struct shard *s)
{
	return s->v[s->n].first;
}

uint64_t
shard_frames(const struct shard *s)
{
	return s->n;
}

/* The index of the data frame that holds record NUMBER, which is there. */
static size_t
find_frame(const struct shard *s, uint64_t number)
{
	size_t low = 0, high = s->n;

	/* The frame sought is one of low to high - 1. */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (s->v[middle].first <= number)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Make frame I the current one. */
static int
open_frame(struct shard *s, size_t i, struct err *e)
{
	int rc;

	s->current = s->n;
	s->next = s->v[i].first;
	buf_clear(&s->plain);
	source_seek(s->source, s->v[i].offset);
	rc = source_read(s->source, &s->frame, e);
	if (rc > 0 && s->frame.magic == FRAME_MAGIC_PREFIX)
		rc = source_read(s->source, &s->frame, e);
	if (rc < 0)
		return -1;
	if (rc == 0 || s->frame.magic != FRAME_MAGIC_ZSTD)
		return err_set(e, ERR_DAMAGED, "byte %llu: the seek table "
		    "names a data frame, but there is none",
		    (unsigned long long)s->v[i].offset);
	if (frame_expand(s->codec, &s->frame, &s->plain, e) < 0)
		return -1;
	s->current = i;
	s->content = (struct content){ s->plain.p, s->plain.n, 0 };
	return 0;
}

int
shard_read(struct shard *s, uint64_t number, struct content_record *record,
    struct err *e)
{
	size_t i;

	if (number >= shard_records(s))
		return err_set(e, ERR_ABSENT, "no record %llu: there are %llu",
		    (unsigned long long)number,
		    (unsigned long long)shard_records(s));
	i = find_frame(s, number);
	if ((s->current != i || s->next > number) && open_frame(s, i, e) < 0)
		return -1;
	do
		if (!content_next(&s->content, record)) {
			s->current = s->n;
			return err_set(e, ERR_DAMAGED, "frame at byte %llu: "
			    "it holds fewer records than the lengths say",
			    (unsigned long long)s->frame.offset);
		}
	while (s->next++ < number);
	return 0;
}

int
shard_lengths(const struct shard *s, size_t section, struct buf *out,
    struct err *e)
{
	const struct stretch *t;
	int rc;

	if (section >= s->n_sections)
		return 0;
	t = &s->sections[section];
	if (t->n > SIZE_MAX / 2)
		return err_memory(e);
	if (buf_reserve(out, (size_t)t->n, e) < 0)
		return -1;
	rc = read_at(s->fd, t->offset, out->p + out->n, (size_t)t->n, e);
	if (rc == 0)
		return err_set(e, ERR_DAMAGED, "the file has become shorter");
	if (rc > 0)
		out->n += (size_t)t->n;
	return rc;
}
