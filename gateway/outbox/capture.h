/* One capture into the journal: have we seen this delivery, this submission,
 * this person? Writer thread, inside a transaction. */
#ifndef OUTBOX_CAPTURE_H
#define OUTBOX_CAPTURE_H

#include "outbox/journal.h"

/* Stores the capture, or finds that it is stored already, and fills its
 * results. What it finds includes what the same transaction has stored before.
 * An SQLite result; after a failure the transaction must be rolled back. */
int capture_store(struct journal *journal, struct capture *capture);

/* Called for all captures of a batch before the first is stored: their places in
 * the index are all over the memory and come into the cache meanwhile. */
void capture_prefetch(const struct journal *journal, const struct capture *capture);

#endif
