/* json-c has a tag json_type too: here it goes by another name. */
#define json_type json_c_type
#include <json-c/json.h>
#undef json_type
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"

struct json_doc {
	struct json_object *root;
	enum err_kind kind;
	char *name;
};

/* Write the fault E, at byte AT of the document at P, as one of KIND. */
static void
blame_text(const char *p, size_t at, const char *name, enum err_kind kind,
    struct err *e)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at; i++) {
		column++;
		if (p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	e->kind = kind;
	e->code = CODE_NONE;
	(void)err_wrap(e, "%s:%zu:%zu", name, line, column);
}

/* Where the N bytes at P, which are JSON, hold the escape \u0000; N if
 * nowhere. */
static size_t
find_nul(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != '\\')
			continue;
		if (n - i >= 6 && memcmp(p + i, "\\u0000", 6) == 0)
			return i;
		i++;
	}
	return n;
}

/* The tree of the N bytes at P, which have been checked. */
static struct json_object *
parse(const char *p, size_t n, struct err *e)
{
	struct json_tokener *t = json_tokener_new_ex(JSONSCAN_DEPTH_MAX + 1);
	struct json_object *root;

	if (t == NULL || n > INT32_MAX - 1) {
		if (t != NULL)	/* which json-c does not ask */
			json_tokener_free(t);
		(void)err_memory(e);
		return NULL;
	}
	json_tokener_set_flags(t, JSON_TOKENER_STRICT);
	root = json_tokener_parse_ex(t, p, (int)n);
	/* A number goes on until something else is seen. */
	if (json_tokener_get_error(t) == json_tokener_continue)
		root = json_tokener_parse_ex(t, "\n", 1);
	if (json_tokener_get_error(t) != json_tokener_success) {
		(void)err_set(e, ERR_MEMORY, "json-c: %s",
		    json_tokener_error_desc(json_tokener_get_error(t)));
		json_object_put(root);
		root = NULL;
	} else if (root == NULL) {
		/* Null, where the document is null. */
		(void)err_memory(e);
	}
	json_tokener_free(t);
	return root;
}

struct json_doc *
json_doc_new(const char *p, size_t n, const char *name, enum err_kind kind,
    struct err *e)
{
	struct jsonscan_fault fault = { CODE_NONE, 0 };
	struct json_doc *d;
	size_t nul;

	if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
		p += 3;
		n -= 3;
	}
	if (jsonscan_check(p, n, &fault, e) < 0) {
		if (e->kind == ERR_RECORD)
			blame_text(p, fault.at, name, kind, e);
		return NULL;
	}
	nul = find_nul(p, n);
	if (nul < n) {
		(void)err_set(e, kind, "\\u0000 in a string or key");
		blame_text(p, nul, name, kind, e);
		return NULL;
	}
	d = calloc(1, sizeof *d);
	if (d == NULL || (d->name = strdup(name)) == NULL) {
		free(d);
		(void)err_memory(e);
		return NULL;
	}
	d->kind = kind;
	d->root = parse(p, n, e);
	/* json-c's null is NULL, which needs no tree. */
	if (d->root == NULL && jsonscan_type(jsonscan_value(p, n)) !=
	    JSON_NULL) {
		json_doc_free(d);
		return NULL;
	}
	return d;
}

void
json_doc_free(struct json_doc *d)
{
	if (d == NULL)
		return;
	json_object_put(d->root);
	free(d->name);
	free(d);
}

struct json
json_root(const struct json_doc *d)
{
	return (struct json){ d, d->root };
}

enum json_type
json_typeof(struct json v)
{
	if (v.doc == NULL)
		return JSON_NONE;
	switch (json_object_get_type(v.node)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_double: case json_type_int:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	default:
		return JSON_NULL;
	}
}

struct json
json_get(struct json object, const char *key)
{
	struct json_object *v;

	if (json_typeof(object) != JSON_OBJECT ||
	    !json_object_object_get_ex(object.node, key, &v))
		return (struct json){ 0 };
	return (struct json){ object.doc, v };
}

struct json
json_at(struct json array, size_t i)
{
	if (json_typeof(array) != JSON_ARRAY || i >= json_count(array))
		return (struct json){ 0 };
	return (struct json){ array.doc,
	    json_object_array_get_idx(array.node, i) };
}

