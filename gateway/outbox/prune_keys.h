/* The keys of leads that are gone, which prune.h takes away after them. Writer thread. */
#ifndef OUTBOX_PRUNE_KEYS_H
#define OUTBOX_PRUNE_KEYS_H

#include "outbox/chore.h"

struct journal;

/* One step, inside a transaction: rows of identity up to chore->last_seq, the last event
 * that the pass looked at. What leads by to them is noted in chore->work. An SQLite result. */
int prune_keys(struct journal *journal, struct chore *chore);

/* After the step's transaction: takes the keys out of the index in memory. One
 * that leads to a row that is not there does no harm. */
void prune_committed(struct journal *journal, const struct chore *chore);

#endif
