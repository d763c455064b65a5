/* Clipcache: made once, given to all, forgotten in order, bounded. */
#include <sys/stat.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "unit.h"

#include "clipcache.h"

static struct err e;

/* A file's number, as stat has it. */
static struct stat
file(unsigned number)
{
	struct stat st;

	memset(&st, 0, sizeof st);
	st.st_ino = number;
	st.st_size = 100;
	return st;
}

/* Fill ENTRY with N bytes that tell NUMBER. */
static void
fill(struct clipcache_entry *entry, unsigned number, size_t n)
{
	entry->facts.samples = number;
	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_putc(&entry->pcm, (char)number, &e), 0);
}

/* Take file NUMBER, make it of N bytes if it is new, give it back. */
static bool
use(struct clipcache *c, unsigned number, size_t n)
{
	struct stat st = file(number);
	bool fresh;
	struct clipcache_entry *entry = clipcache_take(c, &st, &fresh);

	if (fresh) {
		fill(entry, number, n);
		clipcache_made(c, entry, true);
	}
	assert_int_equal(entry->facts.samples, number);
	clipcache_release(c, entry);
	return fresh;
}

static void
a_clip_is_made_once(void **state)
{
	struct clipcache *c = clipcache_new(2, 1 << 20, &e);

	(void)state;
	assert_non_null(c);
	for (unsigned i = 0; i < 50; i++)
		assert_true(use(c, i, 10));
	for (unsigned i = 0; i < 50; i++)
		assert_false(use(c, i, 10));
	clipcache_free(c);
	clipcache_free(NULL);
}

static void
a_file_that_changed_is_another(void **state)
{
	struct clipcache *c = clipcache_new(1, 1 << 20, &e);
	struct stat st = file(1);

	(void)state;
	for (int i = 0; i < 6; i++) {
		struct clipcache_entry *entry;
		bool fresh;

		if (i == 1)
			st.st_size++;
		if (i == 2)
			st.st_dev++;
		if (i == 3)
			st.st_mtim.tv_sec++;
		if (i == 4)
			st.st_mtim.tv_nsec++;
		entry = clipcache_take(c, &st, &fresh);
		assert_true(fresh == (i < 5));
		if (fresh)
			clipcache_made(c, entry, true);
		clipcache_release(c, entry);
	}
	clipcache_free(c);
}

static void
the_oldest_is_forgotten_first(void **state)
{
	struct clipcache *c = clipcache_new(1, 100000, &e);

	(void)state;
	/* Twenty of some 10,000 bytes are too many. */
	for (unsigned i = 0; i < 20; i++)
		assert_true(use(c, i, 9000));
	assert_false(use(c, 19, 9000));
	assert_false(use(c, 15, 9000));
	assert_true(use(c, 0, 9000));
	/* What was used a moment ago stays. */
	for (unsigned i = 100; i < 120; i++) {
		assert_true(use(c, i, 9000));
		assert_false(use(c, 15, 9000));
	}
	clipcache_free(c);
}

static void
one_that_is_too_large_is_forgotten_at_once(void **state)
{
	struct clipcache *c = clipcache_new(1, 1000, &e);

	(void)state;
	assert_true(use(c, 1, 5000));
	assert_true(use(c, 1, 5000));
	clipcache_free(c);
}

static void
the_memory_of_what_is_forgotten_is_used_again(void **state)
{
	struct clipcache *c = clipcache_new(1, 1000, &e);
	struct stat st = file(2);
	struct clipcache_entry *entry;
	bool fresh;

	(void)state;
	assert_true(use(c, 1, 5000));
	entry = clipcache_take(c, &st, &fresh);
	assert_true(fresh);
	assert_int_equal(entry->pcm.n, 0);
	assert_true(entry->pcm.cap >= 5000);
	clipcache_made(c, entry, false);
	clipcache_release(c, entry);
	clipcache_free(c);
}

static void
what_says_nothing_of_the_file_is_forgotten(void **state)
{
	struct clipcache *c = clipcache_new(1, 1 << 20, &e);
	struct stat st = file(1);
	struct clipcache_entry *entry;
	bool fresh;

	(void)state;
	entry = clipcache_take(c, &st, &fresh);
	assert_true(fresh);
	clipcache_made(c, entry, false);
	clipcache_release(c, entry);
	entry = clipcache_take(c, &st, &fresh);
	assert_true(fresh);
	/* A fault of the file is remembered like its samples. */
	(void)err_record(&entry->err, CODE_AUDIO_EMPTY, "the file is empty");
	clipcache_made(c, entry, true);
	clipcache_release(c, entry);
	entry = clipcache_take(c, &st, &fresh);
	assert_false(fresh);
	assert_int_equal(entry->err.code, CODE_AUDIO_EMPTY);
	clipcache_release(c, entry);
	clipcache_free(c);
}

static struct clipcache *shared;
static atomic_uint made;

/* Want the same few files as all others, slow to make. */
static void *
want(void *seed)
{
	unsigned s = *(unsigned *)seed;
	struct timespec moment = { .tv_nsec = 500000 };

	for (unsigned i = 0; i < 300; i++) {
		struct stat st = file((s + i) / 30);
		struct clipcache_entry *entry;
		bool fresh;

		entry = clipcache_take(shared, &st, &fresh);
		if (fresh) {
			atomic_fetch_add(&made, 1);
			(void)nanosleep(&moment, NULL);
			fill(entry, (unsigned)st.st_ino, 50);
			clipcache_made(shared, entry, true);
		}
		if (entry->facts.samples != st.st_ino || entry->pcm.n != 50)
			return NULL;
		clipcache_release(shared, entry);
	}
	return seed;
}

static void
threads_wait_for_what_another_makes(void **state)
{
	pthread_t thread[8];
	unsigned seed[8];

	(void)state;
	shared = clipcache_new(8, 1 << 20, &e);
	assert_non_null(shared);
	for (unsigned i = 0; i < 8; i++) {
		seed[i] = i;
		assert_int_equal(pthread_create(&thread[i], NULL, want,
		    &seed[i]), 0);
	}
	for (size_t i = 0; i < 8; i++) {
		void *result;

		assert_int_equal(pthread_join(thread[i], &result), 0);
		assert_ptr_equal(result, &seed[i]);
	}
	assert_int_equal(made, 11);	/* each file once, for all */
	clipcache_free(shared);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clip_is_made_once),
		cmocka_unit_test(a_file_that_changed_is_another),
		cmocka_unit_test(the_oldest_is_forgotten_first),
		cmocka_unit_test(one_that_is_too_large_is_forgotten_at_once),
		cmocka_unit_test(
		    the_memory_of_what_is_forgotten_is_used_again),
		cmocka_unit_test(what_says_nothing_of_the_file_is_forgotten),
		cmocka_unit_test(threads_wait_for_what_another_makes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
