/* What the journal has of one sink: what is open, how far it is settled, what is noted. */
#include "outbox/reader_private.h"
#include "outbox/schema.h"
#include "outbox/statements.h"

ptrdiff_t reader_due(struct reader *reader, struct arena *arena, struct lg_slice sink,
		     int64_t now_ms, size_t count, size_t bytes, struct journal_event **events,
		     struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_DUE];

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, now_ms);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	return reader_take_events(select, arena, count, bytes, events, error);
}

ptrdiff_t reader_due_beyond(struct reader *reader, struct arena *arena, struct lg_slice sink,
			    int64_t beyond_ms, size_t count, size_t bytes,
			    struct journal_event **events, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_DUE_BEYOND];

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, beyond_ms);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	return reader_take_events(select, arena, count, bytes, events, error);
}

ptrdiff_t reader_sent_batch(struct reader *reader, struct arena *arena, struct lg_slice sink,
			    const struct sent_batch *sent, struct journal_event **events,
			    struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_SENT_BATCH];
	int64_t count = sent->count + 1; /* one too many shows, too */

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, sent->first_seq);
	sqlite3_bind_int64(select, 3, sent->last_seq);
	sqlite3_bind_int64(select, 4, sent->count);
	sqlite3_bind_int64(select, 5, count);
	return reader_take_events(select, arena, (size_t)count, SIZE_MAX, events, error);
}

bool reader_waiting(struct reader *reader, struct lg_slice sink,
		    bool (*each)(void *context, const struct waiting_event *event), void *context)
{
	sqlite3_stmt *select = reader->queries[QUERY_WAITING];
	bool good = true;
	int rc = SQLITE_DONE;

	statement_bind_text(select, 1, sink);
	while (good && (rc = sqlite3_step(select)) == SQLITE_ROW) {
		struct waiting_event event = {
			.seq = sqlite3_column_int64(select, 0),
			.attempts = sqlite3_column_int64(select, 2),
			.held = sqlite3_column_int(select, 3) != 0,
		};
		struct lg_slice lead = statement_column(select, 1);
		if (lead.length == UUID_BYTES)
			memcpy(event.lead_id, lead.data, UUID_BYTES);
		good = each(context, &event);
	}
	sqlite3_reset(select);
	return good && rc == SQLITE_DONE;
}

void reader_attempts(struct reader *reader, struct lg_slice sink, int64_t now_ms,
		     void (*each)(void *context, int64_t hours_ago, int64_t events), void *context)
{
	sqlite3_stmt *select = reader->queries[QUERY_ATTEMPTS];

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, now_ms);
	while (sqlite3_step(select) == SQLITE_ROW)
		each(context, sqlite3_column_int64(select, 0), sqlite3_column_int64(select, 1));
	sqlite3_reset(select);
}

/* An integer by a sink's name; `none` when there is no row or NULL, `failed` when it
 * cannot be read. */
static int64_t integer_of_sink(struct reader *reader, enum query query, struct lg_slice sink,
			       int64_t none, int64_t failed)
{
	sqlite3_stmt *select = reader->queries[query];
	int64_t value = none;

	statement_bind_text(select, 1, sink);
	if (sqlite3_step(select) == SQLITE_ROW && sqlite3_column_type(select, 0) == SQLITE_INTEGER)
		value = sqlite3_column_int64(select, 0);
	return sqlite3_reset(select) == SQLITE_OK ? value : failed;
}

int64_t reader_next_due(struct reader *reader, struct lg_slice sink)
{
	return integer_of_sink(reader, QUERY_NEXT_DUE, sink, INT64_MAX, 0);
}

int64_t reader_last_due(struct reader *reader, struct lg_slice sink)
{
	return integer_of_sink(reader, QUERY_LAST_DUE, sink, INT64_MIN, INT64_MIN);
}

int64_t reader_position(struct reader *reader, struct lg_slice sink)
{
	return integer_of_sink(reader, QUERY_POSITION, sink, 0, -1);
}

/* A note of a sink; false: there is none, or `*rc` says why it cannot be read. */
static bool read_note(struct reader *reader, const char *scope, struct lg_slice sink, char *text,
		      size_t text_bytes, int *rc)
{
	sqlite3_stmt *select = reader->queries[QUERY_SINK_NOTE];

	statement_bind_text(select, 1, slice_from(scope));
	statement_bind_text(select, 2, sink);
	bool found = sqlite3_step(select) == SQLITE_ROW;
	if (found && text)
		slice_to_text(statement_column(select, 0), text, text_bytes);
	*rc = sqlite3_reset(select);
	return found && *rc == SQLITE_OK;
}

bool reader_sink_state(struct reader *reader, struct lg_slice sink, struct sink_state *state,
		       struct error *error)
{
	int begun = SQLITE_OK, paused = SQLITE_OK;

	*state = (struct sink_state){.begun = false};
	state->begun = read_note(reader, SCHEMA_SCOPE_BEGUN, sink, NULL, 0, &begun) ||
		       reader_position(reader, sink) > 0;
	state->paused = read_note(reader, SCHEMA_SCOPE_PAUSED, sink, state->reason,
				  sizeof(state->reason), &paused);
	if (begun == SQLITE_OK && paused == SQLITE_OK)
		return true;
	return error_set(error, "reading the journal: %s",
			 sqlite3_errstr(begun != SQLITE_OK ? begun : paused));
}

bool reader_external(struct reader *reader, struct arena *arena, struct lg_slice sink,
		     const uint8_t lead_id[UUID_BYTES], struct lg_slice *id, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_EXTERNAL];
	int rc;

	*id = slice_of(NULL, 0);
	statement_bind_text(select, 1, sink);
	statement_bind_blob(select, 2, lead_id, UUID_BYTES);
	rc = sqlite3_step(select);
	if (rc == SQLITE_ROW) {
		*id = arena_copy(arena, statement_column(select, 0));
		rc = slice_present(*id) ? SQLITE_DONE : SQLITE_NOMEM;
	}
	sqlite3_reset(select);
	return rc == SQLITE_DONE || error_set(error, "reading the journal: %s", sqlite3_errstr(rc));
}

/* The first name behind `after`; absent: there is none, or memory ran out. */
static struct lg_slice next_sink(struct reader *reader, struct arena *arena, struct lg_slice after)
{
	sqlite3_stmt *select = reader->queries[QUERY_SINKS];
	struct lg_slice name = slice_of(NULL, 0);

	statement_bind_text(select, 1, after);
	if (sqlite3_step(select) == SQLITE_ROW && slice_present(statement_column(select, 0)))
		name = arena_copy(arena, statement_column(select, 0));
	sqlite3_reset(select);
	return name;
}

ptrdiff_t reader_sinks(struct reader *reader, struct arena *arena, struct lg_slice **names,
		       struct error *error)
{
	struct lg_slice name = LG_SLICE("");
	size_t count = 0, capacity = 8;

	*names = arena_alloc(arena, capacity * sizeof(**names));
	while (*names && slice_present(name = next_sink(reader, arena, name))) {
		if (count == capacity) {
			struct lg_slice *more = arena_alloc(arena, 2 * capacity * sizeof(*more));
			if (!more)
				break;
			memcpy(more, *names, count * sizeof(*more));
			*names = more;
			capacity *= 2;
		}
		(*names)[count++] = name;
	}
	if (!arena->failed)
		return (ptrdiff_t)count;
	error_set(error, "reading the journal: not enough memory");
	return -1;
}
