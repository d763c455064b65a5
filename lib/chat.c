#include <stdio.h>
#include <string.h>

#include "chat.h"
#include "pyjson.h"

/* What stands between tool responses in a row: converter.py, as JSON. */
static const char between_tools[] = "\\n</tool_response>\\n<tool_response>\\n";

/* A message's members. */
struct message {
	struct jsonspan role, content, calls;
};

void
chat_free(struct chat *c)
{
	buf_free(&c->paths);
	buf_free(&c->work);
	*c = (struct chat){ 0 };
}

/* Whether the raw key KEY, quotes included, is NAME. */
static bool
is_key(struct jsonspan key, const char *name)
{
	size_t n = strlen(name);

	if (key.n == n + 2 && memcmp(key.p + 1, name, n) == 0)
		return true;
	return memchr(key.p, '\\', key.n) != NULL && jsonscan_is(key, name);
}

/* Take the members of V, in one walk, to M. */
static int
open_message(const struct chat *c, struct jsonspan v,
    const struct pair_text *at, struct message *m, struct err *e)
{
	char place[PAIR_PLACE_SIZE], role[80], content[80];
	const char *role_key = c->names->tag[DATASET_ROLE];
	const char *content_key = c->names->tag[DATASET_CONTENT];

	*m = (struct message){ .role = { NULL, 0 } };
	if (jsonscan_type(v) != JSON_OBJECT) {
		(void)err_record(e, jsonscan_type(v) == JSON_NULL ?
		    CODE_MISSING_FIELD : CODE_WRONG_TYPE,
		    "%s is %s, not an object", pair_place(place, at),
		    jsonscan_type_name(jsonscan_type(v)));
		(void)err_quote(role, sizeof role, role_key,
		    strlen(role_key));
		(void)err_quote(content, sizeof content, content_key,
		    strlen(content_key));
		return err_hint(e, "it is an object with \"%s\" and \"%s\"",
		    role, content);
	}
	for (struct jsonwalk w = jsonwalk_start(v); jsonwalk_next(&w); ) {
		if (is_key(w.key, role_key))
			m->role = w.value;
		if (is_key(w.key, content_key))
			m->content = w.value;
		if (c->calls && is_key(w.key, "tool_calls"))
			m->calls = w.value;
	}
	return 0;
}

/*
 * The tag whose word ROLE is, or DATASET_TAGS.  Where two tags are the same
 * word the later one wins, as in the converters' tag_mapping.
 */
static enum dataset_tag
find_tag(const struct dataset *d, struct jsonspan role)
{
	for (int i = DATASET_SYSTEM_ROLE; i >= DATASET_USER; i--)
		if (d->tag[i] != NULL && jsonscan_is(role, d->tag[i]))
			return (enum dataset_tag)i;
	for (int i = DATASET_SYSTEM_ROLE; i >= DATASET_USER; i--)
		if (d->also[i] != NULL && jsonscan_is(role, d->also[i]))
			return (enum dataset_tag)i;
	return DATASET_TAGS;
}

/* ROLE, at AT, is none that the layout has there. */
static int
bad_role(const struct chat *c, struct jsonspan role,
    const struct pair_text *at, struct err *e)
{
	const struct dataset *d = c->names;
	char place[PAIR_PLACE_SIZE], key[80], word[80];
	char known[300] = "";
	size_t n = 0;

	(void)err_quote(key, sizeof key, d->tag[DATASET_ROLE],
	    strlen(d->tag[DATASET_ROLE]));
	if (jsonscan_type(role) == JSON_NONE ||
	    jsonscan_type(role) == JSON_NULL)
		(void)err_record(e, CODE_MISSING_FIELD, "%s.%s is %s",
		    pair_place(place, at), key,
		    role.p == NULL ? "missing" : "null");
	else if (find_tag(d, role) == DATASET_SYSTEM_ROLE)
		(void)err_record(e, CODE_ROLE_ORDER,
		    "%s.%s is %s, and only the first turn may be",
		    pair_place(place, at), key,
		    err_quote(word, sizeof word, role.p, role.n));
	else
		(void)err_record(e, CODE_ROLE_ORDER,
		    "%s.%s is %s, which is no role here",
		    pair_place(place, at), key,
		    err_quote(word, sizeof word, role.p, role.n));
	for (int i = DATASET_USER; i <= DATASET_FUNCTION; i++)
		if (d->tag[i] != NULL && n < sizeof known) {
			char quoted[64];

			n += (size_t)snprintf(known + n, sizeof known - n,
			    "%s%s", n > 0 ? ", " : "", err_quote(quoted,
			    sizeof quoted, d->tag[i], strlen(d->tag[i])));
		}
	return err_hint(e, "the roles here are %s; others are named in the "
	    "\"tags\" of dataset_info.json (--info)", known);
}

