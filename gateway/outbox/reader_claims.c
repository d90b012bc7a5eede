#include "outbox/claim.h"
#include "outbox/reader_private.h"
#include "outbox/schema.h"
#include "outbox/statements.h"

#define BLOB_COLUMN 11

/* The place of a word among `count`; -1: none. */
static int place_of(struct lg_slice word, const char *(*name)(int), int count)
{
	for (int i = 0; i < count; i++)
		if (slice_is(word, name(i)))
			return i;
	return -1;
}

static const char *kind_name(int kind)
{
	return claim_kind_name((enum claim_kind)kind);
}

static const char *state_name(int state)
{
	return claim_state_name((enum claim_state)state);
}

static struct lg_slice keep(struct arena *arena, sqlite3_stmt *select, int column)
{
	struct lg_slice value = statement_column(select, column);

	return slice_present(value) ? arena_copy(arena, value) : value;
}

/* The row under the cursor. False: memory ran out, or it is damaged. */
static bool read_claim(sqlite3_stmt *select, struct arena *arena, struct claim *claim)
{
	int kind = place_of(statement_column(select, 2), kind_name, CLAIM_KINDS);
	int state = place_of(statement_column(select, 7), state_name, CLAIM_STATES);

	if (kind < 0 || state < 0)
		return false;
	*claim = (struct claim){
		.number = sqlite3_column_int64(select, 0),
		.kind = (enum claim_kind)kind,
		.state = (enum claim_state)state,
		.source = keep(arena, select, 1),
		.key = keep(arena, select, 3),
		.group = keep(arena, select, 4),
		.parts = sqlite3_column_int64(select, 5),
		.at_ms = sqlite3_column_int64(select, 6),
		.due_ms = sqlite3_column_int64(select, 8),
		.attempts = sqlite3_column_int64(select, 9),
		.error = keep(arena, select, 10),
	};
	if (sqlite3_column_count(select) > BLOB_COLUMN)
		claim->blob = keep(arena, select, BLOB_COLUMN);
	return !arena->failed;
}

static ptrdiff_t read_claims(sqlite3_stmt *select, struct arena *arena, size_t count,
			     struct claim **claims, struct error *error)
{
	size_t found = 0;
	int rc = SQLITE_DONE;

	*claims = arena_alloc(arena, (count ? count : 1) * sizeof(**claims));
	while (*claims && found < count && (rc = sqlite3_step(select)) == SQLITE_ROW) {
		if (!read_claim(select, arena, &(*claims)[found])) {
			rc = arena->failed ? SQLITE_NOMEM : SQLITE_CORRUPT;
			break;
		}
		found++;
	}
	sqlite3_reset(select);
	if (*claims && (rc == SQLITE_ROW || rc == SQLITE_DONE))
		return (ptrdiff_t)found;
	error_set(error, "reading the journal: %s",
		  *claims ? sqlite3_errstr(rc) : "not enough memory");
	return -1;
}

ptrdiff_t reader_claims_due(struct reader *reader, struct arena *arena, struct lg_slice source,
			    int64_t now_ms, size_t count, struct claim **claims,
			    struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_CLAIMS_DUE];

	statement_bind_text(select, 1, source);
	sqlite3_bind_int64(select, 2, now_ms);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	return read_claims(select, arena, count, claims, error);
}

ptrdiff_t reader_claims_of(struct reader *reader, struct arena *arena, struct lg_slice source,
			   struct lg_slice group, size_t count, struct claim **claims,
			   struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_CLAIMS_OF];

	statement_bind_text(select, 1, source);
	statement_bind_text(select, 2, group);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	return read_claims(select, arena, count, claims, error);
}

bool reader_claims_count(struct reader *reader, struct lg_slice source,
			 int64_t by_state[CLAIM_STATES])
{
	sqlite3_stmt *select = reader->queries[QUERY_CLAIMS_COUNT];

	memset(by_state, 0, CLAIM_STATES * sizeof(*by_state));
	statement_bind_text(select, 1, source);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int state = place_of(statement_column(select, 0), state_name, CLAIM_STATES);
		if (state >= 0)
			by_state[state] = sqlite3_column_int64(select, 1);
	}
	return sqlite3_reset(select) == SQLITE_OK;
}

ptrdiff_t reader_claims_list(struct reader *reader, struct arena *arena, struct lg_slice source,
			     enum claim_state state, int64_t after, size_t count,
			     struct claim **claims, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_CLAIMS_LIST];

	statement_bind_text(select, 1, source);
	statement_bind_text(select, 2, slice_from(claim_state_name(state)));
	sqlite3_bind_int64(select, 3, after);
	sqlite3_bind_int64(select, 4, (int64_t)count);
	return read_claims(select, arena, count, claims, error);
}

/* There are few sources, so each is asked for by the key's index. */
ptrdiff_t reader_claims_named(struct reader *reader, struct arena *arena, struct lg_slice source,
			      struct lg_slice key, size_t count, struct claim **claims,
			      struct error *error)
{
	static const char sql[] =
		"WITH RECURSIVE sources(name) AS (SELECT min(source) FROM claim UNION ALL"
		" SELECT (SELECT min(source) FROM claim WHERE source > name) FROM sources"
		" WHERE name IS NOT NULL)"
		" SELECT " CLAIM_COLUMNS " FROM sources JOIN claim ON source = name"
		" AND kind = 'claim' AND key = ?1 WHERE ?2 IS NULL OR name = ?2"
		" ORDER BY no LIMIT ?3";
	sqlite3_stmt *select;
	ptrdiff_t found;

	if (sqlite3_prepare_v2(reader->db, sql, -1, &select, NULL) != SQLITE_OK) {
		error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
		return -1;
	}
	statement_bind_text(select, 1, key);
	statement_bind_text(select, 2, source);
	sqlite3_bind_int64(select, 3, (int64_t)count);
	found = read_claims(select, arena, count, claims, error);
	sqlite3_finalize(select);
	return found;
}

bool reader_state_notes(struct reader *reader,
			bool (*each)(void *context, struct lg_slice source,
				     const struct state_note *note),
			void *context, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_SOURCE_NOTES];
	size_t prefix = strlen(SCHEMA_SCOPE_SOURCE);
	bool taken = true;

	while (taken && sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice scope = statement_column(select, 0);
		struct state_note note = {.key = statement_column(select, 1),
					  .value = statement_column(select, 2)};
		taken = each(context, slice_cut(scope, prefix, SIZE_MAX), &note);
	}
	int rc = sqlite3_reset(select);
	if (rc == SQLITE_OK && taken)
		return true;
	return error_set(error, "reading the journal: %s",
			 taken ? sqlite3_errstr(rc) : "not enough memory");
}
