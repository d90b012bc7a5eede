#include "outbox/reader.h"

#include <sqlite3.h>

#include "base/alloc.h"
#include "outbox/index.h"
#include "outbox/outcomes.h"
#include "outbox/reader_private.h"
#include "outbox/schema.h"
#include "outbox/statements.h"
#include "outbox/store.h"

#define EVENT_COLUMNS "e.seq, e.type, e.at, e.lead, e.body"
#define OPEN_COLUMNS \
	"o.state, o.attempts, o.since, o.batch_first, o.batch_last, o.batch_events, o.due"
#define IMPORT_COLUMNS                                                                            \
	"source, digest, name, bytes, state, at, ended, offset, position, rejects, rows, created" \
	", touched, repeated, held, refused, ignored, error"
#define LEADS "SELECT " EVENT_COLUMNS " FROM lead l JOIN event e ON e.seq = l.event"

static const char *const sql[QUERY_COUNT] = {
	[QUERY_EVENTS] = "SELECT " EVENT_COLUMNS
			 " FROM event e WHERE e.seq > ? ORDER BY e.seq LIMIT ?",
	[QUERY_DUE] =
		"SELECT " EVENT_COLUMNS ", " OPEN_COLUMNS " FROM open o"
		" JOIN event e ON e.seq = o.seq"
		" WHERE o.sink = ? AND o.due IS NOT NULL AND o.due <= ? ORDER BY o.due LIMIT ?",
	[QUERY_SENT_BATCH] = "SELECT " EVENT_COLUMNS ", " OPEN_COLUMNS " FROM open o"
			     " JOIN event e ON e.seq = o.seq"
			     " WHERE o.sink = ?1 AND o.seq BETWEEN ?2 AND ?3 AND o.batch_first = ?2"
			     " AND o.batch_last = ?3 AND o.batch_events = ?4"
			     " AND o.due IS NOT NULL ORDER BY o.seq LIMIT ?5",
	[QUERY_DUE_BEYOND] = "SELECT " EVENT_COLUMNS ", " OPEN_COLUMNS " FROM open o"
			     " JOIN event e ON e.seq = o.seq"
			     " WHERE o.sink = ? AND o.due IS NOT NULL AND o.due > ? LIMIT ?",
	[QUERY_LAST_DUE] = "SELECT max(due) FROM open WHERE sink = ? AND due IS NOT NULL",
	[QUERY_WAITING] = "SELECT o.seq, e.lead, o.attempts, o.due IS NULL FROM open o"
			  " JOIN event e ON e.seq = o.seq"
			  " WHERE o.sink = ? AND o.state <> 'dead' ORDER BY o.seq",
	[QUERY_ATTEMPTS] = "SELECT (?2 - at) / 3600000 AS hours, sum(last_seq - first_seq + 1)"
			   " FROM attempt WHERE sink = ?1 AND at <= ?2 AND at > ?2 - 90000000"
			   " GROUP BY hours",
	[QUERY_NEXT_DUE] = "SELECT min(due) FROM open WHERE sink = ? AND due IS NOT NULL",
	[QUERY_POSITION] = "SELECT last_seq FROM settled WHERE sink = ?"
			   " ORDER BY last_seq DESC LIMIT 1",
	[QUERY_LEAD] = LEADS " WHERE l.id = ?",
	[QUERY_LEADS_UP] = LEADS " WHERE l.id > ? ORDER BY l.id LIMIT ?",
	[QUERY_LEADS_DOWN] = LEADS " WHERE l.id < ? ORDER BY l.id DESC LIMIT ?",
	[QUERY_EVENT_FROM] = "SELECT seq, at FROM event WHERE seq >= ? ORDER BY seq LIMIT 1",
	/* Where a body has its id: behind {"id":" */
	[QUERY_BY_ID] = "SELECT lead FROM event WHERE seq BETWEEN ? AND ?"
			" AND substr(body, 8, 36) = ?",
	[QUERY_SETTLED] = "SELECT outcomes FROM settled WHERE sink = ?",
	[QUERY_OPEN] = "SELECT state, count(*) FROM open WHERE sink = ? GROUP BY state",
	[QUERY_LAST] = "SELECT ifnull(max(seq), 0) FROM event",
	/* All by their indexes, from name to name. */
	[QUERY_SINKS] = "SELECT min(sink) FROM ("
			"SELECT min(sink) AS sink FROM settled WHERE sink > ?1 UNION ALL"
			" SELECT min(sink) FROM open WHERE sink > ?1 UNION ALL"
			" SELECT min(key) FROM state WHERE scope = '" SCHEMA_SCOPE_BEGUN
			"' AND key > ?1)",
	[QUERY_SINK_NOTE] = "SELECT value FROM state WHERE scope = ? AND key = ?",
	[QUERY_NOTES] = "SELECT key, value FROM state WHERE scope = ? ORDER BY key",
	[QUERY_OLDEST_OPEN] =
		"SELECT at FROM event WHERE seq = (SELECT min(seq) FROM open WHERE sink = ?"
		" AND state <> 'dead')",
	[QUERY_EXTERNAL] = "SELECT id FROM external WHERE sink = ? AND lead = ?",
	/* ';' is what follows ':'. */
	[QUERY_SOURCE_NOTES] =
		"SELECT scope, key, value FROM state WHERE scope >= '" SCHEMA_SCOPE_SOURCE
		"' AND scope < 'source;'",
	[QUERY_CLAIMS_DUE] = "SELECT " CLAIM_COLUMNS ", blob FROM claim WHERE source = ? AND"
			     " state = 'waiting' AND due <= ? ORDER BY due LIMIT ?",
	[QUERY_CLAIMS_OF] = "SELECT " CLAIM_COLUMNS ", blob FROM claim WHERE source = ? AND"
			    " group_key = ? AND state = 'waiting' ORDER BY no LIMIT ?",
	[QUERY_CLAIMS_COUNT] = "SELECT state, count(*) FROM claim WHERE source = ? GROUP BY state",
	[QUERY_CLAIMS_LIST] = "SELECT " CLAIM_COLUMNS
			      " FROM claim WHERE (?1 IS NULL OR source = ?1)"
			      " AND state = ?2 AND no > ?3 ORDER BY no LIMIT ?4",
	[QUERY_IMPORT] = "SELECT " IMPORT_COLUMNS " FROM import WHERE source = ? AND digest = ?",
	[QUERY_IMPORTS] = "SELECT " IMPORT_COLUMNS " FROM import WHERE ?1 IS NULL OR source = ?1"
			  " ORDER BY at DESC, digest LIMIT ?2 OFFSET ?3",
	[QUERY_BACKWARDS] = "SELECT at, body FROM event ORDER BY seq DESC LIMIT ?",
};

