/*
 * safetensors: one record's tensors as a file image of that format.
 *
 * https://github.com/huggingface/safetensors "Format": u64 header length,
 * the header (a JSON object, padded with blanks to a multiple of 8), the
 * data.  Ossicle keeps the record's JSON under __metadata__.record, orders
 * tensors by descending element size and then name (other writers have
 * another order among equal sizes: it is read too), leaves no holes, and
 * takes a header of at most 16 MiB.  Shapes have one or two dimensions.
 */
#ifndef SAFETENSORS_H
#define SAFETENSORS_H

#include <stdint.h>

#include "buf.h"
#include "dtype.h"

#define SAFETENSORS_HEADER_MAX (16u << 20)
#define SAFETENSORS_NAME_MAX 64

struct tensor {
	char name[SAFETENSORS_NAME_MAX];
	enum dtype dtype;
	unsigned rank;		/* 1 or 2 */
	uint64_t shape[2];
	const void *data;	/* little-endian, row-major */
	size_t n_bytes;
};

/*
 * Append to OUT the image of N tensors at T (sorted here, in place) with
 * RECORD's N_RECORD bytes of JSON; or what stands in it before the tensors'
 * data, which follow in the order that T then has.  ERR_RECORD
 * record-too-long where the header would exceed its limit.
 */
int safetensors_write(struct tensor *t, size_t n, const char *record,
    size_t n_record, struct buf *out, struct err *e) ERR_CHECK;
int safetensors_write_header(struct tensor *t, size_t n, const char *record,
    size_t n_record, struct buf *out, struct err *e) ERR_CHECK;

/*
 * Whether the N bytes at P are a safetensors image rather than JSON Lines:
 * byte 7 is NUL.
 */
int safetensors_is(const void *p, size_t n);

/*
 * Read an image: at most MAX tensors to T, their count to N_T, data pointing
 * into P; the record's JSON appended to RECORD.  ERR_DAMAGED where anything
 * is amiss: lengths, holes, overlaps, order, types, shapes.
 */
int safetensors_read(const void *p, size_t n, struct tensor *t, size_t max,
    size_t *n_t, struct buf *record, struct err *e) ERR_CHECK;

#endif
