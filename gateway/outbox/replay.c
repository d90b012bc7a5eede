#include "outbox/replay.h"

#include "base/clock.h"
#include "outbox/journal.h"
#include "outbox/outcomes.h"
#include "outbox/settled.h"
#include "outbox/settler.h"

bool replay_takes(enum delivery_state state, bool again)
{
	switch (state) {
	case DELIVERY_FILTERED:
	case DELIVERY_RETRY:
	case DELIVERY_PARKED:
	case DELIVERY_DEAD:
	case DELIVERY_UNCLASSIFIED: return true;
	case DELIVERY_DELIVERED: return again;
	default: return false;
	}
}

/* ---- reading --------------------------------------------------------------- */

/* Each reads: sink, first seq, last seq, how many. */
static const char sql_dead[] = "SELECT e.seq, e.type FROM open o JOIN event e ON e.seq = o.seq"
			       " WHERE o.sink = ?1 AND o.seq BETWEEN ?2 AND ?3"
			       " AND o.state = 'dead' ORDER BY o.seq LIMIT ?4";
static const char sql_all[] = "SELECT seq, type FROM event WHERE ?1 IS NOT NULL"
			      " AND seq BETWEEN ?2 AND ?3 ORDER BY seq LIMIT ?4";
static const char sql_open[] = "SELECT seq, state FROM open WHERE sink = ?1"
			       " AND seq BETWEEN ?2 AND ?3 ORDER BY seq LIMIT ?4";
static const char sql_settled[] = "SELECT first_seq, outcomes FROM settled WHERE sink = ?1"
				  " AND last_seq >= ?2 AND first_seq <= ?3 LIMIT ?4";

