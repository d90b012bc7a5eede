#include <stdio.h>

#include "codec/date.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/order.h"
#include "verbs/verb.h"

static bool understood(const struct arguments *arguments, int64_t *since_ms)
{
	if (arguments->since && time_parse(slice_from(arguments->since), since_ms) &&
	    *since_ms >= 0)
		return true;
	fprintf(stderr, "leadgate backfill: --since wants a time like 2026-01-31T12:00:00Z\n");
	return false;
}

int verb_backfill(int argc, char **argv)
{
	struct chore chore = {.kind = CHORE_BACKFILL};
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_SINCE, 1, 1) ||
	    !understood(&arguments, &chore.before_ms))
		return EXIT_USAGE;
	chore.sink = slice_from(arguments.operands[0]);
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = order_carry_out(&view, &chore);
	if (status == EXIT_DONE)
		printf(chore.count
			       ? "leads of %s since %s will be fetched\n"
			       : "leads of %s since %s will be fetched: it was ordered before\n",
		       arguments.operands[0], arguments.since);
	view_close(&view);
	return status;
}
