/*
 * oggpage: the pages of an Ogg file (RFC 3533), whatever they carry.
 */
#ifndef OGGPAGE_H
#define OGGPAGE_H

#include <stdint.h>

#include "err.h"

struct filebuf;

/*
 * Walk the pages from AT on.  -1 with ERR_RECORD audio-truncated where the
 * last page is cut, or a stream begins that has no last page.
 */
int oggpage_check(struct filebuf *b, uint64_t at, struct err *e) ERR_CHECK;

#endif
