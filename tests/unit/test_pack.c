#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "pack.h"
#include "safetensors.h"
#include "template.h"
#include "unit.h"

/* An answer of more tokens than the prompt has: it is what is cut. */
#define TEN "one two three four five six seven eight nine ten "

#define PAIR(audios) "{\"messages\":[{\"role\":\"user\",\"content\":" \
	"\"<audio>What is said?\"}],\"chosen\":{\"role\":\"assistant\"," \
	"\"content\":\"" TEN TEN TEN TEN TEN TEN "\"},\"rejected\":{\"role\":" \
	"\"assistant\",\"content\":\"No.\"},\"audios\":[\"a.wav\"]" \
	audios "}"

struct fixture {
	struct model *model;
	struct encoder encoder;
	struct pack_work work;
	struct record *record;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	const struct bpe *b = NULL;
	const struct model_tokens *tokens = NULL;
	struct err e = { 0 };

	assert_non_null(f);
	f->model = model_open("examples/demo/model", &e);
	if (f->model == NULL || (b = model_tokenizer(f->model, &e)) == NULL ||
	    (tokens = model_tokens(f->model, &e)) == NULL)
		fail_msg("%s", e.text);
	assert_int_equal(encode_open(&f->encoder, template_at(0), b, tokens,
	    NULL, false, &e), 0);
	assert_int_equal(pack_begin(&f->work, &f->encoder, &e), 0);
	f->record = record_new(&e);
	assert_non_null(f->record);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	pack_free(&f->work);
	record_free(f->record);
	model_free(f->model);
	free(f);
	return 0;
}

/* Pack the record TEXT, of which LIMIT tokens are kept. */
static int
pack(struct fixture *f, const char *text, uint64_t limit, struct err *e)
{
	*e = (struct err){ 0 };
	assert_int_equal(record_parse(f->record, text, strlen(text), e), 0);
	return pack_record(&f->encoder, limit, &f->work, f->record, e);
}

static void
labels_are_the_answer_and_ignore_the_prompt(void **state)
{
	struct fixture *f = *state;
	const struct tensor *ids, *labels;
	const int32_t *id, *label;
	size_t prompt;
	struct err e;

	assert_int_equal(pack(f, PAIR(",\"audio\":[{\"tokens\":5}]"), 2048,
	    &e), 0);
	prompt = f->work.encode.prompt.n;
	ids = record_tensor(f->record, "chosen_input_ids");
	labels = record_tensor(f->record, "chosen_labels");
	assert_non_null(ids);
	assert_non_null(labels);
	assert_int_equal(ids->shape[0], prompt + f->work.encode.chosen.n);
	assert_int_equal(labels->shape[0], ids->shape[0]);
	id = (const void *)ids->data;
	label = (const void *)labels->data;
	for (size_t i = 0; i < ids->shape[0]; i++)
		assert_int_equal(label[i], i < prompt ? -100 : id[i]);
	assert_memory_equal(id, f->work.encode.prompt.p,
	    prompt * sizeof *id);
	assert_non_null(record_tensor(f->record, "rejected_input_ids"));
	assert_non_null(record_tensor(f->record, "rejected_labels"));
	assert_null(record_get(f->record, RECORD_NOTES).p);
}

static void
a_cut_is_noted(void **state)
{
	struct fixture *f = *state;
	size_t whole;
	struct jsonspan notes;
	struct err e;

	assert_int_equal(pack(f, PAIR(",\"audio\":[{\"tokens\":1}]"), 2048,
	    &e), 0);
	whole = f->work.encode.prompt.n + f->work.encode.chosen.n;
	assert_int_equal(pack(f, PAIR(",\"audio\":[{\"tokens\":1}]"),
	    whole - 1, &e), 0);
	notes = record_get(f->record, RECORD_NOTES);
	assert_true(jsonscan_is(jsonscan_get(jsonscan_at(notes, 0), "code"),
	    "cutoff"));
}

static void
what_an_earlier_program_adds_must_be_there(void **state)
{
	static const char *const texts[][2] = {
		{ "{\"data\":{}}", "no messages" },
		{ PAIR(""), "no audio facts" },
		{ PAIR(",\"audio\":[{}]"), "no audio[].tokens" },
		{ PAIR(",\"audio\":[]"), "audio facts of 0" },
	};

	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		struct err e;

		assert_int_equal(pack(*state, texts[i][0], 2048, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		assert_non_null(strstr(e.text, texts[i][1]));
		assert_non_null(strstr(e.hint, "before tokpack"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(labels_are_the_answer_and_ignore_the_prompt),
		cmocka_unit_test(a_cut_is_noted),
		cmocka_unit_test(what_an_earlier_program_adds_must_be_there),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