/* Make a text of tool_calls: json.dumps of each one's "function". */
static int
make_calls(struct chat *c, struct jsonspan calls, struct pair *p,
    struct pair_text *t, struct err *e)
{
	char place[PAIR_PLACE_SIZE];
	struct buf *own = pair_make(p);
	size_t from = own->n, i = 0;

	buf_clear(&c->work);
	if (jsonscan_type(calls) != JSON_ARRAY) {
		(void)err_record(e, CODE_BAD_TOOLS,
		    "%s.tool_calls is %s, not an array", pair_place(place, t),
		    jsonscan_type_name(jsonscan_type(calls)));
		return err_hint(e, "each of tool_calls has an object "
		    "\"function\" with name and arguments");
	}
	for (struct jsonwalk w = jsonwalk_start(calls); jsonwalk_next(&w);
	    i++) {
		struct jsonspan f = jsonscan_get(w.value, "function");

		if (f.p == NULL) {
			(void)err_record(e, CODE_BAD_TOOLS,
			    "%s.tool_calls[%zu] has no function",
			    pair_place(place, t), i);
			return err_hint(e, "each of tool_calls has an object "
			    "\"function\" with name and arguments");
		}
		if (buf_puts(&c->work, i == 0 ? "[" : ", ", e) < 0 ||
		    pyjson_load(f.p, f.n, &c->work, e) < 0)
			return -1;
	}
	if (buf_putc(&c->work, ']', e) < 0 ||
	    buf_put_json(own, c->work.p, c->work.n, e) < 0)
		return -1;
	pair_made(p, t, from);
	return 0;
}

/* Append what stands between the quotes of the string V. */
static int
put_inner(struct jsonspan v, struct buf *out, struct err *e)
{
	return buf_put(out, v.p + 1, v.n - 2, e);
}

/* The path that an audio PART names, under whatever key; or none. */
static struct jsonspan
part_path(struct jsonspan part)
{
	static const char *const keys[] = {
		"audio", "audio_url", "path", "url", "input_audio"
	};

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct jsonspan v = jsonscan_get(part, keys[i]);

		if (jsonscan_type(v) == JSON_OBJECT &&
		    jsonscan_get(v, "url").p != NULL)
			v = jsonscan_get(v, "url");
		if (v.p != NULL && jsonscan_type(v) != JSON_NULL)
			return v;
	}
	return (struct jsonspan){ NULL, 0 };
}

/* Append one PART of a content to the pair's own text. */
static int
put_part(struct chat *c, struct jsonspan part, const struct pair_text *at,
    size_t index, struct buf *own, struct err *e)
{
	struct jsonspan type = jsonscan_get(part, "type"), path;
	struct pair_text text = *at;
	char place[PAIR_PLACE_SIZE], word[80];

	if (jsonscan_is(type, "text")) {
		text.json = jsonscan_get(part, "text");
		if (pair_need_string(&text, "content.text", e) < 0)
			return -1;
		return put_inner(text.json, own, e);
	}
	if (jsonscan_is(type, "audio") || jsonscan_is(type, "audio_url") ||
	    jsonscan_is(type, "input_audio")) {
		path = part_path(part);
		if (path.p != NULL) {
			c->n_paths++;
			if (buf_putc(&c->paths, ',', e) < 0 ||
			    buf_put(&c->paths, path.p, path.n, e) < 0)
				return -1;
		}
		return buf_puts(own, PAIR_AUDIO_TAG, e);
	}
	(void)pair_place(place, at);
	(void)err_quote(word, sizeof word, type.p, type.n);
	if (jsonscan_is(type, "image") || jsonscan_is(type, "image_url") ||
	    jsonscan_is(type, "video") || jsonscan_is(type, "video_url")) {
		(void)err_record(e, CODE_MEDIA_UNSUPPORTED, "%s.content[%zu] "
		    "is of type %s, and the model takes audio alone", place,
		    index, word);
		return err_hint(e, "take the record out");
	}
	(void)err_record(e, type.p == NULL ? CODE_MISSING_FIELD :
	    CODE_WRONG_TYPE, type.p == NULL ? "%s.content[%zu] has no type" :
	    "%s.content[%zu] is of type %s", place, index, word);
	return err_hint(e, "parts are {\"type\":\"text\",\"text\":...} and "
	    "{\"type\":\"audio\"}");
}

