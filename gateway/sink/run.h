/* A run of events on its way: read from the journal, sorted into those that
 * are delivered and those that are settled without, delivered, judged, settled.
 *
 * It owns all memory of that way. Lane thread; while its settlement is with the
 * writer nothing of it may change. */
#ifndef SINK_RUN_H
#define SINK_RUN_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/list.h"
#include "outbox/reader.h"
#include "sink/batch.h"
#include "sink/rules.h"

/* What the plugin said of a run, counted. */
struct run_tally {
	size_t delivered, retried, unclassified, parked, dead;
	int64_t retry_after_ms; /* the longest that was asked for */
	struct lg_slice reason; /* the first that was given; lives as long as the run */
};

struct run {
	struct settlement settlement; /* first: its letter comes back from the writer */
	struct list link;	      /* the lane's */
	struct arena arena;
	struct buffer json;
	struct journal_event *events;
	struct settled_event *results; /* one an event */
	struct lg_slice *bodies;       /* mapped, one an event; NULL: there is no mapping */
	struct lg_slice *external_ids; /* before it, one an event; NULL: not asked for */
	size_t count;
	size_t *places; /* of each event of the batch: where it stands in `events` */
	struct batch batch;
	bool due;		 /* its events were tried before */
	bool named;		 /* results have external ids */
	bool urgent;		 /* its events have overtaken others */
	bool shrunk;		 /* it has its results alone, and is not used again */
	bool passed;		 /* others passed: an event that parks is itself to blame */
	struct stretch *stretch; /* of a first-hand run */
	struct sent_batch sent;	 /* it goes again as this one; 0 events: as any other */
	bool parted;		 /* its events were of one, and are not if they are settled now */
	/* events whose filter or mapping failed, and the last reason */
	size_t when_errors, mapping_errors;
	struct lg_slice when_error, mapping_error;
	int64_t started_us;  /* monotonic: when the plugin got it */
	int64_t deadline_ms; /* monotonic: what is unsettled then is unclassified */
};

struct run *run_new(const struct lg_services *services, struct mailbox *wake);
void run_free(struct run **run);

/* It was judged and may have to wait long for others: keeps the results, and whose
 * events they are, and forgets all else, unless the plugin may still settle or there is
 * no memory for that. */
void run_shrink(struct run *run);

/* Which state an event has without being delivered; PENDING: it is; RETRY: the
 * filter failed, with a reason. Of the mapping it says nothing. */
enum delivery_state run_state(const struct journal_event *event, const struct run_rules *rules,
			      struct error *error);
/* Whether an event is delivered under these rules, or settled without. */
bool run_takes(const struct journal_event *event, const struct run_rules *rules);

/* What the rules' mapping, of which there is one, makes of an event; the body lives in
 * `arena`. An absent external id: none is known. False: it failed, with a reason that
 * quotes nothing of the lead. */
bool run_map(const struct journal_event *event, const struct run_rules *rules,
	     struct lg_slice external_id, struct arena *arena, struct lg_slice *body,
	     struct error *error);

/* Forgets the events. Not while a plugin may still settle. */
void run_reset(struct run *run);

/* Sorts what was read into `events` and `count`: `results` has what each becomes,
 * PENDING when it is to be delivered, and then `bodies` what it is mapped to. An
 * event whose filter or mapping fails is not delivered and not lost: it is tried again later, as after a failed attempt, under what they say
 * then, and in the end it is a dead letter. False: no memory. */
bool run_sort(struct run *run, const struct run_rules *rules);
/* Encodes what is PENDING into the batch. False: no memory. */
bool run_fill(struct run *run, const struct run_rules *rules);

/* Judges every delivered event by what the plugin said. `tally` first. What parks
 * in a run that has `passed` is a dead letter. */
void run_tally(const struct run *run, struct run_tally *tally);
void run_judge(struct run *run, const struct sink_settings *settings, int64_t now_ms);

#endif
