#include "outbox/attempts.h"

#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"

#define ANSWER_BYTES_MAX 1024
#define REASON_BYTES_MAX 512
/* About what a row takes beside its texts, with its place in the index. */
#define ROW_BYTES 128
/* Of one search for old ones: so many ranges of so many rows. */
#define RANGES 16
#define RANGE_ROWS 256
/* Of one step of pruning. */
#define STEP_ROWS 4096
/* How far back a lane looks that counts what it did in a day: 25 hours. */
#define DAY_MS INT64_C(90000000)

static int counter_dropped;

void attempts_setup(void)
{
	counter_dropped = counter_register(COUNTER_COUNTER, "leadgate_store_attempts_dropped_total",
					   "", "Failed attempts that the journal had no room for");
}

/* Whether the destination was asked at all. */
static bool was_attempted(enum delivery_state state)
{
	return state == DELIVERY_DELIVERED || state == DELIVERY_RETRY || state == DELIVERY_PARKED ||
	       state == DELIVERY_DEAD || state == DELIVERY_UNCLASSIFIED;
}

static int add_row(struct journal *journal, const struct settlement *settlement,
		   const struct settled_event *first, const struct settled_event *last,
		   struct lg_slice answer)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_ATTEMPT);

	statement_bind_text(add, 1, settlement->sink);
	sqlite3_bind_int64(add, 2, settlement->at_ms);
	sqlite3_bind_int64(add, 3, first->seq);
	sqlite3_bind_int64(add, 4, last->seq);
	statement_bind_text(add, 5, slice_from(delivery_state_name(first->state)));
	if (first->status)
		sqlite3_bind_int(add, 6, first->status);
	else
		sqlite3_bind_null(add, 6);
	/* A blob: it may be anything, cut anywhere. */
	if (slice_present(answer))
		statement_bind_blob(add, 7, answer.data, answer.length);
	else
		sqlite3_bind_null(add, 7);
	statement_bind_text(add, 8, slice_cut(first->reason, 0, REASON_BYTES_MAX));
	return statement_run(add);
}

/* What delivered stays where room is short, for the limits of a day count it. */
static int add_attempt(struct journal *journal, const struct settlement *settlement,
		       const struct settled_event *first, const struct settled_event *last)
{
	struct lg_slice answer = slice_cut(first->answer, 0, ANSWER_BYTES_MAX);
	int64_t bytes = ROW_BYTES + (int64_t)answer.length + (int64_t)first->reason.length;

	if (bytes > journal->spare_bytes) {
		if (first->state != DELIVERY_DELIVERED) {
			journal->attempts_dropped++;
			return SQLITE_OK;
		}
		answer = slice_of(NULL, 0);
	}
	journal->spare_bytes -= bytes;
	return add_row(journal, settlement, first, last, answer);
}

/* What one row can say of both. An answer that delivered is none to keep. */
static bool went_alike(const struct settled_event *a, const struct settled_event *b)
{
	return a->state == b->state && a->untried == b->untried && a->status == b->status &&
	       slice_equal(a->reason, b->reason) &&
	       (a->state == DELIVERY_DELIVERED || slice_equal(a->answer, b->answer));
}

int attempts_add(struct journal *journal, const struct settlement *settlement,
		 const struct settled_event *events, size_t count)
{
	size_t first = 0;

	for (size_t i = 0; i < count; i++) {
		const struct settled_event *e = &events[i], *f = &events[first];
		if (i + 1 < count && e[1].seq == e->seq + 1 && went_alike(f, &e[1]))
			continue;
		if (was_attempted(f->state) && !f->untried) {
			int rc = add_attempt(journal, settlement, f, e);
			if (rc != SQLITE_OK)
				return rc;
		}
		first = i + 1;
	}
	return SQLITE_OK;
}

/* ---- old ones ---------------------------------------------------------------------- */

