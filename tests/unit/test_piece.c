#include <string.h>

#include "buf.h"
#include "piece.h"
#include "unit.h"

static void
pieces_come_out_as_they_went_in(void **state)
{
	static const struct piece in[] = {
		{ "{\"a\":1}", 7, 7, 12, 3, 1, PIECE_WHOLE },
		{ "", 0, 0, 20, 0, 9, PIECE_NO_COMMA },
		{ "a\0b", 3, UINT64_MAX, UINT64_MAX - 1, UINT64_MAX - 2, 1,
		    PIECE_TOO_LONG },
	};
	struct buf b = { 0 };
	struct err e = { 0 };
	struct piece_walk w;

	(void)state;
	for (int round = 0; round < 2; round++) {
		assert_int_equal(piece_batch(&b, "x y.json", &e), 0);
		for (size_t i = 0; i < 3; i++)
			assert_int_equal(piece_put(&b, &in[i], &e), 0);
	}
	w = piece_walk_start(b.p, b.n);
	for (size_t i = 0; i < 3; i++) {
		assert_true(piece_walk_next(&w));
		assert_string_equal(w.name, "x y.json");
		assert_int_equal(w.piece.n, in[i].n);
		assert_memory_equal(w.piece.p, in[i].p, in[i].n);
		assert_true(w.piece.total == in[i].total);
		assert_true(w.piece.offset == in[i].offset);
		assert_true(w.piece.line == in[i].line);
		assert_true(w.piece.column == in[i].column);
		assert_int_equal(w.piece.flaw, in[i].flaw);
	}
	assert_false(piece_walk_next(&w));
	buf_free(&b);
}

static void
a_batch_may_be_empty(void **state)
{
	struct buf b = { 0 };
	struct err e = { 0 };
	struct piece_walk w;

	(void)state;
	assert_int_equal(piece_batch(&b, "", &e), 0);
	w = piece_walk_start(b.p, b.n);
	assert_string_equal(w.name, "");
	assert_false(piece_walk_next(&w));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_come_out_as_they_went_in),
		cmocka_unit_test(a_batch_may_be_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
