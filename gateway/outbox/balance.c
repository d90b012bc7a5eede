#include "outbox/balance.h"

#include "base/alloc.h"
#include "outbox/balance_claims.h"
#include "outbox/balance_leads.h"
#include "outbox/index.h"
#include "outbox/outcomes.h"
#include "outbox/reader_private.h"
#include "outbox/statements.h"

#define CELL_BYTES_MAX (32 << 20) /* of all sinks together */
#define WINDOW_MAX (1 << 20)	  /* events of one step */
#define WINDOW_MIN (1 << 16)
#define PAGE 4096 /* events of one read */

/* What one sink's rows say of one event: the state, and whether a second row
 * says something, too. */
#define CELL_NONE 0 /* DELIVERY_PENDING, as long as the sink is not beyond it */
#define CELL_STATE 0x0fu
#define CELL_TWICE 0x80u

enum step {
	STEP_SETTLED, /* sink, first seq, last seq -> first_seq, last_seq, outcomes */
	STEP_OPEN,    /* sink, first seq, last seq -> seq, state, whether there is an event */
	STEP_EVENTS,  /* after seq, last seq, count -> seq, type */
	STEP_COUNT,
};

static const char *const sql[STEP_COUNT] = {
	[STEP_SETTLED] = "SELECT first_seq, last_seq, outcomes FROM settled"
			 " WHERE sink = ? AND last_seq >= ? AND first_seq <= ?"
			 " ORDER BY last_seq",
	[STEP_OPEN] = "SELECT o.seq, o.state, e.seq IS NOT NULL FROM open o"
		      " LEFT JOIN event e ON e.seq = o.seq"
		      " WHERE o.sink = ? AND o.seq BETWEEN ? AND ? ORDER BY o.seq",
	[STEP_EVENTS] = "SELECT seq, type FROM event"
			" WHERE seq > ? AND seq <= ?"
			" ORDER BY seq LIMIT ?",
};

/* A run of wrong events of one kind that may go on. */
struct run {
	enum balance_fault fault;
	int64_t first_seq, last_seq; /* 0: none under way */
};

struct scan {
	struct balance *balance;
	struct reader *reader;
	struct arena *arena;
	sqlite3_stmt *steps[STEP_COUNT];
	uint8_t *cells;		    /* a window of each sink, one after the other */
	struct run *runs;	    /* one a sink */
	int64_t window;		    /* events of one */
	int64_t first_seq, end_seq; /* the present one; the end is outside */
};

const char *balance_fault_text(enum balance_fault fault)
{
	static const char *const texts[] = {
		[BALANCE_UNACCOUNTED] = "in no state",
		[BALANCE_TWICE] = "in more than one state",
		[BALANCE_NO_EVENT] = "open, but there is no such event",
		[BALANCE_BEYOND] = "settled, but the journal ends before",
		[BALANCE_UNREADABLE] = "settled or open in words that cannot be read",
		[BALANCE_NO_RECORD] = "the present record of a lead, but there is no such event",
		[BALANCE_LOST_CLAIM] = "in no state that is known",
	};

	return texts[fault];
}

static bool failed(const struct scan *scan, struct error *error)
{
	return error_set(error, "reading the journal: %s", sqlite3_errmsg(scan->reader->db));
}

/* ---- what is wrong ---- */

static void end_run(struct scan *scan, size_t index)
{
	struct balance *balance = scan->balance;
	struct run *run = &scan->runs[index];

	if (run->first_seq && balance->found)
		balance->found(balance, balance->sinks[index].name, run->fault, run->first_seq,
			       run->last_seq);
	run->first_seq = 0;
}

static void report(struct scan *scan, size_t index, enum balance_fault fault, int64_t first_seq,
		   int64_t last_seq)
{
	struct run *run = &scan->runs[index];

	scan->balance->sinks[index].faults += last_seq - first_seq + 1;
	scan->balance->faults += last_seq - first_seq + 1;
	if (run->first_seq && run->fault == fault && run->last_seq == first_seq - 1) {
		run->last_seq = last_seq;
		return;
	}
	end_run(scan, index);
	*run = (struct run){fault, first_seq, last_seq};
}

/* ---- what the rows of one sink say ---- */

static bool is_closed(int state)
{
	return state == DELIVERY_DELIVERED || state == DELIVERY_FILTERED ||
	       state == DELIVERY_HELD || state == DELIVERY_DISCARDED || state == DELIVERY_ERASED;
}

static bool is_open(int state)
{
	return state == DELIVERY_RETRY || state == DELIVERY_PARKED || state == DELIVERY_DEAD ||
	       state == DELIVERY_UNCLASSIFIED;
}

static void claim(struct scan *scan, size_t index, int64_t seq, int state)
{
	uint8_t *cell = &scan->cells[(int64_t)index * scan->window + seq - scan->first_seq];

	*cell = *cell == CELL_NONE ? (uint8_t)state : *cell | CELL_TWICE;
}

/* Counts closed outcomes; those that were open once have a row that says what
 * became of them. False: the words do not fit the bounds. */
