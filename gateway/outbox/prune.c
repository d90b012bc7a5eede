#include "outbox/prune.h"

#include "outbox/attempts.h"
#include "outbox/journal.h"
#include "outbox/prune_keys.h"
#include "outbox/settled.h"

/* Of one step, so that leads wait for milliseconds. */
#define STEP_EVENTS 500
/* Sinks that the journal knows: as many as may watch it, and removed ones. */
#define SINKS_MAX 1024
/* Leads that a pass remembers because an event of them stays: 12 MB or so. Where there
 * are more, no lead goes in the rest of it. */
#define KEPT_LEADS_MAX 1000000

struct known_sinks {
	struct lg_slice names[SINKS_MAX];
	size_t count;
};

/* Events of one step: first all that were looked at, then those of them that go. */
struct page {
	int64_t seqs[STEP_EVENTS];
	uint64_t leads[STEP_EVENTS]; /* see lead_mark */
	bool ends_lead[STEP_EVENTS]; /* it holds the lead's present record */
	bool stays[STEP_EVENTS];
	size_t count;
	size_t looked_at, old;
	int64_t first_seq, last_seq; /* of what was looked at */
};

/* ---- small statements -------------------------------------------------------- */

static int prepare(struct journal *journal, const char *sql, sqlite3_stmt **statement)
{
	return sqlite3_prepare_v2(journal->db, sql, -1, statement, NULL);
}

/* Runs SQL for each seq that goes, and for those alone that end a lead where
 * `leads` says so. */
static int run_for_seqs(struct journal *journal, const char *sql, struct lg_slice sink,
			const struct page *page, bool leads)
{
	sqlite3_stmt *run = NULL;
	int rc = prepare(journal, sql, &run);

	for (size_t i = 0; i < page->count && rc == SQLITE_OK; i++) {
		if (leads && !page->ends_lead[i])
			continue;
		sqlite3_bind_int64(run, 1, page->seqs[i]);
		if (slice_present(sink))
			statement_bind_text(run, 2, sink);
		rc = statement_run(run);
	}
	sqlite3_finalize(run);
	return rc;
}

/* ---- which may go ------------------------------------------------------------- */

/* Every sink that has settled anything or has begun; names live in the arena. */
static int find_sinks(struct journal *journal, struct arena *arena, struct known_sinks *sinks)
{
	static const char sql[] =
		"SELECT min(sink) FROM (SELECT min(sink) AS sink FROM settled WHERE sink > ?1"
		" UNION ALL SELECT min(sink) FROM open WHERE sink > ?1"
		" UNION ALL SELECT min(key) FROM state WHERE scope = 'sink.begun' AND key > ?1)";
	sqlite3_stmt *select = NULL;
	struct lg_slice name = LG_SLICE("");
	int rc = prepare(journal, sql, &select);

	while (rc == SQLITE_OK && slice_present(name)) {
		statement_bind_text(select, 1, name);
		name = slice_of(NULL, 0);
		if (sqlite3_step(select) == SQLITE_ROW)
			name = arena_copy(arena, statement_column(select, 0));
		rc = sqlite3_reset(select);
		if (!slice_present(name))
			break;
		if (sinks->count == SINKS_MAX)
			rc = SQLITE_TOOBIG;
		else
			sinks->names[sinks->count++] = name;
	}
	sqlite3_finalize(select);
	return rc == SQLITE_OK && arena->failed ? SQLITE_NOMEM : rc;
}

/* Up to where every sink has settled; never the newest event. */
static int find_limit(struct journal *journal, const struct known_sinks *sinks, int64_t *limit_seq)
{
	*limit_seq = journal->last_seq - 1;
	for (size_t i = 0; i < sinks->count; i++) {
		int64_t position;
		int rc = settled_position(journal, sinks->names[i], &position);
		if (rc != SQLITE_OK)
			return rc;
		if (position < *limit_seq)
			*limit_seq = position;
	}
	return SQLITE_OK;
}

