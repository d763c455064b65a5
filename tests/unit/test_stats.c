#include <string.h>

#include "buf.h"
#include "stats.h"
#include "unit.h"

/* What the file PATH holds for S, as a string. */
static struct buf
text_of(const struct stats *s, const char *path)
{
	struct buf b = { 0 };
	struct err e = { 0 };

	assert_int_equal(stats_put(s, path, &b, &e), 0);
	assert_int_equal(buf_putc(&b, '\0', &e), 0);
	return b;
}

static const struct stats half_way = {
	.program = "tokpack", .state = "running", .records = 1000000000001,
	.errors = 2, .rejected = 3, .bytes_read = 1 << 20,
	.bytes_total = 9007199254740991, .bytes_written = 12345678901,
	.seconds = 12.3456, .records_per_second = 81.04, .eta_seconds = 12.36,
};

static void
json_is_one_object_on_a_line(void **state)
{
	struct stats s = half_way;
	struct buf b = text_of(&s, "st.json");

	(void)state;
	assert_string_equal(b.p, "{\"program\":\"tokpack\",\"state\":"
	    "\"running\",\"records\":1000000000001,\"errors\":2,"
	    "\"rejected\":3,\"bytes_read\":1048576,"
	    "\"bytes_total\":9007199254740991,\"bytes_written\":12345678901,"
	    "\"seconds\":12.346,\"records_per_second\":81.0,"
	    "\"eta_seconds\":12.4}\n");
	buf_free(&b);
	s.eta_seconds = -1;
	b = text_of(&s, "st.json");
	assert_non_null(strstr(b.p, ",\"eta_seconds\":null}\n"));
	buf_free(&b);
}

#define FAMILY(name, type, help) "# HELP ossicle_" name " " help "\n" \
	"# TYPE ossicle_" name " " type "\n"
#define ONE(name, type, help, value) FAMILY(name, type, help) \
	"ossicle_" name "{program=\"tokpack\",run=\"st\"} " value "\n"
#define STATE(name, value) "ossicle_state{program=\"tokpack\",run=\"st\"," \
	"state=\"" name "\"} " value "\n"

static void
prometheus_gets_each_number_as_a_family(void **state)
{
	struct buf b = text_of(&half_way, "/var/lib/st.prom");

	(void)state;
	assert_string_equal(b.p,
	    FAMILY("state", "gauge",
	    "1 for the state of the run, 0 for the others.")
	    STATE("running", "1") STATE("done", "0") STATE("failed", "0")
	    ONE("records_total", "counter", "Records that are through.",
	    "1000000000001")
	    ONE("errors_total", "counter",
	    "Records that went on with an error.", "2")
	    ONE("rejected_total", "counter", "Records taken out by -r.", "3")
	    ONE("read_bytes_total", "counter",
	    "Bytes of the input read so far.", "1048576")
	    ONE("input_bytes", "gauge", "Bytes of the input in all.",
	    "9007199254740991")
	    ONE("written_bytes_total", "counter", "Bytes written so far.",
	    "12345678901")
	    ONE("elapsed_seconds", "gauge", "Seconds since the start.",
	    "12.346")
	    ONE("records_per_second", "gauge",
	    "Records a second since the start.", "81.0")
	    ONE("eta_seconds", "gauge", "Seconds to go, at the rate so far.",
	    "12.4"));
	buf_free(&b);
}

/* A family without a sample, or with a made-up one, would be a lie. */
static void
prometheus_does_not_hear_of_what_is_not_known(void **state)
{
	struct stats s = half_way;
	struct buf b;

	(void)state;
	s.bytes_total = 0;
	s.eta_seconds = -1;
	s.records = 0;
	s.records_per_second = 0;
	b = text_of(&s, "st.prom");
	assert_null(strstr(b.p, "input_bytes"));
	assert_null(strstr(b.p, "eta_seconds"));
	assert_non_null(strstr(b.p, "ossicle_records_total{"
	    "program=\"tokpack\",run=\"st\"} 0\n"));
	assert_non_null(strstr(b.p, "ossicle_records_per_second{"
	    "program=\"tokpack\",run=\"st\"} 0.0\n"));
	buf_free(&b);
}

static void
one_state_holds_at_a_time(void **state)
{
	static const char *const names[] = { "running", "done", "failed" };
	struct stats s = half_way;

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct buf b;
		char *p;

		s.state = names[i];
		b = text_of(&s, "st.prom");
		for (int k = 0; k < 3; k++) {
			p = strstr(b.p, names[k]);
			assert_non_null(p);
			p = strchr(p, '}');
			assert_non_null(p);
			assert_int_equal(p[2], i == k ? '1' : '0');
		}
		buf_free(&b);
	}
}

/* The three bytes that the format escapes, and what is no UTF-8, for which
 * the collector would refuse the file whole. */
static void
a_files_name_is_a_label_whatever_it_is(void **state)
{
	static const struct {
		const char *path, *label;
	} names[] = {
		{ "a.prom", "\"a\"" },
		{ "x.prom/a.b.prom", "\"a.b\"" },
		{ "/a/.prom", "\"\"" },
		{ "a.prom.prom", "\"a.prom\"" },
		{ "a\"b\\c.prom", "\"a\\\"b\\\\\\\\c\"" },
		{ "a\nb.prom", "\"a\\\\nb\"" },
		{ "a\x7f\xff.prom", "\"a\\\\x7f\\\\xff\"" },
		{ "gr\xc3\xb6\xc3\x9f" "e.prom", "\"gr\xc3\xb6\xc3\x9f" "e\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf b = text_of(&half_way, names[i].path);
		const char *p = strstr(b.p, ",run=");

		assert_non_null(p);
		p += strlen(",run=");
		assert_memory_equal(p, names[i].label, strlen(names[i].label));
		assert_true(p[strlen(names[i].label)] == ',');
		buf_free(&b);
	}
}

static void
the_end_of_the_name_decides(void **state)
{
	static const char *const json[] = { "", "prom", "a.PROM", "a.prom.x",
		"a.prom/b", "a.prom " };

	(void)state;
	for (size_t i = 0; i < sizeof json / sizeof *json; i++) {
		struct buf b = text_of(&half_way, json[i]);

		assert_true(b.p[0] == '{');
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_one_object_on_a_line),
		cmocka_unit_test(prometheus_gets_each_number_as_a_family),
		cmocka_unit_test(
		    prometheus_does_not_hear_of_what_is_not_known),
		cmocka_unit_test(one_state_holds_at_a_time),
		cmocka_unit_test(a_files_name_is_a_label_whatever_it_is),
		cmocka_unit_test(the_end_of_the_name_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
