/* One source's errands: which are due, how many at once, and what is known of its vendor.
 * Inner header of ingest/; the errand thread. */
#ifndef INGEST_DESK_H
#define INGEST_DESK_H

#include "base/list.h"
#include "ingest/fetch.h"

struct desk {
	struct list link; /* of the fetcher's */
	struct ingest *ingest;
	struct source *source;
	struct ingest_loop *loop;
	struct reader *reader;
	struct loop_task *turn; /* posted when there may be something to do */
	struct http_client_settings client_settings;
	struct http_client *client;
	struct list fetches; /* under way */
	size_t fetch_count, row_count;
	bool closing; /* nothing new is begun */

	/* After a failure that is the vendor's or the configuration's: one errand at a
	 * time, after a wait that doubles. */
	int64_t trouble_ms;	/* 0: none */
	int64_t pause_until_ms; /* monotonic */

	/* Warnings of leads that cannot be stored, and how many were held back. */
	struct bucket refused_lines;
	int64_t refused_untold;

	bool recount;
	int64_t counted_ms; /* monotonic */

	/* What is done once, when it opens, and each minute. */
	struct http_request house_request;
	struct intake house;
	bool house_under_way;
	int64_t house_ms; /* monotonic: when it is due */
	bool opened;
};

/* `ingest`, `source`, `loop`, `reader` and `turn` outlive it. NULL with a reason. */
struct desk *desk_new(struct ingest *ingest, struct source *source, struct ingest_loop *loop,
		      struct loop *base_loop, struct reader *reader, struct loop_task *turn,
		      struct error *error);
/* Nothing may be under way. */
void desk_free(struct desk **desk);

/* Begins what is due. Returns the milliseconds until it is to be called again. */
int64_t desk_look(struct desk *desk);

/* Breaks off all that waits for an answer. True: nothing is under way any more; else
 * `turn` is posted when the writer has answered. */
bool desk_close(struct desk *desk);

/* An operator has spoken: what paused it is forgotten. */
void desk_hurry(struct desk *desk);

/* An attempt has failed for a reason that is not its claim's; or one went well. */
void desk_trouble(struct desk *desk, int64_t pause_ms);
void desk_relief(struct desk *desk);

#endif
