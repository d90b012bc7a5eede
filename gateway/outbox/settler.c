#include "outbox/settler.h"

#include "base/log.h"
#include "outbox/attempts.h"
#include "outbox/outcomes.h"
#include "outbox/settled.h"

#define REASON_BYTES_MAX 512
/* Events that each sink may leave open whatever the others have. */
#define OPEN_LEAST 128

static bool is_open(enum delivery_state state)
{
	return state == DELIVERY_RETRY || state == DELIVERY_PARKED || state == DELIVERY_DEAD ||
	       state == DELIVERY_UNCLASSIFIED;
}

/* NULL for what is not there. */
static void bind_positive(sqlite3_stmt *statement, int at, int64_t value)
{
	if (value > 0)
		sqlite3_bind_int64(statement, at, value);
	else
		sqlite3_bind_null(statement, at);
}

static int put_open(struct journal *journal, struct lg_slice sink,
		    const struct settled_event *event)
{
	sqlite3_stmt *put = journal_statement(journal, STATEMENT_PUT_OPEN);

	statement_bind_text(put, 1, sink);
	sqlite3_bind_int64(put, 2, event->seq);
	statement_bind_text(put, 3, slice_from(delivery_state_name(event->state)));
	sqlite3_bind_int64(put, 4, event->attempts);
	/* A dead letter waits for a person, not for a time. */
	bind_positive(put, 5, event->state == DELIVERY_DEAD ? 0 : event->due_ms);
	statement_bind_text(put, 6, slice_cut(event->reason, 0, REASON_BYTES_MAX));
	bind_positive(put, 7, event->since_ms);
	bind_positive(put, 8, event->sent.first_seq);
	bind_positive(put, 9, event->sent.last_seq);
	bind_positive(put, 10, event->sent.count);
	return statement_run(put);
}

static int part_open(struct journal *journal, struct lg_slice sink, int64_t seq)
{
	sqlite3_stmt *part = journal_statement(journal, STATEMENT_PART_OPEN);

	statement_bind_text(part, 1, sink);
	sqlite3_bind_int64(part, 2, seq);
	return statement_run(part);
}

static int drop_open(struct journal *journal, struct lg_slice sink, int64_t seq)
{
	sqlite3_stmt *drop = journal_statement(journal, STATEMENT_DROP_OPEN);

	statement_bind_text(drop, 1, sink);
	sqlite3_bind_int64(drop, 2, seq);
	return statement_run(drop);
}

static int has_open(struct journal *journal, struct lg_slice sink, int64_t seq, bool *found)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_HAS_OPEN);

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, seq);
	*found = sqlite3_step(select) == SQLITE_ROW;
	return sqlite3_reset(select);
}

static int put_external(struct journal *journal, struct lg_slice sink,
			const struct settled_event *event)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_EVENT_LEAD);
	sqlite3_stmt *put = journal_statement(journal, STATEMENT_PUT_EXTERNAL);
	uint8_t lead_id[UUID_BYTES];
	bool found = false;

	sqlite3_bind_int64(select, 1, event->seq);
	if (sqlite3_step(select) == SQLITE_ROW) {
		struct lg_slice id = statement_column(select, 0);
		found = id.length == UUID_BYTES;
		if (found)
			memcpy(lead_id, id.data, UUID_BYTES);
	}
	int rc = sqlite3_reset(select);
	if (rc != SQLITE_OK || !found)
		return rc;
	statement_bind_text(put, 1, sink);
	statement_bind_blob(put, 2, lead_id, UUID_BYTES);
	statement_bind_text(put, 3, event->external_id);
	return statement_run(put);
}

static int add_settled(struct journal *journal, const struct settlement *settlement,
		       int64_t first_seq, int64_t last_seq)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_SETTLED);

	if (journal->record.failed)
		return SQLITE_NOMEM;
	statement_bind_text(add, 1, settlement->sink);
	sqlite3_bind_int64(add, 2, first_seq);
	sqlite3_bind_int64(add, 3, last_seq);
	sqlite3_bind_int64(add, 4, settlement->at_ms);
	statement_bind_text(add, 5, buffer_slice(&journal->record));
	return statement_run(add);
}

static int count_open(struct journal *journal, struct lg_slice sink, int64_t *count)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_COUNT_OPEN);

	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, OPEN_LEAST);
	*count = sqlite3_step(select) == SQLITE_ROW ? sqlite3_column_int64(select, 0) : 0;
	return sqlite3_reset(select);
}

/* Whether what these events leave open has room; false of `stored`: none. A sink that
 * refuses everything must not use up what another one's deliveries need: where half of what
 * is kept is used, each sink has a few, for the one lead that fails among many. The store is
 * not full for that: what shares the transaction goes on. */
