/* The writing side of the store: the one connection that writes, and the index
 * in memory that goes with it. A transaction either commits in both or leaves
 * both as they were. Writer thread (main thread before it starts and after). */
#ifndef OUTBOX_JOURNAL_H
#define OUTBOX_JOURNAL_H

#include <sqlite3.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "lead/event.h"
#include "outbox/drafts.h"
#include "outbox/identity_index.h"
#include "outbox/identity_row.h"
#include "outbox/outbox.h"
#include "outbox/recent.h"
#include "outbox/statements.h"

/* An entry that the open transaction added to an index. */
struct journal_undo {
	struct index *index;
	uint64_t hash;
	int64_t seq;
};

struct journal {
	sqlite3 *db;
	struct statements statements;
	const struct dedup_settings *dedup;
	/* As configured, but for record_bytes: what a merge adds must have room. */
	struct lead_limits limits;
	unsigned int key_kinds;

	struct index index;   /* keys of persons and deliveries, for ever */
	struct recent recent; /* submissions, for the window */
	struct journal_undo *undo;
	size_t undo_count, undo_capacity;

	struct drafts drafts;	 /* what the open transaction has not given to SQLite yet */
	int64_t failed_seq;	 /* of the draft that could not be written; 0: none */
	int64_t last_seq, leads; /* with the open transaction */
	int64_t committed_seq, committed_leads;

	/* Below store.max_size without what is kept for settlements, as the room saw it
	 * last; negative: that is being used. What may be done without goes by it. */
	int64_t spare_bytes, reserve_bytes;
	int64_t attempts_dropped; /* in the open transaction, or left out */
	int64_t attempt_cursor;	  /* row up to which failures were looked for, to drop them */
	bool history_told;	  /* that attempts are left out */

	/* For reading, merging and encoding one record. */
	struct arena arena;
	struct buffer record, changes, body;
};

/* How the index comes to be. */
struct journal_opening {
	struct identity_index *ahead;		/* emptied when it is of use; NULL: none */
	const struct outbox_patience *patience; /* NULL: none is needed */
};

/* `db` is open and stays the caller's; prepares statements and reads what is not
 * read yet of the identity table into the index. False with a reason. */
bool journal_init(struct journal *journal, sqlite3 *db, const struct dedup_settings *dedup,
		  const struct lead_limits *limits, unsigned int key_kinds,
		  const struct journal_opening *opening, struct error *error);
void journal_fini(struct journal *journal);

/* Results are SQLite's. After a failure of anything between begin and commit,
 * commit included, journal_rollback. */
int journal_begin(struct journal *journal);
int journal_commit(struct journal *journal);
void journal_rollback(struct journal *journal);

/* Gives SQLite the drafts. Who reads tables of leads and events in the transaction calls
 * it before. */
int journal_flush(struct journal *journal);

/* A new lead, with its event of that type under the next seq and the row of its
 * capture. `body` lives until the commit or the next flush. */
int journal_add_lead(struct journal *journal, const char *type, const struct identity_row *row,
		     struct lg_slice body);

/* Appends an event under the next seq; `lead_id` NULL: it is of no lead. */
int journal_add_event(struct journal *journal, const char *type, const uint8_t lead_id[UUID_BYTES],
		      int64_t at_ms, struct lg_slice body);

/* Appends an identity row under the last seq and leads the index to it. */
int journal_add_identity(struct journal *journal, const struct identity_row *row);

/* Draft or not. SQLITE_OK, SQLITE_NOTFOUND, or a failure. */
int journal_identity(struct journal *journal, int64_t seq, struct identity_row *row);

static inline sqlite3_stmt *journal_statement(struct journal *journal, enum statement statement)
{
	return journal->statements.all[statement];
}

#endif
