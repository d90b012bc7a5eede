/* The inside of a lane. Its files: lane.c (its life), lane_step.c (when it does what),
 * lane_permit.c (what the journal has noted of its sink), lane_order.c (what waits for
 * another event of its lead), lane_read.c (which events go next), lane_due.c (the same of
 * those that were tried), lane_priority.c (the same of urgent ones), lane_external.c (what
 * their leads are called there), lane_deliver.c (a run and the plugin, what its outcome
 * means), lane_mood.c (its pauses), lane_settle.c (how a run ends), lane_status.c (what it
 * counts, and how it looks from outside). Everything is the lane thread's own but the
 * atomics and what the lock guards. */
#ifndef SINK_LANE_STATE_H
#define SINK_LANE_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/counter.h"
#include "base/loop.h"
#include "outbox/chore.h"
#include "sink/order.h"
#include "sink/pace.h"
#include "sink/priority.h"
#include "sink/run.h"
#include "sink/stretch.h"
#include "sink/suspects.h"

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
	LANE_WHEN_ERRORS,
	LANE_MAPPING_ERRORS,
	LANE_LAG,
	LANE_POSITION,
	LANE_COUNTERS,
};

/* Whom a parked lane asks next. Another lead tells most; but when there is none, or
 * none that the destination takes, only the suspect itself may show that it was
 * repaired. So all of them have their turn. */
enum probe_turn {
	PROBE_OTHERS,  /* first-hand events of other leads, up to PROBES_MAX of them */
	PROBE_DUE,     /* an event that was tried before, of another lead where there is one */
	PROBE_SUSPECT, /* the suspect itself */
	PROBE_TURNS,
};

/* How far the search has come for a lead that shows what a suspect is. */
struct probing {
	int64_t asked_seq; /* the last that parked: the next ones are asked first */
	enum probe_turn turn;
	int others; /* asked in this turn */
};

struct lane {
	/* given */
	struct instance *instance;
	const struct sink_settings *settings;
	struct outbox *outbox;
	struct run_rules rules;
	size_t batch_events, batch_bytes; /* what lane and plugin both allow */
	size_t concurrency;		  /* batches with the plugin at once */
	bool wants_external;		  /* what the destination called its leads before */

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
	_Atomic(int64_t) stop_by_ms; /* monotonic: nothing flies any longer */
	_Atomic(bool) roused;	     /* it is to rest no longer */
	bool recalled;		     /* it has seen that it is to stop */
	pthread_mutex_t lock;	     /* guards `ended` and `reason` */
	pthread_cond_t end;
	bool ended;
	char reason[160];
	char pause_reason[160];

	/* what the journal has noted of the sink */
	struct chore begin; /* asks for its begin */
	bool asked;	    /* the writer has it */
	bool begun;
	int64_t epoch;		 /* of the notes that were read; -1: none */
	int64_t when_said_ms;	 /* monotonic: when a failure of the filter was logged last */
	int64_t mapping_said_ms; /* the same of the mapping */
	bool unsized_said;	 /* that the plugin settles without .size */

	/* where it is */
	struct stretches ahead; /* what was never settled */
	int64_t settled_seq;	/* handed to the writer up to here */
	struct list idle;	/* runs to use again */
	struct list held_up;	/* runs that the plugin has not settled wholly */
	size_t held_up_count;
	struct list flying; /* runs with the plugin, within their deadline */
	size_t flying_count;
	struct list due_done; /* runs of due events that go to the writer next */
	size_t done_count;    /* runs that do, first-hand ones too */

	/* the settlement that the writer has; one at a time keeps their order */
	struct list with_writer; /* its runs; it is the first one's */
	struct settled_event *merged;
	bool was_first;	   /* it was of first-hand runs */
	int64_t resend_ms; /* monotonic: the writer had no room; INT64_MAX: it has it */

	bool was_due;	     /* the last run was of due events: new ones have their turn */
	int64_t next_due_ms; /* wall clock; 0: not known */
	int64_t last_due_ms;

	/* its pace, all monotonic */
	size_t most;		 /* events of a batch now: fewer where a batch failed whole */
	int64_t good_batches;	 /* since then */
	int64_t gather_until_ms; /* before this only a full batch goes */
	int64_t resume_ms;	 /* before this nothing goes */
	int64_t paused_us;	 /* when the last pause began */
	int64_t proof_us;	 /* what is taken ends the pause if it went no sooner */
	int64_t failures;	 /* pauses in a row */
	int64_t due_failures;	 /* of due runs in a row, each of another event */
	int64_t due_failed_seq;	 /* the first of the last one */
	int64_t taken_us;	 /* when something was delivered last */
	int64_t unanswered_us;	 /* when a batch of several had no answer last */
	struct suspects suspects;
	struct probing probing;
	struct pace pace; /* rate and rate_day */
	int64_t reserved; /* events of a batch that goes as soon as there is room for all of it */
	int64_t beside;	  /* events that went since that waits */

