/* Listen: a record's audios become its facts, its samples, its faults. */
#include <math.h>
#include <stdbool.h>

#include "unit.h"

#include "buf.h"
#include "listen.h"
#include "record.h"
#include "sounds.h"

static struct listen *listen;
static struct listen_worker *worker;
static struct record *record;
static struct err e;

static int
setup(void **state)
{
	struct listen_rules rules = {
		.stage = "audio-check",
		.fact = { .min_s = 321 / 16000.0, .max_s = (double)INFINITY,
		    .clip_s = 30 },
	};

	(void)state;
	record = record_new(&e);
	listen = listen_new(&rules, 2, &e);
	if (listen != NULL)
		worker = listen_worker_new(listen, &e);
	return record == NULL || worker == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	listen_worker_free(worker);
	listen_worker_free(NULL);
	listen_free(listen);
	listen_free(NULL);
	record_free(record);
	return 0;
}

/* Listen to the record of TEXT. */
static int
listen_to(const char *text)
{
	e = (struct err){ 0 };
	assert_int_equal(record_parse(record, text, strlen(text), &e), 0);
	return listen_record(worker, record, &e);
}

/* The record of TEXT is refused with CODE, in words that have SAID. */
static void
refuses(const char *text, enum code code, const char *said)
{
	assert_int_equal(listen_to(text), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	if (e.code != code || strstr(e.text, said) == NULL)
		fail_msg("%s", e.text);
}

static void
audios_become_facts_and_samples(void **state)
{
	const struct tensor *t;

	(void)state;
	assert_int_equal(listen_to("{\"at\":{\"file\":"
	    "\"tests/bad/audio/x.json\",\"offset\":0},\"audios\":"
	    "[\"ok-whole.wav\",\"./ok-whole.w64\",\"ok-1Hz.wav\"]}"), 0);
	assert_int_equal(jsonscan_count(record_get(record, RECORD_AUDIO)), 3);
	assert_int_equal(record_tensors(record), 3);
	t = record_tensor(record, "pcm.1");
	assert_non_null(t);
	assert_int_equal(t->dtype, DTYPE_I16);
	assert_int_equal(t->rank, 1);
	assert_int_equal(t->shape[0], 800);
	assert_memory_equal(t->data, record_tensor(record, "pcm.0")->data,
	    1600);
	t = record_tensor(record, "pcm.2");
	assert_int_equal(t->dtype, DTYPE_F32);
	assert_int_equal(t->shape[0], 32000);
	assert_null(record_tensor(record, "pcm.3"));
}

static void
a_record_without_audios_stays_as_it_is(void **state)
{
	(void)state;
	assert_int_equal(listen_to("{\"messages\":[]}"), 0);
	assert_int_equal(listen_to("{\"audios\":[]}"), 0);
	assert_int_equal(record_tensors(record), 0);
	assert_null(record_get(record, RECORD_AUDIO).p);
}

static void
samples_stand_until_the_worker_is_asked_again(void **state)
{
	struct listen_worker *first = worker, *other;
	const void *lent;
	int16_t copy[800];

	(void)state;
	assert_int_equal(listen_to("{\"audios\":["
	    "\"tests/bad/audio/ok-whole.wav\"]}"), 0);
	lent = record_tensor(record, "pcm.0")->data;
	memcpy(copy, lent, sizeof copy);
	/* Another thread uses the same clip, and others. */
	other = listen_worker_new(listen, &e);
	assert_non_null(other);
	worker = other;
	assert_int_equal(listen_to("{\"audios\":["
	    "\"tests/bad/audio/ok-whole.wav\"]}"), 0);
	assert_ptr_equal(record_tensor(record, "pcm.0")->data, lent);
	assert_int_equal(listen_to("{\"audios\":["
	    "\"tests/bad/audio/audio-long-31s.wav\","
	    "\"tests/bad/audio/ok-1Hz.wav\","
	    "\"tests/bad/audio/ok-whole.wav\"]}"), 0);
	assert_ptr_equal(record_tensor(record, "pcm.2")->data, lent);
	assert_int_equal(record_tensor(record, "pcm.0")->shape[0], 480000);
	assert_memory_equal(lent, copy, sizeof copy);
	listen_worker_free(other);
	worker = first;
}

static void
paths_start_where_the_data_is(void **state)
{
	(void)state;
	assert_int_equal(listen_to("{\"at\":{\"file\":\"data.json\"},"
	    "\"audios\":[\"tests/bad/audio/ok-321.wav\"]}"), 0);
	assert_int_equal(listen_to("{\"at\":{\"file\":\"-\"},"
	    "\"audios\":[\"tests/bad/audio/ok-321.wav\"]}"), 0);
	assert_int_equal(listen_to("{\"audios\":"
	    "[\"tests/bad/audio/ok-321.wav\"]}"), 0);
	assert_int_equal(listen_to("{\"at\":{\"file\":\"tests/x.json\"},"
	    "\"audios\":[\"bad/audio/ok-321.wav\"]}"), 0);
	refuses("{\"at\":{\"file\":\"tests/unit/x.json\"},"
	    "\"audios\":[\"../bad/audio/ok-321.wav\"]}", CODE_AUDIO_OUTSIDE,
	    "ok-321.wav");
	refuses("{\"at\":{\"file\":\"/x.json\"},\"audios\":[\"ok-321.wav\"]}",
	    CODE_AUDIO_MISSING, "below \"/\"");
	refuses("{\"at\":{\"file\":\"no/such/x.json\"},\"audios\":[\"x\"]}",
	    CODE_AUDIO_MISSING, "the folder \"no/such/\"");
}

static void
roots_that_are_given_are_the_only_ones(void **state)
{
	static const char *const root[] = { "tests/bad/audio" };
	struct listen_rules rules = {
		.stage = "audio-check", .facts_only = true, .root = root,
		.n_roots = 1,
		.fact = { .max_s = (double)INFINITY, .clip_s = 30 },
	};
	struct listen_worker *was = worker;
	struct listen *l;

	(void)state;
	l = listen_new(&rules, 1, &e);
	assert_non_null(l);
	worker = listen_worker_new(l, &e);
	assert_non_null(worker);
	assert_int_equal(listen_to("{\"at\":{\"file\":\"/nowhere/x.json\"},"
	    "\"audios\":[\"ok-321.wav\"]}"), 0);
	assert_int_equal(record_tensors(record), 0);	/* facts alone */
	refuses("{\"audios\":[\"../make_audio.py\"]}", CODE_AUDIO_OUTSIDE,
	    "make_audio.py");
	listen_worker_free(worker);
	listen_free(l);
	worker = was;
}

static void
a_fault_names_its_file(void **state)
{
	(void)state;
	refuses("{\"audios\":[\"tests/bad/audio/ok-321.wav\","
	    "\"tests/bad/audio/audio-short-1.wav\"]}", CODE_AUDIO_SHORT,
	    "tests/bad/audio/audio-short-1.wav: the audio is too short");
	refuses("{\"audios\":[\"tests/bad/audio/audio-nonfinite-nan.wav\"]}",
	    CODE_AUDIO_NONFINITE, "audio-nonfinite-nan.wav: sample 500 is");
	/* Once more, from the cache. */
	refuses("{\"audios\":[\"tests/bad/audio/audio-nonfinite-nan.wav\"]}",
	    CODE_AUDIO_NONFINITE, "audio-nonfinite-nan.wav: sample 500 is");
}

static void
only_strings_are_paths(void **state)
{
	(void)state;
	refuses("{\"audios\":[{\"bytes\":\"\"}]}", CODE_AUDIO_INLINE,
	    "audios[0] is an object");
	refuses("{\"audios\":[7]}", CODE_AUDIO_INLINE, "audios[0] is a num");
	refuses("{\"audios\":[\"https://example.org/x.wav\"]}",
	    CODE_AUDIO_INLINE, "a URL");
}

static void
there_are_no_more_audios_than_tensors(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(buf_puts(&b, "{\"audios\":[\"x\"", &e), 0);
	for (int i = 0; i < RECORD_AUDIOS_MAX; i++)
		assert_int_equal(buf_puts(&b, ",\"x\"", &e), 0);
	assert_int_equal(buf_put(&b, "]}", 3, &e), 0);
	refuses(b.p, CODE_RECORD_TOO_LONG, "65 audios");
	buf_free(&b);
}

static void
notes_do_not_stop_a_record(void **state)
{
	(void)state;
	assert_int_equal(listen_to("{\"audios\":["
	    "\"tests/bad/audio/audio-silent-zeros.wav\","
	    "\"tests/bad/audio/audio-long-31s.wav\","
	    "\"tests/bad/audio/audio-clipped-square.wav\"]}"), 0);
	assert_int_equal(jsonscan_count(record_get(record, RECORD_NOTES)), 3);
	assert_int_equal(record_tensor(record, "pcm.1")->shape[0], 480000);
}

static void
a_file_becomes_a_record(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_int_equal(listen_put_file("a \"b\".wav", &b, &e), 0);
	assert_int_equal(listen_put_file("c", &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	assert_string_equal(b.p, "{\"at\":{\"file\":\"a \\\"b\\\".wav\","
	    "\"offset\":0},\"audios\":[\"a \\\"b\\\".wav\"]}\n"
	    "{\"at\":{\"file\":\"c\",\"offset\":0},"
	    "\"audios\":[\"c\"]}\n");
	assert_int_equal(listen_put_file("\xff", &b, &e), -1);
	assert_int_equal(e.kind, ERR_USAGE);
	buf_free(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(audios_become_facts_and_samples),
		cmocka_unit_test(a_record_without_audios_stays_as_it_is),
		cmocka_unit_test(
		    samples_stand_until_the_worker_is_asked_again),
		cmocka_unit_test(paths_start_where_the_data_is),
		cmocka_unit_test(roots_that_are_given_are_the_only_ones),
		cmocka_unit_test(a_fault_names_its_file),
		cmocka_unit_test(only_strings_are_paths),
		cmocka_unit_test(there_are_no_more_audios_than_tensors),
		cmocka_unit_test(notes_do_not_stop_a_record),
		cmocka_unit_test(a_file_becomes_a_record),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
