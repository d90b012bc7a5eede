#include "outbox/outcomes.h"
#include "outbox/reader_private.h"
#include "outbox/statements.h"

#define STATES_MAX ((int)(sizeof(((struct sink_tally *)0)->by_state) / sizeof(int64_t)))

/* What is open has its present state in a row of its own. */
static bool is_closed(int state)
{
	return state == DELIVERY_DELIVERED || state == DELIVERY_FILTERED ||
	       state == DELIVERY_HELD || state == DELIVERY_DISCARDED || state == DELIVERY_ERASED;
}

static bool count_settled(struct lg_slice outcomes, struct sink_tally *tally)
{
	int64_t count;
	int state;

	while (slice_present(outcomes) && outcomes.length > 0) {
		if (!outcomes_next(&outcomes, &state, &count))
			return false;
		if (is_closed(state))
			tally->by_state[state] += count;
	}
	return true;
}

static bool read_settled(struct reader *reader, struct sink_tally *tally)
{
	sqlite3_stmt *select = reader->queries[QUERY_SETTLED];
	bool readable = true;

	statement_bind_text(select, 1, tally->sink);
	while (readable && sqlite3_step(select) == SQLITE_ROW)
		readable = count_settled(statement_column(select, 0), tally);
	return sqlite3_reset(select) == SQLITE_OK && readable;
}

static bool read_open(struct reader *reader, struct sink_tally *tally)
{
	sqlite3_stmt *select = reader->queries[QUERY_OPEN];

	statement_bind_text(select, 1, tally->sink);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int state = outcomes_state(statement_column(select, 0));
		if (state >= 0 && state < STATES_MAX)
			tally->by_state[state] += sqlite3_column_int64(select, 1);
	}
	return sqlite3_reset(select) == SQLITE_OK;
}

bool reader_last_seq(struct reader *reader, int64_t *seq)
{
	sqlite3_stmt *select = reader->queries[QUERY_LAST];

	*seq = 0;
	if (sqlite3_step(select) == SQLITE_ROW)
		*seq = sqlite3_column_int64(select, 0);
	return sqlite3_reset(select) == SQLITE_OK;
}

/* Inside one transaction, so that the numbers belong together. */
static bool read_all(struct reader *reader, struct sink_tally *tally)
{
	int64_t seq;

	if (!reader_last_seq(reader, &tally->last_seq) || !read_settled(reader, tally) ||
	    !read_open(reader, tally))
		return false;
	tally->position = reader_position(reader, tally->sink);
	if (tally->last_seq > tally->position) {
		tally->by_state[DELIVERY_PENDING] = tally->last_seq - tally->position;
		reader_event_from(reader, tally->position + 1, &seq, &tally->oldest_pending_ms);
	}
	return true;
}

bool reader_tally(struct reader *reader, struct arena *arena, struct lg_slice sink,
		  struct sink_tally *tally, struct error *error)
{
	memset(tally, 0, sizeof(*tally));
	tally->sink = arena_copy(arena, sink);
	if (!slice_present(tally->sink))
		return error_set(error, "reading the journal: not enough memory");
	if (sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
	bool done = read_all(reader, tally);
	if (!done)
		error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
	sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
	return done;
}
