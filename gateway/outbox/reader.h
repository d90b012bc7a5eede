/* Reading the journal beside the writer: short transactions that page by seq,
 * so that no reader holds up a checkpoint. One thread at a time per reader.
 * Works on a store that another process owns. */
#ifndef OUTBOX_READER_H
#define OUTBOX_READER_H

#include "base/arena.h"
#include "base/error.h"
#include "lead/event.h"
#include "outbox/chore.h"
#include "outbox/settlement.h"

struct reader;

/* An event as it stands in the journal; slices live in the arena of the call. */
struct journal_event {
	int64_t seq;
	enum event_type type;
	int64_t at_ms;
	uint8_t lead_id[UUID_BYTES]; /* zero: of no lead */
	bool discarded;		     /* a trap: settled for everybody, delivered to nobody */
	struct lg_slice body;
	/* of due events */
	enum delivery_state state;
	int64_t attempts;
	int64_t since_ms; /* of its first failure that counts; 0: none does */
	int64_t due_ms;
	struct sent_batch sent;
};

/* NULL with a reason. Read-only; leaves nothing behind. Must not be called in a
 * process that holds the store open by other means than SQLite. */
struct reader *reader_open(struct lg_slice path, struct error *error);
void reader_close(struct reader **reader);

/* Events after `after_seq` in order, at most `count` and about `bytes` of
 * bodies (at least one). Returns how many; -1 with a reason. */
ptrdiff_t reader_events(struct reader *reader, struct arena *arena, int64_t after_seq, size_t count,
			size_t bytes, struct journal_event **events, struct error *error);

/* Open events of a sink that are due at `now_ms`, oldest due first; at most `count` and
 * about `bytes` of bodies (at least one). */
ptrdiff_t reader_due(struct reader *reader, struct arena *arena, struct lg_slice sink,
		     int64_t now_ms, size_t count, size_t bytes, struct journal_event **events,
		     struct error *error);
/* When the next open event of the sink is due; INT64_MAX: none; 0: it cannot be read,
 * so there may be one. */
int64_t reader_next_due(struct reader *reader, struct lg_slice sink);

/* Those whose time is later than `beyond_ms`, in no order: it was written down
 * under a clock that has been set since. */
ptrdiff_t reader_due_beyond(struct reader *reader, struct arena *arena, struct lg_slice sink,
			    int64_t beyond_ms, size_t count, size_t bytes,
			    struct journal_event **events, struct error *error);
/* The open events of a batch that goes again as it was, by seq. Fewer than it had, or
 * more: it cannot. */
ptrdiff_t reader_sent_batch(struct reader *reader, struct arena *arena, struct lg_slice sink,
			    const struct sent_batch *sent, struct journal_event **events,
			    struct error *error);
/* When the last open event of the sink is due; INT64_MIN: none, or it cannot be read. */
int64_t reader_last_due(struct reader *reader, struct lg_slice sink);

/* The sink's open events that are no dead letters, in order of seq. `each` says
 * whether to go on. False: it did not, or the journal cannot be read. */
struct waiting_event {
	int64_t seq, attempts;
	uint8_t lead_id[UUID_BYTES]; /* zero: the event is of no lead */
	bool held;		     /* it has no time: it waits for another event */
};
bool reader_waiting(struct reader *reader, struct lg_slice sink,
		    bool (*each)(void *context, const struct waiting_event *event), void *context);

/* The sink's attempts of the last 25 hours, summed up by the hour. */
void reader_attempts(struct reader *reader, struct lg_slice sink, int64_t now_ms,
		     void (*each)(void *context, int64_t hours_ago, int64_t events), void *context);

/* The seq up to which a sink has settled everything first-hand; 0: nothing; -1: it
 * cannot be read. */
int64_t reader_position(struct reader *reader, struct lg_slice sink);

/* What chores have noted for a sink. False with a reason. */
bool reader_sink_state(struct reader *reader, struct lg_slice sink, struct sink_state *state,
		       struct error *error);

/* What a sink's destination calls a lead; absent: nothing is known. False with a
 * reason. */
bool reader_external(struct reader *reader, struct arena *arena, struct lg_slice sink,
		     const uint8_t lead_id[UUID_BYTES], struct lg_slice *id, struct error *error);

/* The first seq whose event was captured at `at_ms` or later, by bisection; after
 * the last event when there is none. Clocks that were set make it a guess. */
int64_t reader_seq_at(struct reader *reader, int64_t at_ms);

/* Present merged record and history of a lead. */
bool reader_lead(struct reader *reader, struct arena *arena, const uint8_t lead_id[UUID_BYTES],
		 struct journal_event *event, struct error *error);
/* A lead by the id of one of its events (a receipt); false: none. */
bool reader_lead_of_event(struct reader *reader, const uint8_t event_id[UUID_BYTES],
			  uint8_t lead_id[UUID_BYTES]);

/* Present records in order of creation, after a lead id (all zero: from the
 * start), for lists. */
ptrdiff_t reader_leads(struct reader *reader, struct arena *arena,
		       const uint8_t after_id[UUID_BYTES], size_t count, bool newest_first,
		       struct journal_event **events, struct error *error);

/* Counts by state for one sink, and all sinks that the journal knows. */
struct sink_tally {
	struct lg_slice sink;
	int64_t position, last_seq;
	int64_t by_state[16];	   /* index: enum delivery_state */
	int64_t oldest_pending_ms; /* wall clock, 0: none */
};
bool reader_tally(struct reader *reader, struct arena *arena, struct lg_slice sink,
		  struct sink_tally *tally, struct error *error);

/* Names of the sinks that have rows in the journal, configured or not, in order.
 * How many; -1 with a reason. */
ptrdiff_t reader_sinks(struct reader *reader, struct arena *arena, struct lg_slice **names,
		       struct error *error);

/* ---- for those who watch --------------------------------------------------- */

/* An alert that is noted as raised: by CHORE_ALERT, until it is cleared. */
struct noted_alert {
	struct lg_slice key;  /* KIND/NAME */
	struct lg_slice text; /* the alert as JSON */
};
/* All of them, in the arena. How many; -1 with a reason. */
ptrdiff_t reader_alerts(struct reader *reader, struct arena *arena, struct noted_alert **alerts,
			struct error *error);

/* What waits for a sink that has settled everything up to `position`. Counts
 * all of its open rows: whoever asks often asks seldomer when it takes long. */
struct sink_backlog {
	int64_t oldest_ms;    /* wall clock, of the oldest event that is not settled for
			      * good; dead letters are. 0: none */
	int64_t by_state[16]; /* of what is open; index: enum delivery_state */
};
bool reader_backlog(struct reader *reader, struct lg_slice sink, int64_t position,
		    struct sink_backlog *backlog, struct error *error);

/* When sources brought something last: looks at `most` events from the end
 * backwards, or until all are found. at_ms stays as it is for those that are
 * not among them. False with a reason. */
struct source_heard {
	struct lg_slice source;
	int64_t at_ms; /* wall clock; 0: to be found */
};
bool reader_heard(struct reader *reader, struct source_heard *sources, size_t count, int64_t most,
		  struct error *error);

#endif
