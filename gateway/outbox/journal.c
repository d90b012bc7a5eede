#include "outbox/journal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

#define ARENA_BLOCK_BYTES ((size_t)64 << 10)
/* One record at a time; a lead has its own, smaller limit. */
#define ARENA_LIMIT_BYTES ((size_t)64 << 20)
#define BODY_LIMIT_BYTES ((size_t)64 << 20)
/* Twice what lead.record_bytes can be: links and consents come to a record that
 * is as large as it may be. */
#define RECORD_LIMIT_BYTES (INT64_C(32) << 20)

/* Which index a key goes into; NULL: none. */
static struct index *index_for(struct journal *journal, const struct identity_key *key)
{
	switch (identity_row_place(key, journal->key_kinds)) {
	case IDENTITY_PLACE_PERSONS: return &journal->index;
	case IDENTITY_PLACE_RECENT: return recent_young(&journal->recent);
	case IDENTITY_PLACE_NONE: break;
	}
	return NULL;
}

/* What was read beforehand saves reading it again, when it still holds. */
static bool fill_indexes(struct journal *journal, const struct journal_opening *opening,
			 struct error *error)
{
	struct identity_index none, *index = opening->ahead;
	bool done;

	identity_index_init(&none, journal->dedup, journal->key_kinds);
	if (!index || index->key_kinds != journal->key_kinds ||
	    !identity_index_holds(index, journal->db))
		index = &none;
	done = identity_index_read(index, journal->db, opening->patience, error);
	if (done) {
		journal->index = index->persons;
		journal->recent = index->recent;
		journal->leads = index->leads;
		identity_index_init(index, journal->dedup, journal->key_kinds);
	}
	identity_index_fini(&none);
	return done;
}

static bool read_last_seq(struct journal *journal, struct error *error)
{
	sqlite3_stmt *select = NULL;
	bool done = sqlite3_prepare_v2(journal->db, "SELECT ifnull(max(seq), 0) FROM event", -1,
				       &select, NULL) == SQLITE_OK &&
		    sqlite3_step(select) == SQLITE_ROW;

	if (done)
		journal->last_seq = sqlite3_column_int64(select, 0);
	else
		error_set(error, "%s", sqlite3_errmsg(journal->db));
	sqlite3_finalize(select);
	return done;
}

bool journal_init(struct journal *journal, sqlite3 *db, const struct dedup_settings *dedup,
		  const struct lead_limits *limits, unsigned int key_kinds,
		  const struct journal_opening *opening, struct error *error)
{
	memset(journal, 0, sizeof(*journal));
	journal->db = db;
	journal->dedup = dedup;
	journal->limits = *limits;
	journal->limits.record_bytes = RECORD_LIMIT_BYTES;
	journal->key_kinds = key_kinds;
	index_init(&journal->index);
	recent_init(&journal->recent, dedup->submission_window_ms, clock_monotonic_ms());
	arena_init(&journal->arena, ARENA_BLOCK_BYTES, ARENA_LIMIT_BYTES);
	buffer_init(&journal->record, BODY_LIMIT_BYTES);
	buffer_init(&journal->changes, BODY_LIMIT_BYTES);
	buffer_init(&journal->body, BODY_LIMIT_BYTES);
	if (!drafts_init(&journal->drafts, db, error) ||
	    !statements_init(&journal->statements, db, error) || !read_last_seq(journal, error) ||
	    !fill_indexes(journal, opening, error)) {
		journal_fini(journal);
		return false;
	}
	journal->committed_seq = journal->last_seq;
	journal->committed_leads = journal->leads;
	return true;
}

void journal_fini(struct journal *journal)
{
	statements_fini(&journal->statements);
	drafts_fini(&journal->drafts);
	index_fini(&journal->index);
	recent_fini(&journal->recent);
	alloc_free(journal->undo);
	journal->undo = NULL;
	arena_fini(&journal->arena);
	buffer_fini(&journal->record);
	buffer_fini(&journal->changes);
	buffer_fini(&journal->body);
}

int journal_begin(struct journal *journal)
{
	recent_turn(&journal->recent, clock_monotonic_ms());
	journal->undo_count = 0;
	journal->failed_seq = 0;
	journal->attempts_dropped = 0;
	return statement_run(journal_statement(journal, STATEMENT_BEGIN));
}

int journal_commit(struct journal *journal)
{
	int rc = journal_flush(journal);

	if (rc == SQLITE_OK)
		rc = statement_run(journal_statement(journal, STATEMENT_COMMIT));
	if (rc != SQLITE_OK)
		return rc;
	journal->undo_count = 0;
	journal->committed_seq = journal->last_seq;
	journal->committed_leads = journal->leads;
	return SQLITE_OK;
}

void journal_rollback(struct journal *journal)
{
	/* Some failures have rolled back by themselves. */
	if (!sqlite3_get_autocommit(journal->db))
		statement_run(journal_statement(journal, STATEMENT_ROLLBACK));
	drafts_clear(&journal->drafts);
	while (journal->undo_count > 0) {
		const struct journal_undo *undo = &journal->undo[--journal->undo_count];
		index_remove(undo->index, undo->hash, undo->seq);
	}
	journal->last_seq = journal->committed_seq;
	journal->leads = journal->committed_leads;
}

