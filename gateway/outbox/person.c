#include "outbox/person.h"

#include "base/log.h"
#include "lead/record.h"

static struct person_candidate *candidate_for(struct person_match *match,
					      const uint8_t lead_id[UUID_BYTES], size_t limit)
{
	for (size_t i = 0; i < match->count; i++)
		if (memcmp(match->candidates[i].lead_id, lead_id, UUID_BYTES) == 0)
			return &match->candidates[i];
	if (match->count >= limit)
		return NULL;
	struct person_candidate *candidate = &match->candidates[match->count++];
	memset(candidate, 0, sizeof(*candidate));
	memcpy(candidate->lead_id, lead_id, UUID_BYTES);
	return candidate;
}

/* Leads that the index gives for the key at `position`. */
static int find_by_key(struct journal *journal, const struct identity_key *key, size_t position,
		       struct person_match *match)
{
	int64_t seqs[OUTBOX_WEAK_AFTER_MAX];
	size_t limit = (size_t)journal->dedup->weak_after;
	size_t count = index_find(&journal->index, key->hash, seqs, limit);

	/* The office number of many tells nothing any more. */
	if (count == limit)
		match->weak |= 1u << position;
	for (size_t i = 0; i < count; i++) {
		struct identity_row row;
		int rc = journal_identity(journal, seqs[i], &row);
		if (rc == SQLITE_NOTFOUND || (rc == SQLITE_OK && !identity_row_has(&row, key)))
			continue;
		if (rc != SQLITE_OK)
			return rc;
		struct person_candidate *candidate = candidate_for(match, row.lead_id,
								   PERSON_CANDIDATES_MAX);
		if (!candidate)
			continue;
		candidate->keys |= 1u << position;
		if (!(match->weak & 1u << position))
			candidate->kinds |= 1u << key->kind;
	}
	return SQLITE_OK;
}

/* Reads the present record; NULL, and no failure, when it cannot be understood:
 * then the lead can be linked with, but nothing merged into it. */
int person_read(struct journal *journal, struct person_candidate *candidate)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_LEAD);
	struct error error = {""};
	int rc = journal_flush(journal);

	if (rc != SQLITE_OK)
		return rc;
	rc = SQLITE_NOTFOUND;
	statement_bind_blob(select, 1, candidate->lead_id, UUID_BYTES);
	if (sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice record = event_body_lead(statement_column(select, 3));
		candidate->last_at_ms = sqlite3_column_int64(select, 1);
		candidate->record = record_decode(&journal->arena, &journal->limits, record,
						  &error);
		rc = SQLITE_OK;
		if (!candidate->record && journal->arena.failed)
			rc = SQLITE_NOMEM;
		else if (!candidate->record)
			log_error("store.record_unreadable", LOG_TEXT("reason", error.text),
				  LOG_INT("seq", sqlite3_column_int64(select, 0)));
	}
	int failed = sqlite3_reset(select);
	return failed != SQLITE_OK ? failed : rc;
}

static int judge(struct journal *journal, const struct capture *capture,
		 struct person_candidate *candidate)
{
	int rc = person_read(journal, candidate);

	/* Erased meanwhile: there is nobody to link with. */
	if (rc == SQLITE_NOTFOUND)
		candidate->kinds = 0;
	if (rc != SQLITE_OK || !candidate->record)
		return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
	candidate->same = capture->at_ms - candidate->last_at_ms <=
				  journal->dedup->person_window_ms &&
			  identity_same_person(candidate->record, capture->lead);
	return SQLITE_OK;
}

/* More kinds in common win; among equals a name that agrees with the capture's; then
 * the first that was found: by the first of the capture's keys, the oldest by one key.
 * Names are compared only here, for few captures have two who could be it. */
static bool better(const struct capture *capture, const struct person_candidate *a,
		   const struct person_candidate *b)
{
	int more = b ? __builtin_popcount(a->kinds) - __builtin_popcount(b->kinds) : 1;

	if (more != 0)
		return more > 0;
	return identity_names_agree(a->record, capture->lead) &&
	       !identity_names_agree(b->record, capture->lead);
}

int person_find(struct journal *journal, const struct capture *capture, struct person_match *match)
{
	/* Of the candidates only those that are counted are ever looked at. */
	match->count = 0;
	match->known = NULL;
	match->weak = 0;
	if (capture->trapped)
		return SQLITE_OK;
	for (size_t i = 0; i < capture->person.count; i++) {
		const struct identity_key *key = &capture->person.keys[i];
		if (key->flags & IDENTITY_WEAK || !(journal->key_kinds & 1u << key->kind))
			continue;
		int rc = find_by_key(journal, key, i, match);
		if (rc != SQLITE_OK)
			return rc;
	}
	for (size_t i = 0; i < match->count; i++) {
		struct person_candidate *candidate = &match->candidates[i];
		if (!candidate->kinds)
			continue;
		int rc = judge(journal, capture, candidate);
		if (rc != SQLITE_OK)
			return rc;
		if (candidate->same && better(capture, candidate, match->known))
			match->known = candidate;
	}
	return SQLITE_OK;
}

int person_of_delivery(struct journal *journal, const uint8_t lead_id[UUID_BYTES],
		       struct person_match *match)
{
	/* There is always room for this one. */
	struct person_candidate *candidate = candidate_for(match, lead_id,
							   PERSON_CANDIDATES_MAX + 1);
	int rc = candidate->record ? SQLITE_OK : person_read(journal, candidate);

	match->known = rc == SQLITE_OK && candidate->record ? candidate : NULL;
	return rc == SQLITE_NOTFOUND ? SQLITE_OK : rc;
}
