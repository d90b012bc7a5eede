/* Orders of other threads to the writer: rare changes of the journal that are
 * neither a lead nor a settlement. Each runs in transactions of its own, so what
 * it does or fails at harms no lead and no settlement; a long one goes in steps,
 * with whole batches of leads between them. */
#ifndef OUTBOX_CHORE_H
#define OUTBOX_CHORE_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/mailbox.h"
#include "base/random.h"
#include "outbox/index.h"
#include "outbox/settlement.h"

enum chore_kind {
	/* sink, text (why, for people): its lane delivers nothing until CHORE_RESUME;
	 * held by the journal, so over restarts too. Twice is once. */
	CHORE_PAUSE = 1,
	/* sink: a pause ends (`count`: whether there was one), and what is open and would
	 * be tried later is due at once. */
	CHORE_RESUME = 2,
	/* sink, last_seq (0: none): where a new sink begins. Its lane asks for this
	 * before its first event, whatever `start` says, unless sink_state.begun.
	 * In one transaction events up to last_seq are settled as filtered (traps as
	 * discarded, held ones as held), and the sink is known from then on: nothing
	 * is pruned that it has not settled. A sink that has begun is left as it is. */
	CHORE_BEGIN = 3,
	/* sink, replay: events are delivered once more; fills plan. */
	CHORE_REPLAY = 4,
	/* sink: all that the journal says of it goes. Only for one that is not
	 * configured, which the caller knows. of_source: the claims, the
	 * imports and the state of the source of that name, too. */
	CHORE_FORGET = 5,
	/* before_ms: what was captured earlier goes, as far as prune.h lets it. */
	CHORE_PRUNE = 6,
	/* sink (KIND/NAME of an alert), text (the alert as a JSON object), raised:
	 * writes a gateway.alert event, and notes an alert that is raised until it
	 * is cleared. What the notes say already is not said again: nothing is
	 * written then, and `count` is 0. */
	CHORE_ALERT = 8,
	/* sink (the name of a source), replay.dead_only: claims that are parked or were
	 * tried in vain are due at once; dead ones with them when asked for. */
	CHORE_CLAIMS = 9,
	/* sink (the name of a source), before_ms: its leads since then are fetched.
	 * `count` is 0 when that is under way already. */
	CHORE_BACKFILL = 10,
};

/* Which events CHORE_REPLAY is about. */
struct replay {
	int64_t first_seq, last_seq; /* both included */
	bool dead_only;		     /* dead letters alone */
	bool again;		     /* what is known to be delivered, too */
};

/* What it comes to, by the state before. */
#define REPLAY_STATES 16
#define REPLAY_TYPES 16
struct replay_plan {
	int64_t taken[REPLAY_STATES], left[REPLAY_STATES]; /* index: enum delivery_state */
	int64_t types[REPLAY_TYPES]; /* of those taken; index: enum event_type, 0: others */
};

/* An order and its result. All that it points at lives until it comes back. */
struct chore {
	struct letter letter;  /* first; used for both ways */
	struct mailbox *reply; /* where it always comes back */
	enum chore_kind kind;
	struct lg_slice sink;
	struct lg_slice text;
	int64_t last_seq;
	struct replay replay;
	int64_t before_ms; /* wall clock */
	bool raised;
	bool of_source;

	/* Set by any thread: a chore in steps ends after the one under way. */
	atomic_bool cancelled;

	/* filled by the writer */
	bool done;     /* false: `error` says why, and that nothing or not all was changed */
	int64_t count; /* events or rows that it has changed */
	struct replay_plan plan;
	struct error error;

	/* the writer's own, zero before */
	struct buffer work;
	struct index kept; /* of a pass of pruning: leads of which an event stays */
	int64_t cursor, key_cursor, attempt_cursor;
	enum { PRUNE_EVENTS, PRUNE_KEYS, PRUNE_ATTEMPTS } phase;
	int step_count;
	bool more; /* another step follows */
};

/* How the journal has a sink noted, beside what is settled. */
struct sink_state {
	bool begun;	  /* CHORE_BEGIN was done, or something is settled */
	bool paused;	  /* by CHORE_PAUSE */
	char reason[160]; /* of the pause */
};

/* Writer: runs the chore's next step. `more`: another one follows; otherwise it
 * has its result and goes back. */
struct journal;
void chore_step(struct journal *journal, struct chore *chore);
/* Writer: ends it unfinished, for a reason. */
void chore_refuse(struct chore *chore, const char *reason);

#endif
