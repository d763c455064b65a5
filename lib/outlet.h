/*
 * outlet: where a program's function puts the records it is done with.
 *
 * What is put comes out in the order of the input, whatever thread puts it:
 * an outlet belongs to one task (a frame of the input, or one record of it)
 * and gathers that task's records; the stage hands it to the writer when
 * its turn has come.  Records without tensors of one input frame share an
 * output frame; one with tensors stands alone.  Errored records are told
 * about, counted, and with -r taken out here: a program's function knows
 * nothing of that.
 */
#ifndef OUTLET_H
#define OUTLET_H

#include "err.h"

struct outlet;
struct record;

/* Put R, whose memory is the caller's again on return. */
int outlet_put(struct outlet *o, struct record *r, struct err *e) ERR_CHECK;

#endif
