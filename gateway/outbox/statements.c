#include "outbox/statements.h"

#define SELECT_PRESENT \
	"SELECT seq, at, type, body FROM event WHERE seq = (SELECT event FROM lead WHERE id = ?)"

static const char *const sql[STATEMENT_COUNT] = {
	[STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
	[STATEMENT_COMMIT] = "COMMIT",
	[STATEMENT_ROLLBACK] = "ROLLBACK",
	[STATEMENT_ADD_EVENT] = "INSERT INTO event VALUES (?, ?, ?, ?, ?)",
	/* OR FAIL: what fails takes its transaction along, so SQLite need not be able to undo
	 * it alone. */
	[STATEMENT_DRAFT_EVENTS] = ("INSERT OR FAIL INTO event"
				    " SELECT seq, type, lead, at, body FROM draft"),
	[STATEMENT_DRAFT_LEADS] = "INSERT OR FAIL INTO lead SELECT lead, seq FROM draft",
	[STATEMENT_DRAFT_IDENTITIES] = ("INSERT OR FAIL INTO identity"
					" SELECT seq, lead, at, keys FROM draft"),
	[STATEMENT_MOVE_LEAD] = "UPDATE lead SET event = ? WHERE id = ?",
	[STATEMENT_ADD_IDENTITY] = "INSERT INTO identity VALUES (?, ?, ?, ?)",
	[STATEMENT_IDENTITY] = "SELECT lead, at, keys FROM identity WHERE seq = ?",
	[STATEMENT_EVENT_BODY] = "SELECT body FROM event WHERE seq = ?",
	[STATEMENT_EVENT_TYPE] = "SELECT type FROM event WHERE seq = ?",
	[STATEMENT_LEAD] = SELECT_PRESENT,
	[STATEMENT_EVENT_LEAD] = "SELECT lead FROM event WHERE seq = ?",
	[STATEMENT_POSITION] = "SELECT max(last_seq) FROM settled WHERE sink = ?",
	[STATEMENT_ADD_SETTLED] = "INSERT INTO settled VALUES (?, ?, ?, ?, ?)",
	[STATEMENT_SETTLED_RANGE] = ("SELECT rowid, first_seq, last_seq, outcomes FROM settled"
				     " WHERE sink = ?1 AND last_seq >= ?2 AND first_seq <= ?3"),
	[STATEMENT_CHANGE_SETTLED] = ("UPDATE settled SET first_seq = ?2, last_seq = ?3,"
				      " outcomes = ?4 WHERE rowid = ?1"),
	[STATEMENT_DROP_SETTLED] = "DELETE FROM settled WHERE rowid = ?1",
	[STATEMENT_HAS_OPEN] = "SELECT 1 FROM open WHERE sink = ? AND seq = ?",
	[STATEMENT_COUNT_OPEN] = ("SELECT count(*) FROM (SELECT 1 FROM open WHERE sink = ?"
				  " LIMIT ?)"),
	[STATEMENT_PUT_OPEN] = "INSERT OR REPLACE INTO open VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_PART_OPEN] = ("UPDATE open SET batch_first = NULL, batch_last = NULL,"
				 " batch_events = NULL WHERE sink = ? AND seq = ?"),
	[STATEMENT_DROP_OPEN] = "DELETE FROM open WHERE sink = ? AND seq = ?",
	[STATEMENT_ADD_ATTEMPT] = "INSERT INTO attempt VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
	[STATEMENT_PUT_EXTERNAL] = "INSERT OR REPLACE INTO external VALUES (?, ?, ?)",
	[STATEMENT_ADD_CLAIM] =
		("INSERT INTO claim (source, kind, key, group_key, parts, at, state, due, attempts,"
		 " blob, error) VALUES (?1, ?2, ?3, ?4, ?5, ?6,"
		 " CASE WHEN ?9 IS NULL THEN 'waiting' ELSE 'dead' END, ?7, 0, ?8, ?9)"
		 " ON CONFLICT (source, kind, key) DO"
		 " UPDATE SET due = excluded.due WHERE kind = 'poll' AND state = 'waiting' AND"
		 " due > excluded.due"),
	[STATEMENT_WAKE_GROUP] =
		("UPDATE claim SET due = ?4 WHERE source = ?1 AND group_key = ?2 AND"
		 " state = 'waiting' AND due > ?4 AND ?3 <= (SELECT count(*) FROM claim WHERE"
		 " source = ?1 AND group_key = ?2 AND state = 'waiting')"),
	[STATEMENT_END_CLAIM] = ("UPDATE claim SET state = ?2, due = ?3, attempts = ?4, error = ?5,"
				 " blob = CASE WHEN ?7 THEN NULL ELSE ifnull(?6, blob) END"
				 " WHERE no = ?1"),
	[STATEMENT_DROP_CLAIM] = "DELETE FROM claim WHERE no = ?",
	[STATEMENT_UNPARK] = ("UPDATE claim SET state = 'waiting', due = ?2 WHERE source = ?1 AND"
			      " state = 'parked'"),
	[STATEMENT_DROP_POLL] = "DELETE FROM claim WHERE source = ? AND kind = 'poll'",
	[STATEMENT_DROP_DONE] = ("DELETE FROM claim WHERE no IN (SELECT no FROM claim WHERE"
				 " source = ?1 AND state = 'done' AND due < ?2 LIMIT ?3)"),
	[STATEMENT_PUT_NOTE] = "INSERT OR REPLACE INTO state VALUES (?, ?, ?, NULL)",
	[STATEMENT_DROP_NOTE] = "DELETE FROM state WHERE scope = ? AND key = ?",
	[STATEMENT_ADD_IMPORT] = ("INSERT OR REPLACE INTO import VALUES (?, ?, ?, ?, 'running', ?,"
				  " NULL, 0, NULL, 0, 0, 0, 0, 0, 0, 0, 0, NULL)"),
	[STATEMENT_MOVE_IMPORT] =
		("UPDATE import SET offset = ?4, position = ?5, rejects = ?6, state = ?7,"
		 " rows = rows + ?8, created = created + ?9, touched = touched + ?10,"
		 " repeated = repeated + ?11, held = held + ?12, refused = refused + ?13,"
		 " ignored = ignored + ?14, ended = ?15, error = ?16"
		 " WHERE source = ?1 AND digest = ?2 AND offset = ?3"),
	[STATEMENT_PAGES] = "PRAGMA page_count",
	[STATEMENT_FREE_PAGES] = "PRAGMA freelist_count",
};

