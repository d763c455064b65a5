#include <signal.h>

#include "buf.h"
#include "message.h"
#include "verdict.h"

void
verdict_tell(const char *program, const char *rank, const struct err *fault)
{
	struct buf b = { 0 };
	struct err ignored;

	if (message_program(&b, program, rank, fault, &ignored) == 0)
		message_print(&b);
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