/* A lead in short: of its id the part that was drawn by lot. Two that have the
 * same one would only stay together. */
static uint64_t lead_mark(struct lg_slice id)
{
	uint64_t mark = 0;

	if (id.length == UUID_BYTES)
		memcpy(&mark, id.data + UUID_BYTES - sizeof(mark), sizeof(mark));
	return mark;
}

static void take_event(sqlite3_stmt *select, int64_t before_ms, struct page *page)
{
	size_t i = page->count++;
	int64_t seq = sqlite3_column_int64(select, 0);

	page->seqs[i] = page->last_seq = seq;
	page->leads[i] = lead_mark(statement_column(select, 2));
	page->ends_lead[i] = sqlite3_column_int64(select, 3) == seq;
	page->stays[i] = sqlite3_column_int64(select, 1) >= before_ms;
	page->old += !page->stays[i];
}

static int read_page(struct journal *journal, const struct chore *chore, int64_t limit_seq,
		     struct page *page)
{
	sqlite3_stmt *select = NULL;
	int rc = prepare(
		journal,
		"SELECT e.seq, e.at, e.lead, l.event FROM event e LEFT JOIN lead l ON l.id = e.lead"
		" WHERE e.seq > ? AND e.seq <= ? ORDER BY e.seq LIMIT ?",
		&select);

	page->count = page->old = 0;
	page->first_seq = chore->cursor + 1;
	page->last_seq = chore->cursor;
	if (rc == SQLITE_OK) {
		sqlite3_bind_int64(select, 1, chore->cursor);
		sqlite3_bind_int64(select, 2, limit_seq);
		sqlite3_bind_int64(select, 3, STEP_EVENTS);
		while (sqlite3_step(select) == SQLITE_ROW)
			take_event(select, chore->before_ms, page);
		rc = sqlite3_reset(select);
	}
	page->looked_at = page->count;
	sqlite3_finalize(select);
	return rc;
}

/* What is open for a sink stays: for dead letters there is no time limit. */
static int keep_open(struct journal *journal, struct lg_slice sink, struct page *page)
{
	sqlite3_stmt *select = NULL;
	int rc = prepare(journal, "SELECT seq FROM open WHERE sink = ? AND seq BETWEEN ? AND ?",
			 &select);

	if (rc == SQLITE_OK) {
		statement_bind_text(select, 1, sink);
		sqlite3_bind_int64(select, 2, page->first_seq);
		sqlite3_bind_int64(select, 3, page->last_seq);
		while (sqlite3_step(select) == SQLITE_ROW) {
			int64_t seq = sqlite3_column_int64(select, 0);
			size_t i = settled_place(page->seqs, page->count, seq);
			if (i < page->count && page->seqs[i] == seq)
				page->stays[i] = true;
		}
		rc = sqlite3_reset(select);
	}
	sqlite3_finalize(select);
	return rc;
}

/* A lead stays as long as any of its events: the destination that gets that one has
 * to find the lead's id at it, and a person the record. The record is in the last of
 * them, and a pass goes upwards, so what stays is met before. False: no memory. */
static bool keep_leads(struct chore *chore, struct page *page)
{
	struct index *kept = &chore->kept;
	int64_t found;

	for (size_t i = 0; i < page->count; i++) {
		bool all_noted = kept->keys < KEPT_LEADS_MAX;
		if (page->ends_lead[i])
			page->stays[i] = page->stays[i] || !all_noted ||
					 index_find(kept, page->leads[i], &found, 1) > 0;
		else if (page->stays[i] && all_noted &&
			 index_find(kept, page->leads[i], &found, 1) == 0 &&
			 !index_add(kept, page->leads[i], page->seqs[i]))
			return false;
	}
	return true;
}

