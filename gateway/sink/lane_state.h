/* The inside of a lane, shared by lane.c (its life and how it looks from
 * outside), lane_step.c (its work) and lane_settle.c (how a run ends). Everything is the lane thread's own but
 * the atomics and what the lock guards. */
#ifndef SINK_LANE_STATE_H
#define SINK_LANE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/counter.h"
#include "base/loop.h"
#include "sink/run.h"

/* How a lane stands: what lane_status shows. */
enum lane_mood { MOOD_RUNNING, MOOD_WAITING, MOOD_PARKED, MOOD_STOPPING };

enum lane_counter {
	LANE_DELIVERED,
	LANE_FILTERED,
	LANE_DISCARDED,
	LANE_RETRIED,
	LANE_UNCLASSIFIED,
	LANE_PARKED,
	LANE_DEAD,
	LANE_LAG,
	LANE_OLDEST,
	LANE_POSITION,
	LANE_COUNTERS,
};

struct lane {
	/* given */
	struct instance *instance;
	const struct sink_settings *settings;
	struct outbox *outbox;
	struct run_rules rules;
	size_t batch_events, batch_bytes; /* what lane and plugin both allow */

	/* the thread */
	pthread_t thread;
	struct loop *loop;
	struct mailbox mailbox;	 /* settlements come back here; commits and plugins poke it */
	struct loop_watch wake;	 /* of the mailbox */
	struct loop_timer timer; /* the end of a rest */
	struct loop_task turn;	 /* there is more to do at once */
	struct reader *reader;
	struct http_service *http; /* of a plugin that asks for it */
	_Atomic(bool) stopping;
	pthread_mutex_t lock; /* guards `ended` and `reason` */
	pthread_cond_t end;
	bool ended;
	char reason[160];

	/* where it is */
	int64_t cursor;	     /* read and delivered up to here */
	int64_t settled_seq; /* handed to the writer up to here */
	struct list idle;    /* runs to use again */
	struct list held_up; /* runs that the plugin has not settled wholly */
	size_t held_up_count;
	struct run *flying;   /* with the plugin, within its deadline */
	struct run *settling; /* with the writer; one at a time keeps their order */
	struct run *queued;   /* delivered, goes to the writer next */
	int64_t resend_ms;    /* monotonic: the writer had no room; INT64_MAX: it has it */
	bool due_with_writer; /* a run of due events is delivered but not stored yet */
	bool was_due;	      /* the last run was of due events: new ones have their turn */
	int64_t next_due_ms;  /* wall clock; 0: not known */

	/* its pace, all monotonic */
	int64_t gather_until_ms; /* before this only a full batch goes */
	int64_t resume_ms;	 /* before this nothing goes */
	int64_t failures;	 /* pauses in a row */

	/* for others */
	_Atomic(int) mood;
	_Atomic(int64_t) position;	    /* settled and stored up to here */
	_Atomic(int64_t) oldest_pending_ms; /* wall clock; 0: not known or none */
	_Atomic(int64_t) totals[LANE_COUNTERS];
	int counters[LANE_COUNTERS];
	int deliveries; /* histogram of how long the plugin takes for a batch */
};

/* Does what can be done now; returns for how many milliseconds there is nothing
 * more to do unless a letter or a poke comes; -1: it is to stop, and may. */
int64_t lane_step(struct lane *lane);

/* Hands the outcome of a run to the writer; `first`: its events were never
 * settled before. There must be no queued run. */
void lane_settle(struct lane *lane, struct run *run, bool first);

/* Takes the writer's answers, sends what is next, and takes back the memory of
 * what the plugin has settled late. */
void lane_take_letters(struct lane *lane);

/* The run is over. Its memory waits until the plugin has settled all of it. */
void lane_give_back(struct lane *lane, struct run *run);

/* Adds to a counter and to the lane's own total; LANE_COUNTERS: to none. */
void lane_count(struct lane *lane, enum lane_counter counter, int64_t n);

/* When nothing happened for a while: gives memory back. */
void lane_rest(struct lane *lane);

/* After the last step: the settlements under way are waited for, what the
 * plugin still does is finished. */
void lane_finish(struct lane *lane);

/* Says how it stands; `reason` may be absent. */
void lane_mood_set(struct lane *lane, enum lane_mood mood, struct lg_slice reason);

#endif
