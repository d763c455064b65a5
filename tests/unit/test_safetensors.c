#include <stdlib.h>
#include <string.h>

#include "dtype.h"
#include "le.h"
#include "safetensors.h"
#include "unit.h"

static struct tensor
tensor(const char *name, enum dtype dtype, unsigned rank, uint64_t d0,
    uint64_t d1, const void *data)
{
	struct tensor t = { .dtype = dtype, .rank = rank,
	    .shape = { d0, rank == 2 ? d1 : 0 }, .data = data };

	(void)strcpy(t.name, name);
	t.n_bytes = dtype_size(dtype) * (size_t)(d0 * (rank == 2 ? d1 : 1));
	return t;
}

/* An image with the header TEXT, padded, and N_DATA bytes behind it. */
static void
put_image(struct buf *out, const char *text, size_t n_data)
{
	struct err e = { 0 };
	char n[8];

	buf_clear(out);
	assert_int_equal(buf_put(out, "12345678", 8, &e), 0);
	assert_int_equal(buf_puts(out, text, &e), 0);
	while (out->n % 8 != 0)
		assert_int_equal(buf_putc(out, ' ', &e), 0);
	le_put64(n, out->n - 8);
	memcpy(out->p, n, 8);
	for (size_t i = 0; i < n_data; i++)
		assert_int_equal(buf_putc(out, (char)i, &e), 0);
}

/* Read B, from memory of its very size, that a sanitizer sees the ends. */
static int
read_image(const struct buf *b, struct tensor *t, size_t max, size_t *n,
    struct buf *record, struct err *e)
{
	char *exact = malloc(b->n + 1);
	int rc;

	assert_non_null(exact);
	memcpy(exact + 1, b->p, b->n);
	buf_clear(record);
	rc = safetensors_read(exact + 1, b->n, t, max, n, record, e);
	free(exact);
	return rc;
}

static void
what_is_written_is_read(void **state)
{
	static const char record[] = "{\"a\":\"\\\"\\u0001\\\\ \xc3\xa9\"}";
	static const float f[6] = { 1, 2, 3, 4, 5, 6 };
	static const int32_t ids[3] = { 7, -100, 9 };
	static const uint16_t half[2] = { 0x3c00, 0xc000 };
	struct tensor t[5] = {
		tensor("pcm.0", DTYPE_I16, 1, 2, 0, half),
		tensor("input_features.0", DTYPE_F32, 2, 2, 3, f),
		tensor("bf", DTYPE_BF16, 2, 1, 2, half),
		tensor("chosen_input_ids", DTYPE_I32, 1, 3, 0, ids),
		tensor("h", DTYPE_F16, 1, 2, 0, half),
	}, got[5];
	static const char *const order[5] = { "chosen_input_ids",
	    "input_features.0", "bf", "h", "pcm.0" };
	struct buf out = { 0 }, text = { 0 };
	struct err e = { 0 };
	size_t n;

	(void)state;
	assert_int_equal(safetensors_write(t, 5, record, sizeof record - 1,
	    &out, &e), 0);
	assert_true(safetensors_is(out.p, out.n));
	assert_int_equal(le_get64(out.p) % 8, 0);
	assert_int_equal(safetensors_read(out.p, out.n, got, 5, &n, &text,
	    &e), 0);
	assert_int_equal(n, 5);
	assert_int_equal(text.n, sizeof record - 1);
	assert_memory_equal(text.p, record, text.n);
	for (size_t i = 0; i < 5; i++) {
		size_t size = dtype_size(got[i].dtype);

		assert_string_equal(got[i].name, order[i]);
		assert_int_equal((size_t)((const char *)got[i].data - out.p) %
		    size, 0);
		for (size_t k = 0; k < 5; k++) {
			if (strcmp(t[k].name, got[i].name) != 0)
				continue;
			assert_int_equal(got[i].dtype, t[k].dtype);
			assert_int_equal(got[i].rank, t[k].rank);
			assert_memory_equal(got[i].shape, t[k].shape, 16);
			assert_int_equal(got[i].n_bytes, t[k].n_bytes);
			assert_memory_equal(got[i].data, t[k].data,
			    t[k].n_bytes);
		}
	}
	buf_free(&out);
	buf_free(&text);
}

