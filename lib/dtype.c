#include <string.h>

#include "dtype.h"

static const struct {
	const char *name;
	size_t size;
} rows[] = {
	[DTYPE_F32] = { "F32", 4 },
	[DTYPE_F16] = { "F16", 2 },
	[DTYPE_BF16] = { "BF16", 2 },
	[DTYPE_I16] = { "I16", 2 },
	[DTYPE_I32] = { "I32", 4 },
};

size_t
dtype_size(enum dtype t)
{
	return rows[t].size;
}

const char *
dtype_name(enum dtype t)
{
	return rows[t].name;
}

bool
dtype_find(const char *name, size_t n, enum dtype *t)
{
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (strlen(rows[i].name) == n &&
		    memcmp(rows[i].name, name, n) == 0) {
			*t = (enum dtype)i;
			return true;
		}
	return false;
}
