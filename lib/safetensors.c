#include <stdlib.h>
#include <string.h>

#include "jsonscan.h"
#include "le.h"
#include "safetensors.h"

/* What a whole number of JSON is good for everywhere. */
#define NUMBER_MAX ((int64_t)1 << 53)

/* The order in which tensors lie: larger elements first, so that each is
 * aligned without holes; then by name. */
static int
compare(const void *a, const void *b)
{
	const struct tensor *s = a, *t = b;
	size_t m = dtype_size(s->dtype), n = dtype_size(t->dtype);

	if (m != n)
		return m > n ? -1 : 1;
	return strcmp(s->name, t->name);
}

/* The bytes that T's shape and type need, or -1 where that is no size. */
static int
needed_bytes(const struct tensor *t, uint64_t *n)
{
	*n = dtype_size(t->dtype);
	for (unsigned i = 0; i < t->rank; i++) {
		if (t->shape[i] > 0 && *n > UINT64_MAX / t->shape[i])
			return -1;
		*n *= t->shape[i];
	}
	return *n > SIZE_MAX / 2 ? -1 : 0;
}

/* Append T's entry in the header; its data begin at FROM. */
static int
put_entry(struct buf *out, const struct tensor *t, uint64_t from,
    struct err *e)
{
	uint64_t n;

	if (t->rank < 1 || t->rank > 2 || needed_bytes(t, &n) < 0 ||
	    n != t->n_bytes)
		return err_set(e, ERR_SYSTEM,
		    "tensor %s: its shape does not fit its %zu bytes",
		    t->name, t->n_bytes);
	if (buf_putc(out, ',', e) < 0 ||
	    buf_put_json(out, t->name, strlen(t->name), e) < 0 ||
	    buf_puts(out, ":{\"dtype\":\"", e) < 0 ||
	    buf_puts(out, dtype_name(t->dtype), e) < 0 ||
	    buf_puts(out, "\",\"shape\":[", e) < 0 ||
	    buf_put_u64(out, t->shape[0], e) < 0)
		return -1;
	if (t->rank == 2 && (buf_putc(out, ',', e) < 0 ||
	    buf_put_u64(out, t->shape[1], e) < 0))
		return -1;
	if (buf_puts(out, "],\"data_offsets\":[", e) < 0 ||
	    buf_put_u64(out, from, e) < 0 || buf_putc(out, ',', e) < 0 ||
	    buf_put_u64(out, from + n, e) < 0)
		return -1;
	return buf_puts(out, "]}", e);
}

