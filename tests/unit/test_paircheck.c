#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "pair.h"
#include "paircheck.h"
#include "record.h"
#include "unit.h"

struct fixture {
	struct pair pair;
	struct record *record;
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

	pair_free(&f->pair);
	record_free(f->record);
	free(f);
	return 0;
}

/* Read the canonical record TEXT, and check it. */
static int
check(struct fixture *f, const char *text, struct err *e)
{
	*e = (struct err){ 0 };
	if (record_parse(f->record, text, strlen(text), e) < 0)
		fail_msg("%s: %s", text, e->text);
	if (pair_read(&f->pair, f->record, e) < 0)
		return -1;
	return paircheck_run(&f->pair, e);
}

#define TURN(r, x) "{\"role\":\"" r "\",\"content\":\"" x "\"}"
#define U(x) TURN("user", x)
#define A(x) TURN("assistant", x)
#define C(r, x) ",\"chosen\":" TURN(r, x)
#define R(r, x) ",\"rejected\":" TURN(r, x)
#define ANSWERS C("assistant", "y") R("assistant", "n")
#define M(x) "{\"messages\":[" x "]"
#define CALL "{\\\"name\\\":\\\"f\\\",\\\"arguments\\\":{}}"

static void
what_llamafactory_takes_passes_without_a_note(void **state)
{
	static const char *const texts[] = {
		M(U("a")) ANSWERS "}",
		M(U("")) ANSWERS "}",
		M(U("a") "," A("b") "," U("c")) ANSWERS "}",
		M(U("a") "," TURN("function", CALL) ","
		    TURN("observation", "r")) ANSWERS "}",
		M(TURN("observation", "r")) ANSWERS "}",
		M(U("a")) C("function", CALL) R("assistant", "n") "}",
		M(U("a")) C("assistant", " ") R("assistant", "\\n") "}",
		M(U("a")) C("assistant", "x") R("function", CALL)
		    ",\"tools\":\"[]\",\"system\":\"s\"}",
		M(U("<audio>a<audio>")) ANSWERS ",\"audios\":[\"x\",\"y\"]}",
		M(U("a") "," A("<audio>") "," U("c")) ANSWERS
		    ",\"audios\":[\"a b/\\u00e9.wav\"]}",
		M(U("a")) ANSWERS ",\"audios\":[],\"system\":\"\"}",
		M(U("<|im_star <audi <imag <vide {{id}} {idx} <")) ANSWERS
		    "}",
	};
	struct err e;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct fixture *f = *state;

		if (check(f, texts[i], &e) < 0)
			fail_msg("%s: %s", texts[i], e.text);
		assert_int_equal(f->pair.n_notes, 0);
	}
}

