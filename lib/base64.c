#include <stdint.h>
#include <string.h>

#include "base64.h"
#include "buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz0123456789+/";

int
base64_encode(const void *p, size_t n, struct buf *out, struct err *e)
{
	const unsigned char *s = p;
	char *o;

	if (n > SIZE_MAX / 2)
		return err_memory(e);
	if (buf_reserve(out, (n + 2) / 3 * 4, e) < 0)
		return -1;
	o = out->p + out->n;
	for (size_t i = 0; i < n; i += 3) {
		uint32_t v = (uint32_t)s[i] << 16;

		v |= i + 1 < n ? (uint32_t)s[i + 1] << 8 : 0;
		v |= i + 2 < n ? s[i + 2] : 0;
		*o++ = digits[v >> 18];
		*o++ = digits[v >> 12 & 63];
		*o++ = i + 1 < n ? digits[v >> 6 & 63] : '=';
		*o++ = i + 2 < n ? digits[v & 63] : '=';
	}
	out->n = (size_t)(o - out->p);
	return 0;
}

/* The value of the digit C, or -1. */
static int
value(char c)
{
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)(at - digits);
}

/* Character AT, from 0, is not what base64 has there. */
static int
no_base64(size_t at, struct err *e)
{
	return err_record(e, CODE_WRONG_TYPE, "no base64 at character %zu",
	    at + 1);
}

int
base64_decode(const char *s, size_t n, struct buf *out, struct err *e)
{
	size_t pad = 0, was = out->n;

	while (pad < 2 && pad < n && s[n - 1 - pad] == '=')
		pad++;
	if (n % 4 != 0)
		return no_base64(n, e);
	if (buf_reserve(out, n / 4 * 3, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i += 4) {
		uint32_t v = 0;

		for (size_t k = i; k < i + 4; k++) {
			int d = k >= n - pad ? 0 : value(s[k]);

			if (d < 0) {
				out->n = was;
				return no_base64(k, e);
			}
			v = v << 6 | (uint32_t)d;
		}
		out->p[out->n++] = (char)(v >> 16);
		out->p[out->n++] = (char)(v >> 8);
		out->p[out->n++] = (char)v;
	}
	out->n -= pad;
	return 0;
}
