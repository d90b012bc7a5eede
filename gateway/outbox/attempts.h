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
 * journal->spare_bytes is used up, failures are left out and counted, and of what was
 * delivered only the answer is left out. An SQLite result. */
int attempts_add(struct journal *journal, const struct settlement *settlement,
		 const struct settled_event *events, size_t count);

/* Drops some of the oldest that failed, so that a settlement finds room: a few milliseconds
 * of search, which the next call takes up. journal->attempts_dropped says how many. An
 * SQLite result. */
int attempts_drop_oldest(struct journal *journal);

/* Pruning: the events of these seqs that were to go are gone. Of attempts that have no
 * event any more what was said goes, and so do they themselves when they are more than a
 * day old: the limits of a day count the others, which attempts_prune takes later. Where
 * room is short all of them go at once. An SQLite result. */
int attempts_forget(struct journal *journal, struct lg_slice sink, int64_t first_seq,
		    int64_t last_seq);

/* A step of the pass that takes those away whose day is over since. `before_ms` is the
 * pass's, which they wait for as well: younger ones mostly have their events. Moves the
 * cursor, a row; *more: another step follows. An SQLite result. */
int attempts_prune(struct journal *journal, int64_t before_ms, int64_t *cursor, bool *more);

/* After the commit: counts what was left out and dropped, and tells of it once until
 * there is room again. */
void attempts_committed(struct journal *journal);

#endif
