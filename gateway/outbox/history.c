#include "outbox/history.h"

#include "outbox/outcomes.h"
#include "outbox/reader_private.h"
#include "outbox/schema.h"
#include "outbox/statements.h"

#define PAGE 4096   /* identity rows of one read */
#define STRIDE 2048 /* events of one read, whose bodies are passed over as well */
/* Between the making of an id and its event others come, but not for long. */
#define NEAR_MS 2000
/* A row of attempts covers at most as many events as one delivery may have. */
#define ATTEMPT_SPAN 100000

static bool failed(struct reader *reader, struct error *error)
{
	return error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
}

static sqlite3_stmt *prepare(struct reader *reader, const char *sql, struct error *error)
{
	sqlite3_stmt *select = NULL;

	if (sqlite3_prepare_v2(reader->db, sql, -1, &select, NULL) != SQLITE_OK)
		failed(reader, error);
	return select;
}

/* Ends a statement's use. False with a reason when it had failed. */
static bool finish(struct reader *reader, sqlite3_stmt *select, struct error *error)
{
	bool good = sqlite3_reset(select) == SQLITE_OK || failed(reader, error);

	sqlite3_finalize(select);
	return good;
}

bool history_secret(struct reader *reader, uint8_t secret[IDENTITY_SECRET_BYTES],
		    struct error *error)
{
	return schema_secret(reader->db, secret, error);
}

/* ---- leads behind keys ---- */

struct finder {
	const struct identity_keys *keys;
	uint8_t (*leads)[UUID_BYTES];
	size_t count, capacity;
};

static bool has_key(const struct finder *finder, const struct identity_row *row)
{
	for (size_t i = 0; i < finder->keys->count; i++)
		if (identity_row_has(row, &finder->keys->keys[i]))
			return true;
	return false;
}

static void look_at(struct finder *finder, struct lg_slice lead, struct lg_slice packed)
{
	struct identity_row row;

	if (lead.length != UUID_BYTES || !identity_row_unpack(&row, packed) ||
	    !has_key(finder, &row))
		return;
	for (size_t i = 0; i < finder->count; i++)
		if (memcmp(finder->leads[i], lead.data, UUID_BYTES) == 0)
			return;
	if (finder->count < finder->capacity)
		memcpy(finder->leads[finder->count++], lead.data, UUID_BYTES);
}

ptrdiff_t history_find(struct reader *reader, const struct identity_keys *keys,
		       uint8_t leads[][UUID_BYTES], size_t capacity, struct error *error)
{
	struct finder finder = {.keys = keys, .leads = leads, .capacity = capacity};
	sqlite3_stmt *select = prepare(reader,
				       "SELECT seq, lead, keys FROM identity WHERE seq > ?"
				       " ORDER BY seq LIMIT ?",
				       error);
	int64_t after_seq = 0;
	int found, rc = SQLITE_OK;

	if (!select)
		return -1;
	do {
		sqlite3_bind_int64(select, 1, after_seq);
		sqlite3_bind_int(select, 2, PAGE);
		for (found = 0; sqlite3_step(select) == SQLITE_ROW; found++) {
			after_seq = sqlite3_column_int64(select, 0);
			look_at(&finder, statement_column(select, 1), statement_column(select, 2));
		}
		rc = sqlite3_reset(select);
	} while (rc == SQLITE_OK && found == PAGE);
	if (rc != SQLITE_OK)
		failed(reader, error);
	sqlite3_finalize(select);
	return rc == SQLITE_OK ? (ptrdiff_t)finder.count : -1;
}

/* ---- events of a lead ---- */

bool history_begin(struct history *history, struct reader *reader,
		   const uint8_t lead_id[UUID_BYTES], struct error *error)
{
	sqlite3_stmt *select = prepare(reader, "SELECT event FROM lead WHERE id = ?", error);
	int64_t made_ms = 0;

	*history = (struct history){.reader = reader};
	if (!select)
		return false;
	memcpy(history->lead_id, lead_id, UUID_BYTES);
	statement_bind_blob(select, 1, history->lead_id, UUID_BYTES);
	if (sqlite3_step(select) == SQLITE_ROW)
		history->last_seq = sqlite3_column_int64(select, 0);
	if (!finish(reader, select, error))
		return false;
	if (history->last_seq == 0)
		return error_set(error, "there is no such lead");
	/* An id begins with its time. */
	for (int i = 0; i < 6; i++)
		made_ms = made_ms << 8 | lead_id[i];
	history->next_seq = reader_seq_at(reader, made_ms - NEAR_MS);
	return true;
}

