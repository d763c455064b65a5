/*
 * json: small documents (dataset_info.json, preprocessor_config.json) as
 * trees, by json-c.
 *
 * The text is checked by jsonscan_check first, since json-c lets NaN,
 * duplicate keys and deep nesting through, and cuts keys at a NUL: \u0000
 * is refused.  Records, and all that must stay as it was to the byte, go
 * through jsonscan.
 *
 * A struct json is a value in a document, passed by copy and good while the
 * document stands; { 0 } is none, and what is asked of none is none.
 * Faults are of the kind given to json_doc_new, with the document's name in
 * their text.  Threads may share a document.
 */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "jsonscan.h"

struct json_doc;

struct json {
	const struct json_doc *doc;
	void *node;		/* json-c's: not for callers */
};

/*
 * Parse the N bytes at P, a byte order mark before them allowed.  NAME, the
 * file, is for messages and is copied.  NULL on failure, with an E of KIND
 * (ERR_MODEL, ERR_USAGE) that says where.
 */
struct json_doc *json_doc_new(const char *p, size_t n, const char *name,
    enum err_kind kind, struct err *e) ERR_CHECK;
void json_doc_free(struct json_doc *d);		/* D may be NULL */

/* The whole document. */
struct json json_root(const struct json_doc *d);

/* JSON_NONE for none. */
enum json_type json_typeof(struct json v);

/* OBJECT's member KEY; ARRAY's element I, from 0; or none. */
struct json json_get(struct json object, const char *key);
struct json json_at(struct json array, size_t i);

/* The members of an object, or elements of an array; else 0. */
size_t json_count(struct json v);

/* V's text, which belongs to the document; NULL where V is no string. */
const char *json_text(struct json v);

/*
 * OBJECT's member KEY, of one type.  1 and the value; 0 where it is absent
 * or null, *OUT left alone; -1 where it is of another type, or no number
 * from MIN to MAX.  An int is written without fraction and exponent.
 */
int json_get_string(struct json object, const char *key, const char **out,
    struct err *e) ERR_CHECK;
int json_get_int(struct json object, const char *key, int64_t min,
    int64_t max, int64_t *out, struct err *e) ERR_CHECK;
int json_get_real(struct json object, const char *key, double min, double max,
    double *out, struct err *e) ERR_CHECK;
int json_get_bool(struct json object, const char *key, bool *out,
    struct err *e) ERR_CHECK;
int json_get_object(struct json object, const char *key, struct json *out,
    struct err *e) ERR_CHECK;

/*
 * Walk an object's members in the order of the text:
 *	struct json_walk w = json_walk_start(v);
 *	while (json_walk_next(&w))
 *		... w.key, w.value ...
 */
struct json_walk {
	const char *key;
	struct json value;
	const void *entry;	/* the next one: not for callers */
};

struct json_walk json_walk_start(struct json object);
bool json_walk_next(struct json_walk *w);

/* "0.16": the version of json-c in use. */
const char *json_library_version(void);

#endif
