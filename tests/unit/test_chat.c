#include <string.h>

#include "chat.h"
#include "unit.h"

/* Read the messages TEXT, of FORMAT, as C says, into P. */
static int
prompt(struct chat *c, enum dataset_format format, const char *text,
    struct pair *p, bool *system, struct err *e)
{
	*e = (struct err){ 0 };
	c->names = dataset_usual(format);
	pair_clear(p);
	if (chat_prompt(c, jsonscan_value(text, strlen(text)), SIZE_MAX, "m",
	    p, system, e) < 0)
		return -1;
	pair_settle(p);
	return 0;
}

/* Turn I of P is of ROLE and has the raw CONTENT, from place INDEX. */
static void
assert_turn(const struct pair *p, size_t i, enum pair_role role,
    const char *content, size_t index)
{
	const struct pair_turn *t = &p->turns[i];

	assert_true(i < p->n_turns);
	assert_int_equal(t->role, role);
	assert_int_equal(t->text.json.n, strlen(content));
	assert_memory_equal(t->text.json.p, content, t->text.json.n);
	assert_int_equal(t->text.index, index);
	assert_string_equal(t->text.field, "m");
}

static void
roles_are_those_of_the_layout(void **state)
{
	struct chat c = { 0 };
	struct pair p = { 0 };
	struct err e;
	bool system;

	(void)state;
	assert_int_equal(prompt(&c, DATASET_SHAREGPT, "[{\"from\":\"human\","
	    "\"value\":\"a\"},{\"from\":\"function_call\",\"value\":\"b\"},"
	    "{\"from\":\"observation\",\"value\":\"\\u0063\"},"
	    "{\"from\":\"gpt\",\"value\":\"d\"}]", &p, &system, &e), 0);
	assert_false(system);
	assert_int_equal(p.n_turns, 4);
	assert_turn(&p, 0, PAIR_USER, "\"a\"", 0);
	assert_turn(&p, 1, PAIR_FUNCTION, "\"b\"", 1);
	assert_turn(&p, 2, PAIR_OBSERVATION, "\"\\u0063\"", 2);
	assert_turn(&p, 3, PAIR_ASSISTANT, "\"d\"", 3);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(prompt(&c, DATASET_SWIFT, i == 0 ?
		    "[{\"role\":\"tool_call\",\"content\":\"a\"},"
		    "{\"role\":\"tool_response\",\"content\":\"b\"}]" :
		    "[{\"role\":\"function\",\"content\":\"a\"},"
		    "{\"role\":\"tool\",\"content\":\"b\"}]", &p, &system,
		    &e), 0);
		assert_turn(&p, 0, PAIR_FUNCTION, "\"a\"", 0);
		assert_turn(&p, 1, PAIR_OBSERVATION, "\"b\"", 1);
	}
	pair_free(&p);
	chat_free(&c);
}

static void
only_a_first_message_is_the_systems(void **state)
{
	struct chat c = { 0 };
	struct pair p = { 0 };
	struct err e;
	bool system;

	(void)state;
	assert_int_equal(prompt(&c, DATASET_OPENAI, "[{\"role\":\"system\","
	    "\"content\":\"s\"},{\"role\":\"user\",\"content\":\"a\"}]", &p,
	    &system, &e), 0);
	assert_true(system);
	assert_memory_equal(p.system.json.p, "\"s\"", 3);
	assert_int_equal(p.n_turns, 1);
	assert_turn(&p, 0, PAIR_USER, "\"a\"", 1);
	assert_int_equal(prompt(&c, DATASET_OPENAI, "[{\"role\":\"user\","
	    "\"content\":\"a\"},{\"role\":\"system\",\"content\":\"s\"}]", &p,
	    &system, &e), -1);
	assert_int_equal(e.code, CODE_ROLE_ORDER);
	assert_string_equal(e.text,
	    "m[1].role is \"system\", and only the first turn may be");
	pair_free(&p);
	chat_free(&c);
}

/* What is said of keys and roles is escaped for a terminal. */
static void
faults_quote_what_the_data_say(void **state)
{
	struct chat c = { 0 };
	struct pair p = { 0 };
	struct err e;
	bool system;

	(void)state;
	assert_int_equal(prompt(&c, DATASET_OPENAI, "[{\"role\":\"\x1b[31m\","
	    "\"content\":\"a\"}]", &p, &system, &e), -1);
	assert_string_equal(e.text,
	    "m[0].role is \"\\x1b[31m\", which is no role here");
	assert_string_equal(e.hint, "the roles here are user, assistant, "
	    "tool, function; others are named in the \"tags\" of "
	    "dataset_info.json (--info)");
	pair_free(&p);
	chat_free(&c);
}

static void
calls_are_read_only_where_the_layout_has_them(void **state)
{
	static const char text[] = "[{\"role\":\"user\",\"content\":\"a\"},"
	    "{\"role\":\"assistant\",\"content\":\"b\",\"tool_calls\":["
	    "{\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]";
	struct chat c = { 0 };
	struct pair p = { 0 };
	struct err e;
	bool system;

	(void)state;
	assert_int_equal(prompt(&c, DATASET_OPENAI, text, &p, &system, &e),
	    0);
	assert_turn(&p, 1, PAIR_ASSISTANT, "\"b\"", 1);
	c.calls = true;
	assert_int_equal(prompt(&c, DATASET_OPENAI, text, &p, &system, &e),
	    0);
	assert_turn(&p, 1, PAIR_FUNCTION, "\"[{\\\"name\\\": \\\"f\\\", "
	    "\\\"arguments\\\": {}}]\"", 1);
	pair_free(&p);
	chat_free(&c);
}

static void
messages_are_the_same_if_they_say_the_same(void **state)
{
	static const struct {
		const char *a, *b;
		int same;
	} t[] = {
		{ "{\"role\":\"user\",\"content\":\"a\"}",
		  "{\"role\":\"user\",\"content\":\"a\"}", 1 },
		{ "{\"role\":\"user\",\"content\":\"a\"}",
		  "{\"content\":\"\\u0061\",\"role\":\"user\",\"x\":1}", 1 },
		{ "{\"role\":\"user\",\"content\":\"a\"}",
		  "{\"role\":\"user\",\"content\":\"b\"}", 0 },
		{ "{\"role\":\"user\",\"content\":\"a\"}",
		  "{\"role\":\"tool\",\"content\":\"a\"}", 0 },
		{ "{\"role\":\"user\",\"content\":\"a\"}",
		  "{\"role\":\"user\"}", 0 },
		{ "{\"role\":\"user\",\"content\":null}",
		  "{\"role\":\"user\"}", 1 },
		{ "{\"role\":\"user\",\"content\":[{\"type\":\"audio\"}]}",
		  "{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}", 0 },
		{ "{\"role\":\"user\",\"content\":\"a\"}", "7", -1 },
	};
	struct chat c = { .names = dataset_usual(DATASET_TRL) };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
		assert_int_equal(chat_same(&c, jsonscan_value(t[i].a,
		    strlen(t[i].a)), jsonscan_value(t[i].b, strlen(t[i].b)),
		    &e), t[i].same);
	chat_free(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_those_of_the_layout),
		cmocka_unit_test(only_a_first_message_is_the_systems),
		cmocka_unit_test(faults_quote_what_the_data_say),
		cmocka_unit_test(
		    calls_are_read_only_where_the_layout_has_them),
		cmocka_unit_test(messages_are_the_same_if_they_say_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
