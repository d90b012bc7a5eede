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
	fprintf(stderr,
		chore->of_source
			? "leadgate: the journal knows no sink and no source %.*s\n"
			: "leadgate: the journal knows no sink %.*s, and what the source of "
			  "that name has stays as long as it is configured\n",
		SLICE_ARGS(chore->sink));
	return EXIT_FAILED;
}

int verb_forget(int argc, char **argv)
{
	return order_verb(argc, argv, CHORE_FORGET, false, forgotten);
}
