#include <string.h>

#include "bpe.h"
#include "buf.h"
#include "content.h"
#include "model.h"
#include "safetensors.h"
#include "spell.h"
#include "unit.h"
#include "view.h"

struct fixture {
	struct model *model;
	const struct bpe *bpe;
	struct bpe_cache *cache;
	struct view *view;
};

static int
set_up(void **state)
{
	static struct fixture f;
	struct err e = { 0 };

	f.model = model_open("examples/demo/model", &e);
	if (f.model == NULL)
		fail_msg("%s", e.text);
	f.bpe = model_tokenizer(f.model, &e);
	assert_non_null(f.bpe);
	f.cache = bpe_cache_new(f.bpe, &e);
	f.view = view_new(&e);
	assert_non_null(f.cache);
	assert_non_null(f.view);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	view_free(f->view);
	bpe_cache_free(f->cache);
	model_free(f->model);
	return 0;
}

/* A tensor NAME of IDS. */
static struct tensor
tensor(const char *name, const struct bpe_ids *ids)
{
	struct tensor t = { .dtype = DTYPE_I32, .rank = 1,
	    .shape = { ids->n }, .data = ids->p, .n_bytes = 4 * ids->n };

	(void)strcpy(t.name, name);
	return t;
}

/* Spell a record of the N tensors at T. */
static int
spell(struct fixture *f, struct tensor *t, size_t n, struct buf *out,
    struct err *e)
{
	struct buf image = { 0 };
	struct content_record r;
	int rc;

	assert_int_equal(safetensors_write(t, n, "{}", 2, &image, e), 0);
	r = (struct content_record){ image.p, image.n, true };
	assert_int_equal(view_open(f->view, &r, e), 0);
	buf_clear(out);
	rc = spell_record(f->bpe, 7, f->view, out, e);
	buf_free(&image);
	return rc;
}

static void
ids_become_the_text_they_came_from(void **state)
{
	static const char text[] = "<|im_start|>user\n\"A\" \xe6\xbc\xa2 "
	    "\xf0\x9f\x98\x80<|im_end|>";
	static const char want[] = "{\"record\":7,\"chosen\":{\"text\":"
	    "\"<|im_start|>user\\n\\\"A\\\" \xe6\xbc\xa2 \xf0\x9f\x98\x80"
	    "<|im_end|>\",\"labels\":\"<|im_end|>\"},"
	    "\"rejected\":{\"text\":\"<|im_start|>user\\n\\\"A\\\" "
	    "\xe6\xbc\xa2 \xf0\x9f\x98\x80<|im_end|>\",\"labels\":\"\"}}";
	struct fixture *f = *state;
	struct bpe_ids ids = { 0 }, labels = { 0 }, none = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };
	struct tensor t[4];

	assert_int_equal(bpe_encode(f->bpe, f->cache, text, sizeof text - 1,
	    &ids, &e), 0);
	assert_int_equal(bpe_ids_reserve(&labels, ids.n, &e), 0);
	assert_int_equal(bpe_ids_reserve(&none, ids.n, &e), 0);
	for (size_t i = 0; i < ids.n; i++) {
		labels.p[i] = i + 1 < ids.n ? -100 : ids.p[i];
		none.p[i] = -100;
	}
	labels.n = none.n = ids.n;
	t[0] = tensor("chosen_input_ids", &ids);
	t[1] = tensor("chosen_labels", &labels);
	t[2] = tensor("rejected_input_ids", &ids);
	t[3] = tensor("rejected_labels", &none);
	if (spell(f, t, 4, &out, &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(out.n, sizeof want - 1);
	assert_memory_equal(out.p, want, out.n);
	bpe_ids_free(&ids);
	bpe_ids_free(&labels);
	bpe_ids_free(&none);
	buf_free(&out);
}

/* Ids 0 to 255 are single bytes. */
static void
half_a_character_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct bpe_ids ids = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };
	struct tensor t[4];
	bool found = false;

	assert_int_equal(bpe_ids_reserve(&ids, 256, &e), 0);
	for (int32_t i = 0; i < 256; i++) {
		ids.p[0] = i;
		ids.n = 1;
		buf_clear(&out);
		assert_int_equal(bpe_decode(f->bpe, ids.p, 1, &out, &e), 0);
		assert_int_equal(out.n, 1);
		if ((unsigned char)out.p[0] == 0xe6)
			break;
	}
	t[0] = tensor("chosen_input_ids", &ids);
	t[1] = tensor("chosen_labels", &ids);
	t[2] = tensor("rejected_input_ids", &ids);
	t[3] = tensor("rejected_labels", &ids);
	assert_int_equal(spell(f, t, 4, &out, &e), 0);
	assert_int_equal(buf_putc(&out, '\0', &e), 0);
	found = strstr(out.p, "\"text\":\"\xef\xbf\xbd\"") != NULL;
	assert_true(found);
	bpe_ids_free(&ids);
	buf_free(&out);
}

static void
what_has_no_tokens_or_unknown_ones_says_so(void **state)
{
	static int32_t wild[] = { 0, 2147483647 };
	struct fixture *f = *state;
	struct bpe_ids ids = { wild, 2, 2 };
	struct buf out = { 0 };
	struct err e = { 0 };
	struct tensor t[4];

	t[0] = tensor("chosen_input_ids", &ids);
	assert_int_equal(spell(f, t, 0, &out, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_non_null(strstr(e.text, "record 7: "));
	assert_non_null(strstr(e.hint, "tokpack"));
	assert_int_equal(spell(f, t, 1, &out, &e), -1);
	assert_non_null(strstr(e.text, "chosen_labels"));
	t[0] = tensor("chosen_input_ids", &ids);
	t[1] = tensor("chosen_labels", &ids);
	assert_int_equal(spell(f, t, 2, &out, &e), -1);
	assert_int_equal(e.kind, ERR_MODEL);
	t[0] = tensor("chosen_input_ids", &ids);
	t[0].dtype = DTYPE_F32;
	assert_int_equal(spell(f, t, 1, &out, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_become_the_text_they_came_from),
		cmocka_unit_test(half_a_character_is_replaced),
		cmocka_unit_test(what_has_no_tokens_or_unknown_ones_says_so),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
