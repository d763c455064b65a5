#include <string.h>

#include "buf.h"
#include "endmark.h"
#include "frame.h"
#include "jsonscan.h"

#define DIGEST_DIGITS 16

/* What a whole number of JSON is good for everywhere. */
#define NUMBER_MAX ((int64_t)1 << 53)

int
endmark_frame(const struct endmark *m, struct buf *out, struct err *e)
{
	struct buf json = { 0 };
	int rc = -1;

	if (buf_printf(&json, e, "{\"frames\":%llu,\"records\":%llu,"
	    "\"errors\":%llu,\"rejected\":%llu,\"table\":%s,"
	    "\"digest\":\"%016llx\"}", (unsigned long long)m->frames,
	    (unsigned long long)m->records, (unsigned long long)m->errors,
	    (unsigned long long)m->rejected, m->table ? "true" : "false",
	    (unsigned long long)m->digest) == 0)
		rc = frame_skippable(FRAME_MAGIC_END, json.p, json.n, out, e);
	buf_free(&json);
	return rc;
}

/* The member KEY of the end marker V, which must be a count. */
static int
parse_count(struct jsonspan v, const char *key, uint64_t *count,
    struct err *e)
{
	int64_t i;

	if (!jsonscan_int(jsonscan_get(v, key), 0, NUMBER_MAX, &i))
		return err_set(e, ERR_DAMAGED,
		    "the end marker's \"%s\" is no count", key);
	*count = (uint64_t)i;
	return 0;
}

/* The digest: a string V of sixteen hex digits. */
static int
parse_digest(struct jsonspan v, uint64_t *digest, struct err *e)
{
	static const char hex[] = "0123456789abcdef";

	*digest = 0;
	if (jsonscan_type(v) != JSON_STRING || v.n != DIGEST_DIGITS + 2)
		goto bad;
	for (size_t i = 1; i <= DIGEST_DIGITS; i++) {
		const char *digit = memchr(hex, v.p[i], sizeof hex - 1);

		if (digit == NULL)
			goto bad;
		*digest = *digest << 4 | (uint64_t)(digit - hex);
	}
	return 0;
bad:
	return err_set(e, ERR_DAMAGED,
	    "the end marker's \"digest\" is not sixteen hex digits");
}

int
endmark_parse(const char *body, size_t n, struct endmark *m, struct err *e)
{
	struct jsonspan v;

	if (jsonscan_check(body, n, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_DAMAGED;
		return err_wrap(e, "end marker");
	}
	v = jsonscan_value(body, n);
	if (jsonscan_type(v) != JSON_OBJECT)
		return err_set(e, ERR_DAMAGED, "an end marker that is %s",
		    jsonscan_type_name(jsonscan_type(v)));
	if (parse_count(v, "frames", &m->frames, e) < 0 ||
	    parse_count(v, "records", &m->records, e) < 0 ||
	    parse_count(v, "errors", &m->errors, e) < 0 ||
	    parse_count(v, "rejected", &m->rejected, e) < 0 ||
	    parse_digest(jsonscan_get(v, "digest"), &m->digest, e) < 0)
		return -1;
	if (!jsonscan_bool(jsonscan_get(v, "table"), &m->table))
		return err_set(e, ERR_DAMAGED,
		    "the end marker's \"table\" is not true or false");
	return 0;
}
