#include <string.h>

#include "layout_core.h"
#include "pyjson.h"

const char *
layout_name(const struct layout_reading *r, enum dataset_column column)
{
	return r->d->column[column];
}

struct pair_text
layout_take(struct layout_reading *r, enum dataset_column column)
{
	struct layout_member *m = r->column[column];
	struct pair_text t = { .field = layout_name(r, column),
	    .index = PAIR_WHOLE };

	if (m == NULL)
		return t;
	m->used = true;
	if (jsonscan_type(m->value) != JSON_NULL)
		t.json = m->value;
	return t;
}

int
layout_need(struct layout_reading *r, enum dataset_column column,
    struct pair_text *t, struct err *e)
{
	char quoted[80];

	*t = layout_take(r, column);
	if (t->json.p != NULL)
		return 0;
	(void)err_quote(quoted, sizeof quoted, t->field, strlen(t->field));
	(void)err_record(e, CODE_MISSING_FIELD, "%s is %s", quoted,
	    r->column[column] == NULL ? "missing" : "null");
	return err_hint(e, "the layout %s needs it; other names of columns "
	    "are told by --info and --name",
	    dataset_format_name(r->d->format));
}

int
layout_need_answers(struct layout_reading *r, struct err *e)
{
	const struct layout_member *kto = r->column[DATASET_KTO];
	const struct layout_member *c = r->column[DATASET_CHOSEN];
	const struct layout_member *j = r->column[DATASET_REJECTED];
	char one[80], two[80];
	const char *names[2];

	if (kto != NULL && jsonscan_type(kto->value) == JSON_BOOL) {
		names[0] = layout_name(r, DATASET_KTO);
		(void)err_record(e, CODE_NOT_A_PAIR, "%s is %.*s: a KTO "
		    "record, with one answer", err_quote(one, sizeof one,
		    names[0], strlen(names[0])), (int)kto->value.n,
		    kto->value.p);
		return err_hint(e, "a pair has a chosen and a rejected "
		    "answer: take the record out");
	}
	if ((c != NULL && jsonscan_type(c->value) != JSON_NULL) ||
	    (j != NULL && jsonscan_type(j->value) != JSON_NULL))
		return 0;
	names[0] = layout_name(r, DATASET_CHOSEN);
	names[1] = layout_name(r, DATASET_REJECTED);
	(void)err_quote(two, sizeof two, names[1], strlen(names[1]));
	if (names[0] == NULL)	/* swift: it is the last of messages */
		(void)err_record(e, CODE_NOT_A_PAIR,
		    "there is no %s: an SFT record, with one answer", two);
	else
		(void)err_record(e, CODE_NOT_A_PAIR, "there is neither %s nor "
		    "%s: an SFT record, with one answer", err_quote(one,
		    sizeof one, names[0], strlen(names[0])), two);
	return err_hint(e, "a pair has a chosen and a rejected answer; other "
	    "names of columns are told by --info and --name");
}

int
layout_need_array(const struct pair_text *t, const char *of, struct err *e)
{
	char quoted[80];

	if (jsonscan_type(t->json) == JSON_ARRAY)
		return 0;
	(void)err_quote(quoted, sizeof quoted, t->field, strlen(t->field));
	(void)err_record(e, CODE_WRONG_TYPE, "%s is %s, not an array of %s",
	    quoted, jsonscan_type_name(jsonscan_type(t->json)), of);
	return err_hint(e, "make it an array of %s", of);
}

int
layout_take_system(struct layout_reading *r, bool turn, struct err *e)
{
	struct pair_text *t = &r->p->system;

	if (!turn)
		*t = layout_take(r, DATASET_SYSTEM);
	if (t->made > 0 ? t->json.n == 2 : !pyjson_true(t->json)) {
		t->json = (struct jsonspan){ NULL, 0 };
		t->made = 0;
	}
	return t->made > 0 || t->json.p == NULL ? 0 :
	    pair_need_string(t, NULL, e);
}

int
layout_take_tools(struct layout_reading *r, bool as_json, struct err *e)
{
	struct pair_text *t = &r->p->tools;
	struct buf *own = pair_make(r->p), *work = &r->l->chat.work;
	enum json_type type;
	size_t from = own->n;
	char place[PAIR_PLACE_SIZE];

	*t = layout_take(r, DATASET_TOOLS);
	type = jsonscan_type(t->json);
	if (as_json && (type == JSON_ARRAY || type == JSON_OBJECT) &&
	    (r->d->format == DATASET_OPENAI || pyjson_true(t->json))) {
		buf_clear(work);
		if (pyjson_load(t->json.p, t->json.n, work, e) < 0 ||
		    buf_put_json(own, work->p, work->n, e) < 0)
			return -1;
		pair_made(r->p, t, from);
		return 0;
	}
	if (!pyjson_true(t->json))
		t->json = (struct jsonspan){ NULL, 0 };
	if (t->json.p == NULL || type == JSON_STRING)
		return 0;
	(void)err_record(e, CODE_BAD_TOOLS, "%s is %s, not a string of JSON",
	    pair_place(place, t), jsonscan_type_name(type));
	return err_hint(e, "write tools as JSON in a string, as the layout %s "
	    "has it", dataset_format_name(r->d->format));
}

int
layout_take_answer(struct layout_reading *r, enum dataset_column column,
    struct pair_turn *turn, struct err *e)
{
	struct pair_text t;

	if (layout_need(r, column, &t, e) < 0)
		return -1;
	return chat_answer(&r->l->chat, t.json, t.field, PAIR_WHOLE, r->p,
	    turn, e);
}

int
layout_take_text(struct layout_reading *r, enum dataset_column column,
    struct pair_turn *turn, struct err *e)
{
	*turn = (struct pair_turn){ .role = PAIR_ASSISTANT };
	if (layout_need(r, column, &turn->text, e) < 0)
		return -1;
	return pair_need_string(&turn->text, NULL, e);
}
