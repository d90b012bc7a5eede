/* Events of a sink once more: which ones, and which are left because they are
 * done. Commands plan with it beside the gateway, and the writer does the same. */
#ifndef OUTBOX_REPLAY_H
#define OUTBOX_REPLAY_H

#include <sqlite3.h>

#include "outbox/chore.h"

/* Whether an event in this state is taken. Dead letters, what is tried again
 * anyway, and what was filtered (today's configuration may want it) are; what is
 * known to be delivered only with `again`; what waits for its first turn, is
 * held, discarded or erased never. */
bool replay_takes(enum delivery_state state, bool again);

/* A page of the events that an order names, with how they stand. */
#define REPLAY_PAGE 1000
struct replay_event {
	int64_t seq;
	int type; /* enum event_type, 0: another */
	enum delivery_state state;
};
struct replay_page {
	struct replay_event events[REPLAY_PAGE];
	size_t count;
};

/* Reads those after `after_seq` through any connection, inside its transaction if
 * they shall belong together. An SQLite result. */
int replay_read(sqlite3 *db, struct lg_slice sink, const struct replay *replay, int64_t after_seq,
		struct replay_page *page);

/* Adds a page to the sums. */
void replay_count(const struct replay_page *page, const struct replay *replay,
		  struct replay_plan *plan);

/* How many events the plan takes. */
int64_t replay_taken(const struct replay_plan *plan);

/* Writer, inside a transaction: those that are taken become due now, as if new,
 * and what was said of them before is taken back. An SQLite result: SQLITE_FULL
 * where they would take the room that is kept for settlements. */
struct journal;
int replay_store(struct journal *journal, struct lg_slice sink, const struct replay *replay,
		 const struct replay_page *page);

#endif