/* To the byte: other implementations write from ossicle(5). */
static void
the_image_is_as_the_format_says(void **state)
{
	static const char header[] =
	    "{\"__metadata__\":{\"record\":\"{}\"},"
	    "\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},"
	    "\"b\":{\"dtype\":\"F16\",\"shape\":[1,2],"
	    "\"data_offsets\":[8,12]}}";
	struct tensor t[2] = {
		tensor("b", DTYPE_F16, 2, 1, 2, "wxyz"),
		tensor("a", DTYPE_I32, 1, 2, 0, "abcdefgh"),
	};
	struct buf out = { 0 };
	struct err e = { 0 };
	size_t padded = (sizeof header - 1 + 7) / 8 * 8;

	(void)state;
	assert_int_equal(safetensors_write(t, 2, "{}", 2, &out, &e), 0);
	assert_int_equal(le_get64(out.p), padded);
	assert_memory_equal(out.p + 8, header, sizeof header - 1);
	for (size_t i = sizeof header - 1; i < padded; i++)
		assert_int_equal(out.p[8 + i], ' ');
	assert_int_equal(out.n, 8 + padded + 12);
	assert_memory_equal(out.p + 8 + padded, "abcdefghwxyz", 12);
	buf_free(&out);
}

static void
tensors_may_be_empty_or_none(void **state)
{
	struct tensor t[2] = {
		tensor("x", DTYPE_F32, 1, 0, 0, ""),
		tensor("y", DTYPE_F32, 2, 0, 1ull << 40, ""),
	}, got[2];
	struct buf out = { 0 }, text = { 0 };
	struct err e = { 0 };
	size_t n;

	(void)state;
	t[1].n_bytes = 0;
	for (size_t k = 0; k < 3; k++) {
		buf_clear(&out);
		assert_int_equal(safetensors_write(t, k, "{}", 2, &out, &e),
		    0);
		assert_int_equal(read_image(&out, got, 2, &n, &text, &e), 0);
		assert_int_equal(n, k);
	}
	buf_free(&out);
	buf_free(&text);
}

static void
json_lines_are_no_image(void **state)
{
	(void)state;
	assert_false(safetensors_is("{}\n", 3));
	assert_false(safetensors_is("{\"a\":12}\n", 9));
	assert_false(safetensors_is("", 0));
	assert_false(safetensors_is("1234567", 7));
	assert_true(safetensors_is("1234567", 8));
}

static void
a_header_beyond_its_limit_is_a_record_too_long(void **state)
{
	struct buf record = { 0 }, out = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(buf_puts(&out, "kept", &e), 0);
	assert_int_equal(buf_reserve(&record, SAFETENSORS_HEADER_MAX, &e), 0);
	record.n = SAFETENSORS_HEADER_MAX;
	memset(record.p, 'x', record.n);
	assert_int_equal(safetensors_write(NULL, 0, record.p, record.n, &out,
	    &e), -1);
	assert_int_equal(e.kind, ERR_RECORD);
	assert_int_equal(e.code, CODE_RECORD_TOO_LONG);
	assert_int_equal(out.n, 4);
	buf_free(&record);
	buf_free(&out);
}

/* The header's own bytes beside the record are 28, and 1 at its end. */
static void
a_header_at_its_limit_is_written_and_read(void **state)
{
	const size_t n = SAFETENSORS_HEADER_MAX - 29;
	struct buf record = { 0 }, out = { 0 }, text = { 0 };
	struct err e = { 0 };
	struct tensor t;
	size_t m;

	(void)state;
	assert_int_equal(buf_reserve(&record, n + 1, &e), 0);
	memset(record.p, 'x', n + 1);
	assert_int_equal(safetensors_write(NULL, 0, record.p, n - 1, &out,
	    &e), 0);
	assert_int_equal(out.n, 8 + SAFETENSORS_HEADER_MAX);
	assert_int_equal(safetensors_read(out.p, out.n, &t, 1, &m, &text,
	    &e), 0);
	assert_int_equal(text.n, n - 1);
	assert_int_equal(safetensors_write(NULL, 0, record.p, n, &out, &e),
	    -1);
	assert_int_equal(out.n, 8 + SAFETENSORS_HEADER_MAX);
	buf_free(&record);
	buf_free(&out);
	buf_free(&text);
}

/* Blanks fill the header up, wherever it begins; all lengths of them. */
static void
an_image_is_the_same_behind_other_bytes(void **state)
{
	(void)state;
	for (size_t n = 0; n < 8; n++)
		for (size_t before = 0; before < 8; before++) {
			struct tensor t = tensor("x", DTYPE_F32, 1, 2, 0,
			    "12345678");
			struct buf alone = { 0 }, out = { 0 };
			struct err e = { 0 };

			assert_int_equal(safetensors_write(&t, 1, "xxxxxxx",
			    n, &alone, &e), 0);
			assert_int_equal(alone.n % 8, 0);
			assert_int_equal(buf_put(&out, "yyyyyyy", before, &e),
			    0);
			assert_int_equal(safetensors_write(&t, 1, "xxxxxxx",
			    n, &out, &e), 0);
			assert_int_equal(out.n, before + alone.n);
			assert_memory_equal(out.p + before, alone.p, alone.n);
			buf_free(&alone);
			buf_free(&out);
		}
}