/* Put the parts of CONTENT together to a text T. */
static int
make_parts(struct chat *c, struct jsonspan content, struct pair *p,
    struct pair_text *t, struct err *e)
{
	struct buf *own = pair_make(p);
	size_t from = own->n, i = 0;

	if (buf_putc(own, '"', e) < 0)
		return -1;
	for (struct jsonwalk w = jsonwalk_start(content); jsonwalk_next(&w);
	    i++)
		if (put_part(c, w.value, t, i, own, e) < 0)
			return -1;
	if (buf_putc(own, '"', e) < 0)
		return -1;
	pair_made(p, t, from);
	return 0;
}

/* The text of a message whose content is CONTENT. */
static int
read_content(struct chat *c, struct jsonspan content, struct pair *p,
    struct pair_text *t, struct err *e)
{
	t->json = content;
	if (c->parts && jsonscan_type(content) == JSON_ARRAY)
		return make_parts(c, content, p, t, e);
	return pair_need_string(t, c->names->tag[DATASET_CONTENT], e);
}

/* Make of the message M the turn T, whose place is set; TAG its role. */
static int
read_turn(struct chat *c, const struct message *m, enum dataset_tag tag,
    struct pair *p, struct pair_turn *t, struct err *e)
{
	static const enum pair_role roles[DATASET_TAGS] = {
		[DATASET_USER] = PAIR_USER,
		[DATASET_ASSISTANT] = PAIR_ASSISTANT,
		[DATASET_OBSERVATION] = PAIR_OBSERVATION,
		[DATASET_FUNCTION] = PAIR_FUNCTION,
	};

	t->word = m->role;
	if (tag == DATASET_TAGS || tag == DATASET_SYSTEM_ROLE)
		return bad_role(c, m->role, &t->text, e);
	t->role = roles[tag];
	if ((tag == DATASET_ASSISTANT || tag == DATASET_FUNCTION) &&
	    pyjson_true(m->calls)) {
		t->role = PAIR_FUNCTION;
		return make_calls(c, m->calls, p, &t->text, e);
	}
	return read_content(c, m->content, p, &t->text, e);
}

/*
 * The last turn of P takes the observation T's text, too.  A text that was
 * made for either is at the end of the pair's own, so that joining many
 * costs no more than their length.
 */
static int
join_last(struct chat *c, struct pair *p, const struct pair_turn *t,
    struct err *e)
{
	struct pair_text *last = &p->turns[p->n_turns - 1].text;
	struct buf *own = pair_make(p);
	struct jsonspan more = t->text.json;
	size_t from;

	if (t->text.made > 0) {
		buf_clear(&c->work);
		own->n = t->text.made - 1;
		if (buf_put(&c->work, own->p + own->n, more.n, e) < 0)
			return -1;
		more.p = c->work.p;
	}
	from = last->made > 0 ? last->made - 1 : own->n;
	if (last->made == 0 &&
	    buf_put(own, last->json.p, last->json.n, e) < 0)
		return -1;
	own->n--;	/* its closing quote */
	if (buf_puts(own, between_tools, e) < 0 ||
	    buf_put(own, more.p + 1, more.n - 1, e) < 0)
		return -1;
	pair_made(p, last, from);
	return 0;
}

/* The first message may be the system's. */
static int
read_system(struct chat *c, const struct message *m, struct pair *p,
    struct pair_text at, struct err *e)
{
	p->system = at;
	if (jsonscan_type(m->content) == JSON_NONE ||
	    jsonscan_type(m->content) == JSON_NULL)
		return 0;
	return read_content(c, m->content, p, &p->system, e);
}

