/*
 * The promises of the stage about what flows: order, grouping, errors and
 * notes, provenance, and what it does with a stream that is none.
 */
#include "obey.h"

static void
output_is_the_same_for_any_number_of_threads(void **state)
{
	struct buf in = stream_with(300, 20, mixed);
	const struct stage *const stages[] = { &obeys, &obeys_records };
	struct ran one = { 0 };

	UNUSED(state);
	for (int s = 0; s < 2; s++)
		for (int j = 1; j <= 5; j++) {
			char threads[8];
			struct ran r;

			(void)snprintf(threads, sizeof threads, "%d", j);
			r = RUN(stages[s], NULL, &in, "-j", threads, NULL);
			assert_int_equal(r.status, 0);
			if (s == 0 && j == 1) {
				one = r;
				continue;
			}
			same_bytes(&r.out, &one.out);
			same_bytes(&r.err, &one.err);
			ran_free(&r);
		}
	ran_free(&one);
	buf_free(&in);
}

static void
records_come_out_in_the_order_they_went_in(void **state)
{
	struct buf in = stream_with(200, 7, NULL);
	char *text = records(200, NULL);
	struct ran r = RUN(&obeys_records, NULL, &in, "-j", "4", NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 0);
	text_is(&s.text, text);
	assert_int_equal(s.sums.records, 200);
	assert_int_equal(s.sums.frames, 29);
	seen_free(&s);
	ran_free(&r);
	free(text);
	buf_free(&in);
}

static void
lines_keep_the_grouping_of_the_input_and_tensors_stand_alone(void **state)
{
	struct buf in = stream_with(24, 12, mixed);
	const struct stage *const stages[] = { &obeys, &obeys_records };

	UNUSED(state);
	for (int s = 0; s < 2; s++) {
		struct ran r = RUN(stages[s], NULL, &in, "-j", "3", NULL);
		struct seen seen = see(&r.out);

		/* 8 is dropped, 9 is there twice. */
		assert_string_equal(seen.shape,
		    "2 * * 6 * 1 2 * * 6 * 1 ");
		assert_int_equal(seen.sums.records, 24);
		assert_int_equal(seen.sums.errors, 4);
		seen_free(&seen);
		ran_free(&r);
	}
	buf_free(&in);
}

static void
a_faulty_record_goes_on_with_its_error_and_is_told_of(void **state)
{
	struct buf in = stream_with(4, 10, third_is_bad);
	struct ran r = RUN(&obeys, NULL, &in, NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 0);
	text_is(&r.err, "d.json:3: error: 2 <audio> tags but 1 entry "
	    "[audio-count]\n  hint: add one\n");
	assert_true(contains(&s.text, "\"data\":{\"n\":2,\"bad\":1},\"error\":"
	    "{\"stage\":\"obey\",\"code\":\"audio-count\",\"message\":"
	    "\"2 <audio> tags but 1 entry\",\"hint\":\"add one\"}}\n"));
	assert_int_equal(s.sums.records, 4);
	assert_int_equal(s.sums.errors, 1);
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
}

static void
an_errored_record_passes_untouched_and_is_not_told_of_again(void **state)
{
	struct buf in = stream_with(4, 10, third_is_bad);
	struct ran first = RUN(&obeys, NULL, &in, NULL);
	struct ran second = RUN(&is_wary, NULL, &first.out, NULL);
	struct seen a = see(&first.out), b = see(&second.out);

	UNUSED(state);
	assert_int_equal(second.status, 0);
	same_bytes(&a.text, &b.text);
	assert_int_equal(b.sums.errors, 1);
	text_is(&second.err, "");
	seen_free(&a);
	seen_free(&b);
	ran_free(&first);
	ran_free(&second);
	buf_free(&in);
}

static const char *
first_has_a_note(unsigned i)
{
	return i == 0 ? "\"note\":1,\"note2\":1" : NULL;
}

static void
notes_ride_along_and_are_told_of_once(void **state)
{
	struct buf in = stream_with(1, 1, first_has_a_note);
	struct ran r = RUN(&obeys, NULL, &in, NULL);
	struct ran again = RUN(&passes, NULL, &r.out, NULL);
	struct seen s = see(&again.out);

	UNUSED(state);
	text_is(&r.err, "d.json:1: note: both answers are \"so\" "
	    "[same-response]\n  hint: look at it\n"
	    "d.json:1: note: a second note [placeholder]\n");
	text_is(&again.err, "");
	assert_true(contains(&s.text, "\"notes\":[{\"stage\":\"obey\","
	    "\"code\":\"same-response\",\"message\":\"both answers are "
	    "\\\"so\\\"\",\"hint\":\"look at it\"},{\"stage\":\"obey\","
	    "\"code\":\"placeholder\",\"message\":\"a second note\"}]"));
	assert_int_equal(s.sums.errors, 0);
	seen_free(&s);
	ran_free(&again);
	ran_free(&r);
	buf_free(&in);
}

