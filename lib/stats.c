#include <stdbool.h>
#include <string.h>

#include "buf.h"
#include "stats.h"

#define SUFFIX ".prom"

static bool
ends_in(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static int
put_json(const struct stats *s, struct buf *out, struct err *e)
{
	if (buf_printf(out, e, "{\"program\":\"%s\",\"state\":\"%s\","
	    "\"records\":%llu,\"errors\":%llu,\"rejected\":%llu,"
	    "\"bytes_read\":%llu,\"bytes_total\":%llu,\"bytes_written\":%llu,"
	    "\"seconds\":%.3f,\"records_per_second\":%.1f,\"eta_seconds\":",
	    s->program, s->state, (unsigned long long)s->records,
	    (unsigned long long)s->errors, (unsigned long long)s->rejected,
	    (unsigned long long)s->bytes_read,
	    (unsigned long long)s->bytes_total,
	    (unsigned long long)s->bytes_written, s->seconds,
	    s->records_per_second) < 0)
		return -1;
	return s->eta_seconds < 0 ? buf_puts(out, "null}\n", e) :
	    buf_printf(out, e, "%.1f}\n", s->eta_seconds);
}

/* Append the labels of all series: the program, and PATH's own name. */
static int
put_labels(const struct stats *s, const char *path, struct buf *out,
    struct err *e)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash == NULL ? path : slash + 1;
	char run[ERR_QUOTE_SIZE];

	/* What is quoted has nothing left that JSON escapes otherwise than
	 * Prometheus does: neither control characters nor bad UTF-8. */
	(void)err_quote(run, sizeof run, name, strlen(name) - strlen(SUFFIX));
	if (buf_printf(out, e, "program=\"%s\",run=", s->program) < 0 ||
	    buf_put_json(out, run, strlen(run), e) < 0)
		return -1;
	return buf_putc(out, '\0', e);
}

/* Append what begins the family NAME. */
static int
put_family(const char *name, const char *help, struct buf *out, struct err *e)
{
	return buf_printf(out, e, "# HELP ossicle_%s %s\n"
	    "# TYPE ossicle_%s %s\n", name, help, name,
	    ends_in(name, "_total") ? "counter" : "gauge");
}

/* Append the families of one series each; what is not known has none. */
static int
put_values(const struct stats *s, const char *labels, struct buf *out,
    struct err *e)
{
	const struct {
		const char *name, *help;
		double value;		/* less than 0: not known */
		int digits;
	} values[] = {
		{ "records_total", "Records that are through.",
		    (double)s->records, 0 },
		{ "errors_total", "Records that went on with an error.",
		    (double)s->errors, 0 },
		{ "rejected_total", "Records taken out by -r.",
		    (double)s->rejected, 0 },
		{ "read_bytes_total", "Bytes of the input read so far.",
		    (double)s->bytes_read, 0 },
		{ "input_bytes", "Bytes of the input in all.",
		    s->bytes_total == 0 ? -1 : (double)s->bytes_total, 0 },
		{ "written_bytes_total", "Bytes written so far.",
		    (double)s->bytes_written, 0 },
		{ "elapsed_seconds", "Seconds since the start.",
		    s->seconds, 3 },
		{ "records_per_second", "Records a second since the start.",
		    s->records_per_second, 1 },
		{ "eta_seconds", "Seconds to go, at the rate so far.",
		    s->eta_seconds, 1 },
	};

	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (values[i].value >= 0 && (put_family(values[i].name,
		    values[i].help, out, e) < 0 || buf_printf(out, e,
		    "ossicle_%s{%s} %.*f\n", values[i].name, labels,
		    values[i].digits, values[i].value) < 0))
			return -1;
	return 0;
}

/* Append the state as Prometheus has one of several: each a series, 1 where
 * it holds. */
static int
put_state(const struct stats *s, const char *labels, struct buf *out,
    struct err *e)
{
	static const char *const states[] = { "running", "done", "failed" };

	if (put_family("state",
	    "1 for the state of the run, 0 for the others.", out, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (buf_printf(out, e, "ossicle_state{%s,state=\"%s\"} %d\n",
		    labels, states[i], strcmp(s->state, states[i]) == 0) < 0)
			return -1;
	return 0;
}

int
stats_put(const struct stats *s, const char *path, struct buf *out,
    struct err *e)
{
	struct buf labels = { 0 };
	int rc = -1;

	if (!ends_in(path, SUFFIX))
		return put_json(s, out, e);
	if (put_labels(s, path, &labels, e) == 0 &&
	    put_state(s, labels.p, out, e) == 0)
		rc = put_values(s, labels.p, out, e);
	buf_free(&labels);
	return rc;
}