/* Calls `take` for each row. */
static int read_rows(sqlite3 *db, const char *sql, struct lg_slice sink, int64_t first_seq,
		     int64_t last_seq, int64_t limit,
		     void (*take)(sqlite3_stmt *select, struct replay_page *page),
		     struct replay_page *page)
{
	sqlite3_stmt *select = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &select, NULL);

	if (rc == SQLITE_OK) {
		statement_bind_text(select, 1, sink);
		sqlite3_bind_int64(select, 2, first_seq);
		sqlite3_bind_int64(select, 3, last_seq);
		sqlite3_bind_int64(select, 4, limit);
		while (sqlite3_step(select) == SQLITE_ROW)
			take(select, page);
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

static void take_event(sqlite3_stmt *select, struct replay_page *page)
{
	struct replay_event *event = &page->events[page->count++];
	int type = event_type_parse(statement_column(select, 1));

	event->seq = sqlite3_column_int64(select, 0);
	event->type = type > 0 && type < REPLAY_TYPES ? type : 0;
	event->state = DELIVERY_PENDING;
}

/* The first event of the page that is not below `seq`. */
static size_t place_of(const struct replay_page *page, int64_t seq)
{
	size_t low = 0, high = page->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (page->events[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_open(enum delivery_state state)
{
	return state == DELIVERY_RETRY || state == DELIVERY_PARKED || state == DELIVERY_DEAD ||
	       state == DELIVERY_UNCLASSIFIED;
}

static void take_open(sqlite3_stmt *select, struct replay_page *page)
{
	int64_t seq = sqlite3_column_int64(select, 0);
	int state = outcomes_state(statement_column(select, 1));
	size_t i = place_of(page, seq);

	if (i < page->count && page->events[i].seq == seq && state >= 0)
		page->events[i].state = (enum delivery_state)state;
}

/* What is open has its present state in its own row; the other states are final. */
static void take_settled(sqlite3_stmt *select, struct replay_page *page)
{
	int64_t next = sqlite3_column_int64(select, 0), length;
	struct lg_slice rest = statement_column(select, 1);
	int state;

	while (slice_present(rest) && rest.length > 0 && outcomes_next(&rest, &state, &length)) {
		int64_t end = next + length;
		bool closed = state != OUTCOME_NONE && !is_open((enum delivery_state)state);
		for (size_t i = place_of(page, next);
		     closed && i < page->count && page->events[i].seq < end; i++)
			if (!is_open(page->events[i].state))
				page->events[i].state = (enum delivery_state)state;
		next = end;
	}
}

int replay_read(sqlite3 *db, struct lg_slice sink, const struct replay *replay, int64_t after_seq,
		struct replay_page *page)
{
	int64_t first_seq = after_seq >= replay->first_seq ? after_seq + 1 : replay->first_seq;
	int rc;

	page->count = 0;
	rc = read_rows(db, replay->dead_only ? sql_dead : sql_all, sink, first_seq,
		       replay->last_seq, REPLAY_PAGE, take_event, page);
	if (rc != SQLITE_OK || page->count == 0)
		return rc;
	first_seq = page->events[0].seq;
	int64_t last_seq = page->events[page->count - 1].seq;
	rc = read_rows(db, sql_open, sink, first_seq, last_seq, -1, take_open, page);
	if (rc != SQLITE_OK || replay->dead_only)
		return rc;
	return read_rows(db, sql_settled, sink, first_seq, last_seq, -1, take_settled, page);
}

void replay_count(const struct replay_page *page, const struct replay *replay,
		  struct replay_plan *plan)
{
	for (size_t i = 0; i < page->count; i++) {
		const struct replay_event *event = &page->events[i];
		if (replay_takes(event->state, replay->again)) {
			plan->taken[event->state]++;
			plan->types[event->type]++;
		} else {
			plan->left[event->state]++;
		}
	}
}

int64_t replay_taken(const struct replay_plan *plan)
{
	int64_t taken = 0;

	for (size_t state = 0; state < REPLAY_STATES; state++)
		taken += plan->taken[state];
	return taken;
}

/* ---- writing --------------------------------------------------------------- */

static int make_due(struct journal *journal, struct lg_slice sink, int64_t seq, int64_t now_ms)
{
	sqlite3_stmt *put = journal_statement(journal, STATEMENT_PUT_OPEN);

	statement_bind_text(put, 1, sink);
	sqlite3_bind_int64(put, 2, seq);
	statement_bind_text(put, 3, slice_from(delivery_state_name(DELIVERY_RETRY)));
	/* None yet: it has its attempts and its time anew. */
	sqlite3_bind_int64(put, 4, 0);
	sqlite3_bind_int64(put, 5, now_ms);
	statement_bind_text(put, 6, LG_SLICE("replayed by an operator"));
	/* Nor is it of a batch any more: what it goes with is decided anew. */
	for (int at = 7; at <= 10; at++)
		sqlite3_bind_null(put, at);
	return statement_run(put);
}

/* About what an event takes that is open already, and gets a time. */
#define DUE_BYTES 40

/* What is open does not grow by much, and its delivery may be what makes room: for
 * it a part of what is kept for settlements is given, beyond that which open events
 * may have used up. */
static bool fits(const struct journal *journal, const struct replay *replay,
		 const struct replay_page *page)
{
	int64_t closed = 0, open = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (!replay_takes(page->events[i].state, replay->again))
			continue;
		closed += !is_open(page->events[i].state);
		open += is_open(page->events[i].state);
	}
	if (closed > 0)
		return closed * SETTLER_OPENED_BYTES + open * DUE_BYTES <= journal->spare_bytes;
	return open * DUE_BYTES <= journal->spare_bytes + journal->reserve_bytes / 4 * 3;
}

int replay_store(struct journal *journal, struct lg_slice sink, const struct replay *replay,
		 const struct replay_page *page)
{
	int64_t closed[REPLAY_PAGE], now_ms = clock_wall_ms();
	size_t closed_count = 0;
	int rc = fits(journal, replay, page) ? SQLITE_OK : SQLITE_FULL;

	for (size_t i = 0; i < page->count && rc == SQLITE_OK; i++) {
		const struct replay_event *event = &page->events[i];
		if (!replay_takes(event->state, replay->again))
			continue;
		if (!is_open(event->state))
			closed[closed_count++] = event->seq;
		rc = make_due(journal, sink, event->seq, now_ms);
	}
	return rc == SQLITE_OK ? settled_clear(journal, sink, closed, closed_count) : rc;
}
