/*
 * jsontext: the bytes of JSON strings, many at a time.
 *
 * The loops that see every byte of the input are here: vectors of 16 bytes
 * where the compiler's target has SSE2, words of 8 elsewhere, with the same
 * results.  Nothing allocates, fails, or reads outside of what it is given.
 */
#ifndef JSONTEXT_H
#define JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* What JSON calls whitespace. */
static inline bool
jsontext_is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* The first byte from P on, before END, that a JSON string may not hold as
 * it is: a quote, a backslash, or a control character.  END if none. */
const char *jsontext_plain(const char *p, const char *end);

/* The first byte from P on, before END, that is neither plain nor in an escape
 * of two bytes: a quote, a control character, or a backslash that begins \u
 * or no escape.  END if none.  ESCAPED becomes true where escapes are passed,
 * and is left as it is where none are. */
const char *jsontext_simple(const char *p, const char *end, bool *escaped);

/* The first quote or backslash from P on, before END; END if none. */
const char *jsontext_quote(const char *p, const char *end);

/* Copy what is before the first quote or backslash from P on, before END, to
 * OUT, which has room for all up to END: how many bytes. */
size_t jsontext_copy(char *out, const char *p, const char *end);

/*
 * The quote that closes the string whose content starts at P, or END where
 * none does: escapes are stepped over, whatever they are.
 */
const char *jsontext_string_end(const char *p, const char *end);

/* The byte behind the string that starts at P, its quote; END where it does
 * not end. */
static inline const char *
jsontext_behind_string(const char *p, const char *end)
{
	p = jsontext_string_end(p + 1, end);
	return p < end ? p + 1 : end;
}

/* How many of the N bytes at P, from the first on, are whole UTF-8
 * characters (RFC 3629: no surrogates, nothing overlong): N if all are. */
size_t jsontext_utf8(const char *p, size_t n);

/* The value of the escape \uXXXX at P, before END; -1 where none is. */
int jsontext_unit(const char *p, const char *end);

/*
 * Decode what stands at *P, before END, inside a string: one byte as it is,
 * or an escape as the UTF-8 that it means (a surrogate pair is one).  *P is
 * moved behind it.  Returns the count of bytes put in OUT, 1 to 4.  What is
 * no escape (a lone surrogate, \q, \u12) gives U+FFFD.
 */
size_t jsontext_decode(const char **p, const char *end, char out[4]);

#endif
