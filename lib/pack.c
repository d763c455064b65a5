#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "cutcheck.h"
#include "pack.h"

#define IGNORE_INDEX (-100)	/* a label that is not learned */

int
pack_begin(struct pack_work *w, const struct encoder *x, struct err *e)
{
	*w = (struct pack_work){ 0 };
	return encode_begin(&w->encode, x, e);
}

void
pack_free(struct pack_work *w)
{
	pair_free(&w->pair);
	encode_free(&w->encode);
}

/* A record that lacks FIELD, which PROGRAM adds, ends the run. */
static int
lacks(const char *field, const char *program, struct err *e)
{
	(void)err_set(e, ERR_DAMAGED, "a record has no %s", field);
	return err_hint(e, "run %s before tokpack", program);
}

/* The tokens of each audio, from the facts that audio-check wrote. */
static int
read_lengths(struct pack_work *w, const struct record *r, struct err *e)
{
	struct jsonspan facts = record_get(r, RECORD_AUDIO);
	size_t n = pair_audios(&w->pair);

	w->n_lengths = 0;
	if (n == 0)
		return 0;
	if (facts.p == NULL)
		return lacks("audio facts, though it has audios",
		    "audio-check", e);
	for (struct jsonwalk k = jsonwalk_start(facts); jsonwalk_next(&k); ) {
		int64_t tokens;

		if (!jsonscan_int(jsonscan_get(k.value, "tokens"), 0,
		    INT32_MAX, &tokens))
			return lacks("audio[].tokens", "audio-check", e);
		if (w->n_lengths == RECORD_AUDIOS_MAX)
			break;
		w->lengths[w->n_lengths++] = (uint32_t)tokens;
	}
	if (w->n_lengths == n)
		return 0;
	(void)err_set(e, ERR_DAMAGED, "a record has %zu audios, but audio "
	    "facts of %zu", n, w->n_lengths);
	return err_hint(e, "run audio-check before tokpack");
}

/* Note what is doubtful: a cut, or a special token in the text. */
static int
put_notes(const struct encoder *x, const struct encode_work *w,
    uint64_t limit, const struct cutoff *keep, struct record *r,
    struct err *e)
{
	int32_t id = encode_find_added(x, w);
	struct buf token = { 0 };
	struct err note = { 0 };
	char text[128], quoted[80];
	int rc;

	if (cutcheck_note(w, limit, keep, &note) &&
	    record_note(r, "tokpack", CODE_CUTOFF, note.text, note.hint,
	    e) < 0)
		return -1;
	if (id < 0)
		return 0;
	rc = bpe_decode(x->bpe, &id, 1, &token, e);
	if (rc == 0) {
		(void)snprintf(text, sizeof text, "the text holds %s",
		    err_quote(quoted, sizeof quoted, token.p, token.n));
		rc = record_note(r, "tokpack", CODE_CONTROL_TOKEN, text, "the "
		    "tokenizer makes the special token of it: take it out of "
		    "the text, unless it is meant", e);
	}
	buf_free(&token);
	return rc;
}

/* Join the ids of the prompt and of ANSWER to R, and their labels. */
static int
put_ids(struct record *r, const char *ids_name, const char *labels_name,
    const struct bpe_ids *prompt, const struct bpe_ids *answer,
    const struct cutoff *keep, struct err *e)
{
	size_t m = keep->source;
	size_t n = answer->n < keep->target ? answer->n : keep->target;
	int32_t *ids, *labels;

	ids = record_put_tensor(r, ids_name, DTYPE_I32, 1, m + n, 0, e);
	if (ids == NULL)
		return -1;
	memcpy(ids, prompt->p, m * sizeof *ids);
	memcpy(ids + m, answer->p, n * sizeof *ids);
	labels = record_put_tensor(r, labels_name, DTYPE_I32, 1, m + n, 0, e);
	if (labels == NULL)
		return -1;
	for (size_t i = 0; i < m; i++)
		labels[i] = IGNORE_INDEX;
	memcpy(labels + m, answer->p, n * sizeof *labels);
	return 0;
}

int
pack_record(const struct encoder *x, uint64_t limit, struct pack_work *w,
    struct record *r, struct err *e)
{
	const struct encode_work *ids = &w->encode;
	struct cutoff keep;

	if (record_get(r, RECORD_MESSAGES).p == NULL)
		return lacks("messages", "dpo-pair", e);
	if (pair_read(&w->pair, r, e) < 0 || read_lengths(w, r, e) < 0 ||
	    encode_pair(x, &w->encode, &w->pair, w->lengths, w->n_lengths,
	    e) < 0 || cutcheck_run(x, ids, limit, &keep, e) < 0 ||
	    put_notes(x, ids, limit, &keep, r, e) < 0 ||
	    put_ids(r, "chosen_input_ids", "chosen_labels", &ids->prompt,
	    &ids->chosen, &keep, e) < 0)
		return -1;
	return put_ids(r, "rejected_input_ids", "rejected_labels",
	    &ids->prompt, &ids->rejected, &keep, e);
}
