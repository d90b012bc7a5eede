#include "outbox/chore.h"

#include <stdio.h>

#include "base/clock.h"
#include "outbox/claim_chore.h"
#include "outbox/fault.h"
#include "outbox/journal.h"
#include "outbox/outcomes.h"
#include "outbox/prune.h"
#include "outbox/prune_keys.h"
#include "outbox/replay.h"
#include "outbox/schema.h"
#include "outbox/store.h"

/* Events that one step looks at: a few milliseconds. */
#define STEP_EVENTS 5000
/* What a chore gathers over its steps: outcomes, of which alike ones in a row
 * take a few bytes. */
#define WORK_BYTES_MAX ((size_t)64 << 20)

/* ---- statements ------------------------------------------------------------ */

/* Chores are rare: their SQL is prepared when it is needed. */
static int put_note(struct journal *journal, const char *scope, struct lg_slice sink,
		    struct lg_slice text)
{
	sqlite3_stmt *put = NULL;
	int rc = sqlite3_prepare_v2(
		journal->db, "INSERT OR REPLACE INTO state VALUES (?, ?, ?, NULL)", -1, &put, NULL);

	if (rc == SQLITE_OK) {
		statement_bind_text(put, 1, slice_from(scope));
		statement_bind_text(put, 2, sink);
		statement_bind_text(put, 3, text);
		rc = statement_run(put);
	}
	sqlite3_finalize(put);
	return rc;
}

static int drop_note(struct journal *journal, const char *scope, struct lg_slice sink)
{
	sqlite3_stmt *drop = NULL;
	int rc = sqlite3_prepare_v2(journal->db, "DELETE FROM state WHERE scope = ? AND key = ?",
				    -1, &drop, NULL);

	if (rc == SQLITE_OK) {
		statement_bind_text(drop, 1, slice_from(scope));
		statement_bind_text(drop, 2, sink);
		rc = statement_run(drop);
	}
	sqlite3_finalize(drop);
	return rc;
}

/* ---- pause and resume ------------------------------------------------------ */

static int pause_sink(struct journal *journal, struct chore *chore)
{
	int rc = put_note(journal, SCHEMA_SCOPE_PAUSED, chore->sink,
			  slice_present(chore->text) ? chore->text : LG_SLICE("by an operator"));

	chore->count = sqlite3_changes(journal->db);
	return rc;
}

/* What waits for a time beyond `now_ms` need not any longer. What waits for another event
 * or for a person has no time, and keeps none. */
static int end_waits(struct journal *journal, struct lg_slice sink, int64_t now_ms, int *ended)
{
	static const char sql[] = "UPDATE open SET due = ?2 WHERE sink = ?1 AND seq IN"
				  " (SELECT seq FROM open WHERE sink = ?1 AND due > ?2 LIMIT ?3)";
	sqlite3_stmt *update = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &update, NULL);

	*ended = 0;
	if (rc == SQLITE_OK) {
		statement_bind_text(update, 1, sink);
		sqlite3_bind_int64(update, 2, now_ms);
		sqlite3_bind_int64(update, 3, STEP_EVENTS);
		rc = statement_run(update);
	}
	if (rc == SQLITE_OK)
		*ended = sqlite3_changes(journal->db);
	sqlite3_finalize(update);
	return rc;
}

/* The pause ends in a step of its own, which finds room where the others may not. All
 * events get the time of that step: those that were sent as one batch go as one again. */
static int resume_sink(struct journal *journal, struct chore *chore)
{
	int rc, ended;

	if (chore->cursor) {
		rc = end_waits(journal, chore->sink, chore->cursor, &ended);
		chore->more = rc == SQLITE_OK && ended == STEP_EVENTS;
		return rc;
	}
	rc = drop_note(journal, SCHEMA_SCOPE_PAUSED, chore->sink);
	chore->count = sqlite3_changes(journal->db);
	chore->cursor = clock_wall_ms();
	chore->more = rc == SQLITE_OK;
	return rc;
}

/* ---- where a new sink begins ----------------------------------------------- */

