#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "truncated.h"

int
truncated_say(struct err *e, const char *fmt, ...)
{
	char text[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	(void)err_record(e, CODE_AUDIO_TRUNCATED, "%s", text);
	return err_hint(e, "copy the file again");
}

int
truncated_short_of(uint64_t announced, uint64_t left, struct err *e)
{
	return truncated_say(e, "the header announces %" PRIu64 " bytes of "
	    "audio, but the file ends after %" PRIu64, announced, left);
}

int
truncated_header(struct err *e)
{
	return truncated_say(e, "the file ends inside of its header");
}

/*
 * All ones, all but the sign, or, in four bytes, nearly 2 GiB: SoX and
 * espeak-ng write 0x7ffff000, arecord 0x80000000, SoX for AIFF 0x7f000000,
 * each and some bytes of header.
 */
bool
truncated_unknown(uint64_t size, unsigned n)
{
	uint64_t ones = n == 8 ? UINT64_MAX : UINT32_MAX;

	return size >= ones - 64 || size == ones / 2 ||
	    (n == 4 && ((size >= 0x7ffff000 && size <= 0x80000000) ||
	    (size >= 0x7f000000 && size <= 0x7f000040)));
}
