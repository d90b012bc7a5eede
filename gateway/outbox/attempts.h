/* The table of attempts: what each delivery came to, for people who ask. History:
 * no delivery depends on it, so where room is short it gives way to what does.
 * Writer thread, inside a transaction. */
#ifndef OUTBOX_ATTEMPTS_H
#define OUTBOX_ATTEMPTS_H

#include "outbox/journal.h"
#include "outbox/settlement.h"

/* Main thread, before the writer. */
void attempts_setup(void);

/* Adds those of a settlement: one row for events in a row that went alike. Where
 * journal->spare_bytes is used up, failures are left out, counted, and told of once,
 * and of what was delivered only the answer is. An SQLite result. */
int attempts_add(struct journal *journal, const struct settlement *settlement,
		 const struct settled_event *events, size_t count);

/* Drops some of the oldest that failed, so that a settlement finds room: a few milliseconds
 * of search, which the next call takes up. journal->attempts_dropped says how many. An
 * SQLite result. */
int attempts_drop_oldest(struct journal *journal);

/* After the commit: counts what was left out and dropped. */
void attempts_committed(const struct journal *journal);

#endif
