#include <stdlib.h>
#include <string.h>

#include "encode.h"
#include "golden.h"
#include "model.h"
#include "pair.h"
#include "record.h"
#include "template.h"

#define MODEL "examples/demo/model"

struct fixture {
	struct model *model;
	const struct bpe *bpe;
	const struct model_tokens *tokens;
	struct pair pair;
	struct record *record;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = { 0 };

	assert_non_null(f);
	f->model = model_open(MODEL, &e);
	if (f->model == NULL ||
	    (f->bpe = model_tokenizer(f->model, &e)) == NULL ||
	    (f->tokens = model_tokens(f->model, &e)) == NULL)
		fail_msg("%s", e.text);
	f->record = record_new(&e);
	assert_non_null(f->record);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	model_free(f->model);
	pair_free(&f->pair);
	record_free(f->record);
	free(f);
	return 0;
}

/* Whether IDS are the numbers of the array V. */
static void
assert_ids(const struct bpe_ids *ids, struct jsonspan v, size_t line)
{
	struct jsonwalk w = jsonwalk_start(v);
	int64_t id;
	size_t n = 0;

	for (; jsonwalk_next(&w); n++) {
		assert_true(jsonscan_int(w.value, 0, INT32_MAX, &id));
		if (n < ids->n && ids->p[n] != id)
			fail_msg("line %zu: id %zu is %d, not %d", line, n,
			    (int)ids->p[n], (int)id);
	}
	if (n != ids->n)
		fail_msg("line %zu: %zu ids, not %zu", line, ids->n, n);
}

/* Encode the pair of LINE, as it says; DIRECT false forces text. */
static int
encode_line(struct fixture *f, struct jsonspan line, bool direct,
    struct encode_work *w, struct err *e)
{
	struct jsonspan pair = jsonscan_get(line, "pair");
	struct jsonspan system = jsonscan_get(line, "default_system");
	struct encoder x;
	struct buf text = { 0 };
	uint32_t lengths[64];
	size_t n = 0;
	bool named;
	int rc;

	for (struct jsonwalk t = jsonwalk_start(jsonscan_get(line,
	    "tokens")); jsonwalk_next(&t); n++) {
		int64_t i;

		assert_true(jsonscan_int(t.value, 0, 1500, &i));
		lengths[n] = (uint32_t)i;
	}
	assert_true(jsonscan_bool(jsonscan_get(line, "named"), &named));
	if (jsonscan_type(system) == JSON_STRING)
		assert_int_equal(jsonscan_string(system, &text, e), 0);
	assert_int_equal(buf_putc(&text, '\0', e), 0);
	assert_int_equal(encode_open(&x, template_find("qwen2_audio"),
	    f->bpe, f->tokens, jsonscan_type(system) == JSON_STRING ? text.p :
	    NULL, named, e), 0);
	assert_true(x.direct);
	x.direct = direct;
	assert_int_equal(encode_begin(w, &x, e), 0);
	assert_int_equal(record_parse(f->record, pair.p, pair.n, e), 0);
	assert_int_equal(pair_read(&f->pair, f->record, e), 0);
	rc = encode_pair(&x, w, &f->pair, lengths, n, e);
	buf_free(&text);
	return rc;
}

/* Each line as LLaMA-Factory encodes it, ids of audio put in or spelled. */
static void
ids_are_those_of_llamafactory(void **state)
{
	for (int direct = 0; direct < 2; direct++) {
		struct golden g = golden_open("tests/golden/encode.txt");
		struct jsonspan line;

		while (golden_next(&g, &line)) {
			struct jsonspan want = jsonscan_get(line, "prompt");
			struct encode_work w = { 0 };
			struct err e = { 0 };
			int rc = encode_line(*state, line, direct, &w, &e);

			if (jsonscan_type(want) == JSON_NULL) {
				assert_int_equal(rc, -1);
				assert_int_equal(e.code, CODE_BAD_TOOLS);
			} else if (rc < 0) {
				fail_msg("line %zu: %s", g.lines, e.text);
			} else {
				assert_ids(&w.prompt, want, g.lines);
				assert_ids(&w.chosen, jsonscan_get(line,
				    "chosen"), g.lines);
				assert_ids(&w.rejected, jsonscan_get(line,
				    "rejected"), g.lines);
			}
			encode_free(&w);
		}
		golden_close(&g, 70);
	}
}

/* Encode the canonical record TEXT with N audios of one token each. */
static int
encode(struct fixture *f, const char *text, size_t n, struct encoder *x,
    struct encode_work *w, struct err *e)
{
	const uint32_t lengths[] = { 1, 1, 1, 1 };