static bool claim_settled(struct scan *scan, size_t index, int64_t seq, int64_t last_seq,
			  struct lg_slice outcomes)
{
	int64_t count;
	int state;

	while (slice_present(outcomes) && outcomes.length > 0) {
		if (!outcomes_next(&outcomes, &state, &count) || count > last_seq - seq + 1 ||
		    state == DELIVERY_PENDING)
			return false;
		int64_t end = seq + count;
		int64_t at = seq < scan->first_seq ? scan->first_seq : seq;
		for (; is_closed(state) && at < end && at < scan->end_seq; at++)
			claim(scan, index, at, state);
		seq = end;
	}
	return seq == last_seq + 1;
}

static bool read_settled(struct scan *scan, size_t index)
{
	sqlite3_stmt *select = scan->steps[STEP_SETTLED];

	statement_bind_text(select, 1, scan->balance->sinks[index].name);
	sqlite3_bind_int64(select, 2, scan->first_seq);
	sqlite3_bind_int64(select, 3, scan->end_seq - 1);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int64_t first_seq = sqlite3_column_int64(select, 0);
		int64_t last_seq = sqlite3_column_int64(select, 1);
		if (first_seq < 1 || last_seq > INDEX_SEQ_MAX) {
			report(scan, index, BALANCE_UNREADABLE, scan->first_seq, scan->first_seq);
			continue;
		}
		if (!claim_settled(scan, index, first_seq, last_seq, statement_column(select, 2)) &&
		    first_seq >= scan->first_seq) /* said once, by its first window */
			report(scan, index, BALANCE_UNREADABLE, first_seq, last_seq);
	}
	return sqlite3_reset(select) == SQLITE_OK;
}

static bool read_open(struct scan *scan, size_t index, int64_t last_seq)
{
	sqlite3_stmt *select = scan->steps[STEP_OPEN];

	statement_bind_text(select, 1, scan->balance->sinks[index].name);
	sqlite3_bind_int64(select, 2, scan->first_seq);
	sqlite3_bind_int64(select, 3, last_seq);
	while (sqlite3_step(select) == SQLITE_ROW) {
		int64_t seq = sqlite3_column_int64(select, 0);
		int state = outcomes_state(statement_column(select, 1));
		if (!sqlite3_column_int(select, 2))
			report(scan, index, BALANCE_NO_EVENT, seq, seq);
		else if (!is_open(state))
			report(scan, index, BALANCE_UNREADABLE, seq, seq);
		else if (seq < scan->end_seq)
			claim(scan, index, seq, state);
	}
	return sqlite3_reset(select) == SQLITE_OK;
}

/* The rows about the window's events, as they stand at one moment. */
static bool read_rows(struct scan *scan, size_t index)
{
	struct balance_sink *sink = &scan->balance->sinks[index];
	bool last = scan->end_seq > scan->balance->last_seq;
	int64_t last_seq;

	memset(scan->cells + (int64_t)index * scan->window, CELL_NONE, (size_t)scan->window);
	if (!reader_last_seq(scan->reader, &last_seq))
		return false;
	sink->position = reader_position(scan->reader, sink->name);
	/* In the last window also what stands behind all events. */
	if (!read_settled(scan, index) ||
	    !read_open(scan, index, last ? INT64_MAX : scan->end_seq - 1))
		return false;
	if (last && sink->position > last_seq)
		report(scan, index, BALANCE_BEYOND, last_seq + 1,
		       sink->position < INDEX_SEQ_MAX ? sink->position : INDEX_SEQ_MAX);
	return true;
}

static bool read_window(struct scan *scan, struct error *error)
{
	for (size_t i = 0; i < scan->balance->sink_count; i++) {
		bool done = sqlite3_exec(scan->reader->db, "BEGIN", NULL, NULL, NULL) ==
				    SQLITE_OK &&
			    read_rows(scan, i);
		if (!done)
			failed(scan, error);
		sqlite3_exec(scan->reader->db, "COMMIT", NULL, NULL, NULL);
		if (!done)
			return false;
	}
	return true;
}

/* ---- the events ---- */

static void count_type(struct scan *scan, struct lg_slice type)
{
	struct balance *balance = scan->balance;

	for (size_t i = 0; i < balance->type_count; i++) {
		if (!slice_equal(balance->types[i].name, type))
			continue;
		balance->types[i].count++;
		return;
	}
	if (balance->type_count == BALANCE_TYPES - 1)
		type = LG_SLICE("other");
	if (balance->type_count == BALANCE_TYPES)
		balance->types[BALANCE_TYPES - 1].count++;
	else
		balance->types[balance->type_count++] = (struct balance_type){
			arena_copy(scan->arena, type), 1};
}

/* Where the event stands for each sink. */
static void count_event(struct scan *scan, int64_t seq)
{
	for (size_t i = 0; i < scan->balance->sink_count; i++) {
		struct balance_sink *sink = &scan->balance->sinks[i];
		uint8_t cell = scan->cells[(int64_t)i * scan->window + seq - scan->first_seq];
		bool pending = seq > sink->position;
		if (cell & CELL_TWICE || (cell != CELL_NONE && pending))
			report(scan, i, BALANCE_TWICE, seq, seq);
		else if (cell == CELL_NONE && !pending)
			report(scan, i, BALANCE_UNACCOUNTED, seq, seq);
		else
			sink->by_state[cell & CELL_STATE]++;
	}
}

