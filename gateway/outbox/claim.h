/* Claims: what a source must fetch before it is a lead. A claim is a row of the journal
 * from the commit of the request that brought it until long after what was fetched is
 * stored, so that its key is known when it comes again. Polls and back-fills of a source
 * are rows of the same table, under kinds of their own. */
#ifndef OUTBOX_CLAIM_H
#define OUTBOX_CLAIM_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

/* Numbers are the journal's words' places: see claim_kind_name. */
enum claim_kind { CLAIM_STUB, CLAIM_POLL, CLAIM_BACKFILL, CLAIM_KINDS };
const char *claim_kind_name(enum claim_kind kind); /* "claim", "poll", "backfill" */

enum claim_state {
	CLAIM_WAITING, /* for its time, or with the errand thread */
	CLAIM_PARKED,  /* until somebody has repaired the configuration */
	CLAIM_DEAD,
	CLAIM_DONE, /* its leads are stored */
	CLAIM_STATES,
	CLAIM_GONE, /* of an order: the row is to go */
};
const char *claim_state_name(enum claim_state state); /* "waiting" … */

/* A new claim. */
struct claim_stub {
	struct claim_stub *next;
	enum claim_kind kind;
	struct lg_slice key, group, blob; /* group absent: it is alone */
	int64_t parts;			  /* of the group; 0: not known */
	int64_t due_ms;			  /* wall clock */
	/* Why it is dead at once; absent: it waits. */
	struct lg_slice refusal;
	bool repeated; /* filled by the writer: its key was known */
};

/* What becomes of claims that were tried: of one, or of a group. */
struct claim_end {
	const int64_t *numbers; /* rows */
	size_t count;		/* 0: there is none */
	enum claim_state state;
	int64_t due_ms; /* wall clock; of CLAIM_WAITING */
	int64_t attempts;
	struct lg_slice error; /* absent: none */
	struct lg_slice blob;  /* of the first row; absent: as it was */
	/* Of each row: why it is dead while the others end as `state` says; absent: it ends
	 * as they do. NULL: of none. */
	const struct lg_slice *refusals;
};

/* A key of lg_state; an absent value forgets it. */
struct state_note {
	struct state_note *next;
	struct lg_slice key, value;
};

/* What a submission does to the claims of its source, in one transaction with its
 * captures. Memory is the submitter's. */
struct claim_work {
	struct lg_slice source;
	struct claim_stub *stubs;
	struct state_note *notes;
	struct claim_end end;
	bool drop_poll;		/* there is no poll any more */
	bool unpark;		/* parked claims are due again */
	int64_t drop_before_ms; /* done ones that ended before are forgotten; 0: none */
	bool drop_more;		/* the writer's: not all of those, which would be too many for one
				 * commit; the same work goes on */
	/* Called when notes are committed, before the answer and in the order of commits, for
	 * answers are read by several threads. NULL: nobody. Writer; does not block. */
	void (*noted)(struct claim_work *work);
};

/* Writer, in a transaction: an SQLite result. */
struct journal;
int claim_store(struct journal *journal, struct claim_work *work, int64_t now_ms);

/* ---- reading; see reader.h --------------------------------------------------------- */

/* A claim as it stands in the journal; slices live in the arena of the call. */
struct claim {
	int64_t number; /* of its row */
	enum claim_kind kind;
	enum claim_state state;
	struct lg_slice source, key, group, error;
	struct lg_slice blob; /* of due ones alone */
	int64_t parts;
	int64_t at_ms;	/* wall clock: stored first */
	int64_t due_ms; /* wall clock: of the next attempt; of done ones: their end */
	int64_t attempts;
};

struct reader;
/* Claims of a source that wait and are due at `now_ms`, oldest due first. How many; -1
 * with a reason. */
ptrdiff_t reader_claims_due(struct reader *reader, struct arena *arena, struct lg_slice source,
			    int64_t now_ms, size_t count, struct claim **claims,
			    struct error *error);
/* All that wait of a group, in the order in which they came, at most `count`. */
ptrdiff_t reader_claims_of(struct reader *reader, struct arena *arena, struct lg_slice source,
			   struct lg_slice group, size_t count, struct claim **claims,
			   struct error *error);
/* How many there are of a source in each state. False: it cannot be read. */
bool reader_claims_count(struct reader *reader, struct lg_slice source,
			 int64_t by_state[CLAIM_STATES]);
/* A page of those of a state, after the row `after`; source absent: of all sources. The
 * blob is left out. */
ptrdiff_t reader_claims_list(struct reader *reader, struct arena *arena, struct lg_slice source,
			     enum claim_state state, int64_t after, size_t count,
			     struct claim **claims, struct error *error);
/* Claims with this key, of one source or, where that is absent, of all: polls and
 * back-fills are none. The blob is left out. */
ptrdiff_t reader_claims_named(struct reader *reader, struct arena *arena, struct lg_slice source,
			      struct lg_slice key, size_t count, struct claim **claims,
			      struct error *error);
/* Hands over what is kept for plugins, of all sources; slices live for the call, and
 * `each` says whether to go on. False with a reason: it did not, or reading failed. */
bool reader_state_notes(struct reader *reader,
			bool (*each)(void *context, struct lg_slice source,
				     const struct state_note *note),
			void *context, struct error *error);

#endif
