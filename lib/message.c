#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "message.h"
#include "record.h"

#define PIECE_MAX 128	/* err_quote never cuts so few bytes short */

/*
 * Append the N bytes at S, a text of ours with pieces of data in it that
 * are escaped already: so backslashes stay, and all else that a terminal
 * would act upon is escaped.
 */
static int
put_shown(struct buf *out, const char *s, size_t n, struct err *e)
{
	char quoted[ERR_QUOTE_MAX * 4];

	while (n > 0) {
		const char *slash = memchr(s, '\\', n);
		size_t k = slash == NULL ? n : (size_t)(slash - s);

		if (k == 0) {
			if (buf_putc(out, '\\', e) < 0)
				return -1;
			k = 1;
		} else {
			/* Whole characters: no continuation byte is first. */
			if (k > PIECE_MAX / 4) {
				k = PIECE_MAX / 4;
				while (k > PIECE_MAX / 4 - 4 &&
				    ((unsigned char)s[k] & 0xc0) == 0x80)
					k--;
			}
			if (buf_puts(out, err_quote(quoted, sizeof quoted, s,
			    k), e) < 0)
				return -1;
		}
		s += k;
		n -= k;
	}
	return 0;
}

/* Append the string V of a record as put_shown does. */
static int
put_string(struct buf *out, struct jsonspan v, struct err *e)
{
	struct buf b = { 0 };
	struct jsonspan text;
	int rc = -1;

	if (jsonscan_type(v) != JSON_STRING)
		return 0;
	if (jsonscan_text(v, &b, &text, e) == 0)
		rc = put_shown(out, text.p, text.n, e);
	buf_free(&b);
	return rc;
}

/* Append the name of a file, cut where it is long. */
static int
put_file(struct buf *out, struct jsonspan v, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	struct buf b = { 0 };
	struct jsonspan text;
	int rc = -1;

	if (jsonscan_text(v, &b, &text, e) == 0)
		rc = buf_puts(out, err_quote(quoted, sizeof quoted, text.p,
		    text.n), e);
	buf_free(&b);
	return rc;
}

int
message_place(struct buf *out, const struct record *r, bool *known,
    struct err *e)
{
	struct jsonspan at = record_get(r, RECORD_AT);
	struct jsonspan file = jsonscan_get(at, "file");
	int64_t n;

	*known = jsonscan_type(file) == JSON_STRING;
	if (!*known)
		return 0;
	if (put_file(out, file, e) < 0)
		return -1;
	if (jsonscan_int(jsonscan_get(at, "line"), 0, INT64_MAX, &n))
		return buf_printf(out, e, ":%lld", (long long)n);
	if (jsonscan_int(jsonscan_get(at, "offset"), 0, INT64_MAX, &n))
		return buf_printf(out, e, "@%lld", (long long)n);
	return 0;
}

int
message_record(struct buf *out, const char *program, const struct record *r,
    struct jsonspan fault, bool note, struct err *e)
{
	struct jsonspan hint = jsonscan_get(fault, "hint");
	bool known;

	if (message_place(out, r, &known, e) < 0 ||
	    (!known && buf_puts(out, program, e) < 0) ||
	    buf_puts(out, note ? ": note: " : ": error: ", e) < 0 ||
	    put_string(out, jsonscan_get(fault, "message"), e) < 0 ||
	    buf_puts(out, " [", e) < 0 ||
	    put_string(out, jsonscan_get(fault, "code"), e) < 0 ||
	    buf_puts(out, "]\n", e) < 0)
		return -1;
	if (jsonscan_type(hint) != JSON_STRING)
		return 0;
	if (buf_puts(out, "  hint: ", e) < 0 || put_string(out, hint, e) < 0)
		return -1;
	return buf_putc(out, '\n', e);
}

int
message_program(struct buf *out, const char *program, const char *rank,
    const struct err *fault, struct err *e)
{
	if (buf_printf(out, e, "%s: %s: ", program, rank) < 0 ||
	    put_shown(out, fault->text, strlen(fault->text), e) < 0 ||
	    buf_putc(out, '\n', e) < 0)
		return -1;
	if (fault->hint[0] == '\0')
		return 0;
	if (buf_puts(out, "  hint: ", e) < 0 ||
	    put_shown(out, fault->hint, strlen(fault->hint), e) < 0)
		return -1;
	return buf_putc(out, '\n', e);
}

void
message_print(const struct buf *b)
{
	size_t at = 0;

	while (at < b->n) {
		ssize_t n = write(STDERR_FILENO, b->p + at, b->n - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		at += (size_t)n;
	}
}