static void
faults_have_a_code_and_say_what(void **state)
{
	static const struct {
		const char *text;
		enum code code;
		const char *message;
	} t[] = {
		{ M("") ANSWERS "}", CODE_ROLE_ORDER,
		  "the prompt has no turn" },
		{ M(A("a")) ANSWERS "}", CODE_ROLE_ORDER, "messages[0] is "
		  "\"assistant\", where a turn of the user's side belongs" },
		{ M(U("a") "," U("b")) ANSWERS "}", CODE_ROLE_ORDER,
		  "messages[1] is \"user\", where an answer belongs" },
		{ M(U("a") "," A("b")) ANSWERS "}", CODE_ROLE_ORDER,
		  "messages[1] is \"assistant\", and it is the last turn of "
		  "the prompt" },
		{ M(TURN("bot", "a")) ANSWERS "}", CODE_ROLE_ORDER,
		  "messages[0].role is \"bot\"" },
		{ M(U("a")) C("user", "y") R("assistant", "n") "}",
		  CODE_ROLE_ORDER,
		  "chosen is \"user\", which is no role of an answer" },
		{ M(U("a")) C("assistant", "y") R("observation", "n") "}",
		  CODE_ROLE_ORDER,
		  "rejected is \"observation\", which is no role of an answer"
		},
		{ M(U("a")) C("assistant", "") R("assistant", "n") "}",
		  CODE_EMPTY_RESPONSE, "chosen is empty" },
		{ M(U("a")) C("assistant", "y") R("assistant", "") "}",
		  CODE_EMPTY_RESPONSE, "rejected is empty" },
		{ M(U("a")) ANSWERS ",\"audios\":[\"x\"]}", CODE_AUDIO_COUNT,
		  "no <audio> tags but 1 entry in audios" },
		{ M(U("<audio>")) ANSWERS "}", CODE_AUDIO_COUNT,
		  "1 <audio> tag but no audios" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[]}", CODE_AUDIO_COUNT,
		  "1 <audio> tag but no entry in audios" },
		{ M(U("<audio>b<audio>")) ANSWERS ",\"audios\":[\"x\"]}",
		  CODE_AUDIO_COUNT, "2 <audio> tags but 1 entry in audios" },
		{ M(U("\\u003caudio\\u003e")) ANSWERS
		  ",\"audios\":[\"x\",\"y\"]}", CODE_AUDIO_COUNT,
		  "1 <audio> tag but 2 entries in audios" },
		{ M(U("<audio>")) C("assistant", "y <audio>")
		  R("assistant", "n") ",\"audios\":[\"x\"]}",
		  CODE_AUDIO_COUNT, "2 <audio> tags (1 in the prompt, 1 in "
		  "chosen) but 1 entry in audios" },
		{ M(U("a")) C("assistant", "y") R("assistant", "<audio>")
		  "}", CODE_AUDIO_COUNT,
		  "1 <audio> tag (in rejected) but no audios" },
		{ M(U("<|AUDIO|>")) ANSWERS "}", CODE_CONTROL_TOKEN,
		  "messages[0] holds <|AUDIO|>, which would be read as audio"
		},
		{ M(U("<|im_end|> <|audio_bos|>")) ANSWERS "}",
		  CODE_CONTROL_TOKEN, "messages[0] holds <|audio_bos|>, which "
		  "would be read as audio" },
		{ M(U("a")) C("assistant", "<|audio\\u005feos|>")
		  R("assistant", "n") "}", CODE_CONTROL_TOKEN,
		  "chosen holds <|audio_eos|>, which would be read as audio" },
		{ M(U("a")) ANSWERS ",\"system\":\"<|AUDIO|>\"}",
		  CODE_CONTROL_TOKEN,
		  "system holds <|AUDIO|>, which would be read as audio" },
		{ M(U("a")) ANSWERS ",\"tools\":\"<|AUDIO|>\"}",
		  CODE_CONTROL_TOKEN,
		  "tools holds <|AUDIO|>, which would be read as audio" },
		{ M(U("an <image>")) ANSWERS "}", CODE_MEDIA_UNSUPPORTED,
		  "messages[0] holds <image>, and the model takes audio alone"
		},
		{ M(U("a")) C("assistant", "<video>") R("assistant", "n")
		  "}", CODE_MEDIA_UNSUPPORTED,
		  "chosen holds <video>, and the model takes audio alone" },
		{ M(U("a")) ANSWERS ",\"tools\":\"[{}]\"}", CODE_BAD_TOOLS,
		  "tools[0]: name is missing" },
		{ M(U("a") "," TURN("function", "[") "," U("c")) ANSWERS "}",
		  CODE_BAD_TOOLS, NULL },
		{ M(U("a")) C("function", "7") R("assistant", "n") "}",
		  CODE_BAD_TOOLS,
		  "chosen: the call is a number, not an object" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[{\"path\":\"x\"}]}",
		  CODE_AUDIO_INLINE,
		  "audios[0] is an object, not a path: {\"path\":\"x\"}" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[[82,73]]}",
		  CODE_AUDIO_INLINE,
		  "audios[0] is an array, not a path: [82,73]" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[\"https://x/y.wav\"]}",
		  CODE_AUDIO_INLINE,
		  "audios[0] is a URL, not a path: \"https://x/y.wav\"" },
		{ M(U("<audio>")) ANSWERS
		  ",\"audios\":[\"data:audio/wav;base64,UklGRg==\"]}",
		  CODE_AUDIO_INLINE, "audios[0] is a data URL, not a path: "
		  "\"data:audio/wav;base64,UklGRg==\"" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[\"UklGRiQAAABXQVZFZm10"
		  "IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAAAAAAAAAA\"]}",
		  CODE_AUDIO_INLINE, "audios[0] is base64 text, not a path: "
		  "\"UklGRiQAAABXQVZFZm10IBAAAAABAAEAgD4AAAB9AAACABAAZGF0YQAA"
		  "AAAAAAAA\"" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[7]}", CODE_WRONG_TYPE,
		  "audios[0] is a number, not a string" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[null]}",
		  CODE_MISSING_FIELD, "audios[0] is null" },
		{ M(U("<audio>")) ANSWERS ",\"audios\":[\"\"]}",
		  CODE_MISSING_FIELD, "audios[0] is an empty path" },
		{ "{\"chosen\":" A("y") "}", CODE_MISSING_FIELD,
		  "messages is missing" },
		{ M(U("a")) C("assistant", "y") "}", CODE_MISSING_FIELD,
		  "rejected is missing" },
		{ M("7") ANSWERS "}", CODE_WRONG_TYPE, "messages[0] is a "
		  "number, not an object with role and content" },
		{ M("null") ANSWERS "}", CODE_MISSING_FIELD,
		  "messages[0] is null" },
		{ M("{\"content\":\"a\"}") ANSWERS "}", CODE_MISSING_FIELD,
		  "messages[0].role is missing" },
		{ M("{\"role\":\"user\",\"content\":null}") ANSWERS "}",
		  CODE_MISSING_FIELD, "messages[0].content is null" },
	};
	struct err e;

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		if (check(*state, t[i].text, &e) == 0)
			fail_msg("passes: %s", t[i].text);
		assert_int_equal(e.kind, ERR_RECORD);
		if (t[i].message != NULL)
			assert_string_equal(e.text, t[i].message);
		assert_int_equal(e.code, t[i].code);
	}
}

