/*
 * spell: the tokens of a record back to text, for a person to look at.
 */
#ifndef SPELL_H
#define SPELL_H

#include <stdint.h>

#include "err.h"

struct bpe;
struct buf;
struct view;

/*
 * Append to OUT, as one JSON object, what the tokens of record NUMBER in V
 * say: {"record":N,"chosen":{"text":"...","labels":"..."},"rejected":...},
 * labels being what is trained on.  A byte that is no character becomes
 * U+FFFD.  ERR_MODEL where an id is not B's; ERR_DAMAGED where there are no
 * tokens.
 */
int spell_record(const struct bpe *b, uint64_t number, const struct view *v,
    struct buf *out, struct err *e) ERR_CHECK;

#endif
