/*
 * completion: what a shell must know to complete a program's options, from
 * the same tables that parse them.
 */
#ifndef COMPLETION_H
#define COMPLETION_H

#include <stdio.h>

#include "err.h"

struct opt_table;

/*
 * Write to OUT the script with which SHELL (bash, zsh or fish) completes the
 * options in N tables for the program NAME.
 */
int completion_write(const struct opt_table *tables, size_t n,
    const char *name, const char *shell, FILE *out, struct err *e) ERR_CHECK;

#endif
