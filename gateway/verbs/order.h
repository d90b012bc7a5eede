/* Commands that change something: the running gateway does it, asked over its
 * control socket; when none runs, the command owns the store for that long. */
#ifndef VERBS_ORDER_H
#define VERBS_ORDER_H

#include "outbox/chore.h"
#include "verbs/view.h"

/* Has the chore done. EXIT_DONE with chore->count filled; EXIT_FAILED after a line
 * on standard error. `view` is open. */
int order_carry_out(struct view *view, struct chore *chore);

/* The whole of a command that takes a sink's name and no more than -c and, where
 * `text` says so, a second word: opens the view, fills chore->sink and ->text, has
 * it done and prints what `done` says of it. An exit status. */
int order_verb(int argc, char **argv, enum chore_kind kind, bool text,
	       int (*done)(const struct chore *chore));

#endif