/* The next seq of the lead; 0: there is none; -1 with a reason. */
static int64_t next_seq(struct history *history, struct error *error)
{
	sqlite3_stmt *select = prepare(history->reader,
				       "SELECT seq FROM event WHERE seq BETWEEN ? AND ?"
				       " AND lead = ? ORDER BY seq LIMIT 1",
				       error);
	int64_t seq = 0;
	int rc = SQLITE_OK;

	if (!select)
		return -1;
	while (seq == 0 && rc == SQLITE_OK && history->next_seq <= history->last_seq) {
		int64_t end = history->next_seq + STRIDE - 1;
		sqlite3_bind_int64(select, 1, history->next_seq);
		sqlite3_bind_int64(select, 2, end < history->last_seq ? end : history->last_seq);
		statement_bind_blob(select, 3, history->lead_id, UUID_BYTES);
		if (sqlite3_step(select) == SQLITE_ROW)
			seq = sqlite3_column_int64(select, 0);
		history->next_seq = seq ? seq + 1 : end + 1;
		rc = sqlite3_reset(select);
	}
	return finish(history->reader, select, error) ? seq : -1;
}

static bool read_event(struct reader *reader, struct arena *arena, struct history_event *event,
		       struct error *error)
{
	sqlite3_stmt *select = prepare(reader,
				       "SELECT e.at, e.type, e.body, i.keys FROM event e"
				       " LEFT JOIN identity i ON i.seq = e.seq WHERE e.seq = ?",
				       error);

	if (!select)
		return false;
	sqlite3_bind_int64(select, 1, event->seq);
	if (sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice keys = statement_column(select, 3);
		event->at_ms = sqlite3_column_int64(select, 0);
		event->type = arena_copy(arena, statement_column(select, 1));
		event->body = arena_copy(arena, statement_column(select, 2));
		event->captured = slice_present(keys) && identity_row_unpack(&event->keys, keys);
	}
	if (!finish(reader, select, error))
		return false;
	return slice_present(event->body) ||
	       error_set(error, "reading the journal: %s",
			 arena->failed ? "not enough memory" : "an event is gone");
}

static bool is_first(const struct history_event *event)
{
	return slice_is(event->type, event_type_name(EVENT_CREATED)) ||
	       slice_is(event->type, event_type_name(EVENT_HELD)) ||
	       slice_is(event->type, SCHEMA_TYPE_DISCARDED);
}

int history_next(struct history *history, struct arena *arena, struct history_event *event,
		 struct error *error)
{
	for (;;) {
		*event = (struct history_event){.seq = next_seq(history, error)};
		if (event->seq <= 0 && (history->begun || event->seq < 0))
			return (int)event->seq;
		if (event->seq > 0 && !read_event(history->reader, arena, event, error))
			return -1;
		if (history->begun || (event->seq > 0 && is_first(event))) {
			history->begun = true;
			return 1;
		}
		/* A clock had jumped: it began before its time. */
		history->begun = true;
		history->next_seq = 1;
	}
}

/* ---- one event for one sink ---- */

static bool read_open(struct reader *reader, struct arena *arena, struct lg_slice sink, int64_t seq,
		      struct history_state *state, struct error *error)
{
	sqlite3_stmt *select = prepare(reader,
				       "SELECT state, attempts, due, error FROM open"
				       " WHERE sink = ? AND seq = ?",
				       error);

	if (!select)
		return false;
	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, seq);
	if (sqlite3_step(select) == SQLITE_ROW) {
		state->state = outcomes_state(statement_column(select, 0));
		state->attempts = sqlite3_column_int64(select, 1);
		state->due_ms = sqlite3_column_int64(select, 2);
		if (slice_present(statement_column(select, 3)))
			state->reason = arena_copy(arena, statement_column(select, 3));
	}
	return finish(reader, select, error);
}

static bool is_closed(int state)
{
	return state == DELIVERY_DELIVERED || state == DELIVERY_FILTERED ||
	       state == DELIVERY_HELD || state == DELIVERY_DISCARDED || state == DELIVERY_ERASED;
}

