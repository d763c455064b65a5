/*
 * Sane records keep every byte; insane ones are refused; what is set, noted
 * and failed shows up where the format says.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "buf.h"
#include "record.h"

static struct record *r;
static struct buf out;
static struct err e;

static int
begin(void **state)
{
	(void)state;
	r = record_new(&e);
	return r == NULL;
}

static int
end(void **state)
{
	(void)state;
	record_free(r);
	buf_free(&out);
	r = NULL;
	return 0;
}

static int
parse(const char *text)
{
	e.kind = ERR_NONE;
	return record_parse(r, text, strlen(text), &e);
}

/* R as JSON is TEXT. */
static void
is(const char *text)
{
	buf_clear(&out);
	assert_int_equal(record_put_json(r, &out, &e), 0);
	assert_int_equal(buf_putc(&out, '\0', &e), 0);
	assert_string_equal(out.p, text);
}

static void
set(enum record_field f, const char *json)
{
	assert_int_equal(record_set(r, f, json, strlen(json), &e), 0);
}

static void
field_is(enum record_field f, const char *json)
{
	struct jsonspan v = record_get(r, f);

	assert_int_equal(v.n, strlen(json));
	assert_memory_equal(v.p, json, v.n);
}

static void
a_record_passes_byte_for_byte(void **state)
{
	static const char *const text = "{\"at\":{\"file\":\"a\","
	    "\"offset\":0,\"line\":1},\"raw\":\"x\",\"raw_base64\":\"eA==\","
	    "\"data\":{\"b\":1e400,\"a\":[1.0,{}]},\"system\":\"\\u00e9\","
	    "\"tools\":\"[]\",\"messages\":[],\"chosen\":{},\"rejected\":{},"
	    "\"audios\":[],\"audio\":[],\"extra\":{\"z\":\"\\/\"},"
	    "\"notes\":[],\"error\":{},\"later\":null,\"0\":0}";

	(void)state;
	assert_int_equal(parse(text), 0);
	is(text);
}

static void
fields_come_out_in_their_order_and_unknown_ones_after_them(void **state)
{
	(void)state;
	assert_int_equal(parse(" { \"u2\" : [ 1 ] , \"error\":{\"a\":1},"
	    "\"u1\":2,\"data\": { \"x\" : 1 } , \"at\":{} } \n"), 0);
	is("{\"at\":{},\"data\":{ \"x\" : 1 },\"error\":{\"a\":1},"
	    "\"u2\":[ 1 ],\"u1\":2}");
}

static void
a_key_is_known_however_it_is_escaped(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"\\u0065rror\":{\"code\":\"x\"},"
	    "\"err\\u006fr\\u0000\":1}"), 0);
	assert_true(record_has_error(r));
	is("{\"error\":{\"code\":\"x\"},\"err\\u006fr\\u0000\":1}");
}

static void
an_empty_record_is_an_empty_object(void **state)
{
	(void)state;
	is("{}");
	assert_int_equal(parse("{}"), 0);
	is("{}");
	assert_false(record_has_error(r));
	assert_null(record_get(r, RECORD_AT).p);
}

static void
what_is_no_record_is_damage(void **state)
{
	static const char *const bad[] = {
		"", " ", "[]", "null", "1", "\"x\"", "{", "{}{}", "{} x",
		"{\"a\":}", "{\"a\":1,\"a\":2}", "{\"a\":NaN}", "{\"\xff\":1}",
		"{\"at\":[]}", "{\"at\":null}", "{\"raw\":1}",
		"{\"raw_base64\":{}}", "{\"system\":null}", "{\"tools\":[]}",
		"{\"messages\":\"\"}", "{\"chosen\":\"\"}",
		"{\"rejected\":[]}", "{\"audios\":\"a.wav\"}",
		"{\"audio\":{}}", "{\"extra\":[]}", "{\"notes\":{}}",
		"{\"error\":\"audio-count\"}", "{\"error\":null}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(parse(bad[i]), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
		is("{}");	/* nothing of it stays */
	}
	assert_int_equal(parse("{\"error\":\"x\"}"), -1);
	assert_string_equal(e.text,
	    "a record's error is a string, not an object");
}