/* Append the header of sorted tensors: its length, itself, blanks. */
static int
put_header(struct buf *out, const struct tensor *t, size_t n,
    const char *record, size_t n_record, struct err *e)
{
	size_t was = out->n, size;
	uint64_t at = 0;

	if (buf_put(out, "\0\0\0\0\0\0\0\0", 8, e) < 0 ||
	    buf_puts(out, "{\"__metadata__\":{\"record\":", e) < 0 ||
	    buf_put_json(out, record, n_record, e) < 0 ||
	    buf_putc(out, '}', e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (put_entry(out, &t[i], at, e) < 0)
			return -1;
		at += t[i].n_bytes;
	}
	if (buf_putc(out, '}', e) < 0)
		return -1;
	while ((out->n - was) % 8 != 0)
		if (buf_putc(out, ' ', e) < 0)
			return -1;
	size = out->n - was - 8;
	if (size > SAFETENSORS_HEADER_MAX)
		return err_record(e, CODE_RECORD_TOO_LONG,
		    "the record's text takes %zu bytes beside its tensors, "
		    "more than the limit of 16 MiB", size);
	le_put64(out->p + was, size);
	return 0;
}

int
safetensors_write_header(struct tensor *t, size_t n, const char *record,
    size_t n_record, struct buf *out, struct err *e)
{
	size_t was = out->n;

	if (n > 1)
		qsort(t, n, sizeof *t, compare);
	if (put_header(out, t, n, record, n_record, e) == 0)
		return 0;
	out->n = was;
	return -1;
}

int
safetensors_write(struct tensor *t, size_t n, const char *record,
    size_t n_record, struct buf *out, struct err *e)
{
	size_t was = out->n, total = 0;

	if (safetensors_write_header(t, n, record, n_record, out, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		total += t[i].n_bytes;
	if (buf_reserve(out, total, e) < 0)
		goto undo;
	for (size_t i = 0; i < n; i++)
		if (buf_put(out, t[i].data, t[i].n_bytes, e) < 0)
			goto undo;
	return 0;
undo:
	out->n = was;
	return -1;
}

int
safetensors_is(const void *p, size_t n)
{
	return n >= 8 && ((const char *)p)[7] == '\0';
}

/* The fault WHAT of the tensor whose raw name is KEY. */
static int
wrong(struct jsonspan key, const char *what, struct err *e)
{
	char name[ERR_QUOTE_SIZE];

	return err_set(e, ERR_DAMAGED, "tensor %s: %s",
	    err_quote(name, sizeof name, key.p, key.n), what);
}

/* Copy the name KEY, a JSON string, to T. */
static int
read_name(struct tensor *t, struct jsonspan key, struct err *e)
{
	size_t n = key.n - 2;

	if (n == 0 || n >= sizeof t->name || memchr(key.p, '\\', key.n) != NULL)
		return wrong(key, "a name that is empty, escaped, or longer "
		    "than 63 bytes", e);
	memcpy(t->name, key.p + 1, n);
	t->name[n] = '\0';
	return 0;
}

/* Read T's type from V. */
static int
read_dtype(struct tensor *t, struct jsonspan key, struct jsonspan v,
    struct err *e)
{
	if (jsonscan_type(v) == JSON_STRING &&
	    dtype_find(v.p + 1, v.n - 2, &t->dtype))
		return 0;
	return wrong(key, "its dtype is none of F32, F16, BF16, I16, I32", e);
}

/* Read T's shape from V. */
static int
read_shape(struct tensor *t, struct jsonspan key, struct jsonspan v,
    struct err *e)
{
	struct jsonwalk w = jsonwalk_start(v);
	int64_t i;

	t->rank = 0;
	t->shape[0] = t->shape[1] = 0;
	if (jsonscan_type(v) != JSON_ARRAY)
		return wrong(key, "its shape is no array", e);
	while (jsonwalk_next(&w)) {
		if (t->rank == 2 ||
		    !jsonscan_int(w.value, 0, NUMBER_MAX, &i))
			return wrong(key, "its shape is not one or two whole "
			    "numbers", e);
		t->shape[t->rank++] = (uint64_t)i;
	}
	return t->rank > 0 ? 0 : wrong(key, "its shape is empty", e);
}

/*
 * Read T's place from V: it must begin AT bytes into the DATA of N bytes,
 * where the tensor before it ended, and be as long as its shape says.
 */
static int
read_place(struct tensor *t, struct jsonspan key, struct jsonspan v,
    const char *data, size_t n, size_t at, struct err *e)
{
	int64_t from, to;
	uint64_t need;

	if (jsonscan_type(v) != JSON_ARRAY || jsonscan_count(v) != 2 ||
	    !jsonscan_int(jsonscan_at(v, 0), 0, NUMBER_MAX, &from) ||
	    !jsonscan_int(jsonscan_at(v, 1), 0, NUMBER_MAX, &to))
		return wrong(key, "its data_offsets are not two whole "
		    "numbers", e);
	if ((uint64_t)from != at || from > to || (uint64_t)to > n)
		return wrong(key, "its data do not begin where those before "
		    "them end, or end beyond the image", e);
	if (needed_bytes(t, &need) < 0 || need != (uint64_t)(to - from))
		return wrong(key, "its data are not as long as its shape "
		    "says", e);
	t->data = data + at;
	t->n_bytes = (size_t)need;
	return 0;
}

/* Read the tensor KEY that V, its entry in the header, describes. */
static int
read_tensor(struct tensor *t, struct jsonspan key, struct jsonspan v,
    const char *data, size_t n, size_t at, struct err *e)
{
	if (jsonscan_type(v) != JSON_OBJECT || jsonscan_count(v) != 3)
		return wrong(key, "its entry is not dtype, shape and "
		    "data_offsets", e);
	if (read_name(t, key, e) < 0 ||
	    read_dtype(t, key, jsonscan_get(v, "dtype"), e) < 0 ||
	    read_shape(t, key, jsonscan_get(v, "shape"), e) < 0 ||
	    read_place(t, key, jsonscan_get(v, "data_offsets"), data, n, at,
	    e) < 0)
		return -1;
	return 0;
}

/* The header of the image of N bytes at P: one checked JSON object. */
static int
read_header(const char *p, size_t n, struct jsonspan *header, struct err *e)
{
	uint64_t size;

	if (n < 8)
		return err_set(e, ERR_DAMAGED,
		    "%zu bytes are no safetensors image", n);
	size = le_get64(p);
	if (size > SAFETENSORS_HEADER_MAX || size % 8 != 0 || size > n - 8)
		return err_set(e, ERR_DAMAGED, "a safetensors header of %llu "
		    "bytes in an image of %zu", (unsigned long long)size, n);
	if (size == 0 || p[8] != '{')
		return err_set(e, ERR_DAMAGED,
		    "the safetensors header is no JSON object");
	if (jsonscan_check(p + 8, (size_t)size, NULL, e) < 0) {
		if (e->kind == ERR_RECORD)
			e->kind = ERR_DAMAGED;
		return err_wrap(e, "safetensors header");
	}
	*header = jsonscan_value(p + 8, (size_t)size);
	return 0;
}

int
safetensors_read(const void *image, size_t n, struct tensor *t, size_t max,
    size_t *n_t, struct buf *record, struct err *e)
{
	const char *p = image, *data;
	struct jsonspan header = { NULL, 0 }, text = { NULL, 0 };
	struct jsonwalk w;
	size_t at = 0, size;

	*n_t = 0;
	if (read_header(p, n, &header, e) < 0)
		return -1;
	data = p + 8 + le_get64(p);
	size = n - (size_t)(data - p);
	w = jsonwalk_start(header);
	while (jsonwalk_next(&w)) {
		if (jsonscan_is(w.key, "__metadata__")) {
			text = jsonscan_get(w.value, "record");
			continue;
		}
		if (*n_t == max)
			return err_set(e, ERR_DAMAGED,
			    "more than %zu tensors in one record", max);
		if (read_tensor(&t[*n_t], w.key, w.value, data, size, at,
		    e) < 0)
			return -1;
		/* Other writers have another order among equals. */
		if (*n_t > 0 && dtype_size(t[*n_t - 1].dtype) <
		    dtype_size(t[*n_t].dtype))
			return wrong(w.key, "its elements are larger than "
			    "those of the tensor before it", e);
		at += t[(*n_t)++].n_bytes;
	}
	if (at != size)
		return err_set(e, ERR_DAMAGED, "%zu bytes of data in the "
		    "safetensors image belong to no tensor", size - at);
	if (jsonscan_type(text) != JSON_STRING)
		return err_set(e, ERR_DAMAGED,
		    "the safetensors image holds no __metadata__.record");
	return jsonscan_string(text, record, e);
}
