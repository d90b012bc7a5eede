#include "outbox/import_row.h"

#include "outbox/journal.h"

static const char *const states[IMPORT_STATES] = {"running", "done", "failed"};
static const char *const results[IMPORT_RESULTS] = {"created", "touched", "repeated",
						    "held",    "refused", "ignored"};

const char *import_state_name(enum import_state state)
{
	return states[state];
}

const char *import_result_name(enum import_result result)
{
	return results[result];
}

static enum import_result result_of(const struct capture *capture)
{
	switch (capture->verdict) {
	case CAPTURE_REPEATED: return IMPORT_REPEATED;
	case CAPTURE_CONFLICT: return IMPORT_REFUSED;
	case CAPTURE_CREATED: return capture->trapped ? IMPORT_HELD : IMPORT_CREATED;
	case CAPTURE_TOUCHED: break;
	}
	return capture->trapped ? IMPORT_HELD : IMPORT_TOUCHED;
}

static void count(const struct submission *submission, struct import_work *work)
{
	work->counts = (struct import_counts){
		.rows = (int64_t)submission->count + work->refused + work->ignored,
		.by_result[IMPORT_REFUSED] = work->refused,
		.by_result[IMPORT_IGNORED] = work->ignored,
	};
	for (size_t i = 0; i < submission->count; i++)
		work->counts.by_result[result_of(&submission->captures[i])]++;
}

static int add_row(struct journal *journal, const struct import_work *work, int64_t now_ms)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_IMPORT);

	statement_bind_text(add, 1, work->source);
	statement_bind_blob(add, 2, work->digest, sizeof(work->digest));
	statement_bind_text(add, 3, work->name);
	sqlite3_bind_int64(add, 4, work->bytes);
	sqlite3_bind_int64(add, 5, now_ms);
	return statement_run(add);
}

static void bind_counts(sqlite3_stmt *move, const struct import_counts *counts)
{
	sqlite3_bind_int64(move, 8, counts->rows);
	for (int i = 0; i < IMPORT_RESULTS; i++)
		sqlite3_bind_int64(move, 9 + i, counts->by_result[i]);
}

static int move_row(struct journal *journal, const struct import_work *work, int64_t now_ms)
{
	sqlite3_stmt *move = journal_statement(journal, STATEMENT_MOVE_IMPORT);
	int rc;

	statement_bind_text(move, 1, work->source);
	statement_bind_blob(move, 2, work->digest, sizeof(work->digest));
	sqlite3_bind_int64(move, 3, work->from);
	sqlite3_bind_int64(move, 4, work->offset);
	statement_bind_blob(move, 5, work->position.data, work->position.length);
	sqlite3_bind_int64(move, 6, work->rejects);
	statement_bind_text(move, 7, slice_from(import_state_name(work->state)));
	bind_counts(move, &work->counts);
	if (work->state == IMPORT_RUNNING)
		sqlite3_bind_null(move, 15);
	else
		sqlite3_bind_int64(move, 15, now_ms);
	statement_bind_text(move, 16, work->error);
	rc = statement_run(move);
	return rc == SQLITE_OK && sqlite3_changes(journal->db) == 0 ? SQLITE_ABORT : rc;
}

int import_store(struct journal *journal, struct submission *submission, int64_t now_ms)
{
	struct import_work *work = submission->import;

	if (work->anew)
		return add_row(journal, work, now_ms);
	count(submission, work);
	return move_row(journal, work, now_ms);
}
