#include <stdlib.h>
#include <string.h>

#include "jsontext.h"
#include "unit.h"

/* Numbers that are the same in every run. */
static uint32_t
next(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A buffer of exactly N bytes, so that a sanitizer sees a byte too far. */
static char *
exactly(const char *p, size_t n)
{
	char *copy = malloc(n + (n == 0));

	assert_non_null(copy);
	memcpy(copy, p, n);
	return copy;
}

/* The first byte of the N at P that is a stop, the slow way. */
static size_t
slow_stop(const char *p, size_t n, bool controls)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '"' || p[i] == '\\' ||
		    (controls && (unsigned char)p[i] < 0x20))
			return i;
	return n;
}

/* Wherever the stop is, and whatever stands beside it. */
static void
the_first_stop_is_found_at_every_place(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		for (size_t n = 0; n < 40; n++) {
			char text[40], *p;

			memset(text, 'a', sizeof text);
			text[n] = (char)c;
			text[(n + 1) % 40] = '\x80';
			if (n + 2 < 40)
				text[n + 2] = '"';
			p = exactly(text, 40);
			assert_int_equal(jsontext_plain(p, p + 40) - p,
			    slow_stop(p, 40, true));
			assert_int_equal(jsontext_quote(p, p + 40) - p,
			    slow_stop(p, 40, false));
			assert_ptr_equal(jsontext_plain(p, p + n),
			    p + slow_stop(p, n, true));
			free(p);
		}
	}
}

/* jsontext_simple, a byte at a time. */
static size_t
slow_simple(const char *p, size_t n, bool *escaped)
{
	size_t i = 0;

	while ((i += slow_stop(p + i, n - i, true)) + 2 <= n &&
	    p[i] == '\\' && p[i + 1] != '\0' &&
	    strchr("\"\\/bfnrt", p[i + 1]) != NULL) {
		*escaped = true;
		i += 2;
	}
	return i;
}

/* jsontext_string_end, a byte at a time. */
static size_t
slow_string_end(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] != '"')
		i += p[i] == '\\' ? 2 : 1;
	return i < n ? i : n;
}

/* What passes the N bytes at TEXT in strides passes them as the slow ways
 * do. */
static void
strides_are_as_good_as_steps(const char *text, size_t n)
{
	char *p = exactly(text, n), *out = malloc(n + (n == 0));
	size_t want = slow_stop(p, n, false);
	bool escaped = false, slowly = false;

	assert_non_null(out);
	assert_int_equal(jsontext_copy(out, p, p + n), want);
	assert_memory_equal(out, p, want);
	assert_int_equal(jsontext_quote(p, p + n) - p, want);
	assert_int_equal(jsontext_plain(p, p + n) - p, slow_stop(p, n, true));
	assert_int_equal(jsontext_string_end(p, p + n) - p,
	    slow_string_end(p, n));
	assert_int_equal(jsontext_simple(p, p + n, &escaped) - p,
	    slow_simple(p, n, &slowly));
	assert_int_equal(escaped, slowly);
	escaped = true;		/* is left as it is */
	(void)jsontext_simple(p, p + n, &escaped);
	assert_true(escaped);
	free(p);
	free(out);
}

/* Texts of every length, of few kinds of byte, in which stops are many or
 * none. */