int journal_flush(struct journal *journal)
{
	static const enum statement steps[] = {STATEMENT_DRAFT_EVENTS, STATEMENT_DRAFT_LEADS,
					       STATEMENT_DRAFT_IDENTITIES};
	struct drafts *drafts = &journal->drafts;
	int rc = SQLITE_OK;

	if (drafts->count == 0)
		return SQLITE_OK;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && rc == SQLITE_OK; i++) {
		drafts->at = drafts->count; /* of none, until it reads the first */
		rc = statement_run(journal_statement(journal, steps[i]));
	}
	if (rc != SQLITE_OK && drafts->at < drafts->count)
		journal->failed_seq = drafts->all[drafts->at].seq;
	drafts_clear(drafts);
	return rc;
}

int journal_add_event(struct journal *journal, const char *type, const uint8_t lead_id[UUID_BYTES],
		      int64_t at_ms, struct lg_slice body)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_EVENT);

	int rc = journal_flush(journal); /* seqs ascend */
	if (rc == SQLITE_OK && journal->last_seq >= INDEX_SEQ_MAX)
		rc = SQLITE_FULL;
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(add, 1, journal->last_seq + 1);
	statement_bind_text(add, 2, slice_from(type));
	if (lead_id)
		statement_bind_blob(add, 3, lead_id, UUID_BYTES);
	else
		sqlite3_bind_zeroblob(add, 3, 0);
	sqlite3_bind_int64(add, 4, at_ms);
	statement_bind_text(add, 5, body);
	rc = statement_run(add);
	if (rc == SQLITE_OK)
		journal->last_seq++;
	return rc;
}

static bool remember_undo(struct journal *journal, struct index *index, uint64_t hash, int64_t seq)
{
	if (journal->undo_count == journal->undo_capacity) {
		size_t capacity = journal->undo_capacity ? journal->undo_capacity * 2 : 256;
		void *grown = alloc_realloc(journal->undo, capacity * sizeof(*journal->undo));
		if (!grown)
			return false;
		journal->undo = grown;
		journal->undo_capacity = capacity;
	}
	journal->undo[journal->undo_count++] = (struct journal_undo){index, hash, seq};
	return true;
}

static int index_row(struct journal *journal, const struct identity_row *row)
{
	for (size_t i = 0; i < row->key_count; i++) {
		const struct identity_key *key = &row->keys[i];
		struct index *index = index_for(journal, key);
		if (!index)
			continue;
		/* To undo what was never added does no harm. */
		if (!remember_undo(journal, index, key->hash, journal->last_seq) ||
		    !index_add(index, key->hash, journal->last_seq))
			return SQLITE_NOMEM;
	}
	return SQLITE_OK;
}

int journal_add_lead(struct journal *journal, const char *type, const struct identity_row *row,
		     struct lg_slice body)
{
	int rc = drafts_full(&journal->drafts) ? journal_flush(journal) : SQLITE_OK;

	if (rc == SQLITE_OK && journal->last_seq >= INDEX_SEQ_MAX)
		rc = SQLITE_FULL;
	if (rc != SQLITE_OK)
		return rc;
	struct draft *draft = drafts_add(&journal->drafts);
	draft->seq = ++journal->last_seq;
	draft->at_ms = row->at_ms;
	draft->type = slice_from(type);
	draft->body = body;
	memcpy(draft->lead_id, row->lead_id, UUID_BYTES);
	draft->keys_length = identity_row_pack(row, draft->keys);
	journal->leads++;
	return index_row(journal, row);
}

int journal_add_identity(struct journal *journal, const struct identity_row *row)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_IDENTITY);
	uint8_t packed[IDENTITY_ROW_BYTES_MAX];
	size_t length = identity_row_pack(row, packed);

	sqlite3_bind_int64(add, 1, journal->last_seq);
	statement_bind_blob(add, 2, row->lead_id, UUID_BYTES);
	sqlite3_bind_int64(add, 3, row->at_ms);
	statement_bind_blob(add, 4, packed, length);
	int rc = statement_run(add);
	return rc == SQLITE_OK ? index_row(journal, row) : rc;
}

static int unpack_identity(int64_t seq, struct lg_slice lead, int64_t at_ms, struct lg_slice keys,
			   struct identity_row *row)
{
	if (lead.length != UUID_BYTES || !identity_row_unpack(row, keys)) {
		log_error("store.row_unreadable", LOG_TEXT("table", "identity"),
			  LOG_INT("seq", seq));
		return SQLITE_NOTFOUND;
	}
	memcpy(row->lead_id, lead.data, UUID_BYTES);
	row->at_ms = at_ms;
	return SQLITE_OK;
}

static struct lg_slice bytes_of(const uint8_t *bytes, size_t length)
{
	return slice_of((const char *)bytes, length);
}

int journal_identity(struct journal *journal, int64_t seq, struct identity_row *row)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_IDENTITY);
	const struct draft *draft = drafts_find(&journal->drafts, seq);
	int rc = SQLITE_NOTFOUND;

	if (draft)
		return unpack_identity(seq, bytes_of(draft->lead_id, UUID_BYTES), draft->at_ms,
				       bytes_of(draft->keys, draft->keys_length), row);
	sqlite3_bind_int64(select, 1, seq);
	if (sqlite3_step(select) == SQLITE_ROW)
		rc = unpack_identity(seq, statement_column(select, 0),
				     sqlite3_column_int64(select, 1), statement_column(select, 2),
				     row);
	int failed = sqlite3_reset(select);
	return failed != SQLITE_OK ? failed : rc;
}