static int has_begun(struct journal *journal, struct lg_slice sink, bool *begun)
{
	static const char sql[] =
		"SELECT 1 WHERE EXISTS (SELECT 1 FROM settled WHERE sink = ?1) OR EXISTS"
		" (SELECT 1 FROM state WHERE scope = ?2 AND key = ?1)";
	sqlite3_stmt *select = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &select, NULL);

	*begun = false;
	if (rc == SQLITE_OK) {
		statement_bind_text(select, 1, sink);
		statement_bind_text(select, 2, slice_from(SCHEMA_SCOPE_BEGUN));
		*begun = sqlite3_step(select) == SQLITE_ROW;
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

/* How an event is settled for a sink that begins after it. */
static enum delivery_state state_before(struct lg_slice type)
{
	if (slice_is(type, SCHEMA_TYPE_DISCARDED))
		return DELIVERY_DISCARDED;
	return slice_is(type, event_type_name(EVENT_HELD)) ? DELIVERY_HELD : DELIVERY_FILTERED;
}

/* The outcomes of the next events, behind those of earlier steps. */
static int code_events(struct chore *chore, sqlite3_stmt *select)
{
	struct outcomes_writer writer;
	int found = 0;

	sqlite3_bind_int64(select, 1, chore->cursor);
	sqlite3_bind_int64(select, 2, chore->last_seq);
	sqlite3_bind_int64(select, 3, STEP_EVENTS);
	outcomes_begin(&writer, &chore->work);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(select, 0);
		outcomes_add(&writer, OUTCOME_NONE, seq - chore->cursor - 1);
		outcomes_add(&writer, (int)state_before(statement_column(select, 1)), 1);
		chore->cursor = seq;
		found++;
	}
	chore->count += found;
	chore->more = found == STEP_EVENTS;
	if (!chore->more)
		outcomes_add(&writer, OUTCOME_NONE, chore->last_seq - chore->cursor);
	outcomes_end(&writer);
	int rc = sqlite3_reset(select);
	return rc == SQLITE_OK && chore->work.failed ? SQLITE_NOMEM : rc;
}

/* What was coded becomes one row, and the sink is known. */
static int settle_before(struct journal *journal, struct chore *chore)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_SETTLED);
	int64_t now_ms = clock_wall_ms();
	char mark[48];

	snprintf(mark, sizeof(mark), "%lld at %lld", (long long)chore->last_seq, (long long)now_ms);
	int rc = put_note(journal, SCHEMA_SCOPE_BEGUN, chore->sink, slice_from(mark));
	if (rc != SQLITE_OK || chore->last_seq <= 0)
		return rc;
	statement_bind_text(add, 1, chore->sink);
	sqlite3_bind_int64(add, 2, 1);
	sqlite3_bind_int64(add, 3, chore->last_seq);
	sqlite3_bind_int64(add, 4, now_ms);
	statement_bind_text(add, 5, buffer_slice(&chore->work));
	return statement_run(add);
}

/* Reads in steps and writes in the last one: a crash before it leaves nothing. */
static int begin_sink(struct journal *journal, struct chore *chore)
{
	sqlite3_stmt *select = NULL;
	bool begun;
	int rc = has_begun(journal, chore->sink, &begun);

	if (rc != SQLITE_OK || begun)
		return rc;
	if (chore->last_seq > journal->last_seq)
		chore->last_seq = journal->last_seq;
	rc = sqlite3_prepare_v2(journal->db,
				"SELECT seq, type FROM event WHERE seq > ? AND seq <= ?"
				" ORDER BY seq LIMIT ?",
				-1, &select, NULL);
	if (rc == SQLITE_OK)
		rc = code_events(chore, select);
	sqlite3_finalize(select);
	return rc == SQLITE_OK && !chore->more ? settle_before(journal, chore) : rc;
}

/* ---- replay ---------------------------------------------------------------- */

static int replay_sink(struct journal *journal, struct chore *chore)
{
	struct replay_page page;
	int rc = replay_read(journal->db, chore->sink, &chore->replay, chore->cursor, &page);

	if (rc == SQLITE_OK && page.count)
		rc = replay_store(journal, chore->sink, &chore->replay, &page);
	if (rc != SQLITE_OK)
		return rc;
	replay_count(&page, &chore->replay, &chore->plan);
	chore->count = replay_taken(&chore->plan);
	chore->more = page.count == REPLAY_PAGE;
	if (chore->more)
		chore->cursor = page.events[page.count - 1].seq;
	return SQLITE_OK;
}

/* ---- forget ---------------------------------------------------------------- */

static int run_for_sink(struct journal *journal, struct chore *chore, const char *sql)
{
	sqlite3_stmt *run = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &run, NULL);

	if (rc == SQLITE_OK) {
		statement_bind_text(run, 1, chore->sink);
		rc = statement_run(run);
	}
	if (rc == SQLITE_OK)
		chore->count += sqlite3_changes(journal->db);
	sqlite3_finalize(run);
	return rc;
}

/* First, in steps, what no sum is made of; then all the rest at once, so that the
 * sink's balance is either whole or gone. */
static int forget_sink(struct journal *journal, struct chore *chore)
{
	static const char *const pieces[] = {
		"DELETE FROM external WHERE sink = ?1 AND lead IN (SELECT lead FROM external"
		" WHERE sink = ?1 LIMIT 5000)",
		"DELETE FROM attempt WHERE rowid IN (SELECT rowid FROM attempt WHERE sink = ?1"
		" LIMIT 5000)",
	};
	static const char *const rest[] = {
		"DELETE FROM open WHERE sink = ?1",
		"DELETE FROM settled WHERE sink = ?1",
		"DELETE FROM state WHERE key = ?1 AND scope IN ('" SCHEMA_SCOPE_BEGUN
		"', '" SCHEMA_SCOPE_PAUSED "')",
	};
	int rc = chore->of_source ? claim_chore_forget(journal, chore) : SQLITE_OK;

	if (rc != SQLITE_OK || chore->more)
		return rc;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		int64_t before = chore->count;
		rc = run_for_sink(journal, chore, pieces[i]);
		chore->more = rc == SQLITE_OK && chore->count > before;
		if (rc != SQLITE_OK || chore->more)
			return rc;
	}
	for (size_t i = 0; i < sizeof(rest) / sizeof(rest[0]) && rc == SQLITE_OK; i++)
		rc = run_for_sink(journal, chore, rest[i]);
	return rc;
}