/* What the row's words say of `seq`. */
static int outcome_at(struct lg_slice outcomes, int64_t first_seq, int64_t seq)
{
	int64_t count;
	int state;

	while (first_seq > 0 && outcomes_next(&outcomes, &state, &count)) {
		if (count > seq - first_seq)
			return state;
		first_seq += count;
	}
	return OUTCOME_NONE;
}

/* Of the rows around the event one says how it ended; what was open at first has
 * its end in a later row. */
static bool read_settled(struct reader *reader, struct lg_slice sink, int64_t seq,
			 struct history_state *state, struct error *error)
{
	sqlite3_stmt *select = prepare(reader,
				       "SELECT first_seq, outcomes, at FROM settled"
				       " WHERE sink = ?1 AND last_seq >= ?2 AND first_seq <= ?2"
				       " ORDER BY last_seq",
				       error);

	if (!select)
		return false;
	if (seq <= reader_position(reader, sink))
		state->state = HISTORY_UNACCOUNTED;
	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, seq);
	while (!is_closed(state->state) && sqlite3_step(select) == SQLITE_ROW) {
		int outcome = outcome_at(statement_column(select, 1),
					 sqlite3_column_int64(select, 0), seq);
		if (!is_closed(outcome))
			continue;
		state->state = outcome;
		state->settled_ms = sqlite3_column_int64(select, 2);
	}
	return finish(reader, select, error);
}

bool history_state(struct reader *reader, struct arena *arena, struct lg_slice sink, int64_t seq,
		   struct history_state *state, struct error *error)
{
	bool done;

	*state = (struct history_state){.state = DELIVERY_PENDING};
	if (sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
		return failed(reader, error);
	done = read_open(reader, arena, sink, seq, state, error) &&
	       (state->state != DELIVERY_PENDING || read_settled(reader, sink, seq, state, error));
	sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
	return done;
}

bool history_begin_of(struct reader *reader, struct lg_slice sink, int64_t *seq, int64_t *at_ms,
		      struct error *error)
{
	sqlite3_stmt *select = prepare(
		reader,
		"SELECT CAST(value AS INTEGER), CASE WHEN instr(value, ' at ')"
		" THEN CAST(substr(value, instr(value, ' at ') + 4) AS INTEGER)"
		" END FROM state"
		" WHERE scope = '" SCHEMA_SCOPE_BEGUN "' AND key = ?",
		error);

	*seq = 0;
	*at_ms = INT64_MAX;
	if (!select)
		return false;
	statement_bind_text(select, 1, sink);
	if (sqlite3_step(select) == SQLITE_ROW) {
		*seq = sqlite3_column_int64(select, 0);
		if (sqlite3_column_type(select, 1) != SQLITE_NULL)
			*at_ms = sqlite3_column_int64(select, 1);
	}
	return finish(reader, select, error);
}

static void read_attempt(sqlite3_stmt *select, struct arena *arena, struct history_attempt *attempt)
{
	struct lg_slice reason = statement_column(select, 3), answer = statement_column(select, 4);

	*attempt = (struct history_attempt){
		.at_ms = sqlite3_column_int64(select, 0),
		.outcome = arena_copy(arena, statement_column(select, 1)),
		.status = sqlite3_column_int64(select, 2),
	};
	if (slice_present(reason))
		attempt->reason = arena_copy(arena, reason);
	if (slice_present(answer))
		attempt->answer = arena_copy(arena, answer);
}

ptrdiff_t history_attempts(struct reader *reader, struct arena *arena, struct lg_slice sink,
			   int64_t seq, struct history_attempt *attempts, size_t capacity,
			   struct error *error)
{
	sqlite3_stmt *select = prepare(reader,
				       "SELECT at, outcome, status, reason, answer FROM attempt"
				       " WHERE sink = ? AND last_seq BETWEEN ?2 AND ?2 + ?3"
				       " AND first_seq <= ?2 ORDER BY rowid LIMIT ?4",
				       error);
	size_t count = 0;

	if (!select)
		return -1;
	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, seq);
	sqlite3_bind_int64(select, 3, ATTEMPT_SPAN);
	sqlite3_bind_int64(select, 4, (int64_t)capacity);
	while (count < capacity && sqlite3_step(select) == SQLITE_ROW)
		read_attempt(select, arena, &attempts[count++]);
	if (!finish(reader, select, error))
		return -1;
	if (!arena->failed)
		return (ptrdiff_t)count;
	error_set(error, "reading the journal: not enough memory");
	return -1;
}