/* Add the message at AT, whose members are M, to the turns of P. */
static int
add_turn(struct chat *c, const struct message *m, struct pair_text at,
    struct pair *p, struct err *e)
{
	enum dataset_tag tag = find_tag(c->names, m->role);
	struct pair_turn t = { .text = at };

	if (read_turn(c, m, tag, p, &t, e) < 0)
		return -1;
	if (c->join_tools && t.role == PAIR_OBSERVATION && p->n_turns > 0 &&
	    p->turns[p->n_turns - 1].role == PAIR_OBSERVATION)
		return join_last(c, p, &t, e);
	return pair_add(p, &t, e);
}

int
chat_prompt(struct chat *c, struct jsonspan v, size_t n, const char *field,
    struct pair *p, bool *system, struct err *e)
{
	struct pair_text at = { .field = field };
	struct jsonwalk w;
	struct message m = { .role = { NULL, 0 } };
	char place[PAIR_PLACE_SIZE], word[80];

	*system = false;
	for (w = jsonwalk_start(v); at.index < n && jsonwalk_next(&w);
	    at.index++) {
		if (open_message(c, w.value, &at, &m, e) < 0)
			return -1;
		if (at.index == 0 && c->names->tag[DATASET_SYSTEM_ROLE] != NULL
		    && c->names->tag[DATASET_SYSTEM_ROLE][0] != '\0' &&
		    jsonscan_is(m.role,
		    c->names->tag[DATASET_SYSTEM_ROLE])) {
			*system = true;
			if (read_system(c, &m, p, at, e) < 0)
				return -1;
		} else if (add_turn(c, &m, at, p, e) < 0) {
			return -1;
		}
	}
	if (!c->drop_last_tools || p->n_turns == 0 ||
	    p->turns[p->n_turns - 1].role != PAIR_OBSERVATION)
		return 0;
	at.index--;
	(void)err_record(e, CODE_ROLE_ORDER,
	    "%s is %s and the last turn, which LLaMA-Factory loses in the "
	    "layout openai", pair_place(place, &at),
	    err_quote(word, sizeof word, m.role.p, m.role.n));
	return err_hint(e, "name the data set's layout sharegpt, with its "
	    "tags, in dataset_info.json (--info)");
}

int
chat_answer(struct chat *c, struct jsonspan v, const char *field,
    size_t index, struct pair *p, struct pair_turn *t, struct err *e)
{
	struct message m;

	*t = (struct pair_turn){ .text = { .field = field, .index = index } };
	if (open_message(c, v, &t->text, &m, e) < 0)
		return -1;
	return read_turn(c, &m, find_tag(c->names, m.role), p, t, e);
}

/* Whether two values are the same, be strings escaped as they may. */
static int
same_value(struct chat *c, struct jsonspan a, struct jsonspan b,
    struct err *e)
{
	size_t middle;

	if (a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0))
		return 1;
	if (jsonscan_type(a) == JSON_NULL || jsonscan_type(b) == JSON_NULL)
		return !pyjson_true(a) && !pyjson_true(b);
	if (jsonscan_type(a) == JSON_NONE || jsonscan_type(b) == JSON_NONE)
		return 0;
	buf_clear(&c->work);
	if (pyjson_load(a.p, a.n, &c->work, e) < 0)
		return -1;
	middle = c->work.n;
	if (pyjson_load(b.p, b.n, &c->work, e) < 0)
		return -1;
	return c->work.n == 2 * middle &&
	    memcmp(c->work.p, c->work.p + middle, middle) == 0;
}

int
chat_same(struct chat *c, struct jsonspan a, struct jsonspan b,
    struct err *e)
{
	struct pair_text at = { .field = "chosen" };
	struct message x, y;
	int role, content, calls;

	if (a.n == b.n && memcmp(a.p, b.p, a.n) == 0)
		return 1;
	if (open_message(c, a, &at, &x, e) < 0 ||
	    open_message(c, b, &at, &y, e) < 0 ||
	    (role = same_value(c, x.role, y.role, e)) < 0 ||
	    (content = same_value(c, x.content, y.content, e)) < 0 ||
	    (calls = same_value(c, x.calls, y.calls, e)) < 0)
		return -1;
	return role && content && calls;
}
