/* What nobody needs any more goes: events that are older than the retention, that
 * every sink which the journal knows has settled, and that are open nowhere. A
 * lead goes with its present record, which is the last of its events and stays as
 * long as any of them, so one that was touched within the retention stays, and so
 * does that of a dead letter; its keys and its ids at destinations go too. The
 * attempts of its events stay for a day or the retention without what was said, as
 * attempts.h tells. Settled rows take back what they said of what is gone, so that
 * every sum still closes; positions stay.
 *
 * The newest event always stays: it says which number comes next. Writer thread. */
#ifndef OUTBOX_PRUNE_H
#define OUTBOX_PRUNE_H

#include "outbox/chore.h"

struct journal;

/* One step of CHORE_PRUNE, inside a transaction: events first, then the keys of
 * leads that are no longer there, then attempts. Sets chore->more, counts events. An SQLite
 * result. */
int prune_step(struct journal *journal, struct chore *chore);

#endif