static void
doubts_are_notes(void **state)
{
	static const struct {
		const char *text;
		enum code code;
		const char *message;
	} t[] = {
		{ M(U("a")) C("assistant", "y") R("assistant", "y") "}",
		  CODE_SAME_RESPONSE,
		  "chosen and rejected are the same" },
		{ M(U("a")) C("assistant", "\\u0079") R("assistant", "y") "}",
		  CODE_SAME_RESPONSE,
		  "chosen and rejected are the same" },
		{ M(U("a") "," A("<|endoftext|>") "," U("c")) ANSWERS "}",
		  CODE_CONTROL_TOKEN, "messages[1] holds <|endoftext|>" },
		{ M(U("a")) C("assistant", "<|im_start|>") R("assistant",
		  "<|im_end|>") "}", CODE_CONTROL_TOKEN,
		  "chosen holds <|im_start|>" },
		{ M(U("{{{idx}}")) ANSWERS "}", CODE_PLACEHOLDER,
		  "messages[0] holds {{idx}}" },
		{ M(U("\\u007b{idx}}")) ANSWERS "}", CODE_PLACEHOLDER,
		  "messages[0] holds {{idx}}" },
		{ M(U("a")) ANSWERS ",\"system\":\"an <audio>\"}",
		  CODE_AUDIO_IN_SYSTEM,
		  "system holds an <audio> tag, which stays text there" },
		{ M(U("a")) C("assistant", "<audio>") R("assistant",
		  "x<audio>") ",\"audios\":[\"x\"]}", CODE_AUDIO_IN_ANSWER,
		  "chosen holds an <audio> tag: the model learns to say it" },
	};
	struct fixture *f = *state;
	struct err e;

	for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
		if (check(f, t[i].text, &e) < 0)
			fail_msg("%s: %s", t[i].text, e.text);
		assert_int_equal(f->pair.n_notes, 1);
		assert_int_equal(f->pair.notes[0].code, t[i].code);
		assert_string_equal(f->pair.notes[0].text, t[i].message);
		assert_true(f->pair.notes[0].hint[0] != '\0');
	}
}