static void
a_shape_that_does_not_fit_is_not_written(void **state)
{
	struct tensor bad[6] = {
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
		tensor("x", DTYPE_F32, 1, 2, 0, "12345678"),
	};
	struct buf out = { 0 };

	(void)state;
	bad[0].n_bytes = 7;
	bad[1].rank = 0;
	bad[2].rank = 3;
	bad[3].rank = 2;
	bad[3].shape[0] = 1ull << 33;
	bad[3].shape[1] = 1ull << 33;
	/* What its product would be, were it cut off where it overflows. */
	bad[4].shape[0] = 1ull << 62;
	bad[4].n_bytes = 4;
	bad[5].shape[0] = SIZE_MAX / 8 + 1;
	bad[5].n_bytes = SIZE_MAX / 2 + 1;
	for (size_t i = 0; i < 6; i++) {
		struct err e = { 0 };

		assert_int_equal(safetensors_write(&bad[i], 1, "{}", 2, &out,
		    &e), -1);
		assert_int_equal(e.kind, ERR_SYSTEM);
		assert_int_equal(out.n, 0);
	}
	buf_free(&out);
}

#define META "\"__metadata__\":{\"record\":\"{}\"}"
#define A(type, shape, from, to) "\"a\":{\"dtype\":\"" type "\"," \
	"\"shape\":" shape ",\"data_offsets\":[" from "," to "]}"

static void
images_that_lie_are_refused(void **state)
{
	static const struct {
		const char *header;
		size_t n_data;
	} bad[] = {
		{ "[]", 0 },
		{ "{}", 0 },			/* no record */
		{ "{" META "} {}", 0 },
		{ "{" META, 0 },
		{ "{" META "," META "}", 0 },
		{ "{\"__metadata__\":{\"record\":{}}}", 0 },
		{ "{\"__metadata__\":\"record\"}", 0 },
		{ "{" META "}", 1 },		/* bytes of no tensor */
		{ "{" META "," A("F32", "[1]", "0", "4") "}", 3 },
		{ "{" META "," A("F32", "[1]", "0", "4") "}", 5 },
		{ "{" META "," A("F32", "[2]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[1]", "4", "8") "}", 8 },
		{ "{" META "," A("F32", "[1]", "4", "0") "}", 4 },
		{ "{" META "," A("F32", "[1]", "-4", "0") "}", 4 },
		{ "{" META "," A("F32", "[1]", "0", "4.0") "}", 4 },
		{ "{" META "," A("F32", "[1]", "0", "4,4") "}", 4 },
		{ "{" META "," A("F64", "[1]", "0", "8") "}", 8 },
		{ "{" META "," A("f32", "[1]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[1,1,1]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "1", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[-1]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[\"1\"]", "0", "4") "}", 4 },
		{ "{" META "," A("F32", "[4294967296,4294967296]", "0", "0")
		    "}", 0 },
		{ "{" META "," A("F32", "[9007199254740992,9007199254740992]",
		    "0", "0") "}", 0 },
		{ "{" META "," A("F32", "[0,9007199254740993]", "0", "0") "}",
		    0 },
		{ "{" META ",\"a\":[]}", 0 },
		{ "{" META ",\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4 },
		{ "{" META ",\"a\":{\"dtype\":\"F32\",\"shape\":[1],"
		    "\"data_offsets\":[0,4],\"more\":1}}", 4 },
		{ "{" META ",\"\":{\"dtype\":\"F32\",\"shape\":[1],"
		    "\"data_offsets\":[0,4]}}", 4 },
		{ "{" META ",\"\\u0061\":{\"dtype\":\"F32\",\"shape\":[1],"
		    "\"data_offsets\":[0,4]}}", 4 },
		{ "{" META ",\"0123456789012345678901234567890123456789012345"
		    "678901234567890123\":{\"dtype\":\"F32\",\"shape\":[1],"
		    "\"data_offsets\":[0,4]}}", 4 },
		/* A hole; an overlap; small elements first; three of two. */
		{ "{" META "," A("F32", "[1]", "0", "4") ",\"b\":{\"dtype\":"
		    "\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}", 12 },
		{ "{" META "," A("F32", "[1]", "0", "4") ",\"b\":{\"dtype\":"
		    "\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4 },
		{ "{" META "," A("I16", "[2]", "0", "4") ",\"b\":{\"dtype\":"
		    "\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8 },
		{ "{" META "," A("F32", "[0]", "0", "0") ",\"b\":{\"dtype\":"
		    "\"F32\",\"shape\":[0],\"data_offsets\":[0,0]},\"c\":{"
		    "\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}}",
		    0 },
	};
	struct buf b = { 0 }, text = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct tensor t[2];
		struct err e = { 0 };
		size_t n;

		put_image(&b, bad[i].header, bad[i].n_data);
		if (read_image(&b, t, 2, &n, &text, &e) == 0)
			fail_msg("accepted: %s", bad[i].header);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	/* But their like without the lie is read. */
	{
		struct tensor t[2];
		struct err e = { 0 };
		size_t n;

		put_image(&b, "{" META "," A("F32", "[1]", "0", "4") "}", 4);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), 0);
		put_image(&b, "{" META "," A("F32", "[0,9007199254740992]",
		    "0", "0") "}", 0);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), 0);
		put_image(&b, "{" META "," A("F32", "[1]", "0", "4") "}", 7);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), -1);
		assert_string_equal(e.text, "3 bytes of data in the "
		    "safetensors image belong to no tensor");
	}
	buf_free(&b);
	buf_free(&text);
}

