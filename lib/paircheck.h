/*
 * paircheck: whether LLaMA-Factory would train on a pair as it is meant.
 *
 * What would stop it, make it drop the pair without a word, or train on what
 * nobody meant is the error; what it takes though it is doubtful is a note.
 * Messages name the data's own fields and numbers.
 */
#ifndef PAIRCHECK_H
#define PAIRCHECK_H

#include "err.h"

struct pair;

/*
 * Check P: roles, answers, tools, media, and the <audio> tags counted
 * against audios.  -1 with the first fault; doubts are put in P's notes.
 */
int paircheck_run(struct pair *p, struct err *e) ERR_CHECK;

#endif