static void
the_fault_says_at_which_byte_it_is(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"a\":tru}"), -1);
	assert_non_null(strstr(e.text, "a record's byte 5: "));
	assert_int_equal(e.code, CODE_NONE);
}

static void
fields_are_set_replaced_and_dropped(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"data\":1,\"x\":2}"), 0);
	set(RECORD_MESSAGES, "[{}]");
	set(RECORD_AT, "{\"file\":\"f\"}");
	field_is(RECORD_MESSAGES, "[{}]");
	is("{\"at\":{\"file\":\"f\"},\"data\":1,\"messages\":[{}],\"x\":2}");
	set(RECORD_MESSAGES, "[]");
	record_drop(r, RECORD_DATA);
	record_drop(r, RECORD_EXTRA);
	is("{\"at\":{\"file\":\"f\"},\"messages\":[],\"x\":2}");
	assert_null(record_get(r, RECORD_DATA).p);
	record_clear(r);
	is("{}");
}

static void
a_field_may_be_set_to_a_part_of_itself(void **state)
{
	(void)state;
	set(RECORD_DATA, "{\"a\":[\"long enough to be moved\"]}");
	for (int i = 0; i < 3; i++) {
		struct jsonspan v = record_get(r, RECORD_DATA);

		v = jsonscan_type(v) == JSON_OBJECT ? jsonscan_get(v, "a") :
		    jsonscan_type(v) == JSON_ARRAY ? jsonscan_at(v, 0) : v;
		assert_int_equal(record_set(r, RECORD_DATA, v.p, v.n, &e), 0);
	}
	is("{\"data\":\"long enough to be moved\"}");
}

static void
the_first_fault_is_the_one_kept(void **state)
{
	struct err fault;

	(void)state;
	assert_int_equal(parse("{\"data\":1}"), 0);
	(void)err_record(&fault, CODE_AUDIO_COUNT, "2 tags \"so\"\n");
	(void)err_hint(&fault, "add one");
	assert_int_equal(record_fail(r, "dpo-pair", &fault, &e), 0);
	(void)err_record(&fault, CODE_AUDIO_EMPTY, "no");
	assert_int_equal(record_fail(r, "audio-check", &fault, &e), 0);
	assert_true(record_has_error(r));
	is("{\"data\":1,\"error\":{\"stage\":\"dpo-pair\","
	    "\"code\":\"audio-count\",\"message\":\"2 tags \\\"so\\\"\\n\","
	    "\"hint\":\"add one\"}}");
}

static void
a_fault_may_be_the_very_err_that_is_passed(void **state)
{
	(void)state;
	(void)err_record(&e, CODE_BAD_JSON, "bad \xc3");
	(void)err_hint(&e, "mend \xff it");
	assert_int_equal(record_fail(r, "s", &e, &e), 0);
	is("{\"error\":{\"stage\":\"s\",\"code\":\"bad-json\","
	    "\"message\":\"bad ?\",\"hint\":\"mend ? it\"}}");
}

static void
a_text_that_was_cut_inside_a_character_is_still_json(void **state)
{
	struct err fault;
	char text[3 * ERR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i + 3 < sizeof text; i += 3)
		memcpy(text + i, "\xe2\x82\xac", 4);
	for (int shift = 0; shift < 3; shift++) {
		record_clear(r);
		(void)err_record(&fault, CODE_BAD_JSON, "%.*s%s", shift,
		    "xyz", text);
		assert_int_equal(record_fail(r, "s", &fault, &e), 0);
		buf_clear(&out);
		assert_int_equal(record_put_json(r, &out, &e), 0);
		assert_int_equal(jsonscan_check(out.p, out.n, NULL, &e), 0);
	}
}

static void
a_fault_without_a_hint_has_none(void **state)
{
	struct err fault;

	(void)state;
	(void)err_record(&fault, CODE_TOO_DEEP, "deep");
	assert_int_equal(record_fail(r, "s", &fault, &e), 0);
	is("{\"error\":{\"stage\":\"s\",\"code\":\"too-deep\","
	    "\"message\":\"deep\"}}");
}

