#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "frame.h"
#include "jsonscan.h"
#include "provenance.h"

enum list { LIBRARIES, OPTIONS, MODEL, LISTS };

static const char *const list_names[LISTS] = {
	[LIBRARIES] = "libraries", [OPTIONS] = "options", [MODEL] = "model",
};

/* A member of one of the lists: both are JSON. */
struct member {
	char *name;
	char *value;
};

struct provenance {
	struct buf head;	/* {"ossicle":1,"program":...,"version":... */
	struct buf inputs;	/* "a","b" */
	struct {
		struct member *v;
		size_t n;
	} lists[LISTS];
};

/*
 * Append S to OUT as a JSON string.  A file's name may be any bytes, JSON
 * is UTF-8: what is none becomes "?".
 */
static int
put_name(struct buf *out, const char *s, struct err *e)
{
	struct jsonscan_fault fault;
	struct err found = { 0 };
	size_t was = out->n;

	if (buf_put_json(out, s, strlen(s), e) < 0)
		return -1;
	while (jsonscan_check(out->p + was, out->n - was, &fault,
	    &found) < 0) {
		if (found.code != CODE_BAD_UTF8) {
			*e = found;
			return -1;
		}
		out->p[was + fault.at] = '?';
	}
	return 0;
}

/* S as a JSON string, to be freed, or NULL. */
static char *
quoted(const char *s, struct err *e)
{
	struct buf b = { 0 };

	if (put_name(&b, s, e) == 0 && buf_putc(&b, '\0', e) == 0)
		return b.p;
	buf_free(&b);
	return NULL;
}

struct provenance *
provenance_new(const char *program, const char *version, struct err *e)
{
	struct provenance *p = calloc(1, sizeof *p);

	if (p == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	if (buf_printf(&p->head, e, "{\"ossicle\":%d,\"program\":",
	    PROVENANCE_FORMAT) < 0 ||
	    put_name(&p->head, program, e) < 0 ||
	    buf_puts(&p->head, ",\"version\":", e) < 0 ||
	    put_name(&p->head, version, e) < 0) {
		provenance_free(p);
		return NULL;
	}
	return p;
}

void
provenance_free(struct provenance *p)
{
	if (p == NULL)
		return;
	for (int i = 0; i < LISTS; i++) {
		for (size_t j = 0; j < p->lists[i].n; j++) {
			free(p->lists[i].v[j].name);
			free(p->lists[i].v[j].value);
		}
		free(p->lists[i].v);
	}
	buf_free(&p->head);
	buf_free(&p->inputs);
	free(p);
}

/* Put NAME and VALUE, which are now the list's, at their place in LIST. */
static int
insert(struct provenance *p, enum list list, char *name, char *value,
    struct err *e)
{
	struct member *v = p->lists[list].v;
	size_t n = p->lists[list].n, i = 0;

	if (name == NULL || value == NULL)
		goto fail;
	while (i < n && strcmp(v[i].name, name) < 0)
		i++;
	if (i < n && strcmp(v[i].name, name) == 0) {
		free(name);
		free(v[i].value);
		v[i].value = value;
		return 0;
	}
	v = realloc(v, (n + 1) * sizeof *v);
	if (v == NULL) {
		(void)err_memory(e);
		goto fail;
	}
	memmove(&v[i + 1], &v[i], (n - i) * sizeof *v);
	v[i] = (struct member){ name, value };
	p->lists[list].v = v;
	p->lists[list].n = n + 1;
	return 0;
fail:
	free(name);
	free(value);
	return -1;
}

int
provenance_library(struct provenance *p, const char *name,
    const char *version, struct err *e)
{
	return insert(p, LIBRARIES, quoted(name, e), quoted(version, e), e);
}

int
provenance_model(struct provenance *p, const char *name, const char *sha256,
    struct err *e)
{
	return insert(p, MODEL, quoted(name, e), quoted(sha256, e), e);
}

int
provenance_option(struct provenance *p, const char *name, const char *json,
    struct err *e)
{
	char *value;

	if (jsonscan_check(json, strlen(json), NULL, e) < 0)
		return err_wrap(e, "option %s", name);
	value = strdup(json);
	if (value == NULL)
		return err_memory(e);
	return insert(p, OPTIONS, quoted(name, e), value, e);
}

int
provenance_input(struct provenance *p, const char *name, struct err *e)
{
	if (p->inputs.n > 0 && buf_putc(&p->inputs, ',', e) < 0)
		return -1;
	return put_name(&p->inputs, name, e);
}

/* Append the whole object to OUT. */
static int
put_object(const struct provenance *p, struct buf *out, struct err *e)
{
	if (buf_put(out, p->head.p, p->head.n, e) < 0)
		return -1;
	for (int i = 0; i < LISTS; i++) {
		const struct member *v = p->lists[i].v;

		/* Inputs stand between what was run and what it read. */
		if (i == MODEL && (buf_puts(out, ",\"inputs\":[", e) < 0 ||
		    buf_put(out, p->inputs.p, p->inputs.n, e) < 0 ||
		    buf_putc(out, ']', e) < 0))
			return -1;
		if (buf_printf(out, e, ",\"%s\":{", list_names[i]) < 0)
			return -1;
		for (size_t j = 0; j < p->lists[i].n; j++)
			if (buf_printf(out, e, "%s%s:%s", j > 0 ? "," : "",
			    v[j].name, v[j].value) < 0)
				return -1;
		if (buf_putc(out, '}', e) < 0)
			return -1;
	}
	return buf_putc(out, '}', e);
}

int
provenance_frame(struct provenance *p, struct buf *out, struct err *e)
{
	struct buf object = { 0 };
	int rc = -1;

	if (put_object(p, &object, e) < 0)
		goto out;
	if (object.n > FRAME_NOTE_MAX) {
		(void)err_set(e, ERR_USAGE, "the names of the inputs take "
		    "more than 16 MiB");
		goto out;
	}
	rc = frame_skippable(FRAME_MAGIC_PROVENANCE, object.p, object.n, out,
	    e);
out:
	buf_free(&object);
	return rc;
}

int
provenance_check(const char *body, size_t n, struct err *e)
{
	static const char head[] = "{\"ossicle\":";
	struct jsonspan version;
	int64_t i;

	if (n < sizeof head || memcmp(body, head, sizeof head - 1) != 0)
		return err_set(e, ERR_DAMAGED,
		    "provenance that does not begin with %s", head);
	if (jsonscan_check(body, n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_DAMAGED;
		return err_wrap(e, "provenance");
	}
	version = jsonscan_get(jsonscan_value(body, n), "ossicle");
	if (!jsonscan_int(version, 1, INT64_MAX, &i))
		return err_set(e, ERR_DAMAGED,
		    "provenance whose version is no whole number from 1");
	if (i > PROVENANCE_FORMAT) {
		(void)err_set(e, ERR_DAMAGED, "the stream has version %lld of "
		    "the format; this program knows %d", (long long)i,
		    PROVENANCE_FORMAT);
		return err_hint(e, "a newer ossicle reads it");
	}
	return 0;
}
