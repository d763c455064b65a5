#include <string.h>

#include "layout_core.h"
#include "pyjson.h"

int
layout_read_sharegpt(struct layout_reading *r, struct err *e)
{
	struct pair_text t;
	bool system;

	if (layout_need_answers(r, e) < 0 ||
	    layout_need(r, DATASET_MESSAGES, &t, e) < 0 ||
	    layout_need_array(&t, "messages", e) < 0 ||
	    chat_prompt(&r->l->chat, t.json, SIZE_MAX, t.field, r->p, &system,
	    e) < 0 ||
	    layout_take_answer(r, DATASET_CHOSEN, &r->p->chosen, e) < 0 ||
	    layout_take_answer(r, DATASET_REJECTED, &r->p->rejected, e) < 0 ||
	    layout_take_system(r, system, e) < 0)
		return -1;
	return layout_take_tools(r, false, e);
}

/* Whether the text T speaks of detailed thinking already: 1, 0 or -1. */
static int
speaks_of_thinking(struct layout_reading *r, const struct pair_text *t,
    struct err *e)
{
	static const char words[] = "detailed thinking o";
	struct jsonspan text = t->json;
	struct buf *work = &r->l->chat.work;
	const size_t n = sizeof words - 1;

	buf_clear(work);
	if (jsonscan_text(t->json, work, &text, e) < 0)
		return -1;
	for (size_t i = 0; i + n < text.n; i++)
		if (text.p[i] == 'd' && memcmp(text.p + i, words, n) == 0 &&
		    (text.p[i + n] == 'n' || (i + n + 1 < text.n &&
		    memcmp(text.p + i + n, "ff", 2) == 0)))
			return 1;
	return 0;
}

/* What OpenAIDatasetConverter adds to the system text. */
static int
add_thinking(struct layout_reading *r, struct err *e)
{
	struct pair_text *t = &r->p->system;
	struct buf *own = pair_make(r->p);
	bool tools = r->p->tools.made > 0 || r->p->tools.json.p != NULL;
	size_t from = own->n;
	int speaks = 0;

	if (t->json.p == NULL && tools)
		return 0;
	if (t->json.p != NULL && !tools)
		speaks = speaks_of_thinking(r, t, e);
	if (speaks != 0)
		return speaks < 0 ? -1 : 0;
	if (t->json.p == NULL) {
		if (buf_puts(own, "\"detailed thinking off\"", e) < 0)
			return -1;
	} else if (buf_put(own, t->json.p, t->json.n - 1, e) < 0 ||
	    buf_puts(own, tools ? "\\n\"" :
	    "\\ndetailed thinking off\"", e) < 0) {
		return -1;
	}
	pair_made(r->p, t, from);
	return 0;
}

int
layout_read_openai(struct layout_reading *r, struct err *e)
{
	struct chat *c = &r->l->chat;
	struct pair_text t;
	bool system;

	if (layout_need_answers(r, e) < 0 ||
	    layout_need(r, DATASET_MESSAGES, &t, e) < 0 ||
	    layout_need_array(&t, "messages", e) < 0)
		return -1;
	c->calls = c->join_tools = c->drop_last_tools = true;
	if (chat_prompt(c, t.json, SIZE_MAX, t.field, r->p, &system, e) < 0)
		return -1;
	c->calls = false;	/* it reads those of the prompt alone */
	if (layout_take_answer(r, DATASET_CHOSEN, &r->p->chosen, e) < 0 ||
	    layout_take_answer(r, DATASET_REJECTED, &r->p->rejected, e) < 0 ||
	    layout_take_system(r, system, e) < 0 ||
	    layout_take_tools(r, true, e) < 0)
		return -1;
	return add_thinking(r, e);
}

/* alpaca's history: pairs of a prompt and its answer. */
static int
read_history(struct layout_reading *r, struct err *e)
{
	struct pair_text t = layout_take(r, DATASET_HISTORY);
	char place[PAIR_PLACE_SIZE];

	if (t.json.p == NULL)
		return 0;
	if (layout_need_array(&t, "pairs of a prompt and an answer", e) < 0)
		return -1;
	t.index = 0;
	for (struct jsonwalk w = jsonwalk_start(t.json); jsonwalk_next(&w);
	    t.index++) {
		struct pair_turn turn = { .role = PAIR_USER, .text = t };

		if (jsonscan_type(w.value) != JSON_ARRAY ||
		    jsonscan_count(w.value) != 2) {
			(void)err_record(e, CODE_WRONG_TYPE,
			    "%s is not an array of two",
			    pair_place(place, &t));
			return err_hint(e, "history holds pairs of a prompt "
			    "and an answer");
		}
		for (struct jsonwalk two = jsonwalk_start(w.value);
		    jsonwalk_next(&two); turn.role = PAIR_ASSISTANT) {
			turn.text.json = two.value;
			if (pair_need_string(&turn.text, NULL, e) < 0 ||
			    pair_add(r->p, &turn, e) < 0)
				return -1;
		}
	}
	return 0;
}

/* alpaca's prompt and query are one turn, with a newline between. */
static int
read_instruction(struct layout_reading *r, struct err *e)
{
	struct pair_text a = layout_take(r, DATASET_PROMPT);
	struct pair_text b = layout_take(r, DATASET_QUERY);
	struct pair_turn turn = { .role = PAIR_USER };
	struct buf *own = pair_make(r->p);
	size_t from = own->n;
	bool none = a.json.p == NULL && b.json.p == NULL;

	if (none) {
		struct pair_text t;
		bool prompt = layout_name(r, DATASET_PROMPT) != NULL;

		return layout_need(r, prompt ? DATASET_PROMPT : DATASET_QUERY,
		    &t, e);
	}
	if ((pyjson_true(a.json) && pair_need_string(&a, NULL, e) < 0) ||
	    (pyjson_true(b.json) && pair_need_string(&b, NULL, e) < 0))
		return -1;
	turn.text = pyjson_true(a.json) || !pyjson_true(b.json) ? a : b;
	if (pyjson_true(a.json) && pyjson_true(b.json)) {
		if (buf_put(own, a.json.p, a.json.n - 1, e) < 0 ||
		    buf_puts(own, "\\n", e) < 0 ||
		    buf_put(own, b.json.p + 1, b.json.n - 1, e) < 0)
			return -1;
		pair_made(r->p, &turn.text, from);
	} else if (!pyjson_true(turn.text.json)) {
		if (buf_puts(own, "\"\"", e) < 0)
			return -1;
		pair_made(r->p, &turn.text, from);
	}
	return pair_add(r->p, &turn, e);
}

int
layout_read_alpaca(struct layout_reading *r, struct err *e)
{
	if (layout_need_answers(r, e) < 0 || read_history(r, e) < 0 ||
	    read_instruction(r, e) < 0 ||
	    layout_take_text(r, DATASET_CHOSEN, &r->p->chosen, e) < 0 ||
	    layout_take_text(r, DATASET_REJECTED, &r->p->rejected, e) < 0 ||
	    layout_take_system(r, false, e) < 0)
		return -1;
	return layout_take_tools(r, false, e);
}
