#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "option.h"

#define OPTIONS_MAX 64
#define FIRST_LONG 256		/* val of an option without a letter */

/* The tables as getopt_long wants them, and the way back. */
struct parser {
	struct option longs[OPTIONS_MAX + 1];
	const struct opt *opts[OPTIONS_MAX];
	void *selves[OPTIONS_MAX];
	char shorts[2 * OPTIONS_MAX + 2];
	size_t n;
};

static void
add_option(struct parser *p, const struct opt *o, void *self)
{
	size_t k = strlen(p->shorts);

	p->opts[p->n] = o;
	p->selves[p->n] = self;
	p->longs[p->n] = (struct option){
		.name = o->name,
		.has_arg = o->arg != NULL ? required_argument : no_argument,
		.val = FIRST_LONG + (int)p->n,
	};
	p->n++;
	if (o->letter != 0) {
		p->shorts[k++] = o->letter;
		if (o->arg != NULL)
			p->shorts[k++] = ':';
		p->shorts[k] = '\0';
	}
}

static int
make_parser(struct parser *p, const struct opt_table *tables, size_t n,
    struct err *e)
{
	memset(p, 0, sizeof *p);
	p->shorts[0] = ':';	/* a missing argument is told apart */
	for (size_t t = 0; t < n; t++)
		for (const struct opt *o = tables[t].opts;
		    o != NULL && o->name != NULL; o++) {
			if (p->n == OPTIONS_MAX)
				return err_set(e, ERR_USAGE,
				    "more than %d options", OPTIONS_MAX);
			add_option(p, o, tables[t].self);
		}
	return 0;
}

/* The index of the option whose letter is C, or whose val it is. */
static size_t
find_option(const struct parser *p, int c)
{
	size_t i;

	if (c >= FIRST_LONG)
		return (size_t)(c - FIRST_LONG);
	for (i = 0; i < p->n; i++)
		if (p->opts[i]->letter == c)
			break;
	return i;
}

/* How many bytes the suffix S stands for, or 0. */
static double
suffix(const char *s)
{
	static const struct { const char *name; double n; } units[] = {
		{ "", 1 }, { "K", 1024 }, { "KiB", 1024 }, { "KB", 1000 },
		{ "M", 1048576 }, { "MiB", 1048576 }, { "MB", 1e6 },
		{ "G", 1073741824 }, { "GiB", 1073741824 }, { "GB", 1e9 },
	};

	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (strcmp(s, units[i].name) == 0)
			return units[i].n;
	return 0;
}

int
option_uint(const char *arg, double min, double max, uint64_t *v,
    struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	unsigned long long n = 0;
	double unit = 0, x = 0;
	char *end = NULL;

	errno = 0;
	if (isdigit((unsigned char)arg[0])) {
		n = strtoull(arg, &end, 10);
		unit = suffix(end);
	}
	if (unit == 0)
		return err_set(e, ERR_USAGE, "\"%s\" is not a whole number",
		    err_quote(quoted, sizeof quoted, arg, strlen(arg)));
	x = (double)n * unit;
	if (errno == ERANGE || x < min || x > max)
		return err_set(e, ERR_USAGE, "%s is not from %.15g to %.15g",
		    err_quote(quoted, sizeof quoted, arg, strlen(arg)), min,
		    max);
	*v = n * (uint64_t)unit;
	return 0;
}

int
option_real(const char *arg, double min, double max, double *v, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	char *end = NULL;
	double x;

	(void)err_quote(quoted, sizeof quoted, arg, strlen(arg));
	if (arg[0] == '\0' || isspace((unsigned char)arg[0]) ||
	    strpbrk(arg, "xX") != NULL)
		return err_set(e, ERR_USAGE, "\"%s\" is not a number", quoted);
	x = strtod(arg, &end);
	if (*end != '\0' || isnan(x))
		return err_set(e, ERR_USAGE, "\"%s\" is not a number", quoted);
	if (x < min || x > max)
		return err_set(e, ERR_USAGE, "%s is not from %g to %g", quoted,
		    min, max);
	*v = x;
	return 0;
}

/* Parse ARG as an int within the range of O. */
static int
parse_int(const struct opt *o, const char *arg, int *v, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	char *end = NULL;
	long n;

	(void)err_quote(quoted, sizeof quoted, arg, strlen(arg));
	errno = 0;
	n = strtol(arg, &end, 10);
	if (end == arg || *end != '\0' || isspace((unsigned char)arg[0]))
		return err_set(e, ERR_USAGE, "\"%s\" is not a whole number",
		    quoted);
	if (errno == ERANGE || (double)n < o->min || (double)n > o->max)
		return err_set(e, ERR_USAGE, "%s is not from %g to %g", quoted,
		    o->min, o->max);
	*v = (int)n;
	return 0;
}

