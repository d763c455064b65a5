/* Tensors: named, replaced, dropped; memory kept, and not for ever. */
#include <stdio.h>
#include <string.h>

#include "unit.h"

#include "tensors.h"

static struct tensors s;
static struct err e;

static int
end(void **state)
{
	(void)state;
	tensors_free(&s);
	return 0;
}

static void
a_tensor_is_found_by_its_name(void **state)
{
	const struct tensor *t;
	void *p;

	(void)state;
	p = tensors_put(&s, "mel", DTYPE_BF16, 2, 128, 7, &e);
	assert_non_null(p);
	memset(p, 1, 128 * 7 * 2);
	t = tensors_find(&s, "mel");
	assert_non_null(t);
	assert_ptr_equal(t->data, p);
	assert_int_equal(t->dtype, DTYPE_BF16);
	assert_int_equal(t->rank, 2);
	assert_int_equal(t->shape[0], 128);
	assert_int_equal(t->shape[1], 7);
	assert_int_equal(t->n_bytes, 128 * 7 * 2);
	assert_null(tensors_find(&s, "me"));
	assert_null(tensors_find(&s, "mel2"));
}

static void
a_second_one_of_a_name_replaces_the_first(void **state)
{
	void *a, *b;

	(void)state;
	a = tensors_put(&s, "x", DTYPE_F32, 1, 1000, 5, &e);
	assert_non_null(a);
	assert_int_equal(tensors_find(&s, "x")->n_bytes, 4000);
	b = tensors_put(&s, "x", DTYPE_I16, 1, 10, 0, &e);
	assert_ptr_equal(a, b);		/* the memory is used again */
	assert_int_equal(s.n, 1);
	assert_int_equal(tensors_find(&s, "x")->n_bytes, 20);
	tensors_drop(&s, "y");
	assert_int_equal(s.n, 1);
	tensors_drop(&s, "x");
	assert_int_equal(s.n, 0);
}

static void
what_is_lent_stays_where_it_is(void **state)
{
	static const int16_t mine[5] = { 1, 2, 3, 4, 5 };
	const struct tensor *t;

	(void)state;
	assert_non_null(tensors_put(&s, "x", DTYPE_F32, 1, 10, 0, &e));
	assert_int_equal(tensors_lend(&s, "x", DTYPE_I16, 1, 5, 0, mine, &e),
	    0);
	t = tensors_find(&s, "x");
	assert_ptr_equal(t->data, mine);
	assert_int_equal(t->n_bytes, sizeof mine);
	assert_int_equal(s.n, 1);
	tensors_drop(&s, "x");
	assert_int_equal(s.n, 0);
	assert_int_equal(tensors_lend(&s, "x", DTYPE_I16, 2, UINT64_MAX, 2,
	    mine, &e), -1);
	assert_int_equal(s.n, 0);
}

static void
memory_that_is_in_use_is_not_given_twice(void **state)
{
	void *a, *b, *c;

	(void)state;
	a = tensors_put(&s, "a", DTYPE_I16, 1, 100, 0, &e);
	b = tensors_put(&s, "b", DTYPE_I16, 1, 50, 0, &e);
	assert_true(a != NULL && b != NULL && a != b);
	tensors_drop(&s, "a");
	c = tensors_put(&s, "c", DTYPE_I16, 1, 0, 0, &e);
	assert_true(c != NULL && c != b);
	assert_int_equal(tensors_find(&s, "c")->n_bytes, 0);
	memset(b, 7, 100);
	assert_ptr_equal(tensors_find(&s, "b")->data, b);
}

static void
the_memory_that_fits_best_is_taken(void **state)
{
	void *big, *small;

	(void)state;
	big = tensors_put(&s, "big", DTYPE_F32, 1, 100000, 0, &e);
	small = tensors_put(&s, "small", DTYPE_F32, 1, 10, 0, &e);
	assert_true(big != NULL && small != NULL);
	tensors_clear(&s);
	assert_ptr_equal(tensors_put(&s, "1", DTYPE_F32, 1, 5, 0, &e), small);
	assert_ptr_equal(tensors_put(&s, "2", DTYPE_F32, 1, 5, 0, &e), big);
	tensors_clear(&s);
	assert_ptr_equal(tensors_put(&s, "1", DTYPE_F32, 1, 500, 0, &e), big);
}

static void
much_memory_is_not_kept(void **state)
{
	size_t kept = 0;
	char name[16];

	(void)state;
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		assert_non_null(tensors_put(&s, name, DTYPE_I16, 1, 4 << 20,
		    0, &e));
	}
	tensors_clear(&s);
	for (size_t i = 0; i < s.n_pool; i++)
		kept += s.pool[i].b.cap;
	assert_true(kept > 0 && kept <= TENSORS_KEEP);
	/* And all of it is there again. */
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		assert_non_null(tensors_put(&s, name, DTYPE_I16, 1, 4 << 20,
		    0, &e));
	}
}

static void
too_many_too_long_and_too_large_are_refused(void **state)
{
	char name[SAFETENSORS_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof name);
	name[SAFETENSORS_NAME_MAX] = '\0';
	assert_null(tensors_put(&s, name, DTYPE_I16, 1, 1, 0, &e));
	name[SAFETENSORS_NAME_MAX - 1] = '\0';
	assert_non_null(tensors_put(&s, name, DTYPE_I16, 1, 1, 0, &e));
	tensors_clear(&s);
	assert_null(tensors_put(&s, "a", DTYPE_F32, 2, UINT64_MAX, 2, &e));
	assert_int_equal(e.kind, ERR_MEMORY);
	assert_null(tensors_put(&s, "a", DTYPE_F32, 1, UINT64_MAX / 2, 2,
	    &e));
	assert_null(tensors_put(&s, "a", DTYPE_I16, 2, 1ULL << 32, 1ULL << 32,
	    &e));
	assert_int_equal(s.n, 0);
	for (int i = 0; i < TENSORS_MAX; i++) {
		(void)snprintf(name, sizeof name, "%d", i);
		assert_non_null(tensors_put(&s, name, DTYPE_I16, 1, 1, 0,
		    &e));
	}
	assert_null(tensors_put(&s, "more", DTYPE_I16, 1, 1, 0, &e));
	assert_int_equal(e.kind, ERR_DAMAGED);
}

static void
borrowed_data_is_left_alone(void **state)
{
	static const float data[2] = { 1, 2 };

	(void)state;
	s.t[0] = (struct tensor){ .name = "b", .dtype = DTYPE_F32, .rank = 1,
	    .shape = { 2 }, .data = data, .n_bytes = sizeof data };
	s.n = 1;
	assert_non_null(tensors_put(&s, "b", DTYPE_F32, 1, 2, 0, &e));
	assert_true(tensors_find(&s, "b")->data != data);
	tensors_clear(&s);
	assert_null(tensors_find(&s, "b"));
}

#define TEST(f) cmocka_unit_test_teardown(f, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tensor_is_found_by_its_name),
		TEST(a_second_one_of_a_name_replaces_the_first),
		TEST(what_is_lent_stays_where_it_is),
		TEST(memory_that_is_in_use_is_not_given_twice),
		TEST(the_memory_that_fits_best_is_taken),
		TEST(much_memory_is_not_kept),
		TEST(too_many_too_long_and_too_large_are_refused),
		TEST(borrowed_data_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
