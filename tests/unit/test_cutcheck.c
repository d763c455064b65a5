#include <string.h>

#include "cutcheck.h"
#include "encode.h"
#include "model.h"
#include "unit.h"

#define BOS 90
#define AUD 91
#define EOS 92

static const struct model_tokens tokens = {
	.audio = { "<|AUDIO|>", AUD }, .audio_bos = { "<|audio_bos|>", BOS },
	.audio_eos = { "<|audio_eos|>", EOS },
};

static const struct encoder encoder = { .tokens = &tokens };

#define IDS(...) { .p = (int32_t[]){ __VA_ARGS__ }, \
    .n = sizeof (int32_t[]){ __VA_ARGS__ } / sizeof(int32_t) }

/* What is kept of W at LIMIT, or the fault. */
static int
check(const struct encode_work *w, uint64_t limit, struct cutoff *keep,
    struct err *e)
{
	*e = (struct err){ 0 };
	return cutcheck_run(&encoder, w, limit, keep, e);
}

static void
what_fits_is_kept_without_a_note(void **state)
{
	const struct encode_work w = {
		.prompt = IDS(1, BOS, AUD, EOS, 2), .chosen = IDS(3, 4),
		.rejected = IDS(5, 6, 7),
	};
	struct cutoff keep;
	struct err e;

	(void)state;
	assert_int_equal(check(&w, 8, &keep, &e), 0);
	assert_int_equal(keep.source, 5);
	assert_int_equal(keep.target, 3);
	assert_int_equal(cutcheck_note(&w, 8, &keep, &e), 0);
}

static void
a_cut_answer_is_a_note(void **state)
{
	const struct encode_work w = {
		.prompt = IDS(1, 2), .chosen = IDS(3, 4, 5, 6, 7, 8),
		.rejected = IDS(3, 4),
	};
	struct cutoff keep;
	struct err e;

	(void)state;
	assert_int_equal(check(&w, 6, &keep, &e), 0);
	assert_int_equal(keep.source, 2);
	assert_int_equal(keep.target, 4);
	assert_int_equal(cutcheck_note(&w, 6, &keep, &e), 1);
	assert_int_equal(e.code, CODE_CUTOFF);
	assert_string_equal(e.text, "--cutoff-len 6 keeps 4 of the 6 tokens "
	    "of chosen and 2 of the 2 of rejected");
	assert_string_equal(e.hint, "the whole pair takes --cutoff-len 8");
}

static void
a_cut_prompt_has_lost_its_header(void **state)
{
	const struct encode_work w = {
		.prompt = IDS(BOS, AUD, EOS, 1, 2, 3, 4, 5, 6, 7),
		.chosen = IDS(3), .rejected = IDS(4, 5),
	};
	struct cutoff keep;
	struct err e;

	(void)state;
	assert_int_equal(check(&w, 11, &keep, &e), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, CODE_HEADER_CUT);
	assert_string_equal(e.text, "--cutoff-len 11 keeps 9 of the 10 tokens "
	    "of the prompt, and cuts the header of the answer");
	assert_string_equal(e.hint, "the whole pair takes --cutoff-len 12; or "
	    "shorten it");
}

/* At every limit: an audio is whole, or the record is at fault. */
static void
audio_is_never_cut(void **state)
{
	const struct encode_work w = {
		.prompt = IDS(1, BOS, AUD, AUD, EOS, 2, BOS, AUD, EOS, 3, 4),
		.chosen = IDS(5, 6), .rejected = IDS(7),
	};
	struct cutoff keep;
	struct err e;

	(void)state;
	for (uint64_t limit = 1; limit < 13; limit++) {
		const char *which = strstr((check(&w, limit, &keep, &e) < 0 ?
		    e.text : ""), "audios[");

		assert_int_equal(e.code, keep.source >= 9 ? CODE_HEADER_CUT :
		    CODE_AUDIO_CUT);
		if (keep.source < 9)
			assert_string_equal(which, keep.source < 5 ?
			    "audios[0]" : "audios[1]");
	}
	assert_int_equal(check(&w, 13, &keep, &e), 0);
}

static void
audio_in_an_answer_is_counted_on(void **state)
{
	const struct encode_work w = {
		.prompt = IDS(BOS, EOS), .chosen = IDS(1),
		.rejected = IDS(1, 2, 3, 4, 5, 6, BOS, AUD, EOS),
	};
	struct cutoff keep;
	struct err e;

	(void)state;
	assert_int_equal(check(&w, 9, &keep, &e), -1);
	assert_int_equal(e.code, CODE_AUDIO_CUT);
	assert_string_equal(e.text, "--cutoff-len 9 keeps 7 of the 9 tokens of "
	    "rejected, and cuts audios[1]");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_kept_without_a_note),
		cmocka_unit_test(a_cut_answer_is_a_note),
		cmocka_unit_test(a_cut_prompt_has_lost_its_header),
		cmocka_unit_test(audio_is_never_cut),
		cmocka_unit_test(audio_in_an_answer_is_counted_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
