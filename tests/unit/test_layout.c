#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "layout.h"
#include "paircheck.h"
#include "pyjson.h"
#include "record.h"

struct fixture {
	struct layout layout;
	struct pair pair;
	struct record *record;
	struct dataset dataset;
	struct buf text;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e = { 0 };

	assert_non_null(f);
	f->record = record_new(&e);
	assert_non_null(f->record);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	layout_free(&f->layout);
	pair_free(&f->pair);
	record_free(f->record);
	dataset_free(&f->dataset);
	buf_free(&f->text);
	free(f);
	return 0;
}

/* Read DATA by D, check it, and make a record of it. */
static int
convert(struct fixture *f, const struct dataset *d, struct jsonspan data,
    struct err *e)
{
	record_clear(f->record);
	if (layout_read(&f->layout, d, data, &f->pair, e) < 0)
		return -1;
	return pair_write(&f->pair, f->record, e);
}

/* Whether two values are the same to Python. */
static void
assert_same_value(struct jsonspan a, struct jsonspan b, size_t line)
{
	struct buf x = { 0 }, y = { 0 };
	struct err e = { 0 };

	if ((a.p == NULL) != (b.p == NULL))
		fail_msg("line %zu: %.*s, not %.*s", line, (int)a.n, a.p,
		    (int)b.n, b.p);
	if (a.p == NULL)
		return;
	assert_int_equal(pyjson_load(a.p, a.n, &x, &e), 0);
	assert_int_equal(pyjson_load(b.p, b.n, &y, &e), 0);
	if (x.n != y.n || memcmp(x.p, y.p, x.n) != 0)
		fail_msg("line %zu: %.*s, not %.*s", line, (int)x.n, x.p,
		    (int)y.n, y.p);
	buf_free(&x);
	buf_free(&y);
}

/* Each line: what LLaMA-Factory's parser and converters make of a record. */
static void
records_become_what_llamafactory_makes_of_them(void **state)
{
	static const struct {
		enum record_field field;
		const char *name;
	} fields[] = {
		{ RECORD_SYSTEM, "system" }, { RECORD_TOOLS, "tools" },
		{ RECORD_MESSAGES, "messages" }, { RECORD_CHOSEN, "chosen" },
		{ RECORD_REJECTED, "rejected" }, { RECORD_AUDIOS, "audios" },
	};
	struct fixture *f = *state;
	struct golden g = golden_open("tests/golden/layout.txt");
	struct jsonspan line;

	while (golden_next(&g, &line)) {
		struct jsonspan info = jsonscan_get(line, "info");
		struct jsonspan pair = jsonscan_get(line, "pair");
		struct err e = { 0 };
		int rc;

		buf_clear(&f->text);
		assert_int_equal(buf_printf(&f->text, &e, "{\"x\":%.*s}",
		    (int)info.n, info.p), 0);
		assert_int_equal(dataset_parse(&f->dataset, f->text.p,
		    f->text.n, "x", &e), 0);
		rc = convert(f, &f->dataset, jsonscan_get(line, "data"), &e);
		if (jsonscan_type(pair) == JSON_NULL) {
			if (rc == 0)
				rc = paircheck_run(&f->pair, &e);
			if (rc == 0)
				fail_msg("line %zu passes", g.lines);
			assert_int_equal(e.kind, ERR_RECORD);
			assert_true(e.hint[0] != '\0');
			continue;
		}
		if (rc < 0)
			fail_msg("line %zu: %s", g.lines, e.text);
		for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
			assert_same_value(record_get(f->record,
			    fields[i].field),
			    jsonscan_get(pair, fields[i].name), g.lines);
	}
	golden_close(&g, 70);
}

