/*
 * dtype: the types of a tensor's elements.
 */
#ifndef DTYPE_H
#define DTYPE_H

#include <stdbool.h>
#include <stddef.h>

enum dtype { DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_I16, DTYPE_I32 };

/* Bytes of an element. */
size_t dtype_size(enum dtype t);

/* What safetensors calls it: "F32", "BF16", ... */
const char *dtype_name(enum dtype t);

/* The type whose name is the N bytes at NAME, to T; false if there is none. */
bool dtype_find(const char *name, size_t n, enum dtype *t);

#endif
