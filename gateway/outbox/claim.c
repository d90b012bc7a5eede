#include "outbox/claim.h"

#include <stdio.h>

#include "outbox/journal.h"
#include "outbox/schema.h"

/* More done claims are not forgotten in one transaction. */
#define DROP_MAX 1000

static const char *const kinds[CLAIM_KINDS] = {"claim", "poll", "backfill"};
static const char *const states[CLAIM_STATES] = {"waiting", "parked", "dead", "done"};

const char *claim_kind_name(enum claim_kind kind)
{
	return kinds[kind];
}

const char *claim_state_name(enum claim_state state)
{
	return states[state];
}

/* A claim whose key is known is left as it is, whatever its state; a poll that is
 * asked for anew comes earlier. */
static int add_stub(struct journal *journal, struct lg_slice source, struct claim_stub *stub,
		    int64_t now_ms)
{
	sqlite3_stmt *add = journal_statement(journal, STATEMENT_ADD_CLAIM);

	statement_bind_text(add, 1, source);
	statement_bind_text(add, 2, slice_from(claim_kind_name(stub->kind)));
	statement_bind_text(add, 3, stub->key);
	statement_bind_text(add, 4, stub->group);
	sqlite3_bind_int64(add, 5, stub->parts);
	sqlite3_bind_int64(add, 6, now_ms);
	sqlite3_bind_int64(add, 7, stub->due_ms);
	statement_bind_blob(add, 8, stub->blob.data, stub->blob.length);
	statement_bind_text(add, 9, stub->refusal);
	int rc = statement_run(add);
	stub->repeated = rc == SQLITE_OK && sqlite3_changes(journal->db) == 0;
	return rc;
}

/* With its last part a group is due. */
static int wake_group(struct journal *journal, struct lg_slice source,
		      const struct claim_stub *stub, int64_t now_ms)
{
	sqlite3_stmt *wake = journal_statement(journal, STATEMENT_WAKE_GROUP);

	statement_bind_text(wake, 1, source);
	statement_bind_text(wake, 2, stub->group);
	sqlite3_bind_int64(wake, 3, stub->parts);
	sqlite3_bind_int64(wake, 4, now_ms);
	return statement_run(wake);
}

static int add_stubs(struct journal *journal, struct claim_work *work, int64_t now_ms)
{
	int rc = SQLITE_OK;

	for (struct claim_stub *s = work->stubs; s && rc == SQLITE_OK; s = s->next) {
		rc = add_stub(journal, work->source, s, now_ms);
		if (rc == SQLITE_OK && !s->repeated && slice_present(s->group) && s->parts > 0)
			rc = wake_group(journal, work->source, s, now_ms);
	}
	return rc;
}

static void bind_scope(sqlite3_stmt *statement, struct lg_slice source, char scope[128])
{
	snprintf(scope, 128, SCHEMA_SCOPE_SOURCE "%.*s", SLICE_ARGS(source));
	statement_bind_text(statement, 1, slice_from(scope));
}

static int put_notes(struct journal *journal, const struct claim_work *work)
{
	char scope[128];
	int rc = SQLITE_OK;

	for (const struct state_note *n = work->notes; n && rc == SQLITE_OK; n = n->next) {
		bool keep = slice_present(n->value);
		sqlite3_stmt *put = journal_statement(journal, keep ? STATEMENT_PUT_NOTE
								    : STATEMENT_DROP_NOTE);
		bind_scope(put, work->source, scope);
		statement_bind_text(put, 2, n->key);
		if (keep)
			statement_bind_blob(put, 3, n->value.data, n->value.length);
		rc = statement_run(put);
	}
	return rc;
}

/* What is done has no use for what it would be fetched by, which may be personal. */
static int end_one(struct journal *journal, const struct claim_end *end, size_t index,
		   int64_t now_ms)
{
	bool refused = end->refusals && slice_present(end->refusals[index]);
	enum claim_state state = refused ? CLAIM_DEAD : end->state;
	sqlite3_stmt *change = journal_statement(
		journal, state == CLAIM_GONE ? STATEMENT_DROP_CLAIM : STATEMENT_END_CLAIM);

	sqlite3_bind_int64(change, 1, end->numbers[index]);
	if (state == CLAIM_GONE)
		return statement_run(change);
	statement_bind_text(change, 2, slice_from(claim_state_name(state)));
	sqlite3_bind_int64(change, 3, state == CLAIM_WAITING ? end->due_ms : now_ms);
	sqlite3_bind_int64(change, 4, end->attempts);
	statement_bind_text(change, 5, refused ? end->refusals[index] : end->error);
	if (index == 0 && slice_present(end->blob))
		statement_bind_blob(change, 6, end->blob.data, end->blob.length);
	else
		sqlite3_bind_null(change, 6);
	sqlite3_bind_int(change, 7, state == CLAIM_DONE);
	return statement_run(change);
}

static int run_for_source(struct journal *journal, enum statement statement, struct lg_slice source,
			  int64_t at_ms)
{
	sqlite3_stmt *run = journal_statement(journal, statement);

	statement_bind_text(run, 1, source);
	if (statement != STATEMENT_DROP_POLL)
		sqlite3_bind_int64(run, 2, at_ms);
	if (statement == STATEMENT_DROP_DONE)
		sqlite3_bind_int64(run, 3, DROP_MAX);
	return statement_run(run);
}

int claim_store(struct journal *journal, struct claim_work *work, int64_t now_ms)
{
	int rc = add_stubs(journal, work, now_ms);

	if (rc == SQLITE_OK)
		rc = put_notes(journal, work);
	for (size_t i = 0; i < work->end.count && rc == SQLITE_OK; i++)
		rc = end_one(journal, &work->end, i, now_ms);
	if (rc == SQLITE_OK && work->drop_poll)
		rc = run_for_source(journal, STATEMENT_DROP_POLL, work->source, 0);
	if (rc == SQLITE_OK && work->unpark)
		rc = run_for_source(journal, STATEMENT_UNPARK, work->source, now_ms);
	if (rc == SQLITE_OK && work->drop_before_ms) {
		rc = run_for_source(journal, STATEMENT_DROP_DONE, work->source,
				    work->drop_before_ms);
		work->drop_more = rc == SQLITE_OK && sqlite3_changes(journal->db) == DROP_MAX;
	}
	return rc;
}
