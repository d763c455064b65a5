/*
 * An outlet gathers lines into frames, keeps tensors apart, and puts each
 * record where the rules say: into the content, the rejects, or nowhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"

#include "content.h"
#include "frame.h"
#include "outlet.h"
#include "outlet_inside.h"
#include "record.h"

static struct outlet_rules rules;
static struct frame_codec *codec;
static struct outlet *o, *joined;
static struct record *r;
static struct err e;

static int
begin(void **state)
{
	(void)state;
	rules = (struct outlet_rules){ .program = "test",
	    .frame_max = FRAME_PLAIN_MAX };
	codec = frame_codec_new(&e);
	o = outlet_new(&rules, &e);
	joined = outlet_new(&rules, &e);
	r = record_new(&e);
	if (codec == NULL || o == NULL || joined == NULL || r == NULL)
		return -1;
	outlet_begin(o, codec, false);
	outlet_begin(joined, codec, false);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	outlet_free(o);
	outlet_free(joined);
	outlet_free(NULL);
	record_free(r);
	frame_codec_free(codec);
	return 0;
}

static void
put(const char *text)
{
	assert_int_equal(record_parse(r, text, strlen(text), &e), 0);
	assert_int_equal(outlet_put(o, r, &e), 0);
}

static void
put_tensor(const char *text, uint64_t n)
{
	assert_int_equal(record_parse(r, text, strlen(text), &e), 0);
	assert_non_null(record_put_tensor(r, "rejected_input_ids", DTYPE_I32,
	    1, n, 0, &e));
	memset((void *)(uintptr_t)record_tensor(r,
	    "rejected_input_ids")->data, 0, n * 4);
	assert_int_equal(outlet_put(o, r, &e), 0);
}

/* Piece I of WHAT is a frame of the lines TEXT. */
static void
frame_is(const struct outlet *what, size_t i, const char *text)
{
	const struct outlet_piece *p = &what->pieces[i];
	struct frame f = { .magic = FRAME_MAGIC_ZSTD, .plain = p->plain };
	struct buf plain = { 0 };

	assert_true(i < what->n_pieces);
	assert_false(p->text);
	/* Without its prefix; stored, so the content can be looked for. */
	assert_int_equal(buf_put(&f.raw, what->packed.p + p->at + 12,
	    p->n - 12, &e), 0);
	assert_int_equal(frame_expand(codec, &f, &plain, &e), 0);
	assert_int_equal(plain.n, p->plain);
	assert_int_equal(buf_putc(&plain, '\0', &e), 0);
	assert_string_equal(plain.p, text);
	buf_free(&plain);
	buf_free(&f.raw);
}

static void
lines_share_a_frame(void **state)
{
	(void)state;
	put("{\"data\":1}");
	put("{\"data\":2}");
	put("{\"error\":{\"code\":\"x\"}}");
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 1);
	frame_is(o, 0, "{\"data\":1}\n{\"data\":2}\n"
	    "{\"error\":{\"code\":\"x\"}}\n");
	assert_int_equal(o->pieces[0].records, 3);
	assert_int_equal(o->pieces[0].errors, 1);
	assert_int_equal(o->records, 3);
	assert_int_equal(o->errors, 1);
	assert_int_equal(o->taken, 0);
}

static void
nothing_put_is_no_piece(void **state)
{
	(void)state;
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 0);
	assert_int_equal(outlet_bytes(o), 0);
}

static void
a_record_with_tensors_stands_alone(void **state)
{
	(void)state;
	put("{\"data\":1}");
	put_tensor("{\"data\":2}", 3);
	put_tensor("{\"data\":3}", 0);
	put("{\"data\":4}");
	put("{\"data\":5}");
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 4);
	frame_is(o, 0, "{\"data\":1}\n");
	frame_is(o, 3, "{\"data\":4}\n{\"data\":5}\n");
	assert_int_equal(o->pieces[1].records, 1);
	assert_int_equal(o->records, 5);
	assert_true(outlet_bytes(o) > 0);
}

/* Unless another level was asked for. */
static void
a_shard_has_large_images_stored_and_all_else_compressed(void **state)
{
	static const int levels[] = { CONTENT_LEVEL_KEEP, 0, 1 };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct outlet_piece *p;

		rules.level = levels[i];
		outlet_begin(o, codec, false);
		put_tensor("{}", 20000);
		put_tensor("{}", 1000);
		for (int k = 0; k < 100; k++)
			put("{\"data\":\"the same\"}");
		assert_int_equal(outlet_end(o, &e), 0);
		assert_int_equal(o->n_pieces, 3);
		p = o->pieces;
		assert_int_equal(p[0].n < p[0].plain, levels[i] == 1);
		for (int k = 1; k < 3; k++)
			assert_int_equal(p[k].n < p[k].plain, levels[i] != 0);
	}
}