/* An event never comes back: one that is here after the rows were read was
 * there before, so reading it a moment later does no harm. */
static bool read_events(struct scan *scan, struct error *error)
{
	sqlite3_stmt *select = scan->steps[STEP_EVENTS];
	int64_t after_seq = scan->first_seq - 1;
	int found;

	do {
		sqlite3_bind_int64(select, 1, after_seq);
		sqlite3_bind_int64(select, 2, scan->end_seq - 1);
		sqlite3_bind_int(select, 3, PAGE);
		for (found = 0; sqlite3_step(select) == SQLITE_ROW; found++) {
			after_seq = sqlite3_column_int64(select, 0);
			count_type(scan, statement_column(select, 1));
			count_event(scan, after_seq);
			scan->balance->events++;
		}
		if (sqlite3_reset(select) != SQLITE_OK)
			return failed(scan, error);
	} while (found == PAGE);
	return true;
}

/* ---- all of it ---- */

/* The sinks that were asked for, then those that the journal alone knows. */
static bool list_sinks(struct scan *scan, const struct lg_slice *names, size_t name_count,
		       struct error *error)
{
	struct balance *balance = scan->balance;
	struct lg_slice *found;
	ptrdiff_t found_count = reader_sinks(scan->reader, scan->arena, &found, error);

	if (found_count < 0)
		return false;
	balance->sinks = arena_zalloc(scan->arena, (name_count + (size_t)found_count + 1) *
							   sizeof(*balance->sinks));
	if (!balance->sinks)
		return error_set(error, "reading the journal: not enough memory");
	for (size_t i = 0; i < name_count; i++)
		balance->sinks[balance->sink_count++] = (struct balance_sink){.name = names[i],
									      .known = true};
	for (ptrdiff_t i = 0; i < found_count; i++) {
		size_t at = 0;
		while (at < name_count && !slice_equal(names[at], found[i]))
			at++;
		if (at == name_count)
			balance->sinks[balance->sink_count++].name = found[i];
	}
	return true;
}

static bool prepare(struct scan *scan, struct error *error)
{
	size_t sinks = scan->balance->sink_count;

	for (size_t i = 0; i < STEP_COUNT; i++)
		if (sqlite3_prepare_v2(scan->reader->db, sql[i], -1, &scan->steps[i], NULL) !=
		    SQLITE_OK)
			return failed(scan, error);
	scan->window = sinks ? CELL_BYTES_MAX / (int64_t)sinks : WINDOW_MAX;
	if (scan->window > WINDOW_MAX)
		scan->window = WINDOW_MAX;
	if (scan->window < WINDOW_MIN)
		scan->window = WINDOW_MIN;
	scan->cells = alloc_malloc(sinks * (size_t)scan->window + 1);
	scan->runs = arena_zalloc(scan->arena, (sinks + 1) * sizeof(*scan->runs));
	if (!scan->cells || !scan->runs)
		return error_set(error, "reading the journal: not enough memory");
	return reader_last_seq(scan->reader, &scan->balance->last_seq) || failed(scan, error);
}

static bool read_all(struct scan *scan, struct error *error)
{
	for (scan->first_seq = 1;; scan->first_seq = scan->end_seq) {
		scan->end_seq = scan->first_seq + scan->window;
		if (scan->end_seq > scan->balance->last_seq)
			scan->end_seq = scan->balance->last_seq + 1;
		if (!read_window(scan, error) || !read_events(scan, error))
			return false;
		for (size_t i = 0; i < scan->balance->sink_count; i++)
			end_run(scan, i);
		if (scan->end_seq > scan->balance->last_seq)
			return true;
	}
}

bool balance_read(struct balance *balance, struct reader *reader, struct arena *arena,
		  const struct lg_slice *names, size_t name_count, struct error *error)
{
	struct scan scan = {.balance = balance, .reader = reader, .arena = arena};
	bool done = list_sinks(&scan, names, name_count, error) && prepare(&scan, error) &&
		    read_all(&scan, error) && balance_leads_read(balance, reader, error) &&
		    balance_claims_read(balance, reader, error);

	for (size_t i = 0; i < STEP_COUNT; i++)
		sqlite3_finalize(scan.steps[i]);
	alloc_free(scan.cells);
	if (done && arena->failed)
		return error_set(error, "reading the journal: not enough memory");
	return done;
}

bool balance_closes(const struct balance *balance)
{
	int64_t claims = 0;

	for (size_t i = 0; i < balance->sink_count; i++) {
		int64_t sum = 0;
		for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
			sum += balance->sinks[i].by_state[state];
		if (sum != balance->events)
			return false;
	}
	for (int state = 0; state < CLAIM_STATES; state++)
		claims += balance->claims_by_state[state];
	return balance->faults == 0 && claims == balance->claims;
}