	assert_int_equal(encode_open(x, template_find("qwen2_audio"), f->bpe,
	    f->tokens, NULL, false, e), 0);
	assert_int_equal(encode_begin(w, x, e), 0);
	assert_int_equal(record_parse(f->record, text, strlen(text), e), 0);
	assert_int_equal(pair_read(&f->pair, f->record, e), 0);
	return encode_pair(x, w, &f->pair, lengths, n, e);
}

#define PAIR(x) "{\"messages\":[{\"role\":\"user\",\"content\":\"" x "\"}]," \
    "\"chosen\":{\"role\":\"assistant\",\"content\":\"y\"}," \
    "\"rejected\":{\"role\":\"assistant\",\"content\":\"n\"}}"

static void
tags_and_audios_must_agree(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		enum code code;
	} t[] = {
		{ PAIR("a"), 1, CODE_AUDIO_COUNT },
		{ PAIR("<audio><audio>"), 1, CODE_AUDIO_COUNT },
		{ PAIR("<|AUDIO|>"), 0, CODE_CONTROL_TOKEN },
		{ PAIR("<audio><|audio_eos|>"), 1, CODE_CONTROL_TOKEN },
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		struct encoder x;
		struct encode_work w;
		struct err e = { 0 };

		assert_int_equal(encode(*state, t[i].text, t[i].n, &x, &w,
		    &e), -1);
		assert_int_equal(e.kind, ERR_RECORD);
		assert_int_equal(e.code, t[i].code);
		encode_free(&w);
	}
}

static void
audio_ids_are_counted(void **state)
{
	struct encoder x;
	struct encode_work w;
	struct err e = { 0 };

	assert_int_equal(encode(*state, PAIR("<audio>a<audio>"), 2, &x, &w,
	    &e), 0);
	assert_int_equal(encode_count_audio(&x, w.prompt.p, w.prompt.n), 6);
	assert_int_equal(encode_count_audio(&x, w.chosen.p, w.chosen.n), 0);
	encode_free(&w);
}

/* Of the added tokens, those of the template and of audio are known. */
static void
only_other_added_tokens_are_found(void **state)
{
	struct encoder x;
	struct encode_work w;
	struct err e = { 0 };

	assert_int_equal(encode(*state,
	    PAIR("<audio>a<|im_end|><|endoftext|>"), 1, &x, &w, &e), 0);
	assert_int_equal(encode_find_added(&x, &w), -1);
	encode_free(&w);
}

static void
templates_are_found_by_name(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_ptr_equal(template_find("qwen2_audio"), template_at(0));
	assert_null(template_find("qwen2"));
	for (unsigned i = 0; template_at(i) != NULL; i++)
		assert_ptr_equal(template_find(template_at(i)->name),
		    template_at(i));
	assert_ptr_equal(template_need("qwen2_audio", &e), template_at(0));
	assert_null(template_need("qwen2", &e));
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.text, "there are: qwen2_audio"));
}

/* What encode.c relies on: a mark in each row, no {{idx}} of its own. */
static void
templates_are_well_formed(void **state)
{
	const struct template *t;

	(void)state;
	for (unsigned i = 0; (t = template_at(i)) != NULL; i++) {
		const struct template_slot *rows[] = {
			t->system, t->user, t->observation, t->assistant,
			t->function, t->named_function,
		};

		assert_non_null(t->default_system);
		assert_non_null(t->tokens[0]);
		for (size_t k = 0; k < sizeof rows / sizeof rows[0]; k++) {
			int marks = 0;

			for (const struct template_slot *s = rows[k];
			    s->text != NULL; s++) {
				marks += strstr(s->text, "{{content}}") !=
				    NULL;
				assert_null(strstr(s->text, "{{idx}}"));
				assert_true(s - rows[k] < TEMPLATE_SLOTS);
			}
			assert_int_equal(marks, 1);
		}
	}
}

/* A template whose tokens the model lacks is refused, not guessed. */
static void
a_template_needs_its_tokens(void **state)
{
	struct fixture *f = *state;
	struct template other = *template_find("qwen2_audio");
	struct encoder x;
	struct err e = { 0 };

	other.tokens[1] = "<|end_of_turn|>";
	assert_int_equal(encode_open(&x, &other, f->bpe, f->tokens, NULL,
	    false, &e), -1);
	assert_int_equal(e.kind, ERR_MODEL);
	assert_string_equal(e.text, "the tokenizer has no special token "
	    "<|end_of_turn|>, which the template qwen2_audio is written "
	    "with");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_are_those_of_llamafactory),
		cmocka_unit_test(tags_and_audios_must_agree),
		cmocka_unit_test(audio_ids_are_counted),
		cmocka_unit_test(only_other_added_tokens_are_found),
		cmocka_unit_test(templates_are_found_by_name),
		cmocka_unit_test(templates_are_well_formed),
		cmocka_unit_test(a_template_needs_its_tokens),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