/* Whether ARG is one of the choices "a|b|c". */
static bool
is_choice(const char *choices, const char *arg)
{
	size_t n = strlen(arg);

	if (strchr(arg, '|') != NULL)
		return false;
	for (const char *c = choices; c != NULL; c = strchr(c, '|')) {
		if (*c == '|')
			c++;
		if (strncmp(c, arg, n) == 0 && (c[n] == '|' || c[n] == '\0'))
			return n > 0;
	}
	return false;
}

static int
append(struct opt_list *l, const char *arg, struct err *e)
{
	const char **v = realloc(l->v, (l->n + 1) * sizeof *v);

	if (v == NULL)
		return err_memory(e);
	l->v = v;
	l->v[l->n++] = arg;
	return 0;
}

/* Put ARG where option O of the struct SELF has its value. */
static int
set_value(const struct opt *o, void *self, const char *arg, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	void *at = (char *)self + o->at;

	switch (o->type) {
	case OPT_FLAG:
		*(bool *)at = true;
		return 0;
	case OPT_UINT:
		return option_uint(arg, o->min, o->max, at, e);
	case OPT_INT:
		return parse_int(o, arg, at, e);
	case OPT_REAL:
		return option_real(arg, o->min, o->max, at, e);
	case OPT_TEXT:
		if (o->choices != NULL && !is_choice(o->choices, arg))
			return err_set(e, ERR_USAGE, "\"%s\" is none of %s",
			    err_quote(quoted, sizeof quoted, arg, strlen(arg)),
			    o->choices);
		*(const char **)at = arg;
		return 0;
	case OPT_LIST:
		return append(at, arg, e);
	case OPT_PARSED:
		return o->parse(at, arg, e);
	}
	return err_set(e, ERR_USAGE, "the option has no type");
}

/* What getopt_long has refused: C is its answer, WORD the argument. */
static int
refuse(const struct parser *p, int c, const char *word, struct err *e)
{
	char quoted[ERR_QUOTE_SIZE];
	char letter[3] = { '-', (char)optopt, '\0' };
	size_t i = find_option(p, optopt);

	if (word == NULL || strncmp(word, "--", 2) != 0)
		word = letter;
	(void)err_quote(quoted, sizeof quoted, word, strlen(word));
	if (c == ':')
		(void)err_set(e, ERR_USAGE, "option %s needs an argument",
		    quoted);
	else if (optopt != 0 && i < p->n && p->opts[i]->arg == NULL)
		(void)err_set(e, ERR_USAGE, "option --%s takes no argument",
		    p->opts[i]->name);
	else
		(void)err_set(e, ERR_USAGE, "unknown option %s", quoted);
	return -1;
}

int
option_parse(const struct opt_table *tables, size_t n, int argc, char *argv[],
    int *first, struct err *e)
{
	struct parser p;
	int c;

	if (make_parser(&p, tables, n, e) < 0)
		return -1;
	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, p.shorts, p.longs, NULL)) != -1) {
		size_t i;

		if (c == '?' || c == ':')
			return refuse(&p, c, argv[optind - 1], e);
		i = find_option(&p, c);
		if (i >= p.n)
			return err_set(e, ERR_USAGE, "unknown option");
		if (set_value(p.opts[i], p.selves[i], optarg, e) < 0)
			return err_wrap(e, "--%s", p.opts[i]->name);
	}
	*first = optind;
	return 0;
}

/* One option's lines of --help: "  -o, --output FILE   what it does". */
static void
help_option(const struct opt *o, FILE *out)
{
	int n = fprintf(out, o->letter != 0 ? "  -%c, " : "      ", o->letter);

	n += fprintf(out, "--%s", o->name);
	if (o->arg != NULL)
		n += fprintf(out, " %s", o->arg);
	if (n > 27)
		n = fprintf(out, "\n") - 1;
	(void)fprintf(out, "%*s%s\n", 28 - n, "", o->help);
}

void
option_help(const struct opt_table *tables, size_t n, const char *name,
    const char *operands, const char *about, FILE *out)
{
	(void)fprintf(out, "usage: %s [OPTION]...%s%s\n%s\n\n", name,
	    operands != NULL ? " " : "", operands != NULL ? operands : "",
	    about);
	for (size_t t = 0; t < n; t++)
		for (const struct opt *o = tables[t].opts;
		    o != NULL && o->name != NULL; o++)
			if (o->help != NULL)
				help_option(o, out);
	(void)fprintf(out, "\nman %s tells more.\n", name);
}

void
option_list_free(struct opt_list *l)
{
	free(l->v);
	*l = (struct opt_list){ 0 };
}