static void
an_outlet_is_as_new_when_it_begins_again(void **state)
{
	(void)state;
	put_tensor("{\"data\":2}", 3);
	put("{\"error\":{\"code\":\"x\"}}");
	assert_int_equal(outlet_end(o, &e), 0);
	outlet_begin(o, codec, false);
	assert_int_equal(outlet_bytes(o), 0);
	assert_int_equal(o->records + o->errors + o->taken, 0);
	put("{\"data\":9}");
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 1);
	frame_is(o, 0, "{\"data\":9}\n");
}

static void
lines_beyond_a_frame_begin_another(void **state)
{
	(void)state;
	rules.frame_max = 30;
	for (int i = 0; i < 3; i++)
		put("{\"data\":12}");	/* 12 with its newline */
	put("{\"data\":1}");
	put("{\"data\":\"1234567890123456\"}");	/* 28 */
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 3);
	frame_is(o, 0, "{\"data\":12}\n{\"data\":12}\n");
	frame_is(o, 1, "{\"data\":12}\n{\"data\":1}\n");
	frame_is(o, 2, "{\"data\":\"1234567890123456\"}\n");
}

static void
a_line_may_just_fill_a_frame(void **state)
{
	(void)state;
	rules.frame_max = 200;
	for (size_t n = 187; n <= 190; n++) {
		char text[256], *p = text;

		outlet_begin(o, codec, false);
		p += sprintf(p, "{\"data\":\"");
		memset(p, 'x', n);
		(void)strcpy(p + n, "\"}");
		put(text);
		assert_int_equal(outlet_end(o, &e), 0);
		/* 188 + 11 and the newline are 200. */
		assert_int_equal(o->errors, n > 188);
	}
	assert_non_null(strstr(o->messages.p, "test: error: the record takes "
	    "202 bytes, and a frame holds 200 [record-too-long]\n"));
}

static void
a_record_too_long_keeps_its_place_and_its_error(void **state)
{
	char text[700];

	(void)state;
	rules.frame_max = 400;
	(void)sprintf(text, "{\"at\":{\"file\":\"f\"},\"data\":\"%0500d\","
	    "\"u\":1}", 0);
	put(text);
	assert_int_equal(outlet_end(o, &e), 0);
	frame_is(o, 0, "{\"at\":{\"file\":\"f\"},\"error\":{\"stage\":\"test\","
	    "\"code\":\"record-too-long\",\"message\":\"the record takes 536 "
	    "bytes, and a frame holds 400\",\"hint\":\"shorten it, or raise "
	    "--max-frame here and in the programs that follow\"}}\n");
	outlet_begin(o, codec, false);
	(void)sprintf(text, "{\"at\":{\"file\":\"%0500d\"}}", 0);
	put(text);
	assert_int_equal(outlet_end(o, &e), 0);
	assert_true(o->pieces[0].plain < 400);
	assert_int_equal(o->pieces[0].errors, 1);
}

static void
an_error_that_no_frame_holds_ends_the_run(void **state)
{
	char text[700];

	(void)state;
	rules.frame_max = 100;
	(void)sprintf(text, "{\"error\":{\"message\":\"%0200d\"}}", 0);
	assert_int_equal(record_parse(r, text, strlen(text), &e), 0);
	assert_int_equal(outlet_pass(o, r, &e), -1);
	assert_int_equal(e.kind, ERR_DAMAGED);
}

static void
tensors_too_long_go_and_the_record_stays(void **state)
{
	(void)state;
	rules.frame_max = 4000;
	put_tensor("{\"data\":1}", 1000);
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 1);
	assert_int_equal(o->pieces[0].errors, 1);
	assert_int_equal(o->errors, 1);
	assert_int_equal(o->records, 1);
	assert_true(o->pieces[0].plain < 400);
}

static void
rejects_are_lines_of_their_own(void **state)
{
	(void)state;
	rules.rejects = true;
	put("{\"data\":1}");
	put("{\"data\":2,\"error\":{\"code\":\"x\",\"message\":\"m\"}}");
	assert_int_equal(outlet_end(o, &e), 0);
	frame_is(o, 0, "{\"data\":1}\n");
	assert_int_equal(o->rejects.n, 46);
	assert_memory_equal(o->rejects.p,
	    "{\"data\":2,\"error\":{\"code\":\"x\",\"message\":\"m\"}}\n", 46);
	assert_int_equal(o->taken, 1);
	assert_int_equal(o->records, 2);
}

static void
an_error_that_passes_is_told_of_by_nobody(void **state)
{
	static const char *const text =
	    "{\"error\":{\"code\":\"x\",\"message\":\"m\"}}";

	(void)state;
	assert_int_equal(record_parse(r, text, strlen(text), &e), 0);
	assert_non_null(record_put_tensor(r, "t", DTYPE_I32, 1, 9, 0, &e));
	memset((void *)(uintptr_t)record_tensor(r, "t")->data, 0, 36);
	assert_int_equal(outlet_pass(o, r, &e), 0);
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->messages.n, 0);
	/* Errors have no tensors. */
	frame_is(o, 0, "{\"error\":{\"code\":\"x\",\"message\":\"m\"}}\n");
}

