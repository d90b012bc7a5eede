#include "outbox/attempts.h"

#include "base/counter.h"
#include "base/log.h"

#define ANSWER_BYTES_MAX 1024
#define REASON_BYTES_MAX 512
/* About what a row takes beside its texts, with its place in the index. */
#define ROW_BYTES 128
/* Of one search for old ones: so many ranges of so many rows. */
#define RANGES 16
#define RANGE_ROWS 256

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

static void leave_out(struct journal *journal, struct lg_slice sink)
{
	journal->attempts_dropped++;
	if (!journal->history_told)
		log_notice("store.attempts_dropped", LOG_SLICE("sink", sink),
			   LOG_TEXT("reason", "the journal is nearly full; the outcomes of "
					      "deliveries need what is left"));
	journal->history_told = true;
}

/* What delivered stays where room is short, for the limits of a day count it. */
static int add_attempt(struct journal *journal, const struct settlement *settlement,
		       const struct settled_event *first, const struct settled_event *last)
{
	struct lg_slice answer = slice_cut(first->answer, 0, ANSWER_BYTES_MAX);
	int64_t bytes = ROW_BYTES + (int64_t)answer.length + (int64_t)first->reason.length;

	if (bytes > journal->spare_bytes) {
		if (first->state != DELIVERY_DELIVERED) {
			leave_out(journal, settlement->sink);
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

/* The first row after the cursor; 0: there is none. */
static int find_row(struct journal *journal, int64_t *row)
{
	sqlite3_stmt *select = NULL;
	int rc = sqlite3_prepare_v2(journal->db, "SELECT min(rowid) FROM attempt WHERE rowid > ?",
				    -1, &select, NULL);

	*row = 0;
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(select, 1, journal->attempt_cursor);
		if (sqlite3_step(select) == SQLITE_ROW)
			*row = sqlite3_column_int64(select, 0);
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
	int64_t row;
	int rc = SQLITE_OK;

	for (int i = 0; i < RANGES && rc == SQLITE_OK && journal->attempts_dropped == 0; i++) {
		rc = find_row(journal, &row);
		if (rc == SQLITE_OK && row == 0) {
			journal->attempt_cursor = 0;
			break;
		}
		if (rc == SQLITE_OK)
			rc = drop_range(journal, row);
	}
	return rc;
}

void attempts_committed(const struct journal *journal)
{
	counter_add(counter_dropped, journal->attempts_dropped);
}
