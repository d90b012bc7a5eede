#include "outbox/settled.h"

#include "base/log.h"
#include "outbox/outcomes.h"

struct row {
	struct row *next;
	int64_t id, first_seq, last_seq;
	struct lg_slice outcomes;
};

int settled_position(struct journal *journal, struct lg_slice sink, int64_t *position)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_POSITION);

	*position = 0;
	statement_bind_text(select, 1, sink);
	if (sqlite3_step(select) == SQLITE_ROW)
		*position = sqlite3_column_int64(select, 0);
	return sqlite3_reset(select);
}

size_t settled_place(const int64_t *seqs, size_t count, int64_t seq)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (seqs[middle] < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* All rows that reach into the range, read before any is changed. */
static int read_rows(struct journal *journal, struct lg_slice sink, int64_t first_seq,
		     int64_t last_seq, struct row **rows)
{
	sqlite3_stmt *select = journal_statement(journal, STATEMENT_SETTLED_RANGE);

	*rows = NULL;
	statement_bind_text(select, 1, sink);
	sqlite3_bind_int64(select, 2, first_seq);
	sqlite3_bind_int64(select, 3, last_seq);
	while (sqlite3_step(select) == SQLITE_ROW) {
		struct row *row = arena_alloc(&journal->arena, sizeof(*row));
		if (!row)
			break;
		row->id = sqlite3_column_int64(select, 0);
		row->first_seq = sqlite3_column_int64(select, 1);
		row->last_seq = sqlite3_column_int64(select, 2);
		row->outcomes = arena_copy(&journal->arena, statement_column(select, 3));
		row->next = *rows;
		*rows = row;
	}
	int rc = sqlite3_reset(select);
	return rc == SQLITE_OK && journal->arena.failed ? SQLITE_NOMEM : rc;
}

/* A row as it is written anew. */
struct recoding {
	struct outcomes_writer writer;
	int64_t first_seq, last_seq; /* 0: nothing is said yet */
	bool changed;
};

static void keep_run(struct recoding *to, int state, int64_t first_seq, int64_t last_seq)
{
	if (last_seq < first_seq)
		return;
	if (to->last_seq == 0)
		to->first_seq = first_seq;
	else
		outcomes_add(&to->writer, OUTCOME_NONE, first_seq - to->last_seq - 1);
	outcomes_add(&to->writer, state, last_seq - first_seq + 1);
	to->last_seq = last_seq;
}

/* False: its outcomes cannot be read, and it is left as it is. */
static bool recode(struct recoding *to, const struct row *row, const int64_t *seqs, size_t count)
{
	struct lg_slice rest = row->outcomes;
	int64_t next = row->first_seq, length;
	int state;

	while (slice_present(rest) && rest.length > 0) {
		if (!outcomes_next(&rest, &state, &length))
			return false;
		int64_t first = next, end = next + length;
		next = end;
		if (state == OUTCOME_NONE)
			continue;
		for (size_t i = settled_place(seqs, count, first); i < count && seqs[i] < end;
		     i++) {
			keep_run(to, state, first, seqs[i] - 1);
			first = seqs[i] + 1;
			to->changed = true;
		}
		keep_run(to, state, first, end - 1);
	}
	return true;
}

static int write_row(struct journal *journal, const struct row *row, const struct recoding *to)
{
	sqlite3_stmt *write = journal_statement(journal, to->last_seq ? STATEMENT_CHANGE_SETTLED
								      : STATEMENT_DROP_SETTLED);

	if (journal->record.failed)
		return SQLITE_NOMEM;
	sqlite3_bind_int64(write, 1, row->id);
	if (to->last_seq) {
		sqlite3_bind_int64(write, 2, to->first_seq);
		sqlite3_bind_int64(write, 3, to->last_seq);
		statement_bind_text(write, 4, buffer_slice(&journal->record));
	}
	return statement_run(write);
}

static int clear_row(struct journal *journal, const struct row *row, int64_t position,
		     const int64_t *seqs, size_t count)
{
	struct recoding to = {.first_seq = 0};

	buffer_clear(&journal->record);
	outcomes_begin(&to.writer, &journal->record);
	if (!recode(&to, row, seqs, count)) {
		log_error("store.row_unreadable", LOG_TEXT("table", "settled"),
			  LOG_INT("rowid", row->id));
		return SQLITE_OK;
	}
	if (!to.changed)
		return SQLITE_OK;
	if (row->last_seq == position && to.last_seq < position)
		keep_run(&to, OUTCOME_NONE, to.last_seq ? to.last_seq + 1 : position, position);
	outcomes_end(&to.writer);
	return write_row(journal, row, &to);
}

int settled_clear(struct journal *journal, struct lg_slice sink, const int64_t *seqs, size_t count)
{
	struct row *rows;
	int64_t position;
	int rc = count ? settled_position(journal, sink, &position) : SQLITE_OK;

	if (rc != SQLITE_OK || count == 0)
		return rc;
	arena_reset(&journal->arena);
	rc = read_rows(journal, sink, seqs[0], seqs[count - 1], &rows);
	for (; rc == SQLITE_OK && rows; rows = rows->next)
		rc = clear_row(journal, rows, position, seqs, count);
	return rc;
}
