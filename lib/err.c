#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

/* Fill in E with all but a hint. */
static void
fill(struct err *e, enum err_kind kind, enum code code, const char *fmt,
    va_list ap)
{
	e->kind = kind;
	e->code = code;
	e->hint[0] = '\0';
	(void)vsnprintf(e->text, sizeof e->text, fmt, ap);
}

int
err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, kind, CODE_NONE, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_record(struct err *e, enum code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fill(e, ERR_RECORD, code, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_errno(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	size_t n;
	va_list ap;

	va_start(ap, fmt);
	fill(e, saved == ENOMEM ? ERR_MEMORY : ERR_SYSTEM, CODE_NONE, fmt, ap);
	va_end(ap);
	n = strlen(e->text);
	(void)snprintf(e->text + n, sizeof e->text - n, ": %s",
	    strerror(saved));
	return -1;
}

int
err_memory(struct err *e)
{
	return err_set(e, ERR_MEMORY, "out of memory");
}

int
err_hint(struct err *e, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->hint, sizeof e->hint, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_wrap(struct err *e, const char *fmt, ...)
{
	char where[ERR_TEXT_MAX];
	size_t n, keep;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(where, sizeof where - 2, fmt, ap);
	va_end(ap);
	(void)strcat(where, ": ");
	n = strlen(where);
	keep = strlen(e->text);
	if (keep > sizeof e->text - 1 - n)
		keep = sizeof e->text - 1 - n;
	memmove(e->text + n, e->text, keep);
	e->text[n + keep] = '\0';
	memcpy(e->text, where, n);
	return -1;
}

/*
 * The length of the UTF-8 sequence that begins the N bytes at S, or 0 where
 * they begin with none (RFC 3629).
 */
static size_t
sequence(const unsigned char *s, size_t n)
{
	size_t len;

	if (s[0] < 0x80)
		return 1;
	len = s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 :
	    s[0] < 0xf5 ? 4 : 0;
	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

/*
 * Whether a sequence may be shown as it is: no control character (C0, DEL,
 * C1), none of those that turn the direction of text or break lines.
 */
static bool
printable(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] >= 0x20 && s[0] != 0x7f && s[0] != '\\';
	if (len == 2)
		return !(s[0] == 0xc2 && s[1] < 0xa0) &&
		    !(s[0] == 0xd8 && s[1] == 0x9c);
	if (len == 3 && s[0] == 0xe2)
		return !(s[1] == 0x80 && (s[2] == 0x8e || s[2] == 0x8f ||
		    (s[2] >= 0xa8 && s[2] <= 0xae))) &&
		    !(s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9);
	return true;
}

const char *
err_quote(char *out, size_t size, const char *str, size_t n)
{
	const unsigned char *s = (const unsigned char *)str;
	size_t max = size - 4, o = 0, i = 0;

	if (max > ERR_QUOTE_MAX)
		max = ERR_QUOTE_MAX;
	while (i < n) {
		char piece[8];
		size_t len = sequence(s + i, n - i), m;

		if (len > 0 && printable(s + i, len)) {
			memcpy(piece, s + i, len);
			m = len;
		} else {
			const char *name = s[i] == '\n' ? "\\n" :
			    s[i] == '\r' ? "\\r" : s[i] == '\t' ? "\\t" :
			    s[i] == '\\' ? "\\\\" : NULL;

			len = 1;
			m = (size_t)(name != NULL ?
			    snprintf(piece, sizeof piece, "%s", name) :
			    snprintf(piece, sizeof piece, "\\x%02x", s[i]));
		}
		if (o + m > max) {
			memcpy(out + o, "...", 3);
			o += 3;
			break;
		}
		memcpy(out + o, piece, m);
		o += m;
		i += len;
	}
	out[o] = '\0';
	return out;
}
