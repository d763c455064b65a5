#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"
#include "file.h"
#include "option.h"
#include "reject.h"

#define WRITE_SIZE 65536

struct reject {
	struct file_new *file;
	struct buf pending;
};

struct reject *
reject_open(const char *path, struct err *e)
{
	struct reject *r = calloc(1, sizeof *r);

	if (r == NULL) {
		(void)err_memory(e);
		return NULL;
	}
	r->file = file_new_open(path, e);
	if (r->file == NULL) {
		(void)err_wrap(e, "the rejects file");
		free(r);
		return NULL;
	}
	return r;
}

/* Write what is pending. */
static int
flush(struct reject *r, struct err *e)
{
	if (file_write(file_new_fd(r->file), r->pending.p, r->pending.n,
	    e) < 0)
		return err_wrap(e, "the rejects file");
	buf_clear(&r->pending);
	return 0;
}

int
reject_write(struct reject *r, const void *p, size_t n, struct err *e)
{
	if (buf_put(&r->pending, p, n, e) < 0)
		return -1;
	return r->pending.n < WRITE_SIZE ? 0 : flush(r, e);
}

int
reject_publish(struct reject *r, struct err *e)
{
	int rc;

	if (flush(r, e) < 0) {
		reject_discard(r);
		return -1;
	}
	rc = file_new_publish(r->file, e);
	buf_free(&r->pending);
	free(r);
	return rc < 0 ? err_wrap(e, "the rejects file") : 0;
}

void
reject_discard(struct reject *r)
{
	if (r == NULL)
		return;
	file_new_discard(r->file);
	buf_free(&r->pending);
	free(r);
}

int
reject_parse_limit(void *value, const char *arg, struct err *e)
{
	struct reject_limit *l = value;
	size_t n = strlen(arg);
	char number[32];

	l->given = true;
	l->percent = n > 0 && arg[n - 1] == '%';
	if (!l->percent)
		return option_uint(arg, 0, 1e18, &l->count, e);
	if (n > sizeof number - 1)
		return err_set(e, ERR_USAGE, "a percentage is too long");
	memcpy(number, arg, n - 1);
	number[n - 1] = '\0';
	return option_real(number, 0, 100, &l->share, e);
}

int
reject_judge(const struct reject_limit *l, uint64_t rejected,
    uint64_t records, struct err *e)
{
	char allowed[64];

	if (!l->given) {
		if (rejected <= 10 || rejected * 20 <= records)
			return 0;
		(void)snprintf(allowed, sizeof allowed, "5%%, or 10, whichever is "
		    "more");
	} else if (l->percent) {
		if ((double)rejected * 100 <= l->share * (double)records)
			return 0;
		(void)snprintf(allowed, sizeof allowed, "%g%%", l->share);
	} else {
		if (rejected <= l->count)
			return 0;
		(void)snprintf(allowed, sizeof allowed, "%llu",
		    (unsigned long long)l->count);
	}
	(void)err_set(e, ERR_REJECTS, "%llu of %llu records were rejected; "
	    "--max-rejects allows %s", (unsigned long long)rejected,
	    (unsigned long long)records, allowed);
	return err_hint(e, "see what is wrong with them in the rejects, and "
	    "mend it; --max-rejects 100%% lets all through");
}