/* ---- alerts ----------------------------------------------------------------- */

static int is_noted(struct journal *journal, const char *scope, struct lg_slice key, bool *noted)
{
	static const char sql[] = "SELECT 1 FROM state WHERE scope = ? AND key = ?";
	sqlite3_stmt *select = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &select, NULL);

	*noted = false;
	if (rc == SQLITE_OK) {
		statement_bind_text(select, 1, slice_from(scope));
		statement_bind_text(select, 2, key);
		*noted = sqlite3_step(select) == SQLITE_ROW;
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

static int add_alert_event(struct journal *journal, struct lg_slice alert)
{
	int64_t now_ms = clock_wall_ms();
	uint8_t id[UUID_BYTES];

	uuid_new(now_ms, id);
	buffer_clear(&journal->body);
	event_encode_alert(&journal->body, id, now_ms, alert);
	if (journal->body.failed)
		return SQLITE_NOMEM;
	return journal_add_event(journal, event_type_name(EVENT_ALERT), NULL, now_ms,
				 buffer_slice(&journal->body));
}

/* Note and event are one transaction: after a crash too an alert is said once. */
static int tell_alert(struct journal *journal, struct chore *chore)
{
	bool noted;
	int rc = is_noted(journal, SCHEMA_SCOPE_ALERT, chore->sink, &noted);

	if (rc != SQLITE_OK || noted == chore->raised)
		return rc;
	rc = chore->raised ? put_note(journal, SCHEMA_SCOPE_ALERT, chore->sink, chore->text)
			   : drop_note(journal, SCHEMA_SCOPE_ALERT, chore->sink);
	if (rc == SQLITE_OK)
		rc = add_alert_event(journal, chore->text);
	chore->count = rc == SQLITE_OK;
	return rc;
}

/* ---- a step ---------------------------------------------------------------- */

static int (*const kinds[])(struct journal *journal, struct chore *chore) = {
	[CHORE_PAUSE] = pause_sink,
	[CHORE_RESUME] = resume_sink,
	[CHORE_BEGIN] = begin_sink,
	[CHORE_REPLAY] = replay_sink,
	[CHORE_FORGET] = forget_sink,
	[CHORE_PRUNE] = prune_step,
	[CHORE_ALERT] = tell_alert,
	[CHORE_CLAIMS] = claim_chore_retry,
	[CHORE_BACKFILL] = claim_chore_backfill,
};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

/* One transaction. */
static int transact(struct journal *journal, struct chore *chore)
{
	int rc = journal_begin(journal);

	if (rc == SQLITE_OK)
		rc = kinds[chore->kind](journal, chore);
	outbox_fault("in-chore");
	if (rc == SQLITE_OK)
		rc = journal_commit(journal);
	if (rc == SQLITE_OK)
		return rc;
	rc = store_plain_result(journal->db, rc);
	store_abort_if_broken(journal->db, rc);
	journal_rollback(journal);
	return rc;
}

static bool explain(struct chore *chore, int rc)
{
	const char *rest = chore->step_count > 1 ? "the rest was not done" : "nothing was changed";

	if ((rc & 0xff) == SQLITE_FULL)
		return error_set(&chore->error,
				 "there is no room: the disk of the journal is full, or "
				 "store.max_size is reached; %s",
				 rest);
	return error_set(&chore->error, "the journal refuses it: %s; %s", sqlite3_errstr(rc), rest);
}

static bool step(struct journal *journal, struct chore *chore)
{
	if (chore->step_count++ == 0)
		buffer_init(&chore->work, WORK_BYTES_MAX);
	else if (atomic_load(&chore->cancelled))
		return error_set(&chore->error, "it was broken off; the rest was not done");
	if ((size_t)chore->kind >= KIND_COUNT || !kinds[chore->kind])
		return error_set(&chore->error, "there is no such chore");
	int rc = transact(journal, chore);
	if (rc != SQLITE_OK)
		return explain(chore, rc);
	if (chore->kind == CHORE_PRUNE)
		prune_committed(journal, chore);
	return true;
}

static void end(struct chore *chore)
{
	chore->more = false;
	buffer_fini(&chore->work);
	index_fini(&chore->kept);
}

void chore_refuse(struct chore *chore, const char *reason)
{
	chore->done = error_set(&chore->error, "%s", reason);
	end(chore);
}

void chore_step(struct journal *journal, struct chore *chore)
{
	chore->more = false;
	chore->done = step(journal, chore);
	if (!chore->done || !chore->more)
		end(chore);
}