static void
notes_are_appended(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"notes\":[ {\"a\":1} ]}"), 0);
	assert_int_equal(record_note(r, "s", CODE_CUTOFF, "one", "do", &e), 0);
	assert_int_equal(record_note(r, "s", CODE_CUTOFF, "two", "", &e), 0);
	assert_int_equal(record_note(r, "s", CODE_CUTOFF, "3", NULL, &e), 0);
	is("{\"notes\":[ {\"a\":1} ,{\"stage\":\"s\",\"code\":\"cutoff\","
	    "\"message\":\"one\",\"hint\":\"do\"},{\"stage\":\"s\","
	    "\"code\":\"cutoff\",\"message\":\"two\"},{\"stage\":\"s\","
	    "\"code\":\"cutoff\",\"message\":\"3\"}]}");
	assert_int_equal(parse("{\"notes\":[]}"), 0);
	assert_int_equal(record_note(r, "s", CODE_CUTOFF, "1", NULL, &e), 0);
	is("{\"notes\":[{\"stage\":\"s\",\"code\":\"cutoff\","
	    "\"message\":\"1\"}]}");
}

static void
a_note_can_become_the_error(void **state)
{
	(void)state;
	assert_int_equal(parse("{\"notes\":[{\"n\":0},{\"n\":1},{\"n\":2}]}"),
	    0);
	assert_int_equal(record_note_to_error(r, 3, &e), 0);
	assert_false(record_has_error(r));
	assert_non_null(record_put_tensor(r, "t", DTYPE_F32, 1, 1, 0, &e));
	assert_int_equal(record_note_to_error(r, 1, &e), 0);
	assert_int_equal(record_tensors(r), 0);
	is("{\"notes\":[{\"n\":0},{\"n\":2}],\"error\":{\"n\":1}}");
	assert_int_equal(record_note_to_error(r, 0, &e), 0);
	is("{\"notes\":[{\"n\":0},{\"n\":2}],\"error\":{\"n\":1}}");
	assert_int_equal(parse("{\"notes\":[{\"n\":0}]}"), 0);
	assert_int_equal(record_note_to_error(r, 0, &e), 0);
	is("{\"error\":{\"n\":0}}");
	assert_int_equal(parse("{}"), 0);
	assert_int_equal(record_note_to_error(r, 0, &e), 0);
	is("{}");
}

/* Append the image of r to IMAGE. */
static int
put_image(struct buf *image)
{
	struct frame_part parts[RECORD_PARTS_MAX];
	size_t n = 0;

	if (record_image(r, parts, &n, &e) < 0)
		return -1;
	assert_int_equal(n, 1 + record_tensors(r));
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_put(image, parts[i].p, parts[i].n, &e),
		    0);
	return 0;
}

static void
an_image_is_read_back_without_a_copy(void **state)
{
	static const int32_t want[] = { 1, -2, 3, 4, 5, 6 };
	const struct tensor *t;
	struct buf image = { 0 };
	void *p;

	(void)state;
	assert_int_equal(parse("{\"data\":\"\\u20ac \\\" \",\"x\":1}"), 0);
	p = record_put_tensor(r, "ids", DTYPE_I32, 2, 2, 3, &e);
	assert_non_null(p);
	memcpy(p, want, sizeof want);
	assert_non_null(record_put_tensor(r, "pcm.0", DTYPE_I16, 1, 0, 0,
	    &e));
	assert_int_equal(put_image(&image), 0);
	assert_int_equal(record_parse_image(r, image.p, image.n, &e), 0);
	is("{\"data\":\"\\u20ac \\\" \",\"x\":1}");
	assert_int_equal(record_tensors(r), 2);
	t = record_tensor(r, "ids");
	assert_non_null(t);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[1], 3);
	assert_true((const char *)t->data > image.p &&
	    (const char *)t->data < image.p + image.n);
	assert_memory_equal(t->data, want, sizeof want);
	assert_null(record_tensor(r, "pcm.1"));
	/* A borrowed one can go, and be replaced. */
	record_drop_tensor(r, "pcm.0");
	assert_int_equal(record_tensors(r), 1);
	assert_non_null(record_put_tensor(r, "ids", DTYPE_I32, 1, 1, 0, &e));
	assert_int_equal(record_tensors(r), 1);
	assert_memory_equal(image.p + image.n - sizeof want, want,
	    sizeof want);
	buf_free(&image);
}