/* {{idx}} is replaced in the user's turns alone. */
static void
a_placeholder_elsewhere_is_text(void **state)
{
	struct fixture *f = *state;
	struct err e;

	assert_int_equal(check(f, M(TURN("observation", "{{idx}}") ","
	    A("{{idx}}") "," U("a")) C("assistant", "{{idx}}")
	    R("assistant", "n") ",\"system\":\"{{idx}}\"}", &e), 0);
	assert_int_equal(f->pair.n_notes, 0);
}

static void
a_record_takes_so_many_audios(void **state)
{
	struct buf text = { 0 };
	struct err e = { 0 };

	for (int n = RECORD_AUDIOS_MAX; n <= RECORD_AUDIOS_MAX + 1; n++) {
		buf_clear(&text);
		assert_int_equal(buf_puts(&text, "{\"messages\":[{\"role\":"
		    "\"user\",\"content\":\"", &e), 0);
		for (int i = 0; i < n; i++)
			assert_int_equal(buf_puts(&text, "<audio>", &e), 0);
		assert_int_equal(buf_puts(&text, "\"}]" ANSWERS
		    ",\"audios\":[\"0\"", &e), 0);
		for (int i = 1; i < n; i++)
			assert_int_equal(buf_printf(&text, &e, ",\"%d\"", i),
			    0);
		assert_int_equal(buf_puts(&text, "]}", &e), 0);
		assert_int_equal(buf_putc(&text, '\0', &e), 0);
		assert_int_equal(check(*state, text.p, &e),
		    n > RECORD_AUDIOS_MAX ? -1 : 0);
	}
	assert_int_equal(e.code, CODE_RECORD_TOO_LONG);
	assert_string_equal(e.text,
	    "audios has 65 entries: a record takes 64");
	buf_free(&text);
}

/* What pair_write writes, pair_read reads as the same. */
static void
a_pair_is_written_as_it_was_read(void **state)
{
	static const char text[] = "{\"system\":\"s\\u00e9\",\"tools\":\"[]\","
	    "\"messages\":[{\"role\":\"user\",\"content\":\"<audio>\\/\"},"
	    "{\"role\":\"function\",\"content\":\"[]\"},{\"role\":"
	    "\"observation\",\"content\":\"\"}],\"chosen\":{\"role\":"
	    "\"assistant\",\"content\":\"y\"},\"rejected\":{\"role\":"
	    "\"function\",\"content\":\"[]\"},\"audios\":[\"x\"]}";
	struct fixture *f = *state;
	struct record *copy;
	struct buf out = { 0 };
	struct err e;

	assert_int_equal(check(f, text, &e), 0);
	copy = record_new(&e);
	assert_non_null(copy);
	assert_int_equal(pair_write(&f->pair, copy, &e), 0);
	assert_int_equal(record_put_json(copy, &out, &e), 0);
	assert_int_equal(out.n, sizeof text - 1);
	assert_memory_equal(out.p, text, out.n);
	record_free(copy);
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_llamafactory_takes_passes_without_a_note),
		cmocka_unit_test(faults_have_a_code_and_say_what),
		cmocka_unit_test(doubts_are_notes),
		cmocka_unit_test(a_placeholder_elsewhere_is_text),
		cmocka_unit_test(a_record_takes_so_many_audios),
		cmocka_unit_test(a_pair_is_written_as_it_was_read),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
