#include <stdlib.h>
#include <string.h>

#include "golden.h"
#include "unicode.h"

#define LETTER UNICODE_LETTER
#define NUMBER UNICODE_NUMBER
#define SPACE UNICODE_SPACE
#define OTHER UNICODE_OTHER

/* The kind of C. */
static unsigned
kind(uint32_t c)
{
	return unicode_class(c) & UNICODE_KIND;
}

static void
kinds_are_those_of_unicode_16(void **state)
{
	static const struct {
		uint32_t c;
		unsigned kind;
	} known[] = {
		{ 'a', LETTER }, { 'Z', LETTER }, { '_', OTHER },
		{ '0', NUMBER }, { 0xb2, NUMBER }, { 0x2167, NUMBER },
		{ 0x661, NUMBER }, { 0xaa, LETTER }, { 0x4e00, LETTER },
		{ 0x9fff, LETTER }, { 0x4dff, OTHER }, { 0xac00, LETTER },
		{ 0x1c89, LETTER },	/* assigned in Unicode 16 */
		{ 0x105c0, LETTER }, { 0x301, OTHER }, { 0x903, OTHER },
		{ 0x1f600, OTHER }, { 0x20000, LETTER }, { 0x323af, LETTER },
		{ 0x323b0, OTHER }, { 0xe0100, OTHER }, { 0x10ffff, OTHER },
		{ 0x378, OTHER },	/* not assigned */
		{ 0xfeff, OTHER }, { 0x200b, OTHER }, { 0x180e, OTHER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (kind(known[i].c) != known[i].kind)
			fail_msg("U+%04X", (unsigned)known[i].c);
}

static void
there_are_25_spaces(void **state)
{
	static const uint32_t spaces[] = {
		0x9, 0xa, 0xb, 0xc, 0xd, 0x20, 0x85, 0xa0, 0x1680, 0x2000,
		0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2007,
		0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f,
		0x3000,
	};
	size_t n = 0;

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++)
		if (kind(c) == SPACE)
			assert_int_equal(c, spaces[n++]);
	assert_int_equal(n, 25);
}

static void
each_kind_has_as_many_as_was_counted(void **state)
{
	size_t n[4] = { 0 };

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++)
		if (c < 0xd800 || c >= 0xe000)
			n[kind(c)]++;
	assert_int_equal(n[LETTER], 141028);
	assert_int_equal(n[NUMBER], 1911);
}

static void
each_code_point_is_written_and_read_back(void **state)
{
	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		unsigned char p[4];
		size_t n, len, at;

		if (c >= 0xd800 && c < 0xe000)
			continue;
		n = unicode_encode(p, c);
		assert_int_equal(unicode_decode(p, &len), c);
		assert_int_equal(len, n);
		assert_int_equal(unicode_scan(p, n, &at),
		    unicode_class(c) & UNICODE_HEEDED ? UNICODE_HEED :
		    UNICODE_END);
		for (size_t k = 1; k < n; k++) {
			assert_int_equal(unicode_scan(p, k, &at),
			    UNICODE_BAD);
			assert_int_equal(at, 0);
		}
	}
}

/* Whether all N bytes at P are UTF-8, what NFC heeds stepped over. */
static bool
is_utf8(const unsigned char *p, size_t n)
{
	size_t at, len;

	for (;;) {
		switch (unicode_scan(p, n, &at)) {
		case UNICODE_END:
			return true;
		case UNICODE_BAD:
			return false;
		case UNICODE_HEED:
			break;
		}
		(void)unicode_decode(p + at, &len);
		p += at + len;
		n -= at + len;
	}
}

/* All sequences of two bytes, and of three with a lead byte of three or four:
 * what is UTF-8 is decided by RFC 3629's table. */
static void
nothing_else_is_utf8(void **state)
{
	(void)state;
	for (unsigned a = 0x80; a < 0x100; a++)
		for (unsigned b = 0; b < 0x100; b++) {
			unsigned char p[4] = { (unsigned char)a,
			    (unsigned char)b, 0x80, 0x80 };
			bool inner = b >= 0x80 && b < 0xc0;

			assert_int_equal(is_utf8(p, 2),
			    a >= 0xc2 && a < 0xe0 && inner);
			assert_int_equal(is_utf8(p, 3),
			    a >= 0xe0 && a < 0xf0 && inner &&
			    !(a == 0xe0 && b < 0xa0) &&
			    !(a == 0xed && b > 0x9f));
			assert_int_equal(is_utf8(p, 4),
			    a >= 0xf0 && a < 0xf5 && inner &&
			    !(a == 0xf0 && b < 0x90) &&
			    !(a == 0xf4 && b > 0x8f));
		}
}

static void
a_scan_stops_where_there_is_something(void **state)
{
	static const struct {
		const char *text;
		enum unicode_stop stop;
		size_t at;
	} known[] = {
		{ "", UNICODE_END, 0 },
		{ "plain text of ASCII", UNICODE_END, 19 },
		{ "caf\xc3\xa9 \xe4\xb8\xad\xe6\x96\x87", UNICODE_END, 12 },
		{ "cafe\xcc\x81", UNICODE_HEED, 4 },
		{ "\xe4\xb8\xad\xe6\x96\x87\xcc\x81", UNICODE_HEED, 6 },
		{ "\xe4\xb8\xad\xe6\x96", UNICODE_BAD, 3 },
		{ "\xe4\xb8\xad\xe6\x96\x41", UNICODE_BAD, 3 },
		{ "12345678\xff", UNICODE_BAD, 8 },
	};
	size_t at;

	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		assert_int_equal(unicode_scan(
		    (const unsigned char *)known[i].text,
		    strlen(known[i].text), &at), known[i].stop);
		assert_int_equal(at, known[i].at);
	}
}

