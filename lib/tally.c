#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tally.h"

struct section {
	uint64_t records, errors;		/* found */
	uint64_t said_records, said_errors;	/* announced */
	bool ended;
};

struct tally {
	pthread_mutex_t mutex;
	uint64_t first;		/* the number of v[0] */
	size_t n, cap;
	struct section *v;
	bool astray;		/* more was found in a settled section ... */
	uint64_t where;		/* ... this one */
};

struct tally *
tally_new(struct err *e)
{
	struct tally *t = calloc(1, sizeof *t);

	if (t == NULL || pthread_mutex_init(&t->mutex, NULL) != 0) {
		free(t);
		(void)err_memory(e);
		return NULL;
	}
	return t;
}

void
tally_free(struct tally *t)
{
	if (t == NULL)
		return;
	(void)pthread_mutex_destroy(&t->mutex);
	free(t->v);
	free(t);
}

static bool
is_settled(const struct section *s)
{
	return s->ended && s->records == s->said_records &&
	    s->errors == s->said_errors;
}

/* Forget the settled sections at the front of T, once they are half of what
 * it holds: so each is moved about once. */
static void
forget(struct tally *t)
{
	size_t i = 0;

	while (i < t->n && is_settled(&t->v[i]))
		i++;
	if (i == 0 || i < t->n / 2)
		return;
	memmove(t->v, t->v + i, (t->n - i) * sizeof *t->v);
	t->n -= i;
	t->first += i;
}

int
tally_begin(struct tally *t, struct err *e)
{
	int rc = 0;

	(void)pthread_mutex_lock(&t->mutex);
	if (t->n == t->cap) {
		size_t cap = t->cap < 8 ? 8 : t->cap * 2;
		struct section *v = realloc(t->v, cap * sizeof *v);

		if (v == NULL)
			rc = err_memory(e);
		else {
			t->v = v;
			t->cap = cap;
		}
	}
	if (rc == 0)
		t->v[t->n++] = (struct section){ 0 };
	(void)pthread_mutex_unlock(&t->mutex);
	return rc;
}

void
tally_end(struct tally *t, uint64_t records, uint64_t errors)
{
	struct section *s;

	(void)pthread_mutex_lock(&t->mutex);
	s = &t->v[t->n - 1];
	s->said_records = records;
	s->said_errors = errors;
	s->ended = true;
	forget(t);
	(void)pthread_mutex_unlock(&t->mutex);
}

void
tally_found(struct tally *t, uint64_t section, uint64_t records,
    uint64_t errors)
{
	(void)pthread_mutex_lock(&t->mutex);
	if (section >= t->first && section - t->first < t->n) {
		struct section *s = &t->v[section - t->first];

		s->records += records;
		s->errors += errors;
		forget(t);
	} else if ((records > 0 || errors > 0) && !t->astray) {
		t->astray = true;
		t->where = section;
	}
	(void)pthread_mutex_unlock(&t->mutex);
}

int
tally_settle(struct tally *t, struct err *e)
{
	int rc = 0;

	(void)pthread_mutex_lock(&t->mutex);
	if (t->astray)
		rc = err_set(e, ERR_DAMAGED, "section %llu holds more records "
		    "than its end marker says",
		    (unsigned long long)t->where);
	for (size_t i = 0; rc == 0 && i < t->n; i++) {
		const struct section *s = &t->v[i];

		if (is_settled(s))
			continue;
		rc = err_set(e, ERR_DAMAGED, "section %llu: the end marker "
		    "says %llu records, %llu with an error; it holds %llu, "
		    "%llu", (unsigned long long)(t->first + i),
		    (unsigned long long)s->said_records,
		    (unsigned long long)s->said_errors,
		    (unsigned long long)s->records,
		    (unsigned long long)s->errors);
	}
	(void)pthread_mutex_unlock(&t->mutex);
	return rc;
}