/* safetensors.save orders F32 before I32 whatever the names. */
static void
another_order_among_equal_sizes_is_read(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	struct tensor t[2];
	struct err e = { 0 };
	size_t n;

	(void)state;
	put_image(&b, "{" META ",\"z\":{\"dtype\":\"F32\",\"shape\":[1],"
	    "\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"I32\",\"shape\":[1],"
	    "\"data_offsets\":[4,8]}}", 8);
	assert_int_equal(read_image(&b, t, 2, &n, &text, &e), 0);
	assert_int_equal(n, 2);
	buf_free(&b);
	buf_free(&text);
}

static void
a_header_length_that_lies_is_refused(void **state)
{
	struct buf b = { 0 }, text = { 0 };
	struct tensor t[2];
	size_t n, size;

	(void)state;
	put_image(&b, "{" META "," A("F32", "[1]", "0", "4") "}", 4);
	size = b.n;
	for (uint64_t h = 0; h < 2 * size; h++) {
		struct err e = { 0 };

		if (h == size - 12)
			continue;
		le_put64(b.p, h);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	for (unsigned shift = 0; shift < 64; shift++) {
		struct err e = { 0 };

		le_put64(b.p, UINT64_MAX << shift);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	for (unsigned i = 0; i < 2; i++) {
		static const char *const none[] = {
			"\0\0\0\0\0\0\0\0{", "\x08\0\0\0\0\0\0\0[1]     ",
		};
		struct err e = { 0 };

		buf_clear(&b);
		assert_int_equal(buf_put(&b, none[i], i == 0 ? 9 : 16, &e),
		    0);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), -1);
		assert_non_null(strstr(e.text, "is no JSON object"));
	}
	buf_clear(&b);
	put_image(&b, "{" META "," A("F32", "[1]", "0", "4") "}", 4);
	for (b.n = 0; b.n < size; b.n++) {
		struct err e = { 0 };

		le_put64(b.p, size - 12);
		assert_int_equal(read_image(&b, t, 2, &n, &text, &e), -1);
		assert_int_equal(e.kind, ERR_DAMAGED);
	}
	buf_free(&b);
	buf_free(&text);
}

static void
types_have_a_name_and_a_size(void **state)
{
	static const char *const names[] = { "F32", "F16", "BF16", "I16",
	    "I32" };
	static const size_t bytes[] = { 4, 2, 2, 2, 4 };
	enum dtype t;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_string_equal(dtype_name((enum dtype)i), names[i]);
		assert_int_equal(dtype_size((enum dtype)i), bytes[i]);
		assert_true(dtype_find(names[i], strlen(names[i]), &t));
		assert_int_equal(t, i);
	}
	assert_false(dtype_find("F3", 2, &t));
	assert_false(dtype_find("F32 ", 4, &t));
	assert_false(dtype_find("", 0, &t));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_image_is_as_the_format_says),
		cmocka_unit_test(tensors_may_be_empty_or_none),
		cmocka_unit_test(json_lines_are_no_image),
		cmocka_unit_test(
		    a_header_beyond_its_limit_is_a_record_too_long),
		cmocka_unit_test(a_header_at_its_limit_is_written_and_read),
		cmocka_unit_test(an_image_is_the_same_behind_other_bytes),
		cmocka_unit_test(a_shape_that_does_not_fit_is_not_written),
		cmocka_unit_test(images_that_lie_are_refused),
		cmocka_unit_test(another_order_among_equal_sizes_is_read),
		cmocka_unit_test(a_header_length_that_lies_is_refused),
		cmocka_unit_test(types_have_a_name_and_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