/* DATA in the layout FORMAT must become the record WANT. */
static void
assert_becomes(struct fixture *f, enum dataset_format format,
    const char *data, const char *want)
{
	struct err e = { 0 };

	buf_clear(&f->text);
	if (convert(f, dataset_usual(format), jsonscan_value(data,
	    strlen(data)), &e) < 0)
		fail_msg("%s", e.text);
	assert_int_equal(record_put_json(f->record, &f->text, &e), 0);
	assert_int_equal(buf_putc(&f->text, '\0', &e), 0);
	assert_string_equal(f->text.p, want);
}

#define U(x) "{\"role\":\"user\",\"content\":" x "}"
#define A(x) "{\"role\":\"assistant\",\"content\":" x "}"
#define ANSWERS "\"chosen\":" A("\"y\"") ",\"rejected\":" A("\"n\"")
#define LISTS "\"chosen\":[" A("\"y\"") "],\"rejected\":[" A("\"n\"") "]"

static void
trl_is_read_with_a_prompt_or_without(void **state)
{
	struct fixture *f = *state;
	const char *want = "{\"messages\":[" U("\"a\"") "]," ANSWERS "}";

	assert_becomes(f, DATASET_TRL, "{\"prompt\":[" U("\"a\"") "]," LISTS
	    "}", want);
	assert_becomes(f, DATASET_AUTO, "{\"prompt\":[" U("\"a\"") "]," LISTS
	    "}", want);
	assert_becomes(f, DATASET_AUTO, "{\"chosen\":[" U("\"a\"") ","
	    A("\"y\"") "],\"rejected\":[" U("\"a\"") "," A("\"n\"") "]}",
	    want);
	assert_becomes(f, DATASET_AUTO,
	    "{\"prompt\":\"a\",\"chosen\":\"y\",\"rejected\":\"n\"}", want);
	assert_becomes(f, DATASET_AUTO, "{\"prompt\":[" U("\"a\"") "],"
	    ANSWERS "}", want);
	assert_becomes(f, DATASET_AUTO, "{\"prompt\":[{\"role\":\"system\","
	    "\"content\":\"s\"}," U("\"a\"") "]," LISTS ",\"system\":\"t\"}",
	    "{\"system\":\"s\",\"messages\":[" U("\"a\"") "]," ANSWERS
	    ",\"extra\":{\"system\":\"t\"}}");
}

/* The prefixes say the same though they are written otherwise. */
static void
prefixes_are_compared_by_what_they_say(void **state)
{
	assert_becomes(*state, DATASET_TRL, "{\"chosen\":[" U("\"\\u0061\"")
	    "," A("\"y\"") "],\"rejected\":[{\"content\":\"a\","
	    "\"tool_calls\":null,\"role\":\"user\"}," A("\"n\"") "]}",
	    "{\"messages\":[" U("\"\\u0061\"") "]," ANSWERS "}");
}

static void
parts_are_put_together(void **state)
{
	struct fixture *f = *state;

	assert_becomes(f, DATASET_TRL, "{\"prompt\":[" U("[{\"type\":\"text\","
	    "\"text\":\"a\\n\"},{\"type\":\"audio\"},{\"text\":\"\\u0062\","
	    "\"type\":\"text\",\"audio\":null}]") "]," LISTS
	    ",\"audios\":[\"x\"]}", "{\"messages\":["
	    U("\"a\\n<audio>\\u0062\"") "]," ANSWERS ",\"audios\":[\"x\"]}");
	assert_becomes(f, DATASET_TRL, "{\"prompt\":[" U("[{\"type\":"
	    "\"audio\",\"audio\":\"x\"},{\"type\":\"audio\",\"audio_url\":"
	    "\"y\"},{\"type\":\"audio_url\",\"audio_url\":{\"url\":\"z\"}}]")
	    "]," LISTS "}", "{\"messages\":["
	    U("\"<audio><audio><audio>\"") "]," ANSWERS
	    ",\"audios\":[\"x\",\"y\",\"z\"]}");
	assert_becomes(f, DATASET_TRL, "{\"prompt\":[" U("[]") "]," LISTS "}",
	    "{\"messages\":[" U("\"\"") "]," ANSWERS "}");
}

