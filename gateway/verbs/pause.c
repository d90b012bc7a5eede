#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/order.h"
#include "verbs/verb.h"

static int paused(const struct chore *chore)
{
	printf("%.*s is paused: nothing goes to it until leadgate resume %.*s\n",
	       SLICE_ARGS(chore->sink), SLICE_ARGS(chore->sink));
	return EXIT_DONE;
}

int verb_pause(int argc, char **argv)
{
	return order_verb(argc, argv, CHORE_PAUSE, true, paused);
}