static void
quiet_says_nothing_of_records_but_of_faults(void **state)
{
	static const char *const text =
	    "{\"data\":{\"note\":1}}\n{\"data\":{\"bad\":1}}\n"
	    "{\"data\":{\"fatal\":1}}\n";
	struct buf in = stream_of(text, 9, pass);
	struct ran r = RUN(&obeys, NULL, &in, "-q", NULL);

	UNUSED(state);
	assert_int_equal(r.status, 3);
	text_is(&r.err, "obey: error: the record has no pcm.0\n"
	    "  hint: audio-check adds it\n");
	ran_free(&r);
	buf_free(&in);
}

static void
strict_makes_the_first_new_note_the_error(void **state)
{
	struct buf in = stream_with(1, 1, first_has_a_note);
	struct ran noted = RUN(&obeys, NULL, &in, NULL);
	struct ran strict = RUN(&obeys, NULL, &in, "--strict", NULL);
	struct ran old = RUN(&passes, NULL, &noted.out, "--strict", NULL);
	struct seen s = see(&strict.out), o = see(&old.out);

	UNUSED(state);
	assert_int_equal(strict.status, 0);
	assert_int_equal(s.sums.errors, 1);
	assert_true(contains(&s.text, "\"notes\":[{\"stage\":\"obey\","
	    "\"code\":\"placeholder\",\"message\":\"a second note\"}],"
	    "\"error\":{\"stage\":\"obey\",\"code\":\"same-response\","));
	text_is(&strict.err, "d.json:1: note: a second note [placeholder]\n"
	    "d.json:1: error: both answers are \"so\" "
	    "[same-response]\n  hint: look at it\n");
	/* Notes of the programs before are theirs. */
	assert_int_equal(o.sums.errors, 0);
	seen_free(&s);
	seen_free(&o);
	ran_free(&noted);
	ran_free(&strict);
	ran_free(&old);
	buf_free(&in);
}

