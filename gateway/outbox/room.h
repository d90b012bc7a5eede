/* Whether there is room: store.max_size for the journal, and the disk. */
#ifndef OUTBOX_ROOM_H
#define OUTBOX_ROOM_H

#include <stdatomic.h>

#include "outbox/journal.h"

struct room {
	const struct store_settings *store;
	int64_t page_bytes;
	_Atomic(const char *) reason; /* why captures are refused; NULL: taken */
	_Atomic(int64_t) log_bytes;   /* in use, to be brought into the journal */
	_Atomic(int64_t) used_bytes;  /* of the journal, without its free pages */
	bool warned;
	struct mailbox *prober; /* the writer's, who may sleep when the checkpointer refuses */
	int gauge_used, gauge_ready;
};

/* Sets SQLite's own hard limit as well; `prober` is the caller's matter. Main thread, before
 * the writer. */
bool room_init(struct room *room, struct journal *journal, const struct store_settings *store,
	       struct error *error);

/* Writer: how much room there is, for who can do with less: journal->spare_bytes. */
void room_measure(struct room *room, struct journal *journal);

/* Writer, in the transaction, before captures: false with `reason` set when max_size leaves no
 * room. A part of max_size is kept for settlements. */
bool room_check(struct room *room, struct journal *journal);

/* Free bytes on the journal's disk; INT64_MAX when it cannot be asked. */
int64_t room_on_disk(const struct room *room);

/* Writer and checkpointer: SQLite says that it is full, the disk or max_size. The writer
 * is woken, so that it probes from here on. */
void room_exhausted(struct room *room);

/* Writer, from time to time while captures are refused: takes them again when
 * there is room on the disk and below max_size. */
void room_probe(struct room *room, struct journal *journal);

#endif
