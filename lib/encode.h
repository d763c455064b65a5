/*
 * encode: a pair to token ids, as LLaMA-Factory's template encodes it.
 *
 * Each slot of the template is tokenised by itself; each <audio> tag in a
 * turn becomes the begin and end tokens of an audio with as many audio
 * tokens between as the audio has.  An encoder is constant once made, and
 * threads may share it; the work is a thread's own.
 */
#ifndef ENCODE_H
#define ENCODE_H

#include <stdbool.h>
#include <stdint.h>

#include "bpe.h"
#include "buf.h"

struct model_tokens;
struct pair;
struct template;

struct encoder {
	const struct template *template;
	const struct bpe *bpe;
	const struct model_tokens *tokens;
	const char *default_system;
	bool named_tools;	/* --tool-format was given */
	bool direct;		/* ids of audio need no text: encode_open */
	int32_t first_added;	/* no added token has a lower id */
};

struct encode_work {
	struct bpe_cache *cache;
	struct bpe_ids prompt, chosen, rejected;

	/* Not for callers. */
	struct buf text, content, other;
	const uint32_t *lengths;
	size_t n_lengths, next;
};

/*
 * Make X of TEMPLATE and the tokenizer B with the audio TOKENS, which must
 * stand while X does.  DEFAULT_SYSTEM is the template's where it is NULL.
 * ERR_MODEL where the tokenizer lacks a token that the template spells.
 */
int encode_open(struct encoder *x, const struct template *template,
    const struct bpe *b, const struct model_tokens *tokens,
    const char *default_system, bool named_tools, struct err *e) ERR_CHECK;

/* Make W ready for one thread's use of X.  Free it with encode_free. */
int encode_begin(struct encode_work *w, const struct encoder *x,
    struct err *e) ERR_CHECK;
void encode_free(struct encode_work *w);

/*
 * Encode P, whose N audios have LENGTHS tokens, to the ids in W.  ERR_RECORD
 * where P cannot be encoded: audio-count, bad-tools, or control-token where
 * its text spells an audio token.
 */
int encode_pair(const struct encoder *x, struct encode_work *w,
    const struct pair *p, const uint32_t *lengths, size_t n, struct err *e)
    ERR_CHECK;

/* How many of the N ids at IDS are of audio: begin, end, and between. */
size_t encode_count_audio(const struct encoder *x, const int32_t *ids,
    size_t n);

/*
 * An added token in W's ids that is neither the template's nor one of those
 * that dpo-pair looks for: its id, or -1.
 */
int32_t encode_find_added(const struct encoder *x,
    const struct encode_work *w);

#endif
