/*
 * jsonscan: JSON as it stands in memory, walked without a tree.
 *
 * A jsonspan (jsonwalk.h, where its members are walked) is a value's own
 * bytes inside somebody's text; nothing here allocates but what appends to a
 * buf, and nothing recurses.  Text from outside goes through jsonscan_check
 * first; the functions below it expect text that has passed (they never
 * leave the span, whatever it holds).  Threads may share text.
 */
#ifndef JSONSCAN_H
#define JSONSCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "jsonwalk.h"

struct buf;

enum json_type {
	JSON_NONE,		/* no value: the span is empty */
	JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT
};

#define JSONSCAN_DEPTH_MAX 512

/* What jsonscan_check found, and at which byte of the text. */
struct jsonscan_fault {
	enum code code;	/* bad-json, bad-utf8, duplicate-key or too-deep */
	size_t at;
};

/*
 * Check that the N bytes at P are one JSON value with at most whitespace
 * around it: RFC 8259 to the letter, UTF-8 (RFC 3629) without lone
 * surrogates (\ud800 escapes included), no object with two equal keys (as
 * they read once unescaped), nested no deeper than JSONSCAN_DEPTH_MAX.
 * On -1, E is an ERR_RECORD whose text says what is wrong, and FAULT (may be
 * NULL) where; ERR_MEMORY is possible.
 */
int jsonscan_check(const char *p, size_t n, struct jsonscan_fault *fault,
    struct err *e) ERR_CHECK;

/* As jsonscan_check, but nested a few levels deeper: a record in a stream
 * holds a value that may be as deep as jsonscan_check allows. */
int jsonscan_check_record(const char *p, size_t n,
    struct jsonscan_fault *fault, struct err *e) ERR_CHECK;

/* As jsonscan_check, but NaN, Infinity, -Infinity and duplicate keys pass,
 * as they pass Python's json.loads. */
int jsonscan_check_python(const char *p, size_t n,
    struct jsonscan_fault *fault, struct err *e) ERR_CHECK;

/* The value in the N bytes at P, whitespace around it left out. */
struct jsonspan jsonscan_value(const char *p, size_t n);

enum json_type jsonscan_type(struct jsonspan v);

/* What a person calls the type: "a string", "an object", "nothing". */
const char *jsonscan_type_name(enum json_type t);

/* The members of an object, or elements of an array. */
size_t jsonscan_count(struct jsonspan v);

/* The value of OBJECT's member KEY (plain text); the last where there are
 * several, as Python has it; none where there is none. */
struct jsonspan jsonscan_get(struct jsonspan object, const char *key);

/* The INDEX-th element of ARRAY, from 0, or none. */
struct jsonspan jsonscan_at(struct jsonspan array, size_t index);

/* Whether the string V, unescaped, is the text TEXT. */
bool jsonscan_is(struct jsonspan v, const char *text);

/* Append the string V to OUT as UTF-8, unescaped. */
int jsonscan_string(struct jsonspan v, struct buf *out, struct err *e)
    ERR_CHECK;

/* As jsonscan_string, without a copy where V holds no escape: the bytes
 * are in V itself or appended to OUT.  TEXT is good while both stand. */
int jsonscan_text(struct jsonspan v, struct buf *out, struct jsonspan *text,
    struct err *e) ERR_CHECK;

/* Whether V is a whole number from MIN to MAX, and which. */
bool jsonscan_int(struct jsonspan v, int64_t min, int64_t max, int64_t *i);

/* Whether V is true or false, and which. */
bool jsonscan_bool(struct jsonspan v, bool *b);

/* Append V to OUT without the whitespace outside of strings. */
int jsonscan_minify(struct jsonspan v, struct buf *out, struct err *e)
    ERR_CHECK;

#endif
