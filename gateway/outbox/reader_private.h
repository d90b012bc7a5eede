/* What the files of the reader share. */
#ifndef OUTBOX_READER_PRIVATE_H
#define OUTBOX_READER_PRIVATE_H

#include <sqlite3.h>

#include "outbox/reader.h"

/* Of a row of the table claim, as reader_claims.c reads it. */
#define CLAIM_COLUMNS "no, source, kind, key, group_key, parts, at, state, due, attempts, error"

enum query {
	QUERY_EVENTS,	    /* after seq, count */
	QUERY_DUE,	    /* sink, now, count */
	QUERY_DUE_BEYOND,   /* sink, beyond, count */
	QUERY_SENT_BATCH,   /* sink, first seq, last seq, events, count */
	QUERY_NEXT_DUE,	    /* sink */
	QUERY_LAST_DUE,	    /* sink */
	QUERY_WAITING,	    /* sink -> seq, lead, attempts, whether it has no time */
	QUERY_ATTEMPTS,	    /* sink, now -> hours ago, events */
	QUERY_POSITION,	    /* sink */
	QUERY_LEAD,	    /* id */
	QUERY_LEADS_UP,	    /* after id, count */
	QUERY_LEADS_DOWN,   /* before id, count */
	QUERY_EVENT_FROM,   /* seq -> seq, at */
	QUERY_BY_ID,	    /* first seq, last seq, id */
	QUERY_SETTLED,	    /* sink -> outcomes */
	QUERY_OPEN,	    /* sink -> state, count */
	QUERY_LAST,	    /* -> last seq */
	QUERY_SINKS,	    /* after name -> name */
	QUERY_SINK_NOTE,    /* scope, sink -> value */
	QUERY_NOTES,	    /* scope -> key, value */
	QUERY_OLDEST_OPEN,  /* sink -> at of the oldest event that is tried again */
	QUERY_EXTERNAL,	    /* sink, lead -> id */
	QUERY_SOURCE_NOTES, /* -> scope, key, value */
	QUERY_CLAIMS_DUE,   /* source, now, count -> claim, blob */
	QUERY_CLAIMS_OF,    /* source, group, count -> claim, blob */
	QUERY_CLAIMS_COUNT, /* source -> state, count */
	QUERY_CLAIMS_LIST,  /* source or none, state, after no, count -> claim */
	QUERY_IMPORT,	    /* source, digest -> import */
	QUERY_IMPORTS,	    /* source or none, count, skip -> import */
	QUERY_BACKWARDS,    /* -> at, body, newest first */
	QUERY_COUNT,
};

struct reader {
	sqlite3 *db;
	sqlite3_stmt *queries[QUERY_COUNT];
};

/* Steps through a query whose rows are an event each, and resets it. They become an array
 * in the arena of at most `count`, until about `bytes` of bodies are in it. How many; -1
 * with a reason. */
ptrdiff_t reader_take_events(sqlite3_stmt *select, struct arena *arena, size_t count, size_t bytes,
			     struct journal_event **events, struct error *error);

/* The first event from `seq` on; false: none. */
bool reader_event_from(struct reader *reader, int64_t seq, int64_t *found_seq, int64_t *at_ms);

/* The last seq, 0: none. False: it cannot be read. */
bool reader_last_seq(struct reader *reader, int64_t *seq);

#endif
