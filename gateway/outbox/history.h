/* What the journal knows of one person: the leads behind an address, the events
 * of a lead, and for each sink how an event stands and how every attempt went.
 * Reads in short steps; what is searched is never held in memory. As a reader:
 * one thread at a time, beside a running gateway or without one. */
#ifndef OUTBOX_HISTORY_H
#define OUTBOX_HISTORY_H

#include "outbox/identity_row.h"
#include "outbox/reader.h"

/* Reads the secret under which the store's keys are hashed. */
bool history_secret(struct reader *reader, uint8_t secret[IDENTITY_SECRET_BYTES],
		    struct error *error);

/* Leads of which a capture has left one of the keys, in the order in which they
 * did, at most `capacity`: all identity rows are passed over, a hundred bytes
 * each. How many; -1 with a reason. */
ptrdiff_t history_find(struct reader *reader, const struct identity_keys *keys,
		       uint8_t leads[][UUID_BYTES], size_t capacity, struct error *error);

/* A walk over the events of one lead, the oldest first. Between its first and its
 * present event all events are passed over: they have no index by lead. */
struct history {
	struct reader *reader;
	uint8_t lead_id[UUID_BYTES];
	int64_t next_seq, last_seq;
	bool begun;
};

/* An event with what its capture left; slices live in the arena of the call. */
struct history_event {
	int64_t seq, at_ms;
	struct lg_slice type, body;
	bool captured; /* `keys` is filled; otherwise no capture made it */
	struct identity_row keys;
};

/* False with a reason when there is no such lead. */
bool history_begin(struct history *history, struct reader *reader,
		   const uint8_t lead_id[UUID_BYTES], struct error *error);
/* 1: the next event; 0: there is none; -1 with a reason. */
int history_next(struct history *history, struct arena *arena, struct history_event *event,
		 struct error *error);

/* One event for one sink. */
#define HISTORY_UNACCOUNTED (-1) /* settled past, and yet in no state: see balance.h */
struct history_state {
	int state;		/* enum delivery_state, or HISTORY_UNACCOUNTED */
	int64_t settled_ms;	/* when it came into a closed state; 0: it did not */
	int64_t attempts;	/* of open ones */
	int64_t due_ms;		/* next attempt; 0: none */
	struct lg_slice reason; /* of open ones */
};
bool history_state(struct reader *reader, struct arena *arena, struct lg_slice sink, int64_t seq,
		   struct history_state *state, struct error *error);

/* The last event from before a sink began, which it has not got; 0: none. When that was:
 * what is settled later was judged anew; INT64_MAX: an older release has not noted it.
 * False with a reason. */
bool history_begin_of(struct reader *reader, struct lg_slice sink, int64_t *seq, int64_t *at_ms,
		      struct error *error);

struct history_attempt {
	int64_t at_ms;
	struct lg_slice outcome; /* "retry" */
	int64_t status;		 /* of the answer, 0: none */
	struct lg_slice reason, answer;
};
/* The first `capacity` attempts of an event, the oldest first; those of one sink
 * and event are rarely more than the back-off has steps. How many; -1 with a
 * reason. */
ptrdiff_t history_attempts(struct reader *reader, struct arena *arena, struct lg_slice sink,
			   int64_t seq, struct history_attempt *attempts, size_t capacity,
			   struct error *error);

#endif
