#include <string.h>

#include "completion.h"
#include "option.h"

#define OPTIONS_MAX 64

/* Whether the argument ARG is the name of a file, or of a folder. */
static bool
is_path(const char *arg)
{
	return strstr(arg, "FILE") != NULL || strstr(arg, "DIR") != NULL ||
	    strstr(arg, "MODEL") != NULL;
}

/* Write the choices "a|b|c" with SEP between them. */
static void
put_choices(const char *choices, char sep, FILE *out)
{
	for (const char *c = choices; *c != '\0'; c++)
		(void)fputc(*c == '|' ? sep : *c, out);
}

/* Write NAME as part of a shell function's name. */
static void
put_function(const char *name, FILE *out)
{
	(void)fputs("_ossicle_", out);
	for (const char *c = name; *c != '\0'; c++)
		(void)fputc(*c == '-' ? '_' : *c, out);
}

/* The words that bash offers as the argument of option O. */
static void
bash_argument(const struct opt *o, FILE *out)
{
	(void)fprintf(out, "\t--%s", o->name);
	if (o->letter != 0)
		(void)fprintf(out, "|-%c", o->letter);
	(void)fputs(")\n\t\t", out);
	if (o->choices != NULL) {
		(void)fputs("COMPREPLY=($(compgen -W \"", out);
		put_choices(o->choices, ' ', out);
		(void)fputs("\" -- \"$cur\"))", out);
	} else
		(void)fputs(is_path(o->arg) ?
		    "COMPREPLY=($(compgen -f -- \"$cur\"))" : ":", out);
	(void)fputs("\n\t\treturn ;;\n", out);
}

static void
complete_bash(const struct opt *const *opts, const char *name, FILE *out)
{
	(void)fprintf(out, "# bash completion for %s\n", name);
	put_function(name, out);
	(void)fputs("()\n{\n\tlocal cur=${COMP_WORDS[COMP_CWORD]}\n"
	    "\tlocal prev=${COMP_WORDS[COMP_CWORD-1]}\n\tCOMPREPLY=()\n"
	    "\tcase $prev in\n", out);
	for (size_t i = 0; opts[i] != NULL; i++)
		if (opts[i]->arg != NULL)
			bash_argument(opts[i], out);
	(void)fputs("\tesac\n\tcase $cur in\n\t-*)\n"
	    "\t\tCOMPREPLY=($(compgen -W \"", out);
	for (size_t i = 0; opts[i] != NULL; i++)
		(void)fprintf(out, "--%s ", opts[i]->name);
	(void)fputs("\" -- \"$cur\")) ;;\n\t*)\n"
	    "\t\tCOMPREPLY=($(compgen -f -- \"$cur\")) ;;\n\tesac\n}\n"
	    "complete -o filenames -F ", out);
	put_function(name, out);
	(void)fprintf(out, " %s\n", name);
}

/* One form of option O for zsh: -x or --long, its help and argument. */
static void
zsh_option(const struct opt *o, bool is_long, FILE *out)
{
	if (is_long)
		(void)fprintf(out, "\t'--%s%s[", o->name,
		    o->arg != NULL ? "=" : "");
	else
		(void)fprintf(out, "\t'-%c[", o->letter);
	for (const char *c = o->help; *c != '\0'; c++)
		if (*c == '\'')
			(void)fputs("'\\''", out);
		else if (*c == '[' || *c == ']')
			(void)fprintf(out, "\\%c", *c);
		else
			(void)fputc(*c, out);
	(void)fputc(']', out);
	if (o->choices != NULL) {
		(void)fputs(": :(", out);
		put_choices(o->choices, ' ', out);
		(void)fputc(')', out);
	} else if (o->arg != NULL)
		(void)fprintf(out, ":%s:%s", o->arg,
		    is_path(o->arg) ? "_files" : " ");
	(void)fputs("' \\\n", out);
}

static void
complete_zsh(const struct opt *const *opts, const char *name, FILE *out)
{
	(void)fprintf(out, "#compdef %s\n_arguments -s \\\n", name);
	for (size_t i = 0; opts[i] != NULL; i++) {
		if (opts[i]->letter != 0)
			zsh_option(opts[i], false, out);
		zsh_option(opts[i], true, out);
	}
	(void)fputs("\t'*:file:_files'\n", out);
}

static void
complete_fish(const struct opt *const *opts, const char *name, FILE *out)
{
	for (; *opts != NULL; opts++) {
		const struct opt *o = *opts;

		(void)fprintf(out, "complete -c %s -l %s", name, o->name);
		if (o->letter != 0)
			(void)fprintf(out, " -s %c", o->letter);
		if (o->choices != NULL) {
			(void)fputs(" -x -a '", out);
			put_choices(o->choices, ' ', out);
			(void)fputc('\'', out);
		} else if (o->arg != NULL)
			(void)fputs(is_path(o->arg) ? " -r -F" : " -x", out);
		(void)fputs(" -d '", out);
		for (const char *c = o->help; *c != '\0'; c++)
			(void)fputs(*c == '\'' ? "\\'" :
			    (const char[]){ *c, '\0' }, out);
		(void)fputs("'\n", out);
	}
}

int
completion_write(const struct opt_table *tables, size_t n, const char *name,
    const char *shell, FILE *out, struct err *e)
{
	const struct opt *opts[OPTIONS_MAX + 1];
	size_t k = 0;

	for (size_t t = 0; t < n; t++)
		for (const struct opt *o = tables[t].opts;
		    o != NULL && o->name != NULL; o++)
			if (o->help != NULL && k < OPTIONS_MAX)
				opts[k++] = o;
	opts[k] = NULL;
	if (strcmp(shell, "bash") == 0)
		complete_bash(opts, name, out);
	else if (strcmp(shell, "zsh") == 0)
		complete_zsh(opts, name, out);
	else if (strcmp(shell, "fish") == 0)
		complete_fish(opts, name, out);
	else
		return err_set(e, ERR_USAGE,
		    "completion is for bash, zsh and fish");
	return 0;
}