static void
texts_are_passed_in_strides_as_they_are_in_steps(void **state)
{
	static const char sorts[] = "aa\x80 \\\\\\\\\\n/u\"q\x1f\x00\x7f b";
	uint32_t seed = 2;
	char text[260];

	(void)state;
	for (int round = 0; round < 60000; round++) {
		size_t n = next(&seed) % (round % 2 == 0 ? sizeof text : 24);
		uint32_t rare = 1 + next(&seed) % 60;
		uint32_t of = 1 + next(&seed) % (sizeof sorts - 1);

		for (size_t i = 0; i < n; i++)
			text[i] = next(&seed) % rare > 0 ? 'x' :
			    sorts[next(&seed) % of];
		strides_are_as_good_as_steps(text, n);
	}
	/* Escapes across each place, behind escapes. */
	for (size_t at = 0; at < 200; at++)
		for (size_t k = 0; k < 4; k++) {
			memset(text, 'x', sizeof text);
			for (size_t i = 0; i < k; i++)
				memcpy(text + at + 2 * i, "\\n", 2);
			memcpy(text + at + 2 * k, "\\u\"", 3);
			strides_are_as_good_as_steps(text, sizeof text);
			strides_are_as_good_as_steps(text, at + 2 * k + 1);
			strides_are_as_good_as_steps(text, at + 2 * k + 2);
			text[at + 2 * k + 1] = '"';
			strides_are_as_good_as_steps(text, sizeof text);
		}
}

static void
a_string_ends_at_the_quote_that_no_backslash_escapes(void **state)
{
	static const struct { const char *text; int at; } is[] = {
		{ "\"", 0 }, { "abc\"def", 3 }, { "\\\"\"", 2 },
		{ "\\\\\"", 2 }, { "\\\\\\\"\"", 4 },
		{ "0123456789abcdef\\\"0123456789abcdef\"", 34 },
		{ "", 0 }, { "abc", 3 }, { "\\", 1 }, { "abc\\\"", 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof is / sizeof *is; i++) {
		size_t n = strlen(is[i].text);
		char *p = exactly(is[i].text, n);

		assert_int_equal(jsontext_string_end(p, p + n) - p, is[i].at);
		free(p);
	}
}

/* RFC 3629's table, said another way: the value decides. */
static bool
is_character(const unsigned char *s, size_t n)
{
	uint32_t v;

	if (n == 1)
		return s[0] < 0x80;
	v = n == 2 ? s[0] & 0x1fu : n == 3 ? s[0] & 0xfu : s[0] & 7u;
	if ((s[0] & (0xff00u >> (n + 1) & 0xff)) !=
	    (0xff00u >> n & 0xff))
		return false;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return false;
		v = v << 6 | (s[i] & 0x3fu);
	}
	return v >= (n == 2 ? 0x80u : n == 3 ? 0x800u : 0x10000u) &&
	    v <= 0x10ffff && (v < 0xd800 || v > 0xdfff);
}

/* How many of the N bytes at P are whole characters, the slow way. */
static size_t
slow_utf8(const char *p, size_t n)
{
	const unsigned char *s = (const unsigned char *)p;
	size_t i = 0, len;

	while (i < n) {
		for (len = 1; len <= 4; len++)
			if (i + len <= n && is_character(s + i, len))
				break;
		if (len > 4)
			return i;
		i += len;
	}
	return n;
}

/* Every sequence of two and three bytes, and of four where a rule changes. */
static void
every_sequence_is_judged_as_rfc_3629_has_it(void **state)
{
	static const unsigned char edge[] = { 0x00, 0x41, 0x7f, 0x80, 0x8f,
	    0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf4, 0xff };
	const size_t n = sizeof edge;

	(void)state;
	for (unsigned v = 0; v < 1u << 24; v++) {
		char s[4] = { (char)(v >> 16), (char)(v >> 8), (char)v, 'a' };

		/* All first and second bytes; the third where it matters. */
		if ((v & 0x3f) != 0 && (v & 0x3f) != 0x3f)
			continue;
		if (jsontext_utf8(s, 2) != slow_utf8(s, 2) ||
		    jsontext_utf8(s, 3) != slow_utf8(s, 3) ||
		    jsontext_utf8(s, 4) != slow_utf8(s, 4))
			fail_msg("%06x", v);
	}
	for (unsigned a = 0xe0; a < 0x100; a++)
		for (size_t i = 0; i < n * n * n; i++) {
			char s[4] = { (char)a, (char)edge[i % n],
			    (char)edge[i / n % n], (char)edge[i / n / n] };

			if (jsontext_utf8(s, 4) != slow_utf8(s, 4))
				fail_msg("%02x %zu", a, i);
		}
}

