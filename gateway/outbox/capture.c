#include "outbox/capture.h"

#include "lead/event.h"
#include "lead/record.h"
#include "outbox/person.h"
#include "outbox/schema.h"

#include <stdlib.h>

/* Contents that the index leads to by the delivery key itself, each of them read at every
 * look-up. A further one has a key of its own: a provider that sends ever new content
 * under one id makes touches, not work. */
#define DELIVERY_CONTENTS_MAX 8
/* Entries of one digest that are looked at, in both halves of the window. */
#define SUBMISSION_ENTRIES_MAX 4

/* What an earlier layer knows of the capture. */
struct seen {
	bool answered; /* the results are filled */
	bool has_lead; /* the delivery belongs to a lead: touch that */
	uint8_t lead_id[UUID_BYTES];
	int64_t delivery_seq; /* the last row of this delivery with other content; 0: none */
	bool crowded;	      /* the delivery's key leads to as many contents as it may */
};

static bool read_receipt(struct lg_slice body, uint8_t receipt[UUID_BYTES])
{
	struct lg_slice id = event_body_id(body);

	return slice_present(id) && uuid_parse(id.data, id.length, receipt) == 0;
}

/* The first answer again; not answered when its event is no longer there. */
static int answer_again(struct journal *journal, struct capture *capture, int64_t seq,
			struct seen *seen)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_EVENT_BODY);
	int rc = journal_flush(journal);

	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(select, 1, seq);
	seen->answered = sqlite3_step(select) == SQLITE_ROW &&
			 read_receipt(statement_column(select, 0), capture->receipt);
	capture->verdict = CAPTURE_REPEATED;
	capture->seq = seq;
	return sqlite3_reset(select);
}

static bool is_discarded(struct journal *journal, int64_t seq, int *rc)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_EVENT_TYPE);
	bool discarded = false;

	*rc = journal_flush(journal);
	if (*rc != SQLITE_OK)
		return false;
	sqlite3_bind_int64(select, 1, seq);
	if (sqlite3_step(select) == SQLITE_ROW)
		discarded = slice_is(statement_column(select, 0), SCHEMA_TYPE_DISCARDED);
	*rc = sqlite3_reset(select);
	return discarded;
}

/* The key of one content of a delivery. */
static struct identity_key content_key(const struct capture *capture)
{
	struct identity_key key = capture->delivery;

	key.hash = identity_content_hash(key.hash, capture->digest);
	return key;
}

/* Looks through the rows of a key: the same content is answered again, of others the last
 * is noted. */
static int find_contents(struct journal *journal, struct capture *capture,
			 const struct identity_key *key, struct seen *seen)
{
	int64_t seqs[DELIVERY_CONTENTS_MAX];
	size_t count = index_find(&journal->index, key->hash, seqs, DELIVERY_CONTENTS_MAX);

	for (size_t i = 0; i < count; i++) {
		struct identity_row row;
		int rc = journal_identity(journal, seqs[i], &row);
		if (rc == SQLITE_NOTFOUND || (rc == SQLITE_OK && !identity_row_has(&row, key)))
			continue;
		if (rc != SQLITE_OK)
			return rc;
		if (memcmp(row.digest, capture->digest, IDENTITY_DIGEST_BYTES) == 0) {
			rc = answer_again(journal, capture, seqs[i], seen);
			if (rc != SQLITE_OK || seen->answered)
				return rc;
			continue; /* a later row may still have its event */
		}
		memcpy(seen->lead_id, row.lead_id, UUID_BYTES);
		seen->delivery_seq = seqs[i];
	}
	seen->crowded |= count == DELIVERY_CONTENTS_MAX;
	return SQLITE_OK;
}

/* Layer one: the provider's id or the Idempotency-Key. */
static int find_delivery(struct journal *journal, struct capture *capture, struct seen *seen)
{
	int rc = find_contents(journal, capture, &capture->delivery, seen);

	if (rc == SQLITE_OK && seen->crowded) {
		const struct identity_key key = content_key(capture);
		rc = find_contents(journal, capture, &key, seen);
	}
	if (rc != SQLITE_OK || seen->answered || seen->delivery_seq == 0)
		return rc;
	if (capture->delivery.flags & IDENTITY_IDEMPOTENCY) {
		capture->verdict = CAPTURE_CONFLICT;
		seen->answered = true;
		return SQLITE_OK;
	}
	/* A trap touches nobody, and nobody touches a trap. */
	seen->has_lead = !capture->trapped && !is_discarded(journal, seen->delivery_seq, &rc);
	return rc;
}