static void
what_packs_refuses_errors_unless_they_are_taken_out(void **state)
{
	static const char *const text = "{\"error\":{\"code\":\"x\"}}";

	(void)state;
	rules.packs = true;
	put("{\"data\":1}");
	assert_int_equal(record_parse(r, text, strlen(text), &e), 0);
	assert_int_equal(outlet_pass(o, r, &e), -1);
	assert_int_equal(e.kind, ERR_REJECTS);
	rules.rejects = true;
	assert_int_equal(outlet_pass(o, r, &e), 0);
}

/* Lines that are left to be joined make the same frames as lines that are
 * not: what a thread's share is does not show. */
static void
joined_lines_make_the_frames_that_one_outlet_makes(void **state)
{
	struct buf want = { 0 };
	size_t n_want;

	(void)state;
	rules.frame_max = 100;
	rules.lengths = true;
	for (int i = 0; i < 20; i++) {
		char text[64];

		(void)sprintf(text, "{\"data\":%d,\"audio\":[{\"tokens\":%d}]}",
		    i, i);
		put(text);
	}
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(buf_put(&want, o->packed.p, o->packed.n, &e), 0);
	n_want = o->n_pieces;
	for (int i = 0; i < 20; i++) {
		char text[64];

		outlet_begin(o, codec, true);
		(void)sprintf(text, "{\"data\":%d,\"audio\":[{\"tokens\":%d}]}",
		    i, i);
		put(text);
		assert_int_equal(outlet_end(o, &e), 0);
		assert_int_equal(o->n_pieces, 1);
		assert_true(o->pieces[0].text);
		assert_int_equal(outlet_join(joined, o, &o->pieces[0], &e),
		    0);
	}
	assert_int_equal(outlet_end(joined, &e), 0);
	assert_int_equal(joined->n_pieces, n_want);
	assert_int_equal(joined->packed.n, want.n);
	assert_memory_equal(joined->packed.p, want.p, want.n);
	/* Four words a record: no ids, one audio, its tokens. */
	assert_int_equal(joined->lengths.n, 20 * 4 * 4);
	assert_int_equal(((uint32_t *)(void *)joined->lengths.p)[19 * 4 + 3],
	    19);
	buf_free(&want);
}

static void
several_pieces_are_joined_one_by_one(void **state)
{
	(void)state;
	rules.lengths = true;
	outlet_begin(o, codec, true);
	put("{\"data\":1}");
	put_tensor("{\"data\":2}", 3);
	put("{\"data\":3,\"audio\":[{},{}]}");
	assert_int_equal(outlet_end(o, &e), 0);
	assert_int_equal(o->n_pieces, 3);
	assert_true(o->pieces[0].text && !o->pieces[1].text &&
	    o->pieces[2].text);
	assert_int_equal(outlet_join(joined, o, &o->pieces[0], &e), 0);
	assert_int_equal(joined->lengths.n, 3 * 4);
	assert_int_equal(outlet_join(joined, o, &o->pieces[2], &e), 0);
	assert_int_equal(joined->lengths.n, (3 + 5) * 4);
	assert_int_equal(outlet_end(joined, &e), 0);
	frame_is(joined, 0,
	    "{\"data\":1}\n{\"data\":3,\"audio\":[{},{}]}\n");
}

static void
nonsense_in_audio_counts_as_no_tokens(void **state)
{
	static const uint32_t want[] = { 0, 0, 5, 0, 0, 0, 0, 7 };

	(void)state;
	rules.lengths = true;
	put("{\"audio\":[1,{},{\"tokens\":-1},{\"tokens\":\"5\"},"
	    "{\"tokens\":7}]}");
	assert_int_equal(o->lengths.n, sizeof want);
	assert_memory_equal(o->lengths.p, want, sizeof want);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_share_a_frame),
		TEST(nothing_put_is_no_piece),
		TEST(a_record_with_tensors_stands_alone),
		TEST(a_shard_has_large_images_stored_and_all_else_compressed),
		TEST(an_outlet_is_as_new_when_it_begins_again),
		TEST(lines_beyond_a_frame_begin_another),
		TEST(a_line_may_just_fill_a_frame),
		TEST(a_record_too_long_keeps_its_place_and_its_error),
		TEST(an_error_that_no_frame_holds_ends_the_run),
		TEST(tensors_too_long_go_and_the_record_stays),
		TEST(rejects_are_lines_of_their_own),
		TEST(an_error_that_passes_is_told_of_by_nobody),
		TEST(what_packs_refuses_errors_unless_they_are_taken_out),
		TEST(joined_lines_make_the_frames_that_one_outlet_makes),
		TEST(several_pieces_are_joined_one_by_one),
		TEST(nonsense_in_audio_counts_as_no_tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
