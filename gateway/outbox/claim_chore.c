#include "outbox/claim_chore.h"

#include <stdio.h>

#include "base/clock.h"
#include "outbox/journal.h"
#include "outbox/schema.h"

/* Runs SQL whose first parameters are texts, the last, ?9, a time. */
static int run(struct journal *journal, struct chore *chore, const char *sql,
	       const struct lg_slice *texts, int count, int64_t at_ms)
{
	sqlite3_stmt *statement = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &statement, NULL);

	if (rc == SQLITE_OK) {
		for (int i = 0; i < count; i++)
			statement_bind_text(statement, i + 1, texts[i]);
		sqlite3_bind_int64(statement, 9, at_ms);
		rc = statement_run(statement);
	}
	if (rc == SQLITE_OK)
		chore->count += sqlite3_changes(journal->db);
	sqlite3_finalize(statement);
	return rc;
}

/* A dead claim that is tried again has all its time before it. */
int claim_chore_retry(struct journal *journal, struct chore *chore)
{
	static const char again[] = "UPDATE claim SET state = 'waiting', due = ?9 WHERE source = ?1"
				    " AND (state = 'parked' OR state = 'waiting' AND attempts > 0)";
	static const char dead[] = "UPDATE claim SET state = 'waiting', due = ?9, at = ?9,"
				   " attempts = 0 WHERE source = ?1 AND state = 'dead'";
	int64_t now_ms = clock_wall_ms();
	int rc = run(journal, chore, again, &chore->sink, 1, now_ms);

	if (rc == SQLITE_OK && chore->replay.dead_only)
		rc = run(journal, chore, dead, &chore->sink, 1, now_ms);
	return rc;
}

/* Its key is the time since when: ordered twice it is one, unless it has failed. */
int claim_chore_backfill(struct journal *journal, struct chore *chore)
{
	static const char sql[] =
		"INSERT INTO claim (source, kind, key, parts, at, state, due, attempts) VALUES"
		" (?1, 'backfill', ?2, 0, ?9, 'waiting', ?9, 0) ON CONFLICT (source, kind, key)"
		" DO UPDATE SET state = 'waiting', due = ?9, at = ?9, attempts = 0"
		" WHERE state <> 'waiting'";
	char since[CLOCK_RFC3339_BYTES];

	clock_format(chore->before_ms, since);
	const struct lg_slice texts[] = {chore->sink, slice_from(since)};
	return run(journal, chore, sql, texts, 2, clock_wall_ms());
}

int claim_chore_forget(struct journal *journal, struct chore *chore)
{
	static const char claims[] = "DELETE FROM claim WHERE no IN (SELECT no FROM claim WHERE"
				     " source = ?1 LIMIT 5000) AND ?9 = 0";
	static const char imports[] = "DELETE FROM import WHERE source = ?1 AND ?9 = 0";
	static const char notes[] = "DELETE FROM state WHERE scope = ?1 AND ?9 = 0";
	int64_t before = chore->count;
	char scope[128];
	int rc = run(journal, chore, claims, &chore->sink, 1, 0);

	chore->more = rc == SQLITE_OK && chore->count > before;
	if (rc != SQLITE_OK || chore->more)
		return rc;
	rc = run(journal, chore, imports, &chore->sink, 1, 0);
	if (rc != SQLITE_OK)
		return rc;
	snprintf(scope, sizeof(scope), SCHEMA_SCOPE_SOURCE "%.*s", SLICE_ARGS(chore->sink));
	const struct lg_slice text = slice_from(scope);
	return run(journal, chore, notes, &text, 1, 0);
}
