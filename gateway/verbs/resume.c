#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/order.h"
#include "verbs/verb.h"

static int resumed(const struct chore *chore)
{
	printf(chore->count ? "%.*s goes on\n" : "%.*s was not paused\n", SLICE_ARGS(chore->sink));
	return EXIT_DONE;
}

int verb_resume(int argc, char **argv)
{
	return order_verb(argc, argv, CHORE_RESUME, false, resumed);
}
