/* One transaction of the writer and the answers to it. */
#ifndef OUTBOX_BATCH_H
#define OUTBOX_BATCH_H

#include "outbox/journal.h"
#include "outbox/room.h"

struct batch {
	struct letter *submissions; /* chains; what fails by itself is taken out */
	struct letter *settlements;
	struct letter *failed;
};

/* Submissions that were turned away, by reason, here and at the queue. */
#define BATCH_REFUSED "leadgate_store_refused_total"
#define BATCH_REFUSED_HELP "Submissions that the journal refused"

/* Registers the counters. Main thread. */
void batch_setup(void);

/* Writes all of it in one transaction, or says in each letter why not. Ends the
 * process when the disk fails below SQLite: what a failed sync has left behind
 * nobody knows. Returns whether anything was committed. */
bool batch_write(struct batch *batch, struct journal *journal, struct room *room,
		 _Atomic(const char *) *damage);

/* Sends every letter back, a chain and a wake-up for each mailbox; `now_us` goes
 * with the submissions. */
void batch_reply(struct batch *batch, int64_t now_us);

/* Fills commits and captures. Any thread. */
void batch_stats(struct outbox_stats *stats);

#endif