static void
an_image_whose_record_is_none_is_damage(void **state)
{
	struct tensor t = { .name = "x", .dtype = DTYPE_I16, .rank = 1,
	    .shape = { 1 }, .data = "ab", .n_bytes = 2 };
	struct buf image = { 0 };

	(void)state;
	assert_int_equal(safetensors_write(&t, 1, "[]", 2, &image, &e), 0);
	assert_int_equal(record_parse_image(r, image.p, image.n, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
	assert_int_equal(record_tensors(r), 0);
	for (size_t n = 0; n < image.n; n++)
		assert_int_equal(record_parse_image(r, image.p, n, &e), -1);
	buf_free(&image);
}

static void
an_error_takes_the_tensors(void **state)
{
	struct err fault;

	(void)state;
	assert_non_null(record_put_tensor(r, "a", DTYPE_F16, 1, 9, 0, &e));
	(void)err_record(&fault, CODE_AUDIO_SHORT, "short");
	assert_int_equal(record_fail(r, "s", &fault, &e), 0);
	assert_int_equal(record_tensors(r), 0);
	assert_non_null(record_put_tensor(r, "a", DTYPE_F16, 1, 9, 0, &e));
	record_drop_tensors(r);
	assert_int_equal(record_tensors(r), 0);
}

static void
a_header_that_is_too_long_is_a_fault_of_the_record(void **state)
{
	char *text = malloc(SAFETENSORS_HEADER_MAX + 100);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', SAFETENSORS_HEADER_MAX);
	text[0] = '"';
	text[SAFETENSORS_HEADER_MAX - 1] = '"';
	assert_int_equal(record_set(r, RECORD_DATA, text,
	    SAFETENSORS_HEADER_MAX, &e), 0);
	assert_non_null(record_put_tensor(r, "a", DTYPE_F16, 1, 9, 0, &e));
	assert_int_equal(put_image(&out), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, CODE_RECORD_TOO_LONG);
	free(text);
}

static void
many_unknown_fields_are_kept(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++)
		assert_int_equal(buf_printf(&text, &e, "%c\"k%d\":%d",
		    i == 0 ? '{' : ',', i, i), 0);
	assert_int_equal(buf_puts(&text, "}", &e), 0);
	assert_int_equal(record_parse(r, text.p, text.n, &e), 0);
	assert_int_equal(record_put_json(r, &out, &e), 0);
	assert_int_equal(out.n, text.n);
	assert_memory_equal(out.p, text.p, text.n);
	buf_free(&text);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_record_passes_byte_for_byte),
		TEST(fields_come_out_in_their_order_and_unknown_ones_after_them),
		TEST(a_key_is_known_however_it_is_escaped),
		TEST(an_empty_record_is_an_empty_object),
		TEST(what_is_no_record_is_damage),
		TEST(the_fault_says_at_which_byte_it_is),
		TEST(fields_are_set_replaced_and_dropped),
		TEST(a_field_may_be_set_to_a_part_of_itself),
		TEST(the_first_fault_is_the_one_kept),
		TEST(a_fault_may_be_the_very_err_that_is_passed),
		TEST(a_text_that_was_cut_inside_a_character_is_still_json),
		TEST(a_fault_without_a_hint_has_none),
		TEST(notes_are_appended),
		TEST(a_note_can_become_the_error),
		TEST(an_image_is_read_back_without_a_copy),
		TEST(an_image_whose_record_is_none_is_damage),
		TEST(an_error_takes_the_tensors),
		TEST(a_header_that_is_too_long_is_a_fault_of_the_record),
		TEST(many_unknown_fields_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