static void
tool_responses_in_a_row_are_joined(void **state)
{
	static const char call[] = "{\"role\":\"function\",\"content\":"
	    "\"[{\\\"name\\\": \\\"f\\\", \\\"arguments\\\": "
	    "{\\\"a\\\": 1}}]\"}";
	struct buf want = { 0 };
	struct err e = { 0 };

	assert_int_equal(buf_printf(&want, &e, "{\"tools\":\"[1]\","
	    "\"messages\":[%s,%s,{\"role\":\"observation\",\"content\":"
	    "\"1\\n</tool_response>\\n<tool_response>\\n2\\n</tool_response>"
	    "\\n<tool_response>\\n3\"}]," ANSWERS "}", U("\"a\""), call), 0);
	assert_int_equal(buf_putc(&want, '\0', &e), 0);
	assert_becomes(*state, DATASET_TRL, "{\"prompt\":[" U("\"a\"") ","
	    "{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":"
	    "\"f\",\"arguments\":{\"a\":1}}}]},{\"role\":\"tool\","
	    "\"content\":\"1\"},{\"role\":\"tool\",\"content\":[{\"type\":"
	    "\"text\",\"text\":\"2\"}]},{\"role\":\"tool\",\"content\":\"3\"}"
	    "]," LISTS ",\"tools\":[1]}", want.p);
	buf_free(&want);
}

static void
swift_ends_with_the_chosen_answer(void **state)
{
	struct fixture *f = *state;
	const char *want = "{\"messages\":[" U("\"a\"") "]," ANSWERS "}";

	assert_becomes(f, DATASET_AUTO, "{\"messages\":[" U("\"a\"") ","
	    A("\"y\"") "],\"rejected_response\":\"n\"}", want);
	assert_becomes(f, DATASET_AUTO, "{\"messages\":[" U("\"a\"") ","
	    A("\"y\"") "],\"rejected_messages\":[" U("\"a\"") ","
	    A("\"n\"") "]}", want);
	assert_becomes(f, DATASET_SWIFT, "{\"messages\":[" U("\"a\"") ","
	    A("\"y\"") "],\"rejected_response\":\"n\",\"audios\":\"x\"}",
	    "{\"messages\":[" U("\"a\"") "]," ANSWERS
	    ",\"audios\":[\"x\"]}");
}

static void
auto_goes_by_the_fields(void **state)
{
	struct fixture *f = *state;

	assert_becomes(f, DATASET_AUTO, "{\"conversations\":[{\"from\":"
	    "\"human\",\"value\":\"a\"}],\"chosen\":{\"from\":\"gpt\","
	    "\"value\":\"y\"},\"rejected\":{\"from\":\"gpt\",\"value\":"
	    "\"n\"}}", "{\"messages\":[" U("\"a\"") "]," ANSWERS "}");
	assert_becomes(f, DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],"
	    ANSWERS "}", "{\"system\":\"detailed thinking off\",\"messages\":["
	    U("\"a\"") "]," ANSWERS "}");
	assert_becomes(f, DATASET_AUTO, "{\"instruction\":\"a\",\"chosen\":"
	    "\"y\",\"rejected\":\"n\"}", "{\"messages\":[" U("\"a\"") "],"
	    ANSWERS "}");
	assert_becomes(f, DATASET_AUTO, "{\"conversations\":null,\"prompt\":"
	    "\"a\",\"chosen\":\"y\",\"rejected\":\"n\"}", "{\"messages\":["
	    U("\"a\"") "]," ANSWERS ",\"extra\":{\"conversations\":null}}");
}

