#include "outbox/prune_keys.h"

#include "outbox/journal.h"

/* Seqs whose keys one step looks at, so that leads wait for milliseconds. */
#define STEP_SEQS 5000

/* What the index leads by to a row that goes. */
struct entry {
	uint64_t hash;
	int64_t seq;
};

#define WITHOUT_LEAD                 \
	" WHERE seq BETWEEN ? AND ?" \
	" AND NOT EXISTS (SELECT 1 FROM lead WHERE id = identity.lead)"

static int prepare(struct journal *journal, const char *sql, int64_t first_seq, int64_t last_seq,
		   sqlite3_stmt **statement)
{
	int rc = sqlite3_prepare_v2(journal->db, sql, -1, statement, NULL);

	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(*statement, 1, first_seq);
		sqlite3_bind_int64(*statement, 2, last_seq);
	}
	return rc;
}

static bool take_row(struct chore *chore, struct journal *journal, sqlite3_stmt *select)
{
	struct identity_row row;
	int64_t seq = sqlite3_column_int64(select, 0);

	if (!identity_row_unpack(&row, statement_column(select, 1)))
		return true; /* it leads nowhere */
	journal->leads -= row.flags & IDENTITY_ROW_CREATED;
	for (size_t i = 0; i < row.key_count; i++) {
		struct entry entry = {row.keys[i].hash, seq};
		if (!buffer_add(&chore->work, &entry, sizeof(entry)))
			return false;
	}
	return true;
}

/* Notes what the index has of the rows that go. */
static int take_rows(struct journal *journal, struct chore *chore, int64_t first_seq,
		     int64_t last_seq)
{
	sqlite3_stmt *select = NULL;
	int rc = prepare(journal, "SELECT seq, keys FROM identity" WITHOUT_LEAD, first_seq,
			 last_seq, &select);

	if (rc == SQLITE_OK) {
		while (sqlite3_step(select) == SQLITE_ROW && take_row(chore, journal, select))
			continue;
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc == SQLITE_OK && chore->work.failed ? SQLITE_NOMEM : rc;
}

static int drop_rows(struct journal *journal, int64_t first_seq, int64_t last_seq)
{
	sqlite3_stmt *drop = NULL;
	int rc = prepare(journal, "DELETE FROM identity" WITHOUT_LEAD, first_seq, last_seq, &drop);

	if (rc == SQLITE_OK)
		rc = statement_run(drop);
	sqlite3_finalize(drop);
	return rc;
}

/* The next row after the cursor; *seq 0: there is none. */
static int find_next(struct journal *journal, int64_t cursor, int64_t *seq)
{
	sqlite3_stmt *select = NULL;
	int rc = prepare(journal, "SELECT min(seq) FROM identity WHERE seq BETWEEN ? AND ?",
			 cursor + 1, INT64_MAX, &select);

	*seq = 0;
	if (rc == SQLITE_OK) {
		if (sqlite3_step(select) == SQLITE_ROW)
			*seq = sqlite3_column_int64(select, 0);
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

/* As far as events were looked at, whatever this pass has found: one that a crash
 * cut off may have left keys. From row to row, for there may be few. */
int prune_keys(struct journal *journal, struct chore *chore)
{
	int64_t first_seq, last_seq;
	int rc = find_next(journal, chore->key_cursor, &first_seq);

	chore->more = true;
	if (rc != SQLITE_OK || first_seq == 0 || first_seq > chore->last_seq) {
		chore->phase = PRUNE_ATTEMPTS;
		return rc;
	}
	last_seq = first_seq + STEP_SEQS - 1;
	if (last_seq > chore->last_seq)
		last_seq = chore->last_seq;
	rc = take_rows(journal, chore, first_seq, last_seq);
	if (rc == SQLITE_OK)
		rc = drop_rows(journal, first_seq, last_seq);
	chore->key_cursor = last_seq;
	return rc;
}

void prune_committed(struct journal *journal, const struct chore *chore)
{
	struct lg_slice bytes = buffer_slice(&chore->work);

	for (size_t at = 0; at + sizeof(struct entry) <= bytes.length; at += sizeof(struct entry)) {
		struct entry entry;
		memcpy(&entry, bytes.data + at, sizeof(entry));
		index_remove(&journal->index, entry.hash, entry.seq);
	}
}
