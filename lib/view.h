/*
 * view: a record as it lies in a data frame: its JSON and its tensors,
 * checked and looked at, not copied.
 *
 * What a view gives is good until it looks at another record, and while
 * the content stands.  One view serves one thread.
 */
#ifndef VIEW_H
#define VIEW_H

#include <stdbool.h>

#include "jsonscan.h"

struct content_record;
struct stream_lengths;
struct tensor;
struct view;

struct view *view_new(struct err *e) ERR_CHECK;
void view_free(struct view *v);		/* V may be NULL */

/* Look at R.  ERR_DAMAGED where it is no record. */
int view_open(struct view *v, const struct content_record *r, struct err *e)
    ERR_CHECK;

/* Its JSON: one object on one line. */
struct jsonspan view_json(const struct view *v);

/* Its tensors; the one called NAME, or NULL. */
const struct tensor *view_tensors(const struct view *v, size_t *n);
const struct tensor *view_tensor(const struct view *v, const char *name);

bool view_has_error(const struct view *v);

/* What a shard's lengths frame says of it, to ROW. */
int view_lengths(struct view *v, struct stream_lengths *row, struct err *e)
    ERR_CHECK;

#endif
