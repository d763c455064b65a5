#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "lengths.h"
#include "record.h"
#include "table.h"
#include "view.h"

struct view {
	struct jsonspan json;
	struct buf text;	/* the JSON of an image */
	struct buf row;		/* as lengths_put has it */
	struct tensor tensors[RECORD_TENSORS_MAX];
	size_t n;
};

struct view *
view_new(struct err *e)
{
	struct view *v = calloc(1, sizeof *v);

	if (v == NULL)
		(void)err_memory(e);
	return v;
}

void
view_free(struct view *v)
{
	if (v == NULL)
		return;
	buf_free(&v->text);
	buf_free(&v->row);
	free(v);
}

int
view_open(struct view *v, const struct content_record *r, struct err *e)
{
	struct jsonspan json = { r->p, r->n };

	v->n = 0;
	v->json = (struct jsonspan){ NULL, 0 };
	if (r->image) {
		buf_clear(&v->text);
		if (safetensors_read(r->p, r->n, v->tensors,
		    RECORD_TENSORS_MAX, &v->n, &v->text, e) < 0)
			return -1;
		json = (struct jsonspan){ v->text.p, v->text.n };
	}
	if (json.n == 0)
		return err_set(e, ERR_DAMAGED, "a line without a record");
	if (jsonscan_check_record(json.p, json.n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_DAMAGED;
		return -1;
	}
	if (json.p[0] != '{' || json.p[json.n - 1] != '}' ||
	    memchr(json.p, '\n', json.n) != NULL)
		return err_set(e, ERR_DAMAGED,
		    "a record is a JSON object on one line");
	v->json = json;
	return 0;
}

struct jsonspan
view_json(const struct view *v)
{
	return v->json;
}

const struct tensor *
view_tensors(const struct view *v, size_t *n)
{
	*n = v->n;
	return v->tensors;
}

const struct tensor *
view_tensor(const struct view *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->tensors[i].name, name) == 0)
			return &v->tensors[i];
	return NULL;
}

bool
view_has_error(const struct view *v)
{
	return jsonscan_get(v->json, "error").p != NULL;
}

int
view_lengths(struct view *v, struct stream_lengths *row, struct err *e)
{
	buf_clear(&v->row);
	if (lengths_put(&v->row, jsonscan_get(v->json, "audio"),
	    view_tensor(v, "chosen_input_ids"),
	    view_tensor(v, "rejected_input_ids"), e) < 0)
		return -1;
	(void)lengths_row(v->row.p, row);
	return 0;
}
