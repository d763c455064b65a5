#include <stdio.h>
#include <string.h>

#include "layout_core.h"
#include "pyjson.h"

void
layout_free(struct layout *l)
{
	buf_free(&l->members);
	chat_free(&l->chat);
	*l = (struct layout){ 0 };
}

/* Gather the members of DATA. */
static int
gather(struct layout_reading *r, struct jsonspan data, struct err *e)
{
	struct buf *b = &r->l->members;
	struct jsonwalk w;

	buf_clear(b);
	if (jsonscan_type(data) != JSON_OBJECT) {
		(void)err_record(e, CODE_WRONG_TYPE,
		    "the record is %s, not an object",
		    jsonscan_type_name(jsonscan_type(data)));
		return err_hint(e, "each record is an object with the fields "
		    "of one of the layouts in dpo-pair(1)");
	}
	for (w = jsonwalk_start(data); jsonwalk_next(&w); ) {
		struct layout_member m = { w.key, w.value, false };

		if (buf_put(b, &m, sizeof m, e) < 0)
			return -1;
	}
	r->m = (struct layout_member *)(void *)b->p;
	r->n = b->n / sizeof *r->m;
	return 0;
}

/* The member NAME, or NULL; the last one, as in Python. */
static struct layout_member *
find(const struct layout_reading *r, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = r->n; i > 0; i--) {
		struct jsonspan key = r->m[i - 1].key;

		if ((key.n == n + 2 && memcmp(key.p + 1, name, n) == 0) ||
		    (memchr(key.p, '\\', key.n) != NULL &&
		    jsonscan_is(key, name)))
			return &r->m[i - 1];
	}
	return NULL;
}

/* The type of the member NAME: JSON_NONE where it is absent or null. */
static enum json_type
type_of(const struct layout_reading *r, const char *name)
{
	const struct layout_member *m = find(r, name);
	enum json_type t = m == NULL ? JSON_NONE : jsonscan_type(m->value);

	return t == JSON_NULL ? JSON_NONE : t;
}

/* The columns that R's data set names. */
static void
find_columns(struct layout_reading *r)
{
	for (int i = 0; i < DATASET_COLUMNS; i++)
		r->column[i] = r->d->column[i] == NULL ? NULL :
		    find(r, r->d->column[i]);
}

/* The layout of R by its fields, in the order that dpo-pair(1) gives. */
static enum dataset_format
guess(const struct layout_reading *r)
{
	static const char *const alpaca[] = {
		"instruction", "input", "output", "history"
	};

	if (type_of(r, "conversations") != JSON_NONE)
		return DATASET_SHAREGPT;
	if (type_of(r, "messages") != JSON_NONE)
		return type_of(r, "rejected_response") != JSON_NONE ||
		    type_of(r, "rejected_messages") != JSON_NONE ?
		    DATASET_SWIFT : DATASET_OPENAI;
	for (size_t i = 0; i < sizeof alpaca / sizeof alpaca[0]; i++)
		if (type_of(r, alpaca[i]) != JSON_NONE)
			return DATASET_ALPACA;
	if (type_of(r, "prompt") != JSON_NONE ||
	    type_of(r, "chosen") == JSON_ARRAY ||
	    type_of(r, "rejected") == JSON_ARRAY)
		return DATASET_TRL;
	return DATASET_AUTO;
}

/* No layout has these fields. */
static int
unknown(struct layout_reading *r, struct err *e)
{
	char names[300] = "", key[60];
	size_t n = 0;

	for (size_t i = 0; i < r->n && i < 8 && n < sizeof names; i++)
		n += (size_t)snprintf(names + n, sizeof names - n, "%s%s",
		    i > 0 ? ", " : "", err_quote(key, sizeof key,
		    r->m[i].key.p + 1, r->m[i].key.n - 2));
	(void)err_record(e, CODE_MISSING_FIELD, r->n == 0 ?
	    "the record is empty" : "no layout has these fields: %s%s", names,
	    r->n > 8 ? ", ..." : "");
	return err_hint(e, "there is no conversations, messages, instruction "
	    "or prompt; name the columns with --info and --name");
}

/* Audios, images and videos; one audio alone may stand without an array. */
static int
read_media(struct layout_reading *r, struct err *e)
{
	struct pair *p = r->p;
	struct chat *c = &r->l->chat;
	struct buf *own = pair_make(p);
	size_t from = own->n;
	char place[PAIR_PLACE_SIZE];

	p->images = layout_take(r, DATASET_IMAGES);
	p->videos = layout_take(r, DATASET_VIDEOS);
	p->audios = layout_take(r, DATASET_AUDIOS);
	if (c->n_paths > 0) {
		if (p->audios.json.p != NULL && pyjson_true(p->audios.json)) {
			(void)err_record(e, CODE_AUDIO_COUNT,
			    "audio is named twice: by %s, and by %zu %s of "
			    "contents",
			    pair_place(place, &p->audios), c->n_paths,
			    c->n_paths == 1 ? "part" : "parts");
			return err_hint(e, "keep one of the two");
		}
		c->paths.p[0] = '[';
		if (buf_put(own, c->paths.p, c->paths.n, e) < 0 ||
		    buf_putc(own, ']', e) < 0)
			return -1;
		pair_made(p, &p->audios, from);
	} else if (p->audios.json.p != NULL &&
	    jsonscan_type(p->audios.json) != JSON_ARRAY) {
		if (buf_putc(own, '[', e) < 0 ||
		    buf_put(own, p->audios.json.p, p->audios.json.n, e) < 0 ||
		    buf_putc(own, ']', e) < 0)
			return -1;
		pair_made(p, &p->audios, from);
	}
	return 0;
}

/* Gather in extra what is in no other field. */
static int
read_extra(const struct layout_reading *r, struct err *e)
{
	struct buf *out = &r->p->extra;

	for (size_t i = 0; i < r->n; i++) {
		const struct layout_member *m = &r->m[i];

		if (m->used)
			continue;
		if (buf_putc(out, out->n == 0 ? '{' : ',', e) < 0 ||
		    buf_put(out, m->key.p, m->key.n, e) < 0 ||
		    buf_putc(out, ':', e) < 0 ||
		    buf_put(out, m->value.p, m->value.n, e) < 0)
			return -1;
	}
	return out->n == 0 ? 0 : buf_putc(out, '}', e);
}

int
layout_read(struct layout *l, const struct dataset *d, struct jsonspan data,
    struct pair *p, struct err *e)
{
	static int (*const read[DATASET_FORMATS])(struct layout_reading *,
	    struct err *) = {
		[DATASET_AUTO] = unknown,
		[DATASET_SHAREGPT] = layout_read_sharegpt,
		[DATASET_OPENAI] = layout_read_openai,
		[DATASET_ALPACA] = layout_read_alpaca,
		[DATASET_TRL] = layout_read_trl,
		[DATASET_SWIFT] = layout_read_swift,
	};
	struct layout_reading r = { .l = l, .d = d, .p = p };
	struct chat *c = &l->chat;

	pair_clear(p);
	if (gather(&r, data, e) < 0)
		return -1;
	if (d->format == DATASET_AUTO)
		r.d = dataset_usual(guess(&r));
	find_columns(&r);
	c->names = r.d;
	c->calls = c->join_tools = c->drop_last_tools = c->parts = false;
	c->n_paths = 0;
	buf_clear(&c->paths);
	if (read[r.d->format](&r, e) < 0 || read_media(&r, e) < 0 ||
	    read_extra(&r, e) < 0)
		return -1;
	pair_settle(p);
	return 0;
}