	/* order: person; otherwise only what was held back when it was */
	struct order *order;
	bool order_known; /* it has what the journal has */
	bool blocked;	  /* what is next waits for what flies */

	/* priority: urgent; otherwise NULL */
	struct priority *priority;
	struct filter *urgent;
	bool was_urgent;    /* the last first-hand run was */
	size_t urgent_done; /* of done_count: these may wait for many others */

	/* for others */
	_Atomic(int) mood;
	_Atomic(int64_t) since_ms;	  /* wall clock: in this mood */
	_Atomic(int64_t) next_attempt_ms; /* wall clock; 0: at any time */
	_Atomic(int64_t) in_flight;
	_Atomic(int64_t) paused_ms; /* wall clock: by an operator, since then; 0: it is not */
	/* wall clock: the journal has not taken its outcomes since then; 0: it has */
	_Atomic(int64_t) unstored_ms;
	_Atomic(int64_t) position; /* settled and stored up to here */
	_Atomic(int64_t) totals[LANE_COUNTERS];
	int counters[LANE_COUNTERS];
	int deliveries; /* histogram of how long the plugin takes for a batch */
};

#define LANE_UNSTORED                                                                            \
	"the journal cannot take the outcomes of deliveries; nothing new is delivered until it " \
	"can"

static inline bool lane_is_ordered(const struct lane *lane)
{
	return lane->settings->order == SINK_ORDER_PERSON;
}

/* ---- lane.c ---- */

/* Nothing flies any longer at `by_ms`, or sooner if that was said before. Any thread. */
void lane_bring_forward(struct lane *lane, int64_t by_ms);

/* ---- lane_external.c ---- */

/* Finds what the destination has called the leads of a run, where the sink wants
 * to know. False: the journal cannot be read, which is said. */
bool lane_name_leads(struct lane *lane, struct run *run);

/* ---- lane_step.c ---- */

/* Does what can be done now; returns for how many milliseconds there is nothing
 * more to do unless a letter or a poke comes; -1: it is to stop, and may. */
int64_t lane_step(struct lane *lane);
/* When nothing happened for a while: gives memory back. */
void lane_rest(struct lane *lane);
/* After the last step: the settlements under way are waited for, what the
 * plugin still does is finished. */
void lane_finish(struct lane *lane);

/* ---- lane_permit.c ---- */

/* Whether the journal lets the sink go on: it has begun, and nobody paused it.
 * Otherwise a letter or a poke comes when that changes, or resume_ms is set. */
bool lane_is_permitted(struct lane *lane);
/* The writer's answer to what lane_is_permitted asked for. */
void lane_take_begin(struct lane *lane);

/* ---- lane_order.c ---- */

/* Notes the events of a sorted run, holds back what waits for an event that is
 * open, and cuts the run before what waits for one that flies; nothing may be left
 * of it. False: no memory. */
bool lane_order_apply(struct lane *lane, struct run *run);
/* The run was judged. */
void lane_order_landed(struct lane *lane, const struct run *run);
/* The run is not settled but read again. */
void lane_order_forget(struct lane *lane, const struct run *run);
/* Gives a time to the events that need not wait any longer. */
void lane_order_release(struct lane *lane);
/* Reads what waits, after the start and after a chore. False: later. */
bool lane_order_load(struct lane *lane);

/* ---- lane_read.c ---- */

/* A run to fill; NULL: there is no memory, and nothing goes for a second. */
struct run *lane_take_run(struct lane *lane, bool due);

/* The run of events that goes next, read but not prepared; a first-hand one has
 * its stretch. NULL: none now. */
struct run *lane_read(struct lane *lane);
/* At the end, when nothing flies: up to `count` events that were passed over, before
 * what is done. NULL: there are none, or they cannot be read. */
struct run *lane_read_gap(struct lane *lane, size_t count);
/* How many events the run may have that goes next; 0: none for now. */
size_t lane_most(struct lane *lane);
/* Reads at most `count` events of an open stretch from first_seq on, or of the
 * unread rest. False: it could not be read, and the run is gone. */
bool lane_read_range(struct lane *lane, struct run *run, const struct stretch *from,
		     int64_t first_seq, size_t count);
/* The journal cannot be read: the run is given back, and nothing goes for a second. */
void lane_read_failed(struct lane *lane, struct run *run, const struct error *error);
/* Whether another lead may be asked why the lane is parked: not while too much that
 * is done waits for the suspect. */
