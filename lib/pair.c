#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pair.h"
#include "record.h"

/* As in the canonical record, and in LLaMA-Factory's data_utils.py. */
static const char *const role_names[] = {
	[PAIR_USER] = "user", [PAIR_OBSERVATION] = "observation",
	[PAIR_ASSISTANT] = "assistant", [PAIR_FUNCTION] = "function",
};

void
pair_free(struct pair *p)
{
	free(p->turns);
	buf_free(&p->extra);
	buf_free(&p->own);
	buf_free(&p->plain);
	buf_free(&p->scratch);
	*p = (struct pair){ 0 };
}

void
pair_clear(struct pair *p)
{
	static const struct pair_text none;

	p->system = p->tools = p->audios = p->images = p->videos = none;
	p->chosen = p->rejected = (struct pair_turn){ 0 };
	p->n_turns = 0;
	p->n_notes = 0;
	buf_clear(&p->extra);
	buf_clear(&p->own);
}

int
pair_add(struct pair *p, const struct pair_turn *turn, struct err *e)
{
	if (p->n_turns == p->cap_turns) {
		size_t cap = p->cap_turns < 16 ? 16 : p->cap_turns * 2;
		struct pair_turn *t = NULL;

		if (cap <= SIZE_MAX / 2 / sizeof *t)
			t = realloc(p->turns, cap * sizeof *t);
		if (t == NULL)
			return err_memory(e);
		p->turns = t;
		p->cap_turns = cap;
	}
	p->turns[p->n_turns++] = *turn;
	return 0;
}

struct buf *
pair_make(struct pair *p)
{
	return &p->own;
}

void
pair_made(const struct pair *p, struct pair_text *t, size_t from)
{
	t->made = from + 1;
	t->json = (struct jsonspan){ NULL, p->own.n - from };
}

/* Give T its address, if it is a text of the pair's own. */
static void
settle(const struct pair *p, struct pair_text *t)
{
	if (t->made > 0)
		t->json.p = p->own.p + (t->made - 1);
	t->made = 0;
}

void
pair_settle(struct pair *p)
{
	settle(p, &p->system);
	settle(p, &p->tools);
	settle(p, &p->audios);
	settle(p, &p->chosen.text);
	settle(p, &p->rejected.text);
	for (size_t i = 0; i < p->n_turns; i++)
		settle(p, &p->turns[i].text);
}

const char *
pair_place(char out[PAIR_PLACE_SIZE], const struct pair_text *t)
{
	char field[80];

	(void)err_quote(field, sizeof field, t->field, strlen(t->field));
	if (t->index == PAIR_WHOLE)
		(void)snprintf(out, PAIR_PLACE_SIZE, "%s", field);
	else
		(void)snprintf(out, PAIR_PLACE_SIZE, "%s[%zu]", field,
		    t->index);
	return out;
}

int
pair_need_string(const struct pair_text *t, const char *key, struct err *e)
{
	enum json_type type = t->made > 0 ? JSON_STRING :
	    jsonscan_type(t->json);
	char place[PAIR_PLACE_SIZE], quoted[80] = "";

	if (type == JSON_STRING)
		return 0;
	if (key != NULL)
		(void)err_quote(quoted, sizeof quoted, key, strlen(key));
	(void)pair_place(place, t);
	if (type == JSON_NONE || type == JSON_NULL) {
		(void)err_record(e, CODE_MISSING_FIELD, "%s%s%s is %s", place,
		    key == NULL ? "" : ".", quoted,
		    type == JSON_NULL ? "null" : "missing");
		return err_hint(e, "every turn and every answer needs a text");
	}
	(void)err_record(e, CODE_WRONG_TYPE, "%s%s%s is %s, not a string",
	    place, key == NULL ? "" : ".", quoted, jsonscan_type_name(type));
	return err_hint(e, type == JSON_ARRAY && key != NULL ?
	    "write it as a string; texts in parts are read in the layouts trl "
	    "and swift" : "write it as a string");
}

size_t
pair_audios(const struct pair *p)
{
	return p->audios.json.p == NULL ? 0 : jsonscan_count(p->audios.json);
}

/* Read V, an object with role and content, into TURN, whose place is set. */
static int
read_turn(struct pair_turn *turn, struct jsonspan v, struct err *e)
{
	char place[PAIR_PLACE_SIZE], word[80];
	enum json_type type = jsonscan_type(v);
	struct jsonspan role = { 0 };

	if (type == JSON_NONE || type == JSON_NULL)
		return err_record(e, CODE_MISSING_FIELD, "%s is %s",
		    pair_place(place, &turn->text),
		    type == JSON_NULL ? "null" : "missing");
	if (type != JSON_OBJECT)
		return err_record(e, CODE_WRONG_TYPE,
		    "%s is %s, not an object with role and content",
		    pair_place(place, &turn->text), jsonscan_type_name(type));
	/* Once over what may be a long text. */
	for (struct jsonwalk w = jsonwalk_start(v); jsonwalk_next(&w); )
		if (jsonscan_is(w.key, "role"))
			role = w.value;
		else if (jsonscan_is(w.key, "content"))
			turn->text.json = w.value;
	turn->word = role;
	for (int i = PAIR_USER; i <= PAIR_FUNCTION; i++)
		if (jsonscan_is(role, role_names[i])) {
			turn->role = (enum pair_role)i;
			return pair_need_string(&turn->text, "content", e);
		}
	if (role.p == NULL)
		return err_record(e, CODE_MISSING_FIELD, "%s.role is missing",
		    pair_place(place, &turn->text));
	(void)err_record(e, CODE_ROLE_ORDER, "%s.role is %s",
	    pair_place(place, &turn->text),
	    err_quote(word, sizeof word, role.p, role.n));
	return err_hint(e, "the roles are user, assistant, observation and "
	    "function");
}

