/* Rows of a file that are stored together. A batch is used again and again, so that an
 * import takes the same memory for a file of any size. Inner header of ingest/; the
 * errand thread, and the writer between submit and reply. */
#ifndef INGEST_IMPORT_BATCH_H
#define INGEST_IMPORT_BATCH_H

#include "base/list.h"
#include "ingest/intake.h"

struct import_run;

/* A place in a file where a reading can go on. */
struct import_mark {
	int64_t offset;
	int64_t rejects; /* bytes of the file of refused rows */
	unsigned char position[IMPORT_POSITION_BYTES];
	size_t position_bytes; /* 0: none */
};

struct import_batch {
	struct list link; /* of the run's */
	struct import_run *run;
	char *chunk;
	size_t chunk_capacity;
	struct http_request request; /* lends the arena */
	struct intake intake;
	struct import_work work;
	struct import_mark after;
};

/* NULL: memory ran out. */
struct import_batch *import_batch_new(struct import_run *run);
void import_batch_free(struct import_batch **batch);

enum import_made {
	IMPORT_MADE,
	IMPORT_NOTHING_MADE, /* it needs a larger chunk, which the run has noted */
	IMPORT_BROKEN,	     /* the file, or what the plugin says of it */
	IMPORT_SHORT,	     /* memory or room: it can be tried again */
};

/* Reads the next rows of the run's file, at most `rows`, prepares the leads and writes the
 * refused ones, unsynced. The run's mark `read` is then behind them. */
enum import_made import_batch_read(struct import_batch *batch, size_t rows, struct error *error);

/* Makes one of no rows: that begins the import in the journal; or that goes on with one
 * which has stood still, where the run's mark `read` says; or that ends it, for a reason or
 * without one. */
void import_batch_begin(struct import_batch *batch);
void import_batch_go_on(struct import_batch *batch);
void import_batch_end(struct import_batch *batch, enum import_state state, struct lg_slice error);

#endif
