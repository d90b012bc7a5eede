/* What a lane tells the writer: how a run of events ended for its sink. */
#ifndef OUTBOX_SETTLEMENT_H
#define OUTBOX_SETTLEMENT_H

#include "base/mailbox.h"
#include "base/slice.h"

/* The state of one event for one sink. Numbers are stored: never reused. */
enum delivery_state {
	DELIVERY_PENDING = 0, /* not settled: no row says anything */
	DELIVERY_DELIVERED = 1,
	DELIVERY_FILTERED = 2,
	DELIVERY_RETRY = 3,
	DELIVERY_PARKED = 4,
	DELIVERY_DEAD = 5,
	DELIVERY_UNCLASSIFIED = 6,
	DELIVERY_HELD = 7,
	DELIVERY_DISCARDED = 8,
	DELIVERY_ERASED = 9,
};
const char *delivery_state_name(enum delivery_state state);

/* A batch that was sent and had no answer: the destination may have it under its
 * idempotency key, so it goes again as it was, by all its events or not at all. */
struct sent_batch {
	int64_t first_seq, last_seq;
	int64_t count; /* 0: there is none */
};

struct settled_event {
	int64_t seq;
	enum delivery_state state;
	int32_t status; /* of the destination's answer, 0: none */
	int64_t due_ms; /* wall clock: next attempt, for retry and unclassified */
	int64_t attempts;
	int64_t since_ms;   /* wall clock: of the first failure that counts; 0: none does */
	int64_t was_due_ms; /* wall clock: for when this attempt was meant; 0: it is the first */
	bool untried;	    /* open, but the destination was not asked: there is no attempt */
	bool noted;  /* the attempt alone is told: the event stays in the state that it has */
	bool parted; /* beside that: it is of no sent batch any more */
	struct sent_batch sent;
	struct lg_slice reason;	     /* without personal data */
	struct lg_slice answer;	     /* first bytes */
	struct lg_slice external_id; /* absent: none */
};

/* Events in ascending seq. `first` runs settle the journal from first_seq to
 * last_seq without a gap (what is not listed in between is of no event).
 * Otherwise they are events that had an `open` row and get a new state. */
struct settlement {
	struct letter letter; /* first; used for both ways */
	struct mailbox *reply;
	struct lg_slice sink;
	bool first;
	int64_t first_seq, last_seq;
	const struct settled_event *events;
	size_t count;
	int64_t at_ms;
	bool stored; /* filled by the writer: false means keep it and settle again */
};

#endif
