/* The threads: each has its own state, made before any runs; what they are
 * given is treated by exactly one of them. */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "stages.h"

#include "outlet.h"
#include "record.h"

/* Checked in the child, which aborts where it finds fault. */
struct crew {
	pthread_t first;	/* the thread that calls own_new */
	atomic_int made, freed, running, most, treated;
	int threads;		/* each() waits, ten seconds, for so many */
	bool fail_third;
};

struct own {
	struct crew *crew;
	atomic_int inside;	/* a thread's own is used by one at a time */
};

static int
start(void *self, struct stage_run *run, struct err *e)
{
	struct crew *c = self;

	UNUSED(run);
	UNUSED(e);
	c->first = pthread_self();
	return 0;
}

static void *
own_new(void *self, struct err *e)
{
	struct crew *c = self;
	struct own *o;

	if (!pthread_equal(pthread_self(), c->first) ||
	    atomic_load(&c->treated) > 0)
		abort();
	if (atomic_fetch_add(&c->made, 1) == 2 && c->fail_third) {
		(void)err_set(e, ERR_SYSTEM, "no third");
		return NULL;
	}
	o = calloc(1, sizeof *o);
	if (o == NULL)
		abort();
	o->crew = c;
	return o;
}

static void
own_free(void *own)
{
	struct own *o = own;

	(void)atomic_fetch_add(&o->crew->freed, 1);
	free(o);
}

static int
each(void *self, void *own, struct record *r, struct outlet *out,
    struct err *e)
{
	struct crew *c = self;
	struct own *o = own;
	struct timespec t = { 0, 2000000 };
	int running = atomic_fetch_add(&c->running, 1) + 1;
	int most = atomic_load(&c->most), rc;

	while (running > most && !atomic_compare_exchange_weak(&c->most,
	    &most, running));
	if (o->crew != c || atomic_fetch_add(&o->inside, 1) != 0)
		abort();
	for (int i = 0; i < 5000 && atomic_load(&c->most) < c->threads; i++)
		(void)nanosleep(&t, NULL);
	(void)atomic_fetch_add(&c->treated, 1);
	rc = outlet_put(out, r, e);
	(void)atomic_fetch_sub(&o->inside, 1);
	(void)atomic_fetch_sub(&c->running, 1);
	return rc;
}

/* Say on stderr what has happened. */
static void
stop(void *self)
{
	struct crew *c = self;

	(void)fprintf(stderr, "made %d freed %d most %d treated %d\n",
	    atomic_load(&c->made), atomic_load(&c->freed),
	    atomic_load(&c->most), atomic_load(&c->treated));
}

static const struct stage stage = {
	.name = "crew", .about = "counts", .options = no_options,
	.start = start, .own_new = own_new, .own_free = own_free,
	.each = each, .stop = stop, .grain = STAGE_RECORDS,
};

static int
pass(void *self, void *own, struct record *r, struct outlet *o,
    struct err *e)
{
	UNUSED(self);
	UNUSED(own);
	return outlet_put(o, r, e);
}

static void
each_thread_has_its_own_and_all_of_them_work(void **state)
{
	struct crew c = { .threads = 4 };
	struct buf in = stream_of("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n"
	    "{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}\n", 20, pass);
	struct ran r = RUN(&stage, &c, &in, "-j", "4", NULL);

	UNUSED(state);
	assert_int_equal(r.status, 0);
	text_is(&r.err, "made 4 freed 4 most 4 treated 20\n");
	ran_free(&r);
	c.threads = 1;
	r = RUN(&stage, &c, &in, "-j", "1", NULL);
	assert_int_equal(r.status, 0);
	text_is(&r.err, "made 1 freed 1 most 1 treated 20\n");
	ran_free(&r);
	buf_free(&in);
}

static void
where_one_thread_cannot_be_none_runs(void **state)
{
	struct crew c = { .fail_third = true };
	struct buf in = stream_of("{}\n", 1, pass);
	struct ran r = RUN(&stage, &c, &in, "-j", "4", NULL);

	UNUSED(state);
	assert_int_equal(r.status, 3);
	text_is(&r.err, "made 3 freed 2 most 0 treated 0\n"
	    "crew: error: no third\n");
	ran_free(&r);
	buf_free(&in);
}

/* A content that is not what it says ends the run where it stands. */
static void
a_frame_that_is_damaged_ends_the_run_in_its_turn(void **state)
{
	struct crew c = { .made = 0 };
	struct buf in = stream_of("{\"data\":1}\n{\"data\":2}\n"
	    "{\"data\":3}\n", 1, pass);
	struct ran r;
	struct seen s;
	size_t at = 0;

	UNUSED(state);
	while (memcmp(in.p + at, "\"data\":2", 8) != 0)
		at++;
	in.p[at + 7] = '4';
	r = RUN(&stage, &c, &in, "-j", "3", NULL);
	s = see(&r.out);
	assert_int_equal(r.status, 3);
	text_is(&s.text, "{\"data\":1}\n");
	assert_true(contains(&r.err, "crew: error: frame at byte "));
	seen_free(&s);
	ran_free(&r);
	buf_free(&in);
}

static int
mute(void *self, void *own, struct record *r, struct outlet *o,
    struct err *e)
{
	UNUSED(self);
	UNUSED(own);
	UNUSED(r);
	UNUSED(o);
	UNUSED(e);
	return -1;
}

static void
a_fault_without_a_reason_is_a_fault(void **state)
{
	const struct stage s = { .name = "mute", .about = "fails",
	    .options = no_options, .each = mute };
	struct buf in = stream_of("{}\n", 1, pass);
	struct ran r = RUN(&s, NULL, &in, NULL);

	UNUSED(state);
	assert_int_equal(r.status, 3);
	assert_true(r.err.n > 0);
	ran_free(&r);
	buf_free(&in);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_thread_has_its_own_and_all_of_them_work),
		cmocka_unit_test(where_one_thread_cannot_be_none_runs),
		cmocka_unit_test(
		    a_frame_that_is_damaged_ends_the_run_in_its_turn),
		cmocka_unit_test(a_fault_without_a_reason_is_a_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
