#include <stdlib.h>
#include <string.h>

#include "jsonscan.h"
#include "jsonsplit.h"
#include "jsontext.h"
#include "splitlines.h"
#include "splitvalues.h"

enum form { LINES, VALUES };

#define LOOK ((size_t)4 << 20)

struct jsonsplit {
	struct split s;
	const char *const *names;
	struct share_part *parts;
	size_t n;
};

struct jsonsplit *
jsonsplit_new(const struct jsonsplit_plan *plan, const char *const *names,
    size_t n, struct err *e)
{
	struct jsonsplit *j = calloc(1, sizeof *j);

	if (j == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	j->s.w.fd = -1;
	j->s.max = plan->max_record;
	j->s.share = plan->share;
	j->s.shares = plan->shares;
	j->s.paths = plan->paths;
	j->names = names;
	j->n = n;
	j->parts = calloc(n, sizeof *j->parts);
	if (j->parts == NULL)
		(void)err_memory(e);
	if (j->parts == NULL || share_plan(names, n, plan->share,
	    plan->shares, j->parts, e) < 0) {
		jsonsplit_free(j);
		return NULL;
	}
	return j;
}

void
jsonsplit_free(struct jsonsplit *j)
{
	if (j == NULL)
		return;
	window_free(&j->s.w);
	buf_free(&j->s.head);
	buf_free(&j->s.batch);
	free(j->parts);
	free(j);
}

/* Pass a byte order mark.  UTF-16 is told about, since every byte of it
 * would be a fault. */
static int
pass_mark(struct split *s, struct err *e)
{
	const char *p;
	char name[ERR_QUOTE_SIZE];

	while (s->w.n < 3 && !s->w.ended)
		if (window_fill(&s->w, 0, e) < 0)
			return -1;
	p = s->w.p;
	if (s->w.n >= 2 && (memcmp(p, "\xff\xfe", 2) == 0 ||
	    memcmp(p, "\xfe\xff", 2) == 0)) {
		(void)err_set(e, ERR_DAMAGED, "%s is UTF-16, not UTF-8",
		    err_quote(name, sizeof name, s->w.name,
		    strlen(s->w.name)));
		return err_hint(e, "iconv -f UTF-16 -t UTF-8 converts it");
	}
	if (s->w.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		s->at = 3;
		s->line_start = 3;
	}
	return 0;
}

/* How far a file is looked at to learn what it is.  Whatever way its bytes
 * arrive, the answer is the same: all shares must come to it. */
static size_t
look_max(const struct split *s)
{
	return s->max > LOOK ? (size_t)s->max : LOOK;
}

/* Move *I to the first byte that is no whitespace, or as far as we look. */
static int
first_byte(struct split *s, size_t *i, struct err *e)
{
	size_t end = *i + look_max(s);

	for (;;) {
		while (*i < s->w.n && *i < end &&
		    jsontext_is_space(s->w.p[*i]))
			++*i;
		if (*i < s->w.n || s->w.ended)
			return 0;
		if (window_fill(&s->w, 0, e) < 0)
			return -1;
	}
}

/* Where the line at index I ends: its newline, the end of the file, or as
 * far as we look. */
static int
line_end(struct split *s, size_t i, size_t *end, struct err *e)
{
	size_t from = i, max = i + look_max(s);

	for (;;) {
		size_t n = s->w.n < max ? s->w.n : max;
		const char *nl = from == n ? NULL :
		    memchr(s->w.p + from, '\n', n - from);

		*end = nl != NULL ? (size_t)(nl - s->w.p) : n;
		if (nl != NULL || s->w.n > max || s->w.ended)
			return 0;
		from = n;
		if (window_fill(&s->w, 0, e) < 0)
			return -1;
	}
}

/* Whether a line ends at index I, rather than what we look at. */
static bool
is_line_end(const struct split *s, size_t i)
{
	return i == s->w.n || s->w.p[i] == '\n';
}

/* The byte behind the brackets that open at P and balance, or NULL. */
static const char *
behind_brackets(const char *p, const char *end)
{
	size_t depth = 0;

	for (; p < end; p++) {
		if (*p == '"')
			p = jsontext_string_end(p + 1, end);
		else if (*p == '{' || *p == '[')
			depth++;
		else if ((*p == '}' || *p == ']') && --depth == 0)
			return p + 1;
		if (p == end)
			break;
	}
	return NULL;
}

/* Whether the line P up to END is a value whose brackets balance, and no
 * more.  REST is what follows the value, none where it does not end. */
static bool
is_whole(const char *p, const char *end, struct jsonspan *rest)
{
	const char *behind = behind_brackets(p, end);

	*rest = (struct jsonspan){ 0 };
	if (behind == NULL)
		return false;
	*rest = jsonscan_value(behind, (size_t)(end - behind));
	return rest->n == 0;
}

/*
 * The form of a text whose first line, from index I to END of the window,
 * opens an object that does not end there.  Objects one after another, as
 * printed for people to read, go on in the next line; where that one opens
 * an object of its own, and the text is no JSON up to there, the first is a
 * broken line.
 */
static int
detect_open_line(struct split *s, size_t i, size_t end, enum form *form,
    struct err *e)
{
	struct jsonscan_fault fault = { CODE_NONE, 0 };
	struct err why = { 0 };
	size_t next = end;

	*form = VALUES;
	if (first_byte(s, &next, e) < 0)
		return -1;
	if (next == s->w.n) {
		*form = LINES;
		return 0;
	}
	if (s->w.p[next] != '{' || s->w.p[next - 1] != '\n' ||
	    jsonscan_check(s->w.p + i, next + 1 - i, &fault, &why) == 0)
		return 0;
	if (why.kind == ERR_MEMORY)
		return err_memory(e);
	if (fault.at <= next - i)
		*form = LINES;
	return 0;
}

/* What the file at S's place, its start, is. */
static int
detect(struct split *s, enum form *form, struct err *e)
{
	size_t i = s->at, end;
	struct jsonspan rest;

	*form = LINES;
	if (s->paths)
		return 0;
	if (first_byte(s, &i, e) < 0)
		return -1;
	if (i == s->w.n || (s->w.p[i] != '{' && s->w.p[i] != '['))
		return 0;
	*form = VALUES;
	if (s->w.p[i] == '[')
		return 0;
	if (line_end(s, i, &end, e) < 0)
		return -1;
	if (is_whole(s->w.p + i, s->w.p + end, &rest) ||
	    (rest.n > 0 && rest.p[0] != '{' && rest.p[0] != '['))
		*form = LINES;
	else if (rest.n == 0 && is_line_end(s, end))
		return detect_open_line(s, i, end, form, e);
	return 0;
}

/* Go to the first line that starts in our range. */
static int
seek_line(struct split *s, struct err *e)
{
	const char *nl;

	/* The first line starts behind the byte order mark. */
	if (s->part.from <= s->at)
		return 0;
	if (window_seek(&s->w, s->part.from - 1, e) < 0)
		return -1;
	do {
		if (window_fill(&s->w, s->w.n, e) < 0)
			return -1;
		nl = s->w.n == 0 ? NULL : memchr(s->w.p, '\n', s->w.n);
	} while (nl == NULL && !s->w.ended);
	s->at = nl != NULL ? (size_t)(nl + 1 - s->w.p) : s->w.n;
	s->line = 0;
	s->line_start = split_offset(s, s->at);
	return 0;
}

/* Split the input that has been opened. */
static int
run_input(struct split *s, struct err *e)
{
	enum form form;

	if (piece_batch(&s->batch, s->w.name, e) < 0 ||
	    pass_mark(s, e) < 0 || detect(s, &form, e) < 0)
		return -1;
	if (form == VALUES)
		return splitvalues_run(s, e);
	return seek_line(s, e) < 0 ? -1 : splitlines_run(s, e);
}

/* The bytes of PART. */
static uint64_t
part_size(const struct share_part *part)
{
	return (part->to < part->size ? part->to : part->size) - part->from;
}

int
jsonsplit_run(struct jsonsplit *j, split_sink *sink, void *to, struct err *e)
{
	struct split *s = &j->s;
	struct err second;

	s->sink = sink;
	s->to = to;
	for (size_t i = 0; i < j->n; i++) {
		if (!j->parts[i].ranged) {
			s->total = 0;
			break;
		}
		s->total += part_size(&j->parts[i]);
	}
	for (size_t i = 0; i < j->n; i++) {
		s->part = j->parts[i];
		if (s->part.from == s->part.to)
			continue;
		s->at = 0;
		s->line = 1;
		s->line_start = s->number = 0;
		if (window_open(&s->w, j->names[i], !s->part.ranged, e) < 0)
			return -1;
		if (run_input(s, e) < 0) {
			if (split_flush(s, &second) < 0)
				*e = second;
			return -1;
		}
		if (split_flush(s, e) < 0)
			return -1;
		s->before += s->part.ranged ? part_size(&s->part) : 0;
		window_close(&s->w);
	}
	return 0;
}
