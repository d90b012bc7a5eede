/* One configuration at work: its settings, its sources, and a share of it for
 * each loop. Generations stand beside each other while requests of an older one
 * are under way and while lanes run on its settings. Main thread. */
#ifndef SUPERVISE_GENERATION_H
#define SUPERVISE_GENERATION_H

#include "ingest/fetcher.h"
#include "ingest/keep.h"
#include "supervise/settings.h"
#include "supervise/turnstile.h"
#include "supervise/worker.h"

struct generation {
	struct list link; /* whoever keeps all of them; oldest first */
	int64_t number;
	struct settings *settings;
	struct buffer errors; /* of the configuration: the settings write here */
	struct ingest ingest;
	struct turnstile turnstile;
	struct lane **lanes;	     /* room for one a sink: the gateway's */
	struct worker_share *shares; /* one a loop */
	size_t share_count;
	size_t taken, out;	     /* shares that loops have changed to, and not left yet */
	struct worker_share errands; /* the errand thread's, of which only the way home is used */
	struct fetcher_share fetching;
	size_t references; /* of who uses the settings; loops count as one */
};

/* Has `read` read and check a configuration, without side effects. NULL when there is
 * any mistake; all of them are then in `errors`. The caller has one reference. */
struct generation *generation_load(const char *path, settings_reader *read, struct buffer *errors);

/* Opens the sources and makes shares for `loops` loops; `addresses` has the rates of
 * clients. False with a reason,
 * which is also in `errors` of the generation when it has a place in the
 * configuration; what was opened is closed with the generation. */
bool generation_open(struct generation *generation, struct outbox *outbox,
		     struct meter_table *addresses, const struct lead_limits *limits, size_t loops,
		     struct error *error);

/* Gives its sources to the errand thread; `home` is the loops'. Before
 * generation_hand_out, with which it is one step. */
void generation_fetch(struct generation *generation, struct fetcher *fetcher, struct keep *keep,
		      struct mailbox *home);

/* Hands the shares to the loops, as many as they were made for. */
void generation_hand_out(struct generation *generation, struct worker *workers);

/* A share has come home. When it was the last of a generation that all loops
 * have left, the sources are closed and the loops' reference is given back: the
 * generation may be gone afterwards. */
void generation_take_home(struct worker_share *share);

/* Whether all loops have changed to it. */
static inline bool generation_is_taken(const struct generation *generation)
{
	return generation->taken == generation->share_count;
}

struct generation *generation_ref(struct generation *generation);
/* Frees it with the last reference and sets the pointer to NULL. */
void generation_unref(struct generation **generation);

/* At the end of the process, when loops have stopped: the loops' reference of a
 * generation whose shares are still out. */
void generation_recall(struct generation *generation);

#endif
