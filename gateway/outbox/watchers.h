/* The mailboxes that are poked after commits, each by all of them or by the one that it
 * awaits. Inner header of outbox/: outbox_watch and its companions say what it means to
 * those outside. */
#ifndef OUTBOX_WATCHERS_H
#define OUTBOX_WATCHERS_H

#include <pthread.h>

#include "outbox/outbox.h"

struct watcher {
	struct mailbox *mailbox; /* of who watches; it outlives its place here */
	int64_t awaited_seq;	 /* 0: every commit will do; INT64_MAX: none */
};

struct watchers {
	pthread_mutex_t mutex;
	struct watcher all[OUTBOX_WATCHERS];
	size_t count;
	int64_t announced_seq, announced_epoch; /* writer's */
};

/* All zero but for the mutex. Main thread, as is the end, when nobody watches any more. */
void watchers_init(struct watchers *watchers);
void watchers_fini(struct watchers *watchers);

/* Pokes who awaits no more than `last_seq`, or everybody where `sink_epoch` is another
 * than the last time. The writer, after each commit. */
void watchers_announce(struct watchers *watchers, int64_t last_seq, int64_t sink_epoch);

/* From now on `mailbox` is poked by every commit. False: there is no place left. Any
 * thread. */
bool watchers_add(struct watchers *watchers, struct mailbox *mailbox);
/* From now on it is poked by the commit that reaches `seq` alone, once. The caller looks
 * afterwards whether that one was before. Any thread. */
void watchers_await(struct watchers *watchers, const struct mailbox *mailbox, int64_t seq);
/* Does no harm where it is not among them. It is not poked any more. Any thread. */
void watchers_remove(struct watchers *watchers, const struct mailbox *mailbox);

#endif