static void
what_is_beside_is_kept_to_the_byte(void **state)
{
	assert_becomes(*state, DATASET_AUTO, "{\"z\":1.50,\"prompt\":\"a\","
	    "\"\\u0061\":[{\"b\":\"\\/\"}],\"chosen\":\"y\",\"rejected\":"
	    "\"n\",\"images\":[],\"output\":null}", "{\"messages\":["
	    U("\"a\"") "]," ANSWERS ",\"extra\":{\"z\":1.50,"
	    "\"\\u0061\":[{\"b\":\"\\/\"}],\"output\":null}}");
}

/* DATA in FORMAT must be refused with CODE and this MESSAGE. */
static void
assert_refused(struct fixture *f, enum dataset_format format,
    const char *data, enum code code, const char *message)
{
	struct err e = { 0 };

	assert_int_equal(convert(f, dataset_usual(format),
	    jsonscan_value(data, strlen(data)), &e), -1);
	assert_string_equal(e.text, message);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, code);
	assert_true(e.hint[0] != '\0');
}

static void
faults_are_told_in_the_words_of_the_data(void **state)
{
	static const struct {
		enum dataset_format format;
		const char *data;
		enum code code;
		const char *message;
	} t[] = {
		{ DATASET_AUTO, "[1]", CODE_WRONG_TYPE,
		  "the record is an array, not an object" },
		{ DATASET_AUTO, "{}", CODE_MISSING_FIELD,
		  "the record is empty" },
		{ DATASET_AUTO, "{\"text\":\"x\",\"b\":1}", CODE_MISSING_FIELD,
		  "no layout has these fields: text, b" },
		{ DATASET_AUTO, "{\"conversations\":7," ANSWERS "}",
		  CODE_WRONG_TYPE,
		  "conversations is a number, not an array of messages" },
		{ DATASET_SHAREGPT, "{" ANSWERS "}", CODE_MISSING_FIELD,
		  "conversations is missing" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "]}",
		  CODE_NOT_A_PAIR, "there is neither chosen nor rejected: an "
		  "SFT record, with one answer" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],\"chosen\":"
		  A("\"y\"") "}", CODE_MISSING_FIELD, "rejected is missing" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],\"chosen\":"
		  A("\"y\"") ",\"rejected\":null}", CODE_MISSING_FIELD,
		  "rejected is null" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],\"kto_tag\":"
		  "false," ANSWERS "}", CODE_NOT_A_PAIR,
		  "kto_tag is false: a KTO record, with one answer" },
		{ DATASET_SWIFT, "{\"messages\":[" U("\"a\"") "," A("\"b\"")
		  "]}", CODE_NOT_A_PAIR, "there is no rejected_response: an "
		  "SFT record, with one answer" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") ",3]," ANSWERS
		  "}", CODE_WRONG_TYPE,
		  "messages[1] is a number, not an object" },
		{ DATASET_AUTO, "{\"messages\":[{\"role\":\"user\"}],"
		  ANSWERS "}", CODE_MISSING_FIELD,
		  "messages[0].content is missing" },
		{ DATASET_AUTO, "{\"messages\":[" U("null") "]," ANSWERS "}",
		  CODE_MISSING_FIELD, "messages[0].content is null" },
		{ DATASET_AUTO, "{\"messages\":[" U("[]") "]," ANSWERS "}",
		  CODE_WRONG_TYPE,
		  "messages[0].content is an array, not a string" },
		{ DATASET_AUTO, "{\"messages\":[{\"content\":\"a\"}],"
		  ANSWERS "}", CODE_MISSING_FIELD,
		  "messages[0].role is missing" },
		{ DATASET_AUTO, "{\"messages\":[{\"role\":\"bot\","
		  "\"content\":\"a\"}]," ANSWERS "}", CODE_ROLE_ORDER,
		  "messages[0].role is \"bot\", which is no role here" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") ",{\"role\":"
		  "\"system\",\"content\":\"a\"}]," ANSWERS "}",
		  CODE_ROLE_ORDER, "messages[1].role is \"system\", and only "
		  "the first turn may be" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") ",{\"role\":"
		  "\"tool\",\"content\":\"a\"}]," ANSWERS "}",
		  CODE_ROLE_ORDER, "messages[1] is \"tool\" and the last turn, "
		  "which LLaMA-Factory loses in the layout openai" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") ",{\"role\":"
		  "\"assistant\",\"tool_calls\":[{\"id\":1}]},"
		  U("\"c\"") "]," ANSWERS "}", CODE_BAD_TOOLS,
		  "messages[1].tool_calls[0] has no function" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") ",{\"role\":"
		  "\"assistant\",\"tool_calls\":{\"id\":1}},"
		  U("\"c\"") "]," ANSWERS "}", CODE_BAD_TOOLS,
		  "messages[1].tool_calls is an object, not an array" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],\"tools\":7,"
		  ANSWERS "}", CODE_BAD_TOOLS,
		  "tools is a number, not a string of JSON" },
		{ DATASET_AUTO, "{\"messages\":[" U("\"a\"") "],\"system\":"
		  "[7]," ANSWERS "}", CODE_WRONG_TYPE,
		  "system is an array, not a string" },
		{ DATASET_AUTO, "{\"instruction\":\"a\",\"chosen\":\"y\","
		  "\"rejected\":{}}", CODE_WRONG_TYPE,
		  "rejected is an object, not a string" },
		{ DATASET_ALPACA, "{\"chosen\":\"y\",\"rejected\":\"n\"}",
		  CODE_MISSING_FIELD, "instruction is missing" },
		{ DATASET_AUTO, "{\"instruction\":\"a\",\"history\":[[\"q\","
		  "\"r\"],[\"s\"]],\"chosen\":\"y\",\"rejected\":\"n\"}",
		  CODE_WRONG_TYPE, "history[1] is not an array of two" },
		{ DATASET_TRL, "{\"chosen\":\"y\",\"rejected\":\"n\"}",
		  CODE_MISSING_FIELD, "prompt is missing" },
		{ DATASET_AUTO, "{\"prompt\":[" U("\"a\"") "],\"chosen\":["
		  A("\"b\"") "," U("\"c\"") "," A("\"d\"") "],\"rejected\":["
		  A("\"e\"") "]}", CODE_ROLE_ORDER,
		  "chosen has 3 messages beside the prompt" },
		{ DATASET_AUTO, "{\"chosen\":[" U("\"a\"") "," A("\"b\"")
		  "],\"rejected\":[" A("\"e\"") "]}", CODE_NOT_A_PAIR,
		  "chosen has 2 messages and rejected 1: they are no answers "
		  "to one prompt" },
		{ DATASET_AUTO, "{\"chosen\":[" U("\"a\"") "," A("\"b\"")
		  "],\"rejected\":[" U("\"c\"") "," A("\"d\"") "]}",
		  CODE_NOT_A_PAIR, "chosen and rejected part at message 1 of "
		  "2: they are no answers to one prompt" },
		{ DATASET_TRL, "{\"chosen\":[" A("\"b\"") "],\"rejected\":"
		  "\"n\"}", CODE_WRONG_TYPE,
		  "rejected is a string, not an array of messages" },
		{ DATASET_TRL, "{\"chosen\":[" A("\"b\"") "]}",
		  CODE_MISSING_FIELD, "rejected is missing" },
		{ DATASET_TRL, "{\"prompt\":7," LISTS "}", CODE_WRONG_TYPE,
		  "prompt is a number, not an array of messages" },
		{ DATASET_TRL, "{\"prompt\":\"a\",\"label\":true}",
		  CODE_NOT_A_PAIR,
		  "label is true: a KTO record, with one answer" },
		{ DATASET_TRL, "{\"prompt\":\"a\",\"chosen\":7,\"rejected\":"
		  "\"n\"}", CODE_WRONG_TYPE, "chosen is a number, not an object"
		},
		{ DATASET_TRL, "{\"chosen\":[" U("\"a\"") "," A("\"b\"")
		  "],\"rejected\":[" U("\"a\"") "," A("[{\"type\":\"audio\","
		  "\"path\":\"x\"}]") "]}", CODE_AUDIO_COUNT,
		  "rejected[1] names audio of its own" },
		{ DATASET_SWIFT, "{\"messages\":[],\"rejected_response\":"
		  "\"n\"}", CODE_ROLE_ORDER, "messages has no turn" },
		{ DATASET_SWIFT, "{\"messages\":{},\"rejected_response\":"
		  "\"n\"}", CODE_WRONG_TYPE,
		  "messages is an object, not an array of messages" },
		{ DATASET_SWIFT, "{\"messages\":[" A("\"a\"") "],"
		  "\"rejected_response\":[]}", CODE_WRONG_TYPE,
		  "rejected_response is an array, not a string" },
		{ DATASET_AUTO, "{\"prompt\":[" U("[{\"type\":\"image\"}]")
		  "]," LISTS "}", CODE_MEDIA_UNSUPPORTED,
		  "prompt[0].content[0] is of type \"image\", and the model takes audio alone" },
		{ DATASET_AUTO, "{\"prompt\":[" U("[{\"type\":\"x\"}]")
		  "]," LISTS "}", CODE_WRONG_TYPE,
		  "prompt[0].content[0] is of type \"x\"" },
		{ DATASET_AUTO, "{\"prompt\":[" U("[{\"text\":\"x\"}]")
		  "]," LISTS "}", CODE_MISSING_FIELD,
		  "prompt[0].content[0] has no type" },
		{ DATASET_AUTO, "{\"prompt\":[" U("[{\"type\":\"text\"}]")
		  "]," LISTS "}", CODE_MISSING_FIELD,
		  "prompt[0].content.text is missing" },
		{ DATASET_AUTO, "{\"prompt\":[" U("[{\"type\":\"audio\","
		  "\"path\":\"x\"}]") "]," LISTS ",\"audios\":[\"y\"]}",
		  CODE_AUDIO_COUNT,
		  "audio is named twice: by audios, and by 1 part of contents"
		},
	};

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		assert_refused(*state, t[i].format, t[i].data, t[i].code,
		    t[i].message);
}

/* Joining copies what there is once, not once a turn. */
static void
many_tool_responses_cost_no_square_of_their_number(void **state)
{
	struct fixture *f = *state;
	struct buf data = { 0 };
	struct err e = { 0 };
	const size_t n = 40000;

	assert_int_equal(buf_puts(&data, "{\"prompt\":[" U("\"a\"") ","
	    A("\"b\""), &e), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_puts(&data, ",{\"role\":\"tool\","
		    "\"content\":\"twenty bytes of text\"}", &e), 0);
	assert_int_equal(buf_puts(&data, "]," LISTS "}", &e), 0);
	assert_int_equal(layout_read(&f->layout, dataset_usual(DATASET_TRL),
	    jsonscan_value(data.p, data.n), &f->pair, &e), 0);
	assert_int_equal(f->pair.n_turns, 3);
	assert_true(f->pair.own.n < n * 64);
	buf_free(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    records_become_what_llamafactory_makes_of_them),
		cmocka_unit_test(trl_is_read_with_a_prompt_or_without),
		cmocka_unit_test(prefixes_are_compared_by_what_they_say),
		cmocka_unit_test(parts_are_put_together),
		cmocka_unit_test(tool_responses_in_a_row_are_joined),
		cmocka_unit_test(swift_ends_with_the_chosen_answer),
		cmocka_unit_test(auto_goes_by_the_fields),
		cmocka_unit_test(what_is_beside_is_kept_to_the_byte),
		cmocka_unit_test(faults_are_told_in_the_words_of_the_data),
		cmocka_unit_test(
		    many_tool_responses_cost_no_square_of_their_number),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
