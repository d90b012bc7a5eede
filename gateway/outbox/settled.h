/* Settled rows that are changed afterwards: an operator wants events delivered
 * again, or they are pruned. Writer thread, inside a transaction. */
#ifndef OUTBOX_SETTLED_H
#define OUTBOX_SETTLED_H

#include "outbox/journal.h"

/* Takes what is said of `seqs`, which ascend, out of all rows of the sink. A row
 * shrinks to what it still says; one that says nothing any more goes, unless it
 * is the one that holds the sink's position. Uses the journal's arena and its
 * buffer `record`. An SQLite result. */
int settled_clear(struct journal *journal, struct lg_slice sink, const int64_t *seqs, size_t count);

/* The first of `seqs`, which ascend, that is not below `seq`; `count`: none. */
size_t settled_place(const int64_t *seqs, size_t count, int64_t seq);

/* The seq up to which the sink has settled everything first-hand; 0: nothing. An
 * SQLite result. */
int settled_position(struct journal *journal, struct lg_slice sink, int64_t *position);

#endif