/* Whether this and what is stored both say when they occurred, too far apart for a double click: a
 * file brings within a second what a person did in months. */
static int is_apart(struct journal *journal, const struct capture *capture, int64_t seq,
		    int64_t stored_ms, bool *apart)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_EVENT_BODY);
	int64_t occurred_ms = 0;
	int rc;

	*apart = false;
	if (!capture->occurred_ms)
		return SQLITE_OK;
	rc = journal_flush(journal);
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(select, 1, seq);
	/* What does not say it is given the time at which it was stored. */
	if (sqlite3_step(select) == SQLITE_ROW &&
	    event_body_occurred(statement_column(select, 0), &occurred_ms) &&
	    occurred_ms != stored_ms)
		*apart = llabs(capture->occurred_ms - occurred_ms) >
			 journal->dedup->submission_window_ms;
	return sqlite3_reset(select);
}

/* Layer two: the double click. */
static int find_submission(struct journal *journal, struct capture *capture, struct seen *seen)
{
	int64_t seqs[SUBMISSION_ENTRIES_MAX];
	size_t count = recent_find(&journal->recent, capture->submission.hash, seqs,
				   SUBMISSION_ENTRIES_MAX);

	while (count-- > 0) {
		struct identity_row row;
		bool apart;
		int rc = journal_identity(journal, seqs[count], &row);
		if (rc == SQLITE_NOTFOUND)
			continue;
		if (rc != SQLITE_OK)
			return rc;
		if (!identity_row_has(&row, &capture->submission) ||
		    memcmp(row.digest, capture->digest, IDENTITY_DIGEST_BYTES) != 0 ||
		    capture->at_ms - row.at_ms > journal->dedup->submission_window_ms)
			continue;
		rc = is_apart(journal, capture, seqs[count], row.at_ms, &apart);
		if (rc != SQLITE_OK)
			return rc;
		if (!apart)
			return answer_again(journal, capture, seqs[count], seen);
	}
	return SQLITE_OK;
}

/* The row that the capture leaves under the lead `owner`, the candidate of that
 * lead if there is one. */
static void fill_row(struct identity_row *row, const struct capture *capture,
		     const uint8_t lead_id[UUID_BYTES], const struct person_match *match,
		     const struct person_candidate *owner, const struct seen *seen)
{
	row->flags = 0;
	row->key_count = 0;
	memcpy(row->lead_id, lead_id, UUID_BYTES);
	memcpy(row->digest, capture->digest, IDENTITY_DIGEST_BYTES);
	row->at_ms = capture->at_ms;
	for (size_t i = 0; i < capture->person.count; i++) {
		struct identity_key key = capture->person.keys[i];
		if (identity_row_has(row, &key))
			continue;
		if (capture->trapped || match->weak & 1u << i || (owner && owner->keys & 1u << i))
			key.flags |= IDENTITY_ROW_UNINDEXED;
		row->keys[row->key_count++] = key;
	}
	struct identity_key *key = &row->keys[row->key_count++];
	*key = capture->has_delivery_key ? capture->delivery : capture->submission;
	if (seen->crowded)
		*key = content_key(capture);
}

/* Links the record with everybody who shares a strong key but is not it. False:
 * memory ran out. */
static bool link_others(struct lead *record, const struct person_match *match,
			const struct person_candidate *self, bool *linked)
{
	for (size_t i = 0; i < match->count; i++) {
		const struct person_candidate *other = &match->candidates[i];
		char id[UUID_TEXT_BYTES];
		if (other == self || !other->kinds)
			continue;
		uuid_format(other->lead_id, id);
		if (!lead_link_duplicate(record, slice_from(id)))
			return false;
		*linked = true;
	}
	return true;
}

static int encode(struct journal *journal, const struct capture *capture, enum event_type type,
		  const struct lead *record, struct lg_slice changes)
{
	buffer_clear(&journal->record);
	buffer_clear(&journal->body);
	record_encode(record, &journal->record);
	event_encode(&journal->body, capture->event_id, type, capture->at_ms,
		     buffer_slice(&journal->record), changes);
	return journal->record.failed || journal->body.failed ? SQLITE_NOMEM : SQLITE_OK;
}