/* Read hexadecimal code points up to END, as UTF-8 to OUT. */
static void
read_points(const char *p, const char *end, struct buf *out)
{
	struct err e = { 0 };

	buf_clear(out);
	while (p < end) {
		char *next;
		uint32_t c = (uint32_t)strtoul(p, &next, 16);

		if (next == p || next > end)
			break;
		assert_int_equal(buf_reserve(out, 4, &e), 0);
		out->n += unicode_encode((unsigned char *)out->p + out->n, c);
		p = next;
	}
}

/* Every line of the golden file: and what is in NFC stays as it is. */
static void
nfc_is_that_of_tokenizers(void **state)
{
	struct golden g = golden_open("tests/golden/unicode.txt");
	struct buf text = { 0 }, want = { 0 }, got = { 0 }, work = { 0 };
	struct err e = { 0 };
	struct jsonspan line;

	(void)state;
	assert_int_equal(buf_putc(&g.text, '\0', &e), 0);
	g.text.n--;
	while (golden_next(&g, &line)) {
		const char *end = line.p + line.n;
		const char *middle = memchr(line.p, ';', line.n);

		if (line.p[0] == '#')
			continue;
		assert_non_null(middle);
		read_points(line.p, middle, &text);
		read_points(middle + 1, end, &want);
		for (int time = 0; time < 2; time++) {
			const struct buf *from = time == 0 ? &text : &want;

			buf_clear(&got);
			assert_int_equal(buf_puts(&got, "was", &e), 0);
			assert_int_equal(unicode_nfc(
			    (const unsigned char *)from->p, from->n, &got,
			    &work, &e), 0);
			if (got.n - 3 != want.n ||
			    memcmp(got.p + 3, want.p, want.n) != 0)
				fail_msg("line %zu, time %d", g.lines, time);
		}
	}
	golden_close(&g, 900);
	buf_free(&text);
	buf_free(&want);
	buf_free(&got);
	buf_free(&work);
}

/* L and V, LV and T: each syllable is composed of its parts, by arithmetic. */
static void
each_hangul_syllable_is_composed(void **state)
{
	struct buf got = { 0 }, work = { 0 };
	struct err e = { 0 };

	(void)state;
	for (uint32_t i = 0; i < 11172; i++) {
		unsigned char parts[9], whole[4];
		size_t n = unicode_encode(parts, 0x1100 + i / 588), len;

		n += unicode_encode(parts + n, 0x1161 + i % 588 / 28);
		if (i % 28 != 0)
			n += unicode_encode(parts + n, 0x11a7 + i % 28);
		len = unicode_encode(whole, 0xac00 + i);
		buf_clear(&got);
		assert_int_equal(unicode_nfc(parts, n, &got, &work, &e), 0);
		assert_int_equal(got.n, len);
		assert_memory_equal(got.p, whole, len);
	}
	buf_free(&got);
	buf_free(&work);
}

/* A hundred thousand marks are sorted in the time of a sort, and those of one
 * class stay in their order. */
static void
many_marks_are_put_in_order(void **state)
{
	enum { N = 100000 };
	unsigned char *text = malloc(2 * N + 1);
	struct buf got = { 0 }, work = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_non_null(text);
	/* U+0316 (220), U+0300 (230) and U+0315 (232), none composes with x. */
	for (size_t i = 0; i < N; i++) {
		static const uint32_t marks[] = { 0x315, 0x300, 0x316 };

		(void)unicode_encode(text + 1 + 2 * i, marks[i % 3]);
	}
	text[0] = 'x';
	assert_int_equal(unicode_nfc(text, 2 * N + 1, &got, &work, &e), 0);
	assert_int_equal(got.n, 2 * N + 1);
	assert_memory_equal(got.p, "x\xcc\x96", 3);
	for (size_t i = 0; i < N; i++)
		assert_int_equal((unsigned char)got.p[2 + 2 * i],
		    i < 33333 ? 0x96 : i < 66666 ? 0x80 : 0x95);
	free(text);
	buf_free(&got);
	buf_free(&work);
}

static void
what_is_not_utf8_has_no_nfc(void **state)
{
	static const char *const texts[] = {
		"\xff", "e\xcc\x81\xff", "e\xcc\x81\xcc", "\xcc\x81 \xed\xa0\x80",
	};
	struct buf got = { 0 }, work = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		assert_int_equal(unicode_nfc((const unsigned char *)texts[i],
		    strlen(texts[i]), &got, &work, &e), -1);
		assert_int_equal(e.kind, ERR_RECORD);
		assert_int_equal(e.code, CODE_BAD_UTF8);
		assert_int_equal(got.n, 0);
	}
	buf_free(&got);
	buf_free(&work);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_are_those_of_unicode_16),
		cmocka_unit_test(there_are_25_spaces),
		cmocka_unit_test(each_kind_has_as_many_as_was_counted),
		cmocka_unit_test(each_code_point_is_written_and_read_back),
		cmocka_unit_test(nothing_else_is_utf8),
		cmocka_unit_test(a_scan_stops_where_there_is_something),
		cmocka_unit_test(nfc_is_that_of_tokenizers),
		cmocka_unit_test(each_hangul_syllable_is_composed),
		cmocka_unit_test(many_marks_are_put_in_order),
		cmocka_unit_test(what_is_not_utf8_has_no_nfc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
