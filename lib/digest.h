/*
 * digest: SHA-256, as provenance names a file's content.
 *
 * Hexadecimal, lower case, ended by a NUL.  Cannot fail.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>

#define DIGEST_HEX_SIZE 65

/* The SHA-256 of the N bytes at P, in HEX. */
void digest_sha256(const void *p, size_t n, char hex[DIGEST_HEX_SIZE]);

/* The version of the library that computes it: "3.8". */
const char *digest_library(void);

#endif
