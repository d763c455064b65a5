/*
 * option: one table of options gives a program its parser, its --help, its
 * shell completion (completion.h) and the ranges of its numbers.
 *
 * A table is constant: an option says where in the program's own struct its
 * value goes (OPT takes the type from the member).  Long options are
 * getopt_long's; a letter means the same in every program.
 */
#ifndef OPTION_H
#define OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "err.h"

enum opt_type {
	OPT_FLAG,	/* bool: present or not */
	OPT_UINT,	/* uint64_t: a whole number; K, M, G, KiB, MiB, GiB */
	OPT_INT,	/* int */
	OPT_REAL,	/* double: finite, or "inf" where the range allows */
	OPT_TEXT,	/* const char *: the argument itself */
	OPT_LIST,	/* struct opt_list: may be given again and again */
	OPT_PARSED	/* parsed by the option's own function */
};

/* Arguments of an option that may be repeated, in order. */
struct opt_list {
	const char **v;
	size_t n;
};

struct opt {
	const char *name;	/* long name; NULL ends a table */
	char letter;		/* or 0 */
	const char *arg;	/* what --help calls the argument; NULL: none */
	enum opt_type type;
	size_t at;		/* offset of the value in the struct */
	double min, max;	/* of a number */
	const char *choices;	/* "a|b|c": the only texts allowed; or NULL */
	int (*parse)(void *value, const char *arg, struct err *e);
	const char *help;
};

#define OPT_TYPE(s, m) _Generic(((s *)0)->m, \
	bool: OPT_FLAG, uint64_t: OPT_UINT, int: OPT_INT, double: OPT_REAL, \
	const char *: OPT_TEXT, struct opt_list: OPT_LIST)

/* OPT(struct, member, "name", 'l' or 0, "ARG" or NULL, min, max, "help") */
#define OPT(s, m, nm, l, a, lo, hi, h) \
	{ .name = (nm), .letter = (l), .arg = (a), .type = OPT_TYPE(s, m), \
	  .at = offsetof(s, m), .min = (lo), .max = (hi), .help = (h) }
#define OPT_CHOICE(s, m, nm, l, ch, h) \
	{ .name = (nm), .letter = (l), .arg = (ch), .type = OPT_TEXT, \
	  .at = offsetof(s, m), .choices = (ch), .help = (h) }
#define OPT_FN(s, m, nm, l, a, fn, h) \
	{ .name = (nm), .letter = (l), .arg = (a), .type = OPT_PARSED, \
	  .at = offsetof(s, m), .parse = (fn), .help = (h) }
#define OPT_END { .name = NULL }

/* A table and the struct that it fills. */
struct opt_table {
	const struct opt *opts;
	void *self;
};

/*
 * Parse ARGV by N tables.  *FIRST is the index of the first operand.  A
 * wrong option is ERR_USAGE, one line.
 */
int option_parse(const struct opt_table *tables, size_t n, int argc,
    char *argv[], int *first, struct err *e) ERR_CHECK;

/* --help: "usage: NAME OPERANDS", ABOUT, the options, to OUT. */
void option_help(const struct opt_table *tables, size_t n, const char *name,
    const char *operands, const char *about, FILE *out);

/* Parse a number whole, within its range, or refuse it. */
int option_uint(const char *arg, double min, double max, uint64_t *v,
    struct err *e) ERR_CHECK;
int option_real(const char *arg, double min, double max, double *v,
    struct err *e) ERR_CHECK;

void option_list_free(struct opt_list *l);

#endif
