#include "outbox/import_row.h"
#include "outbox/reader_private.h"
#include "outbox/statements.h"

static struct lg_slice keep(struct arena *arena, sqlite3_stmt *select, int column)
{
	struct lg_slice value = statement_column(select, column);

	return slice_present(value) ? arena_copy(arena, value) : value;
}

static bool read_state(struct lg_slice word, enum import_state *state)
{
	for (int i = 0; i < IMPORT_STATES; i++) {
		*state = (enum import_state)i;
		if (slice_is(word, import_state_name(*state)))
			return true;
	}
	return false;
}

/* The row under the cursor. False: memory ran out, or it is damaged. */
static bool read_row(sqlite3_stmt *select, struct arena *arena, struct import_row *row)
{
	struct lg_slice digest = statement_column(select, 1);

	*row = (struct import_row){
		.source = keep(arena, select, 0),
		.name = keep(arena, select, 2),
		.bytes = sqlite3_column_int64(select, 3),
		.at_ms = sqlite3_column_int64(select, 5),
		.ended_ms = sqlite3_column_int64(select, 6),
		.offset = sqlite3_column_int64(select, 7),
		.position = keep(arena, select, 8),
		.rejects = sqlite3_column_int64(select, 9),
		.counts.rows = sqlite3_column_int64(select, 10),
		.error = keep(arena, select, 11 + IMPORT_RESULTS),
	};
	for (int i = 0; i < IMPORT_RESULTS; i++)
		row->counts.by_result[i] = sqlite3_column_int64(select, 11 + i);
	if (digest.length != sizeof(row->digest) ||
	    !read_state(statement_column(select, 4), &row->state))
		return false;
	memcpy(row->digest, digest.data, sizeof(row->digest));
	return !arena->failed;
}

static ptrdiff_t read_rows(sqlite3_stmt *select, struct arena *arena, size_t count,
			   struct import_row *rows, struct error *error)
{
	size_t found = 0;
	int rc = SQLITE_DONE;

	while (found < count && (rc = sqlite3_step(select)) == SQLITE_ROW) {
		if (!read_row(select, arena, &rows[found])) {
			rc = arena->failed ? SQLITE_NOMEM : SQLITE_CORRUPT;
			break;
		}
		found++;
	}
	sqlite3_reset(select);
	if (rc == SQLITE_ROW || rc == SQLITE_DONE)
		return (ptrdiff_t)found;
	error_set(error, "reading the journal: %s", sqlite3_errstr(rc));
	return -1;
}

int reader_import(struct reader *reader, struct arena *arena, struct lg_slice source,
		  const uint8_t digest[IMPORT_DIGEST_BYTES], struct import_row *row,
		  struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_IMPORT];

	statement_bind_text(select, 1, source);
	statement_bind_blob(select, 2, digest, IMPORT_DIGEST_BYTES);
	return (int)read_rows(select, arena, 1, row, error);
}

ptrdiff_t reader_imports(struct reader *reader, struct arena *arena, struct lg_slice source,
			 size_t skip, size_t count, struct import_row **rows, struct error *error)
{
	sqlite3_stmt *select = reader->queries[QUERY_IMPORTS];

	*rows = arena_alloc(arena, (count ? count : 1) * sizeof(**rows));
	if (!*rows) {
		error_set(error, "reading the journal: not enough memory");
		return -1;
	}
	statement_bind_text(select, 1, source);
	sqlite3_bind_int64(select, 2, (int64_t)count);
	sqlite3_bind_int64(select, 3, (int64_t)skip);
	return read_rows(select, arena, count, *rows, error);
}
