#include <string.h>

#include "layout_core.h"
#include "pyjson.h"

/* An answer of TRL's: an array of one message, a message, or a string. */
static int
read_trl_answer(struct layout_reading *r, enum dataset_column column,
    struct pair_turn *turn, struct err *e)
{
	struct pair_text t;
	char quoted[80];
	size_t n;

	if (layout_need(r, column, &t, e) < 0)
		return -1;
	if (jsonscan_type(t.json) == JSON_STRING)
		return layout_take_text(r, column, turn, e);
	if (jsonscan_type(t.json) != JSON_ARRAY)
		return layout_take_answer(r, column, turn, e);
	n = jsonscan_count(t.json);
	if (n == 1)
		return chat_answer(&r->l->chat, jsonscan_at(t.json, 0),
		    t.field, 0, r->p, turn, e);
	(void)err_record(e, CODE_ROLE_ORDER,
	    "%s has %zu messages beside the prompt", err_quote(quoted,
	    sizeof quoted, t.field, strlen(t.field)), n);
	return err_hint(e, "beside a prompt, chosen and rejected have one "
	    "message each: move earlier turns to the prompt");
}

/*
 * The arrays A and B are whole conversations that differ in their last
 * message alone: what comes before is the prompt.
 */
static int
read_conversations(struct layout_reading *r, struct pair_text a,
    struct pair_text b, struct err *e)
{
	struct chat *c = &r->l->chat;
	struct jsonwalk x, y;
	size_t n, i = 0;
	bool system;

	if (layout_need_array(&a, "messages", e) < 0 ||
	    layout_need_array(&b, "messages", e) < 0)
		return -1;
	n = jsonscan_count(a.json);
	if (n == 0 || n != jsonscan_count(b.json)) {
		(void)err_record(e, CODE_NOT_A_PAIR, "%s has %zu messages and "
		    "%s %zu: they are no answers to one prompt", a.field, n,
		    b.field, jsonscan_count(b.json));
		return err_hint(e, "the two conversations differ in their "
		    "last message alone, or a prompt stands beside them");
	}
	x = jsonwalk_start(a.json);
	y = jsonwalk_start(b.json);
	while (jsonwalk_next(&x) && jsonwalk_next(&y) && i + 1 < n) {
		int same = chat_same(c, x.value, y.value, e);

		if (same < 0)
			return -1;
		if (!same) {
			(void)err_record(e, CODE_NOT_A_PAIR,
			    "%s and %s part at message %zu of %zu: they are "
			    "no answers to one prompt", a.field, b.field,
			    i + 1, n);
			return err_hint(e, "the two conversations differ in "
			    "their last message alone");
		}
		i++;
	}
	if (chat_prompt(c, a.json, n - 1, a.field, r->p, &system, e) < 0 ||
	    chat_answer(c, x.value, a.field, n - 1, r->p, &r->p->chosen, e) <
	    0)
		return -1;
	n = c->n_paths;
	if (chat_answer(c, y.value, b.field, i, r->p, &r->p->rejected, e) < 0)
		return -1;
	if (c->n_paths != n) {
		(void)err_record(e, CODE_AUDIO_COUNT,
		    "%s[%zu] names audio of its own", b.field, i);
		return err_hint(e, "the two answers share the pair's audio: "
		    "list it in audios");
	}
	return layout_take_system(r, system, e);
}

int
layout_read_trl(struct layout_reading *r, struct err *e)
{
	struct chat *c = &r->l->chat;
	struct pair_text t = layout_take(r, DATASET_PROMPT), chosen, rejected;
	struct pair_turn turn = { .role = PAIR_USER, .text = t };
	bool system = false;

	c->calls = c->join_tools = c->parts = true;
	if (layout_need_answers(r, e) < 0)
		return -1;
	if (t.json.p == NULL) {
		if (layout_need(r, DATASET_CHOSEN, &chosen, e) < 0 ||
		    layout_need(r, DATASET_REJECTED, &rejected, e) < 0)
			return -1;
		if (jsonscan_type(chosen.json) != JSON_ARRAY)
			return layout_need(r, DATASET_PROMPT, &t, e);
		if (read_conversations(r, chosen, rejected, e) < 0)
			return -1;
		return layout_take_tools(r, true, e);
	}
	if (jsonscan_type(t.json) == JSON_STRING) {
		if (pair_add(r->p, &turn, e) < 0)
			return -1;
	} else if (layout_need_array(&t, "messages", e) < 0 ||
	    chat_prompt(c, t.json, SIZE_MAX, t.field, r->p, &system, e) < 0) {
		return -1;
	}
	if (read_trl_answer(r, DATASET_CHOSEN, &r->p->chosen, e) < 0 ||
	    read_trl_answer(r, DATASET_REJECTED, &r->p->rejected, e) < 0 ||
	    layout_take_system(r, system, e) < 0)
		return -1;
	return layout_take_tools(r, true, e);
}

int
layout_read_swift(struct layout_reading *r, struct err *e)
{
	struct chat *c = &r->l->chat;
	struct pair_text t, other = layout_take(r, DATASET_OTHER);
	size_t n;
	bool system;

	c->calls = c->join_tools = c->parts = true;
	if (layout_need(r, DATASET_MESSAGES, &t, e) < 0 ||
	    layout_need_array(&t, "messages", e) < 0)
		return -1;
	if (other.json.p != NULL) {
		if (read_conversations(r, t, other, e) < 0)
			return -1;
		return layout_take_tools(r, true, e);
	}
	if (layout_need_answers(r, e) < 0)
		return -1;
	n = jsonscan_count(t.json);
	if (n == 0) {
		(void)err_record(e, CODE_ROLE_ORDER, "%s has no turn",
		    t.field);
		return err_hint(e, "its last turn is the chosen answer");
	}
	if (chat_prompt(c, t.json, n - 1, t.field, r->p, &system, e) < 0 ||
	    chat_answer(c, jsonscan_at(t.json, n - 1), t.field, n - 1, r->p,
	    &r->p->chosen, e) < 0 ||
	    layout_take_text(r, DATASET_REJECTED, &r->p->rejected, e) < 0 ||
	    layout_take_system(r, system, e) < 0)
		return -1;
	return layout_take_tools(r, true, e);
}
