#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "buf.h"
#include "message.h"
#include "verdict.h"

/* Tell of FAULT, at less length, where there is no memory to be had. */
static void
tell_shortly(const char *program, const char *rank, const struct err *fault)
{
	char quoted[ERR_QUOTE_SIZE], line[ERR_QUOTE_SIZE + 64];
	int n = snprintf(line, sizeof line, "%s: %s: %s\n", program, rank,
	    err_quote(quoted, sizeof quoted, fault->text,
	    strlen(fault->text)));
	struct buf b = { .p = line };

	if (n > 0 && (size_t)n < sizeof line)
		b.n = (size_t)n;
	message_print(&b);
}

void
verdict_tell(const char *program, const char *rank, const struct err *fault)
{
	struct buf b = { 0 };
	struct err ignored;

	if (message_program(&b, program, rank, fault, &ignored) == 0)
		message_print(&b);
	else
		tell_shortly(program, rank, fault);
	buf_free(&b);
}

int
verdict_status(const struct err *fault)
{
	switch (fault->kind) {
	case ERR_NONE:
		return 0;
	case ERR_ABSENT:
	case ERR_REJECTS:
		return 1;
	case ERR_USAGE:
		return 2;
	case ERR_PIPE:
		/* As if we had not looked: quietly, and visibly to $?. */
		(void)signal(SIGPIPE, SIG_DFL);
		(void)raise(SIGPIPE);
		return 3;
	default:
		return 3;
	}
}
