/* The SQL of the writer, prepared once. Writer thread. */
#ifndef OUTBOX_STATEMENTS_H
#define OUTBOX_STATEMENTS_H

#include <sqlite3.h>

#include "base/error.h"
#include "base/random.h"
#include "base/slice.h"

enum statement {
	STATEMENT_BEGIN,
	STATEMENT_COMMIT,
	STATEMENT_ROLLBACK,
	STATEMENT_ADD_EVENT,	/* seq, type, lead, at, body */
	STATEMENT_DRAFT_EVENTS, /* all drafts, as the next two */
	STATEMENT_DRAFT_LEADS,
	STATEMENT_DRAFT_IDENTITIES,
	STATEMENT_MOVE_LEAD,	  /* event, id */
	STATEMENT_ADD_IDENTITY,	  /* seq, lead, at, keys */
	STATEMENT_IDENTITY,	  /* seq -> lead, at, keys */
	STATEMENT_EVENT_BODY,	  /* seq -> body */
	STATEMENT_EVENT_TYPE,	  /* seq -> type */
	STATEMENT_LEAD,		  /* id -> event's seq, at, type, body */
	STATEMENT_EVENT_LEAD,	  /* seq -> lead */
	STATEMENT_POSITION,	  /* sink -> last_seq */
	STATEMENT_ADD_SETTLED,	  /* sink, first_seq, last_seq, at, outcomes */
	STATEMENT_SETTLED_RANGE,  /* sink, first_seq, last_seq -> rowid, first_seq, last_seq,
				    outcomes */
	STATEMENT_CHANGE_SETTLED, /* rowid, first_seq, last_seq, outcomes */
	STATEMENT_DROP_SETTLED,	  /* rowid */
	STATEMENT_HAS_OPEN,	  /* sink, seq -> 1 */
	STATEMENT_COUNT_OPEN,	  /* sink, most -> how many, but no more than that */
	STATEMENT_PUT_OPEN,	  /* sink, seq, state, attempts, due, error, since, batch's first
				   seq, last seq, events */
	STATEMENT_PART_OPEN,	  /* sink, seq */
	STATEMENT_DROP_OPEN,	  /* sink, seq */
	STATEMENT_ADD_ATTEMPT,	  /* sink, at, first_seq, last_seq, outcome, status, answer,
				   reason */
	STATEMENT_PUT_EXTERNAL,	  /* sink, lead, id */
	STATEMENT_ADD_CLAIM,	  /* source, kind, key, group, parts, at, due, blob, error */
	STATEMENT_WAKE_GROUP,	  /* source, group, parts, now */
	STATEMENT_END_CLAIM,	  /* no, state, due, attempts, error, blob, whether it is done */
	STATEMENT_DROP_CLAIM,	  /* no */
	STATEMENT_UNPARK,	  /* source, now */
	STATEMENT_DROP_POLL,	  /* source */
	STATEMENT_DROP_DONE,	  /* source, ended before, count */
	STATEMENT_PUT_NOTE,	  /* scope, key, value */
	STATEMENT_DROP_NOTE,	  /* scope, key */
	STATEMENT_ADD_IMPORT,	  /* source, digest, name, bytes, at */
	STATEMENT_MOVE_IMPORT,	  /* source, digest, from; offset, position, rejects, state, rows,
				   counts by result, ended, error */
	STATEMENT_PAGES,	  /* -> page_count */
	STATEMENT_FREE_PAGES,	  /* -> freelist_count */
	STATEMENT_COUNT,
};

struct statements {
	sqlite3_stmt *all[STATEMENT_COUNT];
};

/* All statements start at NULL, so that _fini may follow a failure. */
bool statements_init(struct statements *statements, sqlite3 *db, struct error *error);
void statements_fini(struct statements *statements);

/* Runs one that gives no row and is bound already. An SQLite result, SQLITE_OK
 * when done; the statement is ready for the next. */
int statement_run(sqlite3_stmt *statement);

/* Binds without a copy: the bytes live until the statement has run. Absent
 * slices become NULL. */
void statement_bind_text(sqlite3_stmt *statement, int at, struct lg_slice text);
void statement_bind_blob(sqlite3_stmt *statement, int at, const void *data, size_t size);

/* A column's bytes, until the next step or reset. */
struct lg_slice statement_column(sqlite3_stmt *statement, int at);

#endif