size_t
json_count(struct json v)
{
	switch (json_typeof(v)) {
	case JSON_ARRAY:
		return json_object_array_length(v.node);
	case JSON_OBJECT:
		return (size_t)json_object_object_length(v.node);
	default:
		return 0;
	}
}

const char *
json_text(struct json v)
{
	return json_typeof(v) == JSON_STRING ?
	    json_object_get_string(v.node) : NULL;
}

/* What V is, for a message, by way of OUT where it is a number.  (json-c's
 * own text of a number would be written into the shared tree.) */
static const char *
describe(struct json v, char out[40])
{
	int64_t i;

	if (json_object_is_type(v.node, json_type_int)) {
		i = json_object_get_int64(v.node);
		if (i == INT64_MIN || i == INT64_MAX)
			return "beyond 64 bits";
		(void)snprintf(out, 40, "%lld", (long long)i);
		return out;
	}
	if (json_object_is_type(v.node, json_type_double)) {
		(void)snprintf(out, 40, "%g", json_object_get_double(v.node));
		return out;
	}
	return jsonscan_type_name(json_typeof(v));
}

/* The member KEY of OBJECT is V, which is not WHAT. */
static int
wrong(struct json object, const char *key, struct json v, const char *what,
    struct err *e)
{
	char out[40];

	return err_set(e, object.doc->kind, "%s: \"%s\" is %s, not %s",
	    object.doc->name, key, describe(v, out), what);
}

/* 1 where OBJECT has KEY, as V; 0 where it has none, or null. */
static int
member(struct json object, const char *key, struct json *v)
{
	*v = json_get(object, key);
	return json_typeof(*v) > JSON_NULL;
}

int
json_get_string(struct json object, const char *key, const char **out,
    struct err *e)
{
	struct json v;

	if (!member(object, key, &v))
		return 0;
	if (json_text(v) == NULL)
		return wrong(object, key, v, "a string", e);
	*out = json_text(v);
	return 1;
}

int
json_get_int(struct json object, const char *key, int64_t min, int64_t max,
    int64_t *out, struct err *e)
{
	struct json v;
	int64_t i;

	if (!member(object, key, &v))
		return 0;
	if (!json_object_is_type(v.node, json_type_int))
		return wrong(object, key, v, "a whole number", e);
	/* json-c gives the nearest int64_t for what is beyond. */
	i = json_object_get_int64(v.node);
	if (i < min || i > max || i == INT64_MIN || i == INT64_MAX) {
		char what[80];

		(void)snprintf(what, sizeof what,
		    "a whole number from %lld to %lld", (long long)min,
		    (long long)max);
		return wrong(object, key, v, what, e);
	}
	*out = i;
	return 1;
}

int
json_get_real(struct json object, const char *key, double min, double max,
    double *out, struct err *e)
{
	struct json v;
	double x;

	if (!member(object, key, &v))
		return 0;
	if (json_typeof(v) != JSON_NUMBER)
		return wrong(object, key, v, "a number", e);
	x = json_object_get_double(v.node);
	if (!isfinite(x) || x < min || x > max) {
		char what[80];

		(void)snprintf(what, sizeof what, "a number from %g to %g",
		    min, max);
		return wrong(object, key, v, what, e);
	}
	*out = x;
	return 1;
}

int
json_get_bool(struct json object, const char *key, bool *out, struct err *e)
{
	struct json v;

	if (!member(object, key, &v))
		return 0;
	if (json_typeof(v) != JSON_BOOL)
		return wrong(object, key, v, "true or false", e);
	*out = json_object_get_boolean(v.node);
	return 1;
}

int
json_get_object(struct json object, const char *key, struct json *out,
    struct err *e)
{
	struct json v;

	if (!member(object, key, &v))
		return 0;
	if (json_typeof(v) != JSON_OBJECT)
		return wrong(object, key, v, "an object", e);
	*out = v;
	return 1;
}

struct json_walk
json_walk_start(struct json object)
{
	struct json_walk w = { .value = { object.doc, NULL } };
	const struct lh_table *t;

	if (json_typeof(object) != JSON_OBJECT)
		return w;
	t = json_object_get_object(object.node);
	w.entry = t->head;
	return w;
}

bool
json_walk_next(struct json_walk *w)
{
	const struct lh_entry *entry = w->entry;

	if (entry == NULL)
		return false;
	w->key = entry->k;
	w->value.node = (void *)(uintptr_t)entry->v;
	w->entry = entry->next;
	return true;
}

const char *
json_library_version(void)
{
	return json_c_version();
}