static void
utf8_is_judged_alike_in_texts_of_every_length(void **state)
{
	static const char *const words[] = { "a", "plain text of some length",
	    "\xc3\xa9", "\xe4\xb8\xad", "\xe4\xb8\xad\xe6\x96\x87",
	    "\xf0\x9f\x98\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xe4\xb8",
	    "\xed\xa0\x80", "\xc0\xaf", "\xf4\x90\x80\x80", "\xff" };
	uint32_t seed = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[128], *p;
		size_t n = 0, max = next(&seed) % 96;
		/* Mostly right, or nothing but the start is looked at. */
		size_t of = round % 2 == 0 ? 8 : 13;

		while (n < max) {
			const char *w = words[next(&seed) % of];

			memcpy(text + n, w, strlen(w));
			n += strlen(w);
		}
		p = exactly(text, n);
		assert_int_equal(jsontext_utf8(p, n), slow_utf8(p, n));
		free(p);
	}
}

/* TEXT decodes, from its first byte on, to WANT and leaves REST. */
static void
decodes(const char *text, const char *want, const char *rest)
{
	size_t n = strlen(text);
	char *copy = exactly(text, n), out[4];
	const char *p = copy;
	size_t len = jsontext_decode(&p, copy + n, out);

	assert_int_equal(len, strlen(want) + (*want == '\0'));
	assert_memory_equal(out, want, len);
	assert_int_equal((size_t)(copy + n - p), strlen(rest));
	free(copy);
}

static void
escapes_are_decoded(void **state)
{
	(void)state;
	decodes("ab", "a", "b");
	decodes("\xc3\xa9", "\xc3", "\xa9");
	decodes("\\nx", "\n", "x");
	decodes("\\\"", "\"", "");
	decodes("\\\\\\", "\\", "\\");
	decodes("\\/", "/", "");
	decodes("\\b", "\b", "");
	decodes("\\f", "\f", "");
	decodes("\\r", "\r", "");
	decodes("\\t", "\t", "");
	decodes("\\u0000", "", "");
	decodes("\\u007f1", "\x7f", "1");
	decodes("\\u00E9", "\xc3\xa9", "");
	decodes("\\u07ff", "\xdf\xbf", "");
	decodes("\\u0800", "\xe0\xa0\x80", "");
	decodes("\\u4e2d", "\xe4\xb8\xad", "");
	decodes("\\uffff", "\xef\xbf\xbf", "");
	decodes("\\ud83d\\ude00x", "\xf0\x9f\x98\x80", "x");
	decodes("\\uD800\\uDC00", "\xf0\x90\x80\x80", "");
	decodes("\\udbff\\udfff", "\xf4\x8f\xbf\xbf", "");
}

static void
what_is_no_escape_decodes_to_the_replacement_character(void **state)
{
	static const char bad[] = "\xef\xbf\xbd";

	(void)state;
	decodes("\\q", bad, "");
	decodes("\\u12", bad, "12");
	decodes("\\u12g4", bad, "12g4");
	decodes("\\ud83d", bad, "");
	decodes("\\ud83dx", bad, "x");
	decodes("\\ud83d\\u0041", bad, "\\u0041");
	decodes("\\ud83d\\ud83d", bad, "\\ud83d");
	decodes("\\ude00\\ud83d", bad, "\\ud83d");
	decodes("\\", "\\", "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_stop_is_found_at_every_place),
		cmocka_unit_test(
		    texts_are_passed_in_strides_as_they_are_in_steps),
		cmocka_unit_test(
		    a_string_ends_at_the_quote_that_no_backslash_escapes),
		cmocka_unit_test(every_sequence_is_judged_as_rfc_3629_has_it),
		cmocka_unit_test(
		    utf8_is_judged_alike_in_texts_of_every_length),
		cmocka_unit_test(escapes_are_decoded),
		cmocka_unit_test(
		    what_is_no_escape_decodes_to_the_replacement_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
