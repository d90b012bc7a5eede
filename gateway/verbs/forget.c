#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/order.h"
#include "verbs/verb.h"

static int forgotten(const struct chore *chore)
{
	if (chore->count) {
		printf("%.*s is forgotten\n", SLICE_ARGS(chore->sink));
		return EXIT_DONE;
	}
	fprintf(stderr, "leadgate: the journal knows no sink %.*s\n", SLICE_ARGS(chore->sink));
	return EXIT_FAILED;
}

int verb_forget(int argc, char **argv)
{
	return order_verb(argc, argv, CHORE_FORGET, false, forgotten);
}
