#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/order.h"
#include "verbs/print.h"
#include "verbs/verb.h"

int verb_fetch(int argc, char **argv)
{
	struct chore chore = {.kind = CHORE_CLAIMS};
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_DEAD, 1, 1))
		return EXIT_USAGE;
	chore.sink = slice_from(arguments.operands[0]);
	chore.replay.dead_only = arguments.dead;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = order_carry_out(&view, &chore);
	if (status == EXIT_DONE)
		printf("%lld claim%s of %s %s due now\n", (long long)chore.count,
		       print_plural(chore.count), arguments.operands[0],
		       chore.count == 1 ? "is" : "are");
	view_close(&view);
	return status;
}