struct reader *reader_open(struct lg_slice path, struct error *error)
{
	struct reader *reader = alloc_zalloc(sizeof(*reader));

	if (!reader) {
		error_set(error, "there is not enough memory to read the store");
		return NULL;
	}
	reader->db = store_open_reader(path, error);
	if (!reader->db || !store_check_reader(reader->db, path, error))
		goto failed;
	for (size_t i = 0; i < QUERY_COUNT; i++) {
		if (sqlite3_prepare_v3(reader->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT,
				       &reader->queries[i], NULL) == SQLITE_OK)
			continue;
		error_set(error, "%.*s: %s", SLICE_ARGS(path), sqlite3_errmsg(reader->db));
		goto failed;
	}
	return reader;
failed:
	reader_close(&reader);
	return NULL;
}

void reader_close(struct reader **pointer)
{
	struct reader *reader = *pointer;

	*pointer = NULL;
	if (!reader)
		return;
	for (size_t i = 0; i < QUERY_COUNT; i++)
		sqlite3_finalize(reader->queries[i]);
	sqlite3_close(reader->db);
	alloc_free(reader);
}

/* The row under the cursor. False: memory ran out, or it is damaged. */
static bool read_event(sqlite3_stmt *select, struct arena *arena, struct journal_event *event)
{
	struct lg_slice type = statement_column(select, 1);
	struct lg_slice lead = statement_column(select, 3);
	int known = event_type_parse(type);

	memset(event, 0, sizeof(*event));
	event->discarded = slice_is(type, SCHEMA_TYPE_DISCARDED);
	if (lead.length != (known == EVENT_ALERT ? 0 : UUID_BYTES) ||
	    (known < 0 && !event->discarded))
		return false;
	event->seq = sqlite3_column_int64(select, 0);
	event->type = event->discarded ? EVENT_HELD : (enum event_type)known;
	event->at_ms = sqlite3_column_int64(select, 2);
	if (lead.length)
		memcpy(event->lead_id, lead.data, UUID_BYTES);
	event->body = arena_copy(arena, statement_column(select, 4));
	if (sqlite3_column_count(select) > 5) {
		int state = outcomes_state(statement_column(select, 5));
		event->state = state < 0 ? DELIVERY_PENDING : (enum delivery_state)state;
		event->attempts = sqlite3_column_int64(select, 6);
		event->since_ms = sqlite3_column_int64(select, 7);
		event->sent.first_seq = sqlite3_column_int64(select, 8);
		event->sent.last_seq = sqlite3_column_int64(select, 9);
		event->sent.count = sqlite3_column_int64(select, 10);
		event->due_ms = sqlite3_column_int64(select, 11);
	}
	return slice_present(event->body);
}

ptrdiff_t reader_take_events(sqlite3_stmt *select, struct arena *arena, size_t count, size_t bytes,
			     struct journal_event **events, struct error *error)
{
	size_t found = 0, taken = 0;
	int rc = SQLITE_DONE;

