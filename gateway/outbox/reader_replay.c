#include "outbox/reader_replay.h"

#include "outbox/reader_private.h"
#include "outbox/replay.h"
#include "outbox/statements.h"

/* Events that one short read passes over. */
#define PIECE_EVENTS 20000
/* Between the making of an id and the seq of its event others come. */
#define NEAR_MS 2000

/* An attempt's row covers at most as many events as one delivery may have. */
#define ATTEMPT_SPAN "100000"

/* Where a body has its id: behind {"id":" */
#define EVENT_ID "substr(body, 8, 36)"

static const char sql_dead[] =
	"SELECT e.seq, " EVENT_ID ", e.type, e.lead, e.at, o.attempts, o.error, a.at, a.status,"
	" a.answer FROM open o JOIN event e ON e.seq = o.seq"
	" LEFT JOIN attempt a ON a.rowid = (SELECT max(rowid) FROM attempt"
	" WHERE sink = o.sink AND last_seq BETWEEN o.seq AND o.seq + " ATTEMPT_SPAN
	" AND first_seq <= o.seq)"
	" WHERE o.sink = ? AND o.seq > ? AND o.state = 'dead' ORDER BY o.seq LIMIT ?";
static const char sql_find[] = "SELECT seq, lead = ?3 FROM event WHERE seq >= ?1 AND seq < ?2"
			       " AND (lead = ?3 OR " EVENT_ID " = ?4) ORDER BY seq";

static bool fail(struct reader *reader, struct error *error)
{
	return error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
}

static bool read_letter(sqlite3_stmt *select, struct arena *arena, struct dead_letter *letter)
{
	struct lg_slice lead = statement_column(select, 3);

	*letter = (struct dead_letter){
		.seq = sqlite3_column_int64(select, 0),
		.event_id = arena_copy(arena, statement_column(select, 1)),
		.type = arena_copy(arena, statement_column(select, 2)),
		.captured_ms = sqlite3_column_int64(select, 4),
		.attempts = sqlite3_column_int64(select, 5),
		.reason = arena_copy(arena, statement_column(select, 6)),
		.tried_ms = sqlite3_column_int64(select, 7),
		.status = sqlite3_column_int(select, 8),
		.answer = arena_copy(arena, statement_column(select, 9)),
	};
	if (lead.length == UUID_BYTES)
		uuid_format((const uint8_t *)lead.data, letter->lead_id);
	return !arena->failed;
}

ptrdiff_t reader_replay_dead(struct reader *reader, struct arena *arena, struct lg_slice sink,
			     int64_t after_seq, size_t count, struct dead_letter **letters,
			     struct error *error)
{
	sqlite3_stmt *select = NULL;
	size_t found = 0;

	*letters = arena_alloc(arena, (count ? count : 1) * sizeof(**letters));
	if (sqlite3_prepare_v2(reader->db, sql_dead, -1, &select, NULL) != SQLITE_OK) {
		fail(reader, error);
		return -1;
	}
	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, after_seq);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	while (*letters && found < count && sqlite3_step(select) == SQLITE_ROW &&
	       read_letter(select, arena, &(*letters)[found]))
		found++;
	bool good = sqlite3_reset(select) == SQLITE_OK || fail(reader, error);
	sqlite3_finalize(select);
	if (good && arena->failed)
		good = error_set(error, "reading the journal: not enough memory");
	return good ? (ptrdiff_t)found : -1;
}

/* Each page in a transaction of its own: its rows belong together, and no
 * checkpoint waits. */
bool reader_replay_plan(struct reader *reader, struct lg_slice sink, const struct replay *replay,
			struct replay_plan *plan,
			bool (*each)(void *context, int64_t seq, struct error *error),
			void *context, struct error *error)
{
	struct replay_page page;
	int64_t after_seq = 0;

	do {
		if (sqlite3_exec(reader->db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
			return fail(reader, error);
		int rc = replay_read(reader->db, sink, replay, after_seq, &page);
		sqlite3_exec(reader->db, "COMMIT", NULL, NULL, NULL);
		if (rc != SQLITE_OK)
			return error_set(error, "reading the journal: %s", sqlite3_errstr(rc));
		replay_count(&page, replay, plan);
		for (size_t i = 0; each && i < page.count; i++)
			if (replay_takes(page.events[i].state, replay->again) &&
			    !each(context, page.events[i].seq, error))
				return false;
		if (page.count)
			after_seq = page.events[page.count - 1].seq;
	} while (page.count == REPLAY_PAGE);
	return true;
}

/* What an id stands for between two seqs. An event ends the search: it is one. */
static int find_in_piece(sqlite3_stmt *select, int64_t first_seq, int64_t *seqs, size_t count,
			 size_t *found, bool *is_event)
{
	sqlite3_bind_int64(select, 1, first_seq);
	sqlite3_bind_int64(select, 2, first_seq + PIECE_EVENTS);
	while (*found < count && !*is_event && sqlite3_step(select) == SQLITE_ROW) {
		seqs[(*found)++] = sqlite3_column_int64(select, 0);
		*is_event = !sqlite3_column_int(select, 1);
	}
	return sqlite3_reset(select);
}

static int find_from(struct reader *reader, sqlite3_stmt *select, int64_t first_seq, int64_t *seqs,
		     size_t count, size_t *found)
{
	bool is_event = false;
	int64_t seq, at_ms;
	int rc = SQLITE_OK;

	/* From event to event: where many were pruned there are none for long. */
	while (rc == SQLITE_OK && *found < count && !is_event &&
	       reader_event_from(reader, first_seq, &seq, &at_ms)) {
		rc = find_in_piece(select, seq, seqs, count, found, &is_event);
		first_seq = seq + PIECE_EVENTS;
	}
	return rc;
}

ptrdiff_t reader_replay_find(struct reader *reader, const uint8_t id[UUID_BYTES], int64_t *seqs,
			     size_t count, struct error *error)
{
	sqlite3_stmt *select = NULL;
	char text[UUID_TEXT_BYTES];
	int64_t made_ms = 0;
	size_t found = 0;

	/* An id begins with its time. */
	for (int i = 0; i < 6; i++)
		made_ms = made_ms << 8 | id[i];
	uuid_format(id, text);
	int rc = sqlite3_prepare_v2(reader->db, sql_find, -1, &select, NULL);
	if (rc == SQLITE_OK) {
		statement_bind_blob(select, 3, id, UUID_BYTES);
		statement_bind_text(select, 4, slice_from(text));
		rc = find_from(reader, select, reader_seq_at(reader, made_ms - NEAR_MS), seqs,
			       count, &found);
		/* A clock that was set back: look everywhere. */
		if (rc == SQLITE_OK && found == 0)
			rc = find_from(reader, select, 1, seqs, count, &found);
	}
	if (rc != SQLITE_OK)
		fail(reader, error);
	sqlite3_finalize(select);
	return rc == SQLITE_OK ? (ptrdiff_t)found : -1;
}