/* The first row after the cursor, and its time; 0: there is none. */
static int find_row(struct journal *journal, int64_t cursor, int64_t *row, int64_t *at_ms)
{
	sqlite3_stmt *select = NULL;
	int rc = sqlite3_prepare_v2(journal->db,
				    "SELECT rowid, at FROM attempt WHERE rowid > ?"
				    " ORDER BY rowid LIMIT 1",
				    -1, &select, NULL);

	*row = 0;
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(select, 1, cursor);
		if (sqlite3_step(select) == SQLITE_ROW) {
			*row = sqlite3_column_int64(select, 0);
			*at_ms = sqlite3_column_int64(select, 1);
		}
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

static int drop_range(struct journal *journal, int64_t first_row)
{
	sqlite3_stmt *drop = NULL;
	int rc = sqlite3_prepare_v2(journal->db,
				    "DELETE FROM attempt WHERE rowid BETWEEN ? AND ?"
				    " AND outcome <> 'delivered'",
				    -1, &drop, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(drop, 1, first_row);
		sqlite3_bind_int64(drop, 2, first_row + RANGE_ROWS - 1);
		rc = statement_run(drop);
	}
	sqlite3_finalize(drop);
	if (rc == SQLITE_OK) {
		journal->attempts_dropped += sqlite3_changes(journal->db);
		journal->attempt_cursor = first_row + RANGE_ROWS - 1;
	}
	return rc;
}

/* From where the last search ended, so that what was delivered is passed over once. */
int attempts_drop_oldest(struct journal *journal)
{
	int64_t row, at_ms;
	int rc = SQLITE_OK;

	for (int i = 0; i < RANGES && rc == SQLITE_OK && journal->attempts_dropped == 0; i++) {
		rc = find_row(journal, journal->attempt_cursor, &row, &at_ms);
		if (rc == SQLITE_OK && row == 0) {
			journal->attempt_cursor = 0;
			break;
		}
		if (rc == SQLITE_OK)
			rc = drop_range(journal, row);
	}
	return rc;
}

void attempts_committed(struct journal *journal)
{
	if (journal->attempts_dropped == 0)
		return;
	counter_add(counter_dropped, journal->attempts_dropped);
	if (!journal->history_told)
		log_notice("store.attempts_dropped", LOG_INT("attempts", journal->attempts_dropped),
			   LOG_TEXT("reason", "there is little room; the outcomes of deliveries "
					      "need what is left"));
	journal->history_told = true;
}

/* ---- without events ---------------------------------------------------------------- */

#define NO_EVENT                                                                       \
	" AND NOT EXISTS (SELECT 1 FROM event WHERE seq BETWEEN attempt.first_seq AND" \
	" attempt.last_seq)"

/* Attempts made earlier are counted by nobody any more. */
static int64_t counted_from_ms(const struct journal *journal)
{
	return journal->spare_bytes > 0 ? clock_wall_ms() - DAY_MS : INT64_MAX;
}

/* Runs SQL with a sink, which may be absent, and three numbers. */
static int run_with(struct journal *journal, const char *sql, struct lg_slice sink, int64_t first,
		    int64_t last, int64_t at_ms)
{
	sqlite3_stmt *run = NULL;
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, &run, NULL);

	if (rc == SQLITE_OK) {
		statement_bind_text(run, 1, sink);
		sqlite3_bind_int64(run, 2, first);
		sqlite3_bind_int64(run, 3, last);
		sqlite3_bind_int64(run, 4, at_ms);
		rc = statement_run(run);
	}
	sqlite3_finalize(run);
	return rc;
}

/* What a destination said may be of a person: it does not outlive the event. */
int attempts_forget(struct journal *journal, struct lg_slice sink, int64_t first_seq,
		    int64_t last_seq)
{
	int64_t from_ms = counted_from_ms(journal);
	int rc = run_with(journal,
			  "DELETE FROM attempt WHERE sink = ?1 AND last_seq BETWEEN ?2 AND ?3"
			  " AND at < ?4" NO_EVENT,
			  sink, first_seq, last_seq, from_ms);

	if (rc != SQLITE_OK)
		return rc;
	return run_with(journal,
			"UPDATE attempt SET answer = NULL, reason = NULL WHERE sink = ?1"
			" AND last_seq BETWEEN ?2 AND ?3 AND at >= ?4" NO_EVENT,
			sink, first_seq, last_seq, from_ms);
}

int attempts_prune(struct journal *journal, int64_t before_ms, int64_t *cursor, bool *more)
{
	int64_t from_ms = counted_from_ms(journal), row, at_ms = 0;
	int rc = find_row(journal, *cursor, &row, &at_ms);

	if (from_ms > before_ms)
		from_ms = before_ms;
	*more = rc == SQLITE_OK && row > 0 && at_ms < from_ms;
	if (!*more)
		return rc;
	*cursor = row + STEP_ROWS - 1;
	return run_with(journal,
			"DELETE FROM attempt WHERE ?1 IS NULL AND rowid BETWEEN ?2 AND ?3"
			" AND at < ?4" NO_EVENT,
			slice_of(NULL, 0), row, *cursor, from_ms);
}
