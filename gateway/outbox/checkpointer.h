/* The checkpoint thread, with a connection of its own: brings the log into the
 * journal when it has reached its threshold. */
#ifndef OUTBOX_CHECKPOINTER_H
#define OUTBOX_CHECKPOINTER_H

#include "outbox/gate.h"
#include "outbox/room.h"

struct checkpointer {
	sqlite3 *db;
	struct gate *gate;
	struct room *room;
	pthread_t thread;
	struct mailbox wake;
	atomic_bool stopping;
	atomic_bool sized; /* the log is as long as it shall be */
	int64_t threshold_frames;
	_Atomic(int64_t) frames;  /* in the log, as the last commit left it */
	int64_t blocked_since_ms; /* monotonic; 0: no reader is in the way */
	bool warned;
	int hold_histogram, counter, blocked, gauge_log;
};

/* `writing` is the writer's connection: its commits are watched from here on.
 * Before the writer starts. False with a reason. */
bool checkpointer_start(struct checkpointer *checkpointer, sqlite3 *writing, struct gate *gate,
			struct room *room, struct error *error);
void checkpointer_stop(struct checkpointer *checkpointer);

/* Fills what it knows. Any thread. */
void checkpointer_stats(const struct checkpointer *checkpointer, struct outbox_stats *stats);

#endif
