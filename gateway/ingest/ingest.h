/* One request through one source plugin to a committed answer.
 *
 * The loop calls the plugin, makes of each item all that does not depend on
 * history, and hands the whole request to the writer. The answer is made when
 * the writer's letter comes back, on the same loop. */
#ifndef INGEST_INGEST_H
#define INGEST_INGEST_H

#include "base/loop.h"
#include "ingest/source.h"

/* What all sources of a generation share. Constant while loops run. */
struct ingest {
	struct outbox *outbox;
	const struct lead_limits *limits;
	struct source *sources;
	size_t source_count;
	int64_t slow_us;	 /* a plugin's call that takes longer is named in the log */
	struct fetcher *fetcher; /* who sees to claims; NULL: nobody */
	struct keep *keep;	 /* for lg_state_get; NULL: nothing is kept */
};

/* One per loop: where answers of the writer arrive. NULL when memory or
 * descriptors ran out. Made before the loop runs; freed after it has stopped
 * and the outbox is closed, for until then letters may come. */
struct ingest_loop;
struct ingest_loop *ingest_loop_new(struct loop *loop);
void ingest_loop_free(struct ingest_loop **loop);

/* Adds requests, leads and replies to the services table. */
void ingest_services_add(struct lg_services *services);

/* The source at a path; NULL: none. */
struct source *ingest_source_at(const struct ingest *ingest, struct lg_slice path);

/* Takes a whole request; answers it after the commit. Loop thread. */
void ingest_handle(struct ingest *ingest, struct ingest_loop *loop, struct source *source,
		   struct http_request *request);

#endif
