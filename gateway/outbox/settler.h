/* Settlements into the journal. Writer thread, inside a transaction. */
#ifndef OUTBOX_SETTLER_H
#define OUTBOX_SETTLER_H

#include "outbox/journal.h"

/* About what an event takes that becomes open, beside its reason. */
#define SETTLER_OPENED_BYTES 200

/* Writes one settlement and sets `stored`, which holds once the transaction
 * has committed. A run that leaves a gap after what its sink has settled is
 * refused: stored is false and nothing is written. So is one that opens events when
 * half of what is kept for settlements is used: the rest is for what closes them, but for
 * a few of each sink. What was settled before (a lane that was replaced in mid-batch) is
 * left out. An SQLite result. */
int settler_store(struct journal *journal, struct settlement *settlement);

#endif
