/* The errand thread: it turns claims into leads, polls, and brings back what was missed.
 * Each source with errands has a desk on it; a desk reads the journal for what is due,
 * lets the plugin name calls, makes them, and hands what comes of it to the writer.
 *
 * Claims belong to a source by its name. Those of a source that is not configured stay
 * as they are until it is back, or forgotten. */
#ifndef INGEST_FETCHER_H
#define INGEST_FETCHER_H

#include "ingest/ingest.h"

struct fetcher;

/* A generation's sources for the thread. It belongs to whoever made it until it is handed
 * over, and again when `back` was sent to `home`: then no call of its plugins is under
 * way. Zero but for the first four. */
struct fetcher_share {
	struct letter letter; /* first */
	struct ingest *ingest;
	struct mailbox *home;
	struct letter *back;
};

/* Starts the thread, which has no sources yet. The path and the outbox outlive it. NULL
 * with a reason. Main thread. */
struct fetcher *fetcher_start(struct outbox *outbox, struct lg_slice store_path,
			      struct error *error);

/* Has it serve another generation: calls of the one before are broken off, whose claims
 * are as they were. Main thread. */
void fetcher_change(struct fetcher *fetcher, struct fetcher_share *share);

/* There may be something to do. Any thread. */
void fetcher_poke(struct fetcher *fetcher);

/* The source in whose plugin the thread is, for `for_ms` milliseconds; NULL: in none. One
 * that does not return holds up the errands of all sources, and nothing else. Main
 * thread. */
const struct source *fetcher_called(const struct fetcher *fetcher, int64_t *for_ms);

/* Has it break off what is under way and end, while the outbox is open. Main thread. */
void fetcher_halt(struct fetcher *fetcher);
/* The same, and waits for the end. False: it is not back from a plugin after
 * `timeout_ms`, and goes on using all that it has; ask again, or leave it. Main thread. */
bool fetcher_stop(struct fetcher *fetcher, int64_t timeout_ms);
/* After that, and after the outbox was closed. */
void fetcher_free(struct fetcher **fetcher);

#endif
