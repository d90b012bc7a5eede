/* The writer thread: one transaction after the other with all that waits. */
#ifndef OUTBOX_WRITER_H
#define OUTBOX_WRITER_H

#include "outbox/gate.h"
#include "outbox/journal.h"
#include "outbox/room.h"

struct writer {
	struct journal *journal;
	struct room *room;
	struct gate *gate;
	const struct store_settings *store;
	/* Called after each commit, in the writer's thread. */
	void (*committed)(struct writer *writer);

	pthread_t thread;
	struct mailbox submissions, settlements, orders; /* only the first wakes */
	atomic_bool stopping;
	_Atomic(int64_t) busy_since_ms; /* monotonic: the step under way; 0: it waits */
	_Atomic(const char *) damage;	/* the store cannot be written any more; NULL: it can */
	_Atomic(int64_t) queued, queued_bytes, admitted;
	_Atomic(int64_t) sink_epoch, claim_epoch;
	_Atomic(int64_t) last_seq, leads, index_bytes, index_keys;
	int gauge_leads, gauge_last_seq, gauge_index, gauge_queue, counter_pruned;
	int refused_full, refused_queue; /* counters of what is not let in */
	int queue_stage, commit_stage;	 /* histograms */
	int64_t last_capture_us;	 /* monotonic: when captures were committed last */
	int64_t probed_ms;		 /* monotonic: when a full store was tried last */

	struct letter *waiting; /* submissions taken, in order */
	struct letter **waiting_end;
	struct letter *unsettled;
	struct letter *chores; /* in order; the first may be under way */
	struct chore pruning;  /* our own, by the retention */
	int64_t pruned_ms;     /* monotonic: when its last pass ended */
};

/* The fields up to `committed` are filled. False with a reason. */
bool writer_start(struct writer *writer, struct error *error);
/* Commits what waits and ends the chores, then ends the thread. */
void writer_stop(struct writer *writer);
/* When nobody pokes its mailboxes any more. */
void writer_fini(struct writer *writer);

bool writer_admit(struct writer *writer, const struct submission *submission);
bool writer_is_busy(const struct writer *writer);
void writer_send(struct writer *writer, struct letter *oldest);
void writer_settle(struct writer *writer, struct settlement *settlement);
void writer_do(struct writer *writer, struct chore *chore);

#endif