static void
a_records_own_error_is_kept_where_strict_would_make_one(void **state)
{
	struct buf in = stream_of("{\"data\":{\"note\":1,\"bad\":1}}\n", 1,
	    pass);
	struct ran r = RUN(&obeys, NULL, &in, "--strict", NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_true(contains(&s.text, "\"code\":\"audio-count\""));
	assert_int_equal(s.sums.errors, 1);
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
}

static void
a_fatal_fault_names_its_record_and_leaves_no_end_marker(void **state)
{
	static const char *const text =
	    "{\"at\":{\"file\":\"a.json\",\"offset\":0,\"line\":1},"
	    "\"data\":{\"n\":0}}\n"
	    "{\"at\":{\"file\":\"a.json\",\"offset\":50},"
	    "\"data\":{\"fatal\":1}}\n";
	struct buf in = stream_of(text, 1, pass);
	struct ran r = RUN(&obeys, NULL, &in, "-j", "2", NULL);
	struct ran next = RUN(&passes, NULL, &r.out, NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 3);
	text_is(&r.err, "obey: error: a.json@50: the record has no pcm.0\n"
	    "  hint: audio-check adds it\n");
	assert_string_equal(s.shape, "1 ");
	assert_int_equal(s.rc, -1);
	assert_int_equal(s.e.kind, ERR_TRUNCATED);
	assert_int_equal(next.status, 3);
	seen_free(&s);
	ran_free(&next);
	ran_free(&r);
	buf_free(&in);
}

/* A stream cut at any byte at all is truncated, never a shorter stream. */
static void
a_stream_cut_at_any_byte_ends_the_program_with_3(void **state)
{
	struct buf in = stream_with(3, 2, NULL);

	UNUSED(state);
	for (size_t n = 0; n < in.n; n++) {
		struct buf cut = { in.p, n, 0 };
		struct ran r = RUN(&passes, NULL, &cut, "-j", "2", NULL);
		struct seen s = see(&r.out);

		assert_int_equal(r.status, 3);
		assert_true(r.err.n > 0);
		assert_int_equal(s.rc, -1);
		seen_free(&s);
		ran_free(&r);
	}
	buf_free(&in);
}

static void
a_fragment_is_read_only_if_that_is_said(void **state)
{
	struct buf in = stream_with(30, 10, NULL);
	struct seen whole = see(&in);
	struct ran r;
	struct seen s;
	struct buf part;
	size_t from = 0;

	UNUSED(state);
	/* From the second frame's prefix to before the end marker. */
	for (int found = 0; found < 2; from++)
		found += memcmp(in.p + from, "P*M\x18\x04\0\0\0", 8) == 0;
	part = (struct buf){ in.p + from - 1, 0, 0 };
	while (memcmp(part.p + part.n, "]*M\x18", 4) != 0)
		part.n++;
	r = RUN(&passes, NULL, &part, NULL);
	assert_int_equal(r.status, 3);
	ran_free(&r);
	r = RUN(&passes, NULL, &part, "--fragment", NULL);
	assert_int_equal(r.status, 0);
	s = see(&r.out);
	assert_int_equal(s.rc, 0);
	assert_string_equal(s.shape, "10 10 ");
	assert_int_equal(s.chains, 1);
	seen_free(&s);
	seen_free(&whole);
	ran_free(&r);
	buf_free(&in);
}

static void
provenance_names_each_program_and_changes_where_the_inputs_does(void **state)
{
	struct buf a = stream_with(3, 1, NULL), b = stream_with(2, 1, NULL);
	struct ran other = RUN(&obeys, NULL, &b, NULL), r;
	struct buf both = { 0 };
	struct seen s;
	struct err e;

	UNUSED(state);
	assert_int_equal(buf_put(&both, a.p, a.n, &e), 0);
	assert_int_equal(buf_put(&both, a.p, a.n, &e), 0);
	assert_int_equal(buf_put(&both, other.out.p, other.out.n, &e), 0);
	r = RUN(&passes, NULL, &both, NULL);
	s = see(&r.out);
	assert_int_equal(r.status, 0);
	assert_int_equal(s.rc, 0);
	assert_string_equal(s.shape, "1 1 1 1 1 1 1 1 ");
	assert_int_equal(s.chains, 2);
	assert_true(contains(&s.chain, "\"program\":\"given\""));
	assert_true(contains(&s.chain, "\"program\":\"obey\""));
	assert_true(contains(&s.chain, "\"program\":\"pass\""));
	seen_free(&s);
	ran_free(&r);
	ran_free(&other);
	buf_free(&both);
	buf_free(&a);
	buf_free(&b);
}

static void
a_stream_of_no_records_is_a_stream(void **state)
{
	struct buf in = stream_of("", 1, pass);
	struct ran r = RUN(&passes, NULL, &in, NULL);
	struct seen s = see(&r.out);

	UNUSED(state);
	assert_int_equal(r.status, 0);
	assert_int_equal(s.rc, 0);
	assert_int_equal(s.sums.records, 0);
	assert_int_equal(s.chains, 1);
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
}

static void
a_line_that_is_no_record_ends_the_run(void **state)
{
	static const char *const bad[] = {
		"\n", "{\n", "[]\n", "1\n", "{\"at\":1}\n", "{\"error\":\"x\"}\n",
		"{} {}\n", "{\"a\":1,\"a\":2}\n", "{\"audios\":{}}\n",
	};

	UNUSED(state);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct given g = { bad[i], 1 };
		struct stage source = STAGE("given", pass,
		    .feed = given_feed);
		struct buf none = { 0 };
		struct ran r = RUN(&source, &g, &none, NULL);

		assert_int_equal(r.status, 3);
		assert_true(r.err.n > 0);
		ran_free(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_is_the_same_for_any_number_of_threads),
		cmocka_unit_test(records_come_out_in_the_order_they_went_in),
		cmocka_unit_test(
		    lines_keep_the_grouping_of_the_input_and_tensors_stand_alone),
		cmocka_unit_test(
		    a_faulty_record_goes_on_with_its_error_and_is_told_of),
		cmocka_unit_test(
		    an_errored_record_passes_untouched_and_is_not_told_of_again),
		cmocka_unit_test(notes_ride_along_and_are_told_of_once),
		cmocka_unit_test(quiet_says_nothing_of_records_but_of_faults),
		cmocka_unit_test(strict_makes_the_first_new_note_the_error),
		cmocka_unit_test(
		    a_records_own_error_is_kept_where_strict_would_make_one),
		cmocka_unit_test(
		    a_fatal_fault_names_its_record_and_leaves_no_end_marker),
		cmocka_unit_test(
		    a_stream_cut_at_any_byte_ends_the_program_with_3),
		cmocka_unit_test(a_fragment_is_read_only_if_that_is_said),
		cmocka_unit_test(
		    provenance_names_each_program_and_changes_where_the_inputs_does),
		cmocka_unit_test(a_stream_of_no_records_is_a_stream),
		cmocka_unit_test(a_line_that_is_no_record_ends_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
