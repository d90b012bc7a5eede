#include "outbox/outcomes.h"
#include "outbox/reader_private.h"
#include "outbox/schema.h"
#include "outbox/statements.h"

#define NOTES_MAX 4096 /* more names than a configuration has */
#define STATES_MAX ((int)(sizeof(((struct sink_backlog *)0)->by_state) / sizeof(int64_t)))

static bool reading_failed(int rc, struct error *error)
{
	return error_set(error, "reading the journal: %s", sqlite3_errstr(rc));
}

ptrdiff_t reader_alerts(struct reader *reader, struct arena *arena, struct noted_alert **alerts,
			struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_NOTES];
	ptrdiff_t count = 0;

	*alerts = arena_alloc(arena, NOTES_MAX * sizeof(**alerts));
	statement_bind_text(select, 1, slice_from(SCHEMA_SCOPE_ALERT));
	while (*alerts && count < NOTES_MAX && sqlite3_step(select) == SQLITE_ROW) {
		(*alerts)[count].key = arena_copy(arena, statement_column(select, 0));
		(*alerts)[count++].text = arena_copy(arena, statement_column(select, 1));
	}
	int rc = sqlite3_reset(select);
	if (rc == SQLITE_OK && arena->failed)
		rc = SQLITE_NOMEM;
	if (rc == SQLITE_OK)
		return count;
	reading_failed(rc, error);
	return -1;
}

static int count_open(struct reader *reader, struct lg_slice sink, struct sink_backlog *backlog)
{
	sqlite3_stmt *select = reader->queries[QUERY_OPEN];

	statement_bind_text(select, 1, sink);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int state = outcomes_state(statement_column(select, 0));
		if (state >= 0 && state < STATES_MAX)
			backlog->by_state[state] += sqlite3_column_int64(select, 1);
	}
	return sqlite3_reset(select);
}

static int oldest_open(struct reader *reader, struct lg_slice sink, struct sink_backlog *backlog)
{
	sqlite3_stmt *select = reader->queries[QUERY_OLDEST_OPEN];

	statement_bind_text(select, 1, sink);
	if (sqlite3_step(select) == SQLITE_ROW)
		backlog->oldest_ms = sqlite3_column_int64(select, 0);
	return sqlite3_reset(select);
}

bool reader_backlog(struct reader *reader, struct lg_slice sink, int64_t position,
		    struct sink_backlog *backlog, struct error *error)
{
	int64_t seq, at_ms;
	int rc;

	*backlog = (struct sink_backlog){0};
	rc = count_open(reader, sink, backlog);
	if (rc == SQLITE_OK)
		rc = oldest_open(reader, sink, backlog);
	if (rc != SQLITE_OK)
		return reading_failed(rc, error);
	if (reader_event_from(reader, position + 1, &seq, &at_ms) &&
	    (backlog->oldest_ms == 0 || at_ms < backlog->oldest_ms))
		backlog->oldest_ms = at_ms;
	return true;
}

/* Notes the time for its source; returns how many were found by it: 0 or 1. */
static size_t note_source(struct source_heard *sources, size_t count, struct lg_slice name,
			  int64_t at_ms)
{
	for (size_t i = 0; i < count; i++) {
		if (sources[i].at_ms != 0 || !slice_equal(sources[i].source, name))
			continue;
		sources[i].at_ms = at_ms;
		return 1;
	}
	return 0;
}

bool reader_heard(struct reader *reader, struct source_heard *sources, size_t count, int64_t most,
		  struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_BACKWARDS];
	size_t missing = 0;

	for (size_t i = 0; i < count; i++)
		missing += sources[i].at_ms == 0;
	sqlite3_bind_int64(select, 1, most);
	while (missing > 0 && sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice name = event_body_source(statement_column(select, 1));
		if (slice_present(name))
			missing -= note_source(sources, count, name,
					       sqlite3_column_int64(select, 0));
	}
	int rc = sqlite3_reset(select);
	return rc == SQLITE_OK || reading_failed(rc, error);
}
