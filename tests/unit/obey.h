/*
 * obey: a program for the tests of the stage, which does what its records
 * ask for, and records that ask.
 */
#ifndef OBEY_H
#define OBEY_H

#include <time.h>

#include "stages.h"

#include "outlet.h"
#include "record.h"

/* The number N of a record {"data":{"n":N,...}}, or -1. */
static inline int64_t
number(const struct record *r)
{
	int64_t n = -1;

	if (!jsonscan_int(jsonscan_get(record_get(r, RECORD_DATA), "n"), 0,
	    INT64_MAX, &n))
		return -1;
	return n;
}

/* Whether the record's data has KEY. */
static inline bool
has(const struct record *r, const char *key)
{
	return jsonscan_get(record_get(r, RECORD_DATA), key).p != NULL;
}

/*
 * Do what the record's data asks for: "bad" and "fatal" fail, "note" and
 * "note2" add notes, "tensor" adds one of so many elements, "drop" puts
 * nothing, "twice" puts the record twice.  Takes a time that varies, so
 * that threads overtake each other.
 */
static inline int
obey(void *self, void *own, struct record *r, struct outlet *o, struct err *e)
{
	struct timespec t = { 0, (number(r) * 7919 % 13) * 20000 };
	int64_t n;

	UNUSED(self);
	UNUSED(own);
	(void)nanosleep(&t, NULL);
	if (has(r, "note") && record_note(r, "obey", CODE_SAME_RESPONSE,
	    "both answers are \"so\"", "look at it", e) < 0)
		return -1;
	if (has(r, "note2") && record_note(r, "obey", CODE_PLACEHOLDER,
	    "a second note", NULL, e) < 0)
		return -1;
	if (has(r, "bad")) {
		(void)err_record(e, CODE_AUDIO_COUNT,
		    "2 <audio> tags but 1 entry");
		return err_hint(e, "add one");
	}
	if (has(r, "fatal")) {
		(void)err_set(e, ERR_DAMAGED, "the record has no pcm.0");
		return err_hint(e, "audio-check adds it");
	}
	if (jsonscan_int(jsonscan_get(record_get(r, RECORD_DATA), "tensor"),
	    0, 1000000, &n)) {
		int32_t *ids = record_put_tensor(r, "chosen_input_ids",
		    DTYPE_I32, 1, (uint64_t)n, 0, e);

		if (ids == NULL)
			return -1;
		for (int64_t i = 0; i < n; i++)
			ids[i] = (int32_t)i;
	}
	if (has(r, "drop"))
		return 0;
	if (has(r, "twice") && outlet_put(o, r, e) < 0)
		return -1;
	return outlet_put(o, r, e);
}

/* Put what comes. */
static inline int
pass(void *self, void *own, struct record *r, struct outlet *o,
    struct err *e)
{
	UNUSED(self);
	UNUSED(own);
	return outlet_put(o, r, e);
}

/* A record with an error must not come here. */
static inline int
wary(void *self, void *own, struct record *r, struct outlet *o, struct err *e)
{
	if (record_has_error(r))
		abort();
	return pass(self, own, r, o, e);
}

#define STAGE(nm, fn, ...) { .name = (nm), .about = "tests", \
	.options = no_options, .each = (fn), __VA_ARGS__ }

static const struct stage obeys = STAGE("obey", obey, .stop = NULL);
static const struct stage obeys_records = STAGE("obey", obey,
	.grain = STAGE_RECORDS);
static const struct stage passes = STAGE("pass", pass, .stop = NULL);
static const struct stage is_wary = STAGE("wary", wary, .stop = NULL);
static const struct stage packs = STAGE("pack", pass, .packs = true);

/* N records, of which each whose number MORE names has more in it. */
static inline char *
records(unsigned n, const char *(*more)(unsigned i))
{
	char *text = malloc(n * 128 + 1), *p = text;

	assert_non_null(text);
	*p = '\0';
	for (unsigned i = 0; i < n; i++) {
		const char *m = more == NULL ? NULL : more(i);

		p += sprintf(p, "{\"at\":{\"file\":\"d.json\",\"offset\":%u,"
		    "\"line\":%u},\"data\":{\"n\":%u%s%s}}\n", i * 10, i + 1,
		    i, m == NULL ? "" : ",", m == NULL ? "" : m);
	}
	return text;
}

/* The stream of records() in frames of LINES. */
static inline struct buf
stream_with(unsigned n, size_t lines, const char *(*more)(unsigned i))
{
	char *text = records(n, more);
	struct buf b = stream_of(text, lines, pass);

	free(text);
	return b;
}

/* All sorts of records. */
static inline const char *
mixed(unsigned i)
{
	static const char *const sorts[] = {
		NULL, "\"note\":1", "\"tensor\":5", "\"tensor\":0", NULL,
		NULL, "\"bad\":1", NULL, "\"drop\":1", "\"twice\":1",
		"\"tensor\":100", "\"note\":1,\"bad\":1",
	};

	return sorts[i % 12];
}

static inline const char *
third_is_bad(unsigned i)
{
	return i == 2 ? "\"bad\":1" : NULL;
}

#endif