static int create(struct journal *journal, struct capture *capture,
		  const struct person_match *match, const struct seen *seen)
{
	struct lg_slice body = capture->event_json;
	struct identity_row row;
	bool linked = false;
	int rc = SQLITE_OK;

	/* Only a link changes what the loop has prepared. It needs room. */
	if (match->count)
		capture->lead->limits = &journal->limits;
	if (!link_others(capture->lead, match, NULL, &linked))
		return SQLITE_NOMEM;
	if (linked) {
		rc = encode(journal, capture, EVENT_CREATED, capture->lead, slice_of(NULL, 0));
		body = buffer_slice(&journal->body);
	}
	if (rc != SQLITE_OK)
		return rc;
	fill_row(&row, capture, capture->lead_id, match, match->known, seen);
	row.flags = IDENTITY_ROW_CREATED;
	capture->verdict = CAPTURE_CREATED;
	rc = journal_add_lead(
		journal, capture->trapped ? SCHEMA_TYPE_DISCARDED : event_type_name(EVENT_CREATED),
		&row, body);
	/* The journal's own buffer is the next one's. */
	return rc == SQLITE_OK && linked ? journal_flush(journal) : rc;
}

static int merge(struct journal *journal, struct capture *capture, const struct person_match *match,
		 const struct person_candidate *known, enum merge_policy policy)
{
	bool linked = false;

	buffer_clear(&journal->changes);
	if (!link_others(known->record, match, known, &linked) ||
	    !lead_merge(known->record, capture->lead, policy, known->kinds, &journal->changes) ||
	    journal->changes.failed)
		return SQLITE_NOMEM;
	return encode(journal, capture, EVENT_TOUCHED, known->record,
		      buffer_slice(&journal->changes));
}

/* What a touch would make larger than a record may be stays as it is, and what
 * the touch brought stays in its changes: else ever more posts in somebody's
 * name would fill that record until nothing could be stored for the person. */
static int merge_bounded(struct journal *journal, struct capture *capture,
			 const struct person_match *match, struct person_candidate *known)
{
	size_t limit = (size_t)capture->lead->limits->record_bytes;
	int rc = merge(journal, capture, match, known, capture->policy);

	if (rc != SQLITE_OK || buffer_length(&journal->record) <= limit)
		return rc;
	rc = person_read(journal, known);
	if (rc != SQLITE_OK)
		return rc;
	return known->record ? merge(journal, capture, match, known, MERGE_LINK) : SQLITE_NOMEM;
}

static int touch(struct journal *journal, struct capture *capture, const struct person_match *match,
		 struct person_candidate *known, const struct seen *seen)
{
	sqlite3_stmt *move = journal_statement(journal, STATEMENT_MOVE_LEAD);
	struct identity_row row;

	int rc = merge_bounded(journal, capture, match, known);
	if (rc == SQLITE_OK)
		rc = journal_add_event(journal, event_type_name(EVENT_TOUCHED), known->lead_id,
				       capture->at_ms, buffer_slice(&journal->body));
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_bind_int64(move, 1, journal->last_seq);
	statement_bind_blob(move, 2, known->lead_id, UUID_BYTES);
	rc = statement_run(move);
	if (rc != SQLITE_OK)
		return rc;
	fill_row(&row, capture, known->lead_id, match, known, seen);
	capture->verdict = CAPTURE_TOUCHED;
	return journal_add_identity(journal, &row);
}

/* Layer three: the person. */
static int store_person(struct journal *journal, struct capture *capture, const struct seen *seen)
{
	struct person_match match;
	int rc = person_find(journal, capture, &match);

	if (rc != SQLITE_OK)
		return rc;
	if (seen->has_lead) {
		/* The provider itself says that it is the same; policies do not apply. */
		rc = person_of_delivery(journal, seen->lead_id, &match);
		if (rc != SQLITE_OK)
			return rc;
	}
	if (match.known && (seen->has_lead || capture->policy != MERGE_LINK))
		return touch(journal, capture, &match, match.known, seen);
	return create(journal, capture, &match, seen);
}

int capture_store(struct journal *journal, struct capture *capture)
{
	struct seen seen = {.answered = false};
	int rc;

	arena_reset(&journal->arena);
	if (capture->has_delivery_key)
		rc = find_delivery(journal, capture, &seen);
	else
		rc = find_submission(journal, capture, &seen);
	if (rc != SQLITE_OK || seen.answered)
		return rc;
	rc = store_person(journal, capture, &seen);
	capture->seq = journal->last_seq;
	memcpy(capture->receipt, capture->event_id, UUID_BYTES);
	return rc;
}

void capture_prefetch(const struct journal *journal, const struct capture *capture)
{
	for (size_t i = 0; i < capture->person.count; i++)
		index_prefetch(&journal->index, capture->person.keys[i].hash);
	if (capture->has_delivery_key)
		index_prefetch(&journal->index, capture->delivery.hash);
	else
		recent_prefetch(&journal->recent, capture->submission.hash);
}