static int find_room(struct journal *journal, struct settlement *settlement,
		     const struct settled_event *events, size_t count)
{
	int64_t opened = 0, bytes = 0, open = 0;
	int rc = SQLITE_OK;

	for (size_t i = 0; i < count; i++) {
		if (!is_open(events[i].state))
			continue;
		opened++;
		bytes += SETTLER_OPENED_BYTES +
			 (int64_t)slice_cut(events[i].reason, 0, REASON_BYTES_MAX).length;
	}
	if (opened && bytes > journal->spare_bytes + journal->reserve_bytes / 2) {
		rc = count_open(journal, settlement->sink, &open);
		settlement->stored = open + opened <= OPEN_LEAST;
	}
	if (settlement->stored)
		journal->spare_bytes -= bytes;
	return rc;
}

/* A run of events that were never settled before. */
static int store_first(struct journal *journal, struct settlement *settlement,
		       const struct settled_event *events, size_t count, int64_t first_seq)
{
	struct outcomes_writer writer;
	int64_t next = first_seq;
	int rc = SQLITE_OK;

	buffer_clear(&journal->record);
	outcomes_begin(&writer, &journal->record);
	for (size_t i = 0; i < count && rc == SQLITE_OK; i++) {
		const struct settled_event *event = &events[i];
		outcomes_add(&writer, OUTCOME_NONE, event->seq - next);
		outcomes_add(&writer, event->state, 1);
		next = event->seq + 1;
		if (is_open(event->state))
			rc = put_open(journal, settlement->sink, event);
	}
	outcomes_add(&writer, OUTCOME_NONE, settlement->last_seq + 1 - next);
	outcomes_end(&writer);
	return rc == SQLITE_OK ? add_settled(journal, settlement, first_seq, settlement->last_seq)
			       : rc;
}

/* New states of events that were open. Those that close get a settled row of
 * their own; what lies between them is none of its business. */
static int store_again(struct journal *journal, struct settlement *settlement)
{
	struct outcomes_writer writer;
	int64_t first_seq = 0, last_seq = 0;

	buffer_clear(&journal->record);
	outcomes_begin(&writer, &journal->record);
	for (size_t i = 0; i < settlement->count; i++) {
		const struct settled_event *event = &settlement->events[i];
		bool open = false;
		int rc = has_open(journal, settlement->sink, event->seq, &open);
		if (rc != SQLITE_OK)
			return rc;
		if (!open || (event->noted && !event->parted))
			continue; /* settled by somebody else meanwhile, or to stay as it is */
		if (event->noted) {
			rc = part_open(journal, settlement->sink, event->seq);
		} else if (is_open(event->state)) {
			rc = put_open(journal, settlement->sink, event);
		} else {
			rc = drop_open(journal, settlement->sink, event->seq);
			if (first_seq == 0)
				first_seq = event->seq;
			else
				outcomes_add(&writer, OUTCOME_NONE, event->seq - last_seq - 1);
			outcomes_add(&writer, event->state, 1);
			last_seq = event->seq;
		}
		if (rc != SQLITE_OK)
			return rc;
	}
	outcomes_end(&writer);
	return first_seq ? add_settled(journal, settlement, first_seq, last_seq) : SQLITE_OK;
}

static int store_externals(struct journal *journal, const struct settlement *settlement,
			   const struct settled_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!slice_present(events[i].external_id))
			continue;
		int rc = put_external(journal, settlement->sink, &events[i]);
		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

static bool leaves_gap(const struct settlement *settlement, int64_t position)
{
	if (settlement->first_seq <= position + 1)
		return false;
	log_error("store.settlement_refused", LOG_SLICE("sink", settlement->sink),
		  LOG_TEXT("reason", "it leaves events unsettled between"),
		  LOG_INT("settled_to", position), LOG_INT("first_seq", settlement->first_seq));
	return true;
}

int settler_store(struct journal *journal, struct settlement *settlement)
{
	const struct settled_event *events = settlement->events;
	size_t count = settlement->count;
	int64_t position, first_seq = settlement->first_seq;
	int rc;

	settlement->stored = true;
	if (settlement->first) {
		rc = settled_position(journal, settlement->sink, &position);
		if (rc != SQLITE_OK)
			return rc;
		settlement->stored = !leaves_gap(settlement, position);
		if (!settlement->stored || settlement->last_seq <= position)
			return SQLITE_OK;
		if (first_seq <= position)
			first_seq = position + 1;
		for (; count > 0 && events->seq < first_seq; count--)
			events++;
		rc = find_room(journal, settlement, events, count);
		if (rc != SQLITE_OK || !settlement->stored)
			return rc;
		rc = store_first(journal, settlement, events, count, first_seq);
	} else {
		rc = store_again(journal, settlement);
	}
	if (rc == SQLITE_OK)
		rc = store_externals(journal, settlement, events, count);
	return rc == SQLITE_OK ? attempts_add(journal, settlement, events, count) : rc;
}