static void leave_what_stays(struct page *page)
{
	size_t count = 0;

	for (size_t i = 0; i < page->count; i++) {
		if (page->stays[i])
			continue;
		page->seqs[count] = page->seqs[i];
		page->ends_lead[count++] = page->ends_lead[i];
	}
	page->count = count;
}

/* ---- going --------------------------------------------------------------------- */

static int drop_for_sink(struct journal *journal, struct lg_slice sink, const struct page *page)
{
	int rc = settled_clear(journal, sink, page->seqs, page->count);

	if (rc == SQLITE_OK)
		rc = run_for_seqs(journal,
				  "DELETE FROM external WHERE sink = ?2 AND"
				  " lead = (SELECT lead FROM event WHERE seq = ?1)",
				  sink, page, true);
	return rc;
}

static int drop_page(struct journal *journal, const struct known_sinks *sinks,
		     const struct page *page)
{
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sinks->count && rc == SQLITE_OK; i++)
		rc = drop_for_sink(journal, sinks->names[i], page);
	if (rc == SQLITE_OK)
		rc = run_for_seqs(journal,
				  "DELETE FROM lead WHERE id = (SELECT lead FROM event"
				  " WHERE seq = ?1)",
				  slice_of(NULL, 0), page, true);
	if (rc == SQLITE_OK)
		rc = run_for_seqs(journal, "DELETE FROM event WHERE seq = ?1", slice_of(NULL, 0),
				  page, false);
	for (size_t i = 0; i < sinks->count && rc == SQLITE_OK; i++)
		rc = attempts_forget(journal, sinks->names[i], page->seqs[0], page->last_seq);
	return rc;
}

/* Where the next step goes on. A page of young events alone: from here on all are
 * young, but for clocks that were set, and then it is the next pass that finds them.
 * Keys are looked at as far as events were, for among old ones one may seem young. */
static void move_on(struct chore *chore, const struct page *page, int64_t limit_seq)
{
	chore->count += (int64_t)page->count;
	chore->cursor = page->last_seq;
	chore->more = true;
	if (page->old == 0 || page->looked_at < STEP_EVENTS) {
		chore->phase = PRUNE_KEYS;
		chore->last_seq = page->looked_at < STEP_EVENTS ? limit_seq : page->last_seq;
	}
}

/* The names outlive settled_clear, which uses the journal's arena. */
static int prune_events(struct journal *journal, struct chore *chore, struct arena *arena)
{
	struct known_sinks *sinks = arena_zalloc(arena, sizeof(*sinks));
	struct page page;
	int64_t limit_seq;
	int rc = sinks ? find_sinks(journal, arena, sinks) : SQLITE_NOMEM;

	if (rc == SQLITE_OK)
		rc = find_limit(journal, sinks, &limit_seq);
	if (rc == SQLITE_OK)
		rc = read_page(journal, chore, limit_seq, &page);
	for (size_t i = 0; rc == SQLITE_OK && page.old && i < sinks->count; i++)
		rc = keep_open(journal, sinks->names[i], &page);
	if (rc == SQLITE_OK && !keep_leads(chore, &page))
		rc = SQLITE_NOMEM;
	if (rc != SQLITE_OK)
		return rc;
	leave_what_stays(&page);
	if (page.count)
		rc = drop_page(journal, sinks, &page);
	if (rc == SQLITE_OK)
		move_on(chore, &page, limit_seq);
	return rc;
}

/* ---- a step --------------------------------------------------------------------- */

int prune_step(struct journal *journal, struct chore *chore)
{
	struct arena arena;
	int rc;

	buffer_clear(&chore->work);
	if (chore->phase == PRUNE_KEYS)
		return prune_keys(journal, chore);
	if (chore->phase == PRUNE_ATTEMPTS)
		return attempts_prune(journal, chore->before_ms, &chore->attempt_cursor,
				      &chore->more);
	arena_init(&arena, 4096, 1 << 20);
	rc = prune_events(journal, chore, &arena);
	arena_fini(&arena);
	return rc;
}
