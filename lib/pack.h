/*
 * pack: the token ids and labels of a record's pair, joined to the record.
 *
 * The tensors are chosen_input_ids, chosen_labels, rejected_input_ids and
 * rejected_labels, as LLaMA-Factory has them: cut off, the prompt's labels
 * ignored.  The work is a thread's own; what can fail returns -1 and fills in
 * E.
 */
#ifndef PACK_H
#define PACK_H

#include "encode.h"
#include "pair.h"
#include "record.h"

struct pack_work {
	struct pair pair;
	struct encode_work encode;
	uint32_t lengths[RECORD_AUDIOS_MAX];	/* tokens of each audio */
	size_t n_lengths;
};

/* Make W ready for one thread's use of X.  Free it with pack_free. */
int pack_begin(struct pack_work *w, const struct encoder *x, struct err *e)
    ERR_CHECK;
void pack_free(struct pack_work *w);

/*
 * Join to R, in which dpo-pair's and audio-check's fields are (ERR_DAMAGED
 * where they are not), its ids, of which LIMIT are kept; and notes of what is
 * doubtful: a cut, a special token in the text.  ERR_RECORD where the pair
 * cannot be used.
 */
int pack_record(const struct encoder *x, uint64_t limit, struct pack_work *w,
    struct record *r, struct err *e) ERR_CHECK;

#endif