bool lane_may_probe(const struct lane *lane);
/* Whether so many events are open that new ones wait. */
bool lane_is_full(const struct lane *lane);
/* Whether new events are to be read now, or gather a little longer. */
bool lane_wants_new(const struct lane *lane);

/* ---- lane_due.c ---- */

/* Open events whose time has come, or would never: a clock that was set back must not
 * keep them. NULL: none now. */
struct run *lane_read_due(struct lane *lane);
/* Whether an event is of the lead of the suspect that is probed for. */
bool lane_suspects(const struct lane *lane, const struct journal_event *event);

/* ---- lane_priority.c ---- */

/* Does nothing where no priority is asked for. False with a reason. */
bool lane_priority_init(struct lane *lane, struct error *error);
/* Brings the urgent ones of events that are due to the front. */
void lane_prefer_urgent(struct lane *lane, struct run *run);
/* The run of urgent events that goes next, with its stretch. NULL: there is none, or
 * others have their turn. */
struct run *lane_read_urgent(struct lane *lane);
/* What is open again from first_seq on may be urgent. */
void lane_look_again(struct lane *lane, int64_t first_seq);

/* ---- lane_deliver.c ---- */

/* Hands a run to the plugin, or settles it when the plugin gets none of it. */
void lane_deliver(struct lane *lane, struct run *run);
/* Takes back what the plugin is done with and what had its time. */
void lane_land(struct lane *lane);
/* The lane is to stop: what was not sent is taken back, what was has until stop_wait.
 * Once is enough. */
void lane_recall(struct lane *lane);
/* How long until the first deadline of what flies; INT64_MAX: nothing does. */
int64_t lane_flight_ms(const struct lane *lane);

/* ---- lane_mood.c ---- */

/* Says how it stands; `reason` may be absent. */
void lane_mood_set(struct lane *lane, enum lane_mood mood, struct lg_slice reason);
/* Nothing goes for a while, at least `least_ms`: longer at each failure in a row.
 * What was under way when the last pause began (`started_us`, monotonic) does not
 * count once more. */
void lane_pause(struct lane *lane, enum lane_mood mood, int64_t started_us, int64_t least_ms,
		struct lg_slice reason);
/* The destination takes something: all goes at full pace again. What was under way when
 * it asked to wait proves nothing of what it wants since; where an event parked, what
 * went no sooner than that one does. */
void lane_go_on(struct lane *lane, int64_t started_us);
/* Whoever wants to see it try need not wait: the pause is over, and one event finds out. */
void lane_end_rest(struct lane *lane);
/* A run of due events failed that begins with `seq` and was told to wait `least_ms`
 * (0: nothing said). Whether the lane pauses for it: one event that is failing
 * again must not hold the others up, but several of them say that the destination
 * is. */
bool lane_due_failed(struct lane *lane, int64_t seq, int64_t least_ms);
/* The rate allows nothing for so long. */
void lane_hold(struct lane *lane, int64_t wait_ms, bool day);
/* It allows something again. */
void lane_hold_over(struct lane *lane);
/* A batch of `count` events failed as a whole: the next ones are half as large,
 * until the one event is found that is to blame. */
void lane_shrink(struct lane *lane, size_t count);
/* A batch went well: after some of them the next ones are larger again. */
void lane_grow(struct lane *lane);

/* ---- lane_settle.c ---- */

/* What is done goes to the writer unless it has something of the lane's or an earlier
 * event is pending; first-hand settlements and those of due events take turns. */
void lane_send_done(struct lane *lane);
/* The run is judged: it goes to the writer when it is its turn. */
void lane_settle(struct lane *lane, struct run *run);
/* The run was not taken: its events are read again. */
void lane_forget(struct lane *lane, struct run *run);
/* The same of a run that was sent and judged: its events stay as they were, but that
 * they were tried, and why in vain, goes to the writer. */
void lane_note(struct lane *lane, struct run *run);
/* Takes the writer's answers, sends what is next, and takes back the memory of
 * what the plugin has settled late. */
void lane_take_letters(struct lane *lane);
/* The run is over. Its memory waits until the plugin has settled all of it. */
void lane_give_back(struct lane *lane, struct run *run);
/* Whether an event is in a run of due events that is not stored yet. */
bool lane_has_due(const struct lane *lane, int64_t seq);
/* How many events those runs have. */
size_t lane_due_count(const struct lane *lane);

/* ---- lane_status.c ---- */

/* Finds or makes the counters and the histogram of its sink, before its thread begins.
 * Cannot fail: what finds the table full is not counted. */
void lane_register_counters(struct lane *lane);
/* Adds to a counter and to the lane's own total; LANE_COUNTERS: to none. */
void lane_count(struct lane *lane, enum lane_counter counter, int64_t n);

#endif