/* Read a string that may be absent into T. */
static void
read_text(struct pair_text *t, const struct record *r, enum record_field f,
    const char *name)
{
	*t = (struct pair_text){ .json = record_get(r, f), .field = name,
	    .index = PAIR_WHOLE };
	if (t->json.n == 2)	/* the empty string */
		t->json = (struct jsonspan){ NULL, 0 };
}

/* Read the prompt. */
static int
read_messages(struct pair *p, struct jsonspan v, struct err *e)
{
	size_t i = 0;

	if (jsonscan_type(v) == JSON_NONE)
		return err_record(e, CODE_MISSING_FIELD, "messages is missing");
	for (struct jsonwalk w = jsonwalk_start(v); jsonwalk_next(&w); i++) {
		struct pair_turn t = { .text = { .field = "messages",
		    .index = i } };

		if (read_turn(&t, w.value, e) < 0 || pair_add(p, &t, e) < 0)
			return -1;
	}
	return 0;
}

int
pair_read(struct pair *p, const struct record *r, struct err *e)
{
	pair_clear(p);
	p->chosen.text = (struct pair_text){ .field = "chosen",
	    .index = PAIR_WHOLE };
	p->rejected.text = (struct pair_text){ .field = "rejected",
	    .index = PAIR_WHOLE };
	p->audios = (struct pair_text){ .field = "audios", .index = PAIR_WHOLE,
	    .json = record_get(r, RECORD_AUDIOS) };
	read_text(&p->system, r, RECORD_SYSTEM, "system");
	read_text(&p->tools, r, RECORD_TOOLS, "tools");
	if (read_messages(p, record_get(r, RECORD_MESSAGES), e) < 0 ||
	    read_turn(&p->chosen, record_get(r, RECORD_CHOSEN), e) < 0 ||
	    read_turn(&p->rejected, record_get(r, RECORD_REJECTED), e) < 0)
		return -1;
	return 0;
}

/* Append TURN as the canonical record has it. */
static int
put_turn(const struct pair_turn *turn, struct buf *out, struct err *e)
{
	if (buf_puts(out, "{\"role\":\"", e) < 0 ||
	    buf_puts(out, role_names[turn->role], e) < 0 ||
	    buf_puts(out, "\",\"content\":", e) < 0 ||
	    buf_put(out, turn->text.json.p, turn->text.json.n, e) < 0)
		return -1;
	return buf_putc(out, '}', e);
}

/* Set field F of R to the answer TURN. */
static int
write_answer(struct pair *p, const struct pair_turn *turn, struct record *r,
    enum record_field f, struct err *e)
{
	buf_clear(&p->scratch);
	if (put_turn(turn, &p->scratch, e) < 0)
		return -1;
	return record_set(r, f, p->scratch.p, p->scratch.n, e);
}

/* Set field F of R to T, or drop it. */
static int
write_text(const struct pair_text *t, struct record *r, enum record_field f,
    struct err *e)
{
	if (t->json.p != NULL)
		return record_set(r, f, t->json.p, t->json.n, e);
	record_drop(r, f);
	return 0;
}

/* Set R's messages. */
static int
write_messages(struct pair *p, struct record *r, struct err *e)
{
	struct buf *out = &p->scratch;

	buf_clear(out);
	for (size_t i = 0; i < p->n_turns; i++)
		if (buf_putc(out, i == 0 ? '[' : ',', e) < 0 ||
		    put_turn(&p->turns[i], out, e) < 0)
			return -1;
	if (buf_puts(out, p->n_turns == 0 ? "[]" : "]", e) < 0)
		return -1;
	return record_set(r, RECORD_MESSAGES, out->p, out->n, e);
}

int
pair_write(struct pair *p, struct record *r, struct err *e)
{
	if (write_text(&p->system, r, RECORD_SYSTEM, e) < 0 ||
	    write_text(&p->tools, r, RECORD_TOOLS, e) < 0 ||
	    write_messages(p, r, e) < 0 ||
	    write_answer(p, &p->chosen, r, RECORD_CHOSEN, e) < 0 ||
	    write_answer(p, &p->rejected, r, RECORD_REJECTED, e) < 0)
		return -1;
	if (pair_audios(p) == 0)
		record_drop(r, RECORD_AUDIOS);
	else if (write_text(&p->audios, r, RECORD_AUDIOS, e) < 0)
		return -1;
	if (p->extra.n > 0 &&
	    record_set(r, RECORD_EXTRA, p->extra.p, p->extra.n, e) < 0)
		return -1;
	record_drop(r, RECORD_DATA);
	return 0;
}