bool statements_init(struct statements *statements, sqlite3 *db, struct error *error)
{
	memset(statements, 0, sizeof(*statements));
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		if (sqlite3_prepare_v3(db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &statements->all[i], NULL) != SQLITE_OK)
			return error_set(error, "%s", sqlite3_errmsg(db));
	return true;
}

void statements_fini(struct statements *statements)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		sqlite3_finalize(statements->all[i]);
		statements->all[i] = NULL;
	}
}

int statement_run(sqlite3_stmt *statement)
{
	sqlite3_step(statement);
	return sqlite3_reset(statement); /* tells again why the step failed */
}

void statement_bind_text(sqlite3_stmt *statement, int at, struct lg_slice text)
{
	if (slice_present(text))
		sqlite3_bind_text64(statement, at, text.data, text.length, SQLITE_STATIC,
				    SQLITE_UTF8);
	else
		sqlite3_bind_null(statement, at);
}

void statement_bind_blob(sqlite3_stmt *statement, int at, const void *data, size_t size)
{
	sqlite3_bind_blob64(statement, at, data, size, SQLITE_STATIC);
}

struct lg_slice statement_column(sqlite3_stmt *statement, int at)
{
	const char *data = sqlite3_column_blob(statement, at);
	int length = sqlite3_column_bytes(statement, at);

	if (sqlite3_column_type(statement, at) == SQLITE_NULL)
		return slice_of(NULL, 0);
	return slice_of(data ? data : "", (size_t)length);
}
