/* Does every event stand, for every sink, in exactly one state? Counted anew
 * from the journal's rows, event by event, and believing none of the sums that
 * the settling code keeps: a bug there shows here. */
#ifndef OUTBOX_BALANCE_H
#define OUTBOX_BALANCE_H

#include "outbox/claim.h"
#include "outbox/reader.h"

/* What can be wrong. */
enum balance_fault {
	BALANCE_UNACCOUNTED, /* events settled past, and yet in no state */
	BALANCE_TWICE,	     /* events in more than one state */
	BALANCE_NO_EVENT,    /* open rows of events that are not there */
	BALANCE_BEYOND,	     /* settled rows that go on behind the last event */
	BALANCE_UNREADABLE,  /* a row whose words do not fit its bounds */
	BALANCE_NO_RECORD,   /* a lead whose present event is not there */
	BALANCE_LOST_CLAIM,  /* claims in no state that is known */
};
const char *balance_fault_text(enum balance_fault fault); /* "in no state" */

struct balance_sink {
	struct lg_slice name;
	bool known;	      /* was asked for; otherwise the journal alone knows it */
	int64_t position;     /* settled first-hand up to here */
	int64_t by_state[16]; /* index: enum delivery_state; events in exactly that one */
	int64_t faults;	      /* events and rows that are wrong */
};

/* Event types beyond these are counted together as "other". */
#define BALANCE_TYPES 24
struct balance_type {
	struct lg_slice name;
	int64_t count;
};

struct balance {
	int64_t last_seq; /* the bound: what came later is left out */
	int64_t events;
	struct balance_type types[BALANCE_TYPES];
	size_t type_count;
	int64_t leads, held; /* present records; those of them that are held */
	/* Claims that were stored and not forgotten, and the states that they are in;
	 * beside the events, which they become. */
	int64_t claims, claims_by_state[CLAIM_STATES];
	struct balance_sink *sinks;
	size_t sink_count;
	int64_t faults; /* of all sinks, and of leads */

	/* Called for each run of events that is wrong in the same way, in order;
	 * `sink` is absent where it is about no sink. May be NULL. */
	void (*found)(struct balance *balance, struct lg_slice sink, enum balance_fault fault,
		      int64_t first_seq, int64_t last_seq);
	void *context;
};

/* Counts everything for the sinks in `names` and for all that the journal knows.
 * `balance` is zero but for found and context; what it points at lives in the
 * arena. Reads in steps, none of which holds a snapshot for long: each sees its
 * events' rows in one transaction, so that a gateway may go on meanwhile.
 * False with a reason when the journal cannot be read. Memory: a byte an event
 * and sink, 32 MiB at most (for up to 500 sinks). */
bool balance_read(struct balance *balance, struct reader *reader, struct arena *arena,
		  const struct lg_slice *names, size_t name_count, struct error *error);

/* Whether every sum is that of the events and nothing was wrong. */
bool balance_closes(const struct balance *balance);

#endif