	*events = arena_alloc(arena, (count ? count : 1) * sizeof(**events));
	while (*events && found < count && taken < bytes &&
	       (rc = sqlite3_step(select)) == SQLITE_ROW) {
		struct journal_event *event = &(*events)[found];
		if (!read_event(select, arena, event)) {
			rc = arena->failed ? SQLITE_NOMEM : SQLITE_CORRUPT;
			break;
		}
		taken += event->body.length;
		found++;
	}
	sqlite3_reset(select);
	if (*events && (rc == SQLITE_ROW || rc == SQLITE_DONE))
		return (ptrdiff_t)found;
	error_set(error, "reading the journal: %s",
		  *events ? sqlite3_errstr(rc) : "not enough memory");
	return -1;
}

ptrdiff_t reader_events(struct reader *reader, struct arena *arena, int64_t after_seq, size_t count,
			size_t bytes, struct journal_event **events, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_EVENTS];

	sqlite3_bind_int64(select, 1, after_seq);
	sqlite3_bind_int64(select, 2, (int64_t)count);
	return reader_take_events(select, arena, count, bytes ? bytes : 1, events, error);
}

bool reader_lead(struct reader *reader, struct arena *arena, const uint8_t lead_id[UUID_BYTES],
		 struct journal_event *event, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_LEAD];
	struct journal_event *events;

	statement_bind_blob(select, 1, lead_id, UUID_BYTES);
	ptrdiff_t count = reader_take_events(select, arena, 1, SIZE_MAX, &events, error);
	if (count == 0)
		error_set(error, "there is no such lead");
	if (count > 0)
		*event = events[0];
	return count > 0;
}

bool reader_event_from(struct reader *reader, int64_t seq, int64_t *found_seq, int64_t *at_ms)
{
	sqlite3_stmt *select = reader->queries[QUERY_EVENT_FROM];

	sqlite3_bind_int64(select, 1, seq);
	bool found = sqlite3_step(select) == SQLITE_ROW;
	if (found) {
		*found_seq = sqlite3_column_int64(select, 0);
		*at_ms = sqlite3_column_int64(select, 1);
	}
	sqlite3_reset(select);
	return found;
}

int64_t reader_seq_at(struct reader *reader, int64_t at_ms)
{
	int64_t low = 1, high = INDEX_SEQ_MAX + 1;

	while (low < high) {
		int64_t middle = low + (high - low) / 2, seq, middle_ms;
		if (reader_event_from(reader, middle, &seq, &middle_ms) && middle_ms < at_ms)
			low = seq + 1;
		else
			high = middle;
	}
	return low;
}

static bool find_event(struct reader *reader, int64_t first_seq, int64_t last_seq,
		       struct lg_slice id, uint8_t lead_id[UUID_BYTES])
{
	sqlite3_stmt *select = reader->queries[QUERY_BY_ID];
	bool found = false;

	sqlite3_bind_int64(select, 1, first_seq);
	sqlite3_bind_int64(select, 2, last_seq);
	statement_bind_text(select, 3, id);
	if (sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice lead = statement_column(select, 0);
		found = lead.length == UUID_BYTES;
		if (found)
			memcpy(lead_id, lead.data, UUID_BYTES);
	}
	sqlite3_reset(select);
	return found;
}

/* Between the making of an event and its seq others come, but not for long. */
#define NEAR_MS 2000

bool reader_lead_of_event(struct reader *reader, const uint8_t event_id[UUID_BYTES],
			  uint8_t lead_id[UUID_BYTES])
{
	char text[UUID_TEXT_BYTES];
	int64_t made_ms = 0;

	/* An id begins with its time: no index is needed, unless a clock jumped. */
	for (int i = 0; i < 6; i++)
		made_ms = made_ms << 8 | event_id[i];
	uuid_format(event_id, text);
	return find_event(reader, reader_seq_at(reader, made_ms - NEAR_MS),
			  reader_seq_at(reader, made_ms + NEAR_MS), slice_from(text), lead_id) ||
	       find_event(reader, 1, INT64_MAX, slice_from(text), lead_id);
}

ptrdiff_t reader_leads(struct reader *reader, struct arena *arena,
		       const uint8_t after_id[UUID_BYTES], size_t count, bool newest_first,
		       struct journal_event **events, struct error *error)
{
	static const uint8_t from_start[UUID_BYTES];
	uint8_t last[UUID_BYTES + 1];
	sqlite3_stmt *select = reader->queries[newest_first ? QUERY_LEADS_DOWN : QUERY_LEADS_UP];

	/* A longer blob of the highest bytes comes after every id. */
	memset(last, 0xff, sizeof(last));
	if (newest_first && memcmp(after_id, from_start, UUID_BYTES) == 0)
		statement_bind_blob(select, 1, last, sizeof(last));
	else
		statement_bind_blob(select, 1, after_id, UUID_BYTES);
	sqlite3_bind_int64(select, 2, (int64_t)count);
	return reader_take_events(select, arena, count, SIZE_MAX, events, error);
}
