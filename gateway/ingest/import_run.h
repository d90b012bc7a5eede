/* One import under way: the digest of its file, what the journal knows of that, the reading
 * and the batches that it makes. Inner header of ingest/; the errand thread. */
#ifndef INGEST_IMPORT_RUN_H
#define INGEST_IMPORT_RUN_H

#include "base/list.h"
#include "ingest/import.h"
#include "ingest/import_file.h"
#include "ingest/import_queue.h"

struct importer;

enum import_step {
	IMPORT_STEP_WAITS, /* for its turn */
	IMPORT_STEP_SUMS,  /* the digest is made */
	IMPORT_STEP_FINDS, /* what is known of it */
	IMPORT_STEP_OPENS, /* the plugin looks at it, at first and after each reload */
	IMPORT_STEP_READS,
};

struct import_run {
	struct list link; /* of the importer's */
	struct importer *importer;
	struct import_job *job;
	struct source *source; /* of the present generation; NULL: it has not begun there */
	enum import_step step;
	struct import_file file;
	struct import_mark stored, read; /* committed; and with all batches that were made */
	bool refused_before;		 /* rows of this content, as the journal knows */
	bool is_noted;			 /* the journal has a row of this run */
	bool has_rejects;		 /* the file of refused rows is placed */
	bool all_read;			 /* the last batch was made */

	/* The plugin's. */
	struct http_request request;
	struct intake intake;
	struct lg_reading reading;
	bool is_open;
	size_t chunk_bytes; /* of the next one */

	struct import_queue queue;
	struct buffer lines; /* refused rows of one batch */

	/* How it ends when nothing is with the writer any more. */
	bool is_ending;
	enum import_end end;
	struct error error;
};

/* One for a job that waits. NULL: memory ran out. */
struct import_run *import_run_new(struct importer *importer, struct import_job *job);
/* Gives the job back. Nothing may be with the writer. */
void import_run_free(struct import_run **run);

/* Does a piece of work that a loop can bear. Returns the milliseconds until it wants to go
 * on; INT64_MAX: when the writer has answered. */
int64_t import_run_step(struct import_run *run);

/* Lets it go on with this generation's source, after the start or a pause. */
void import_run_begin(struct import_run *run, struct source *source);

/* Leaves the plugin; what is not with the writer is forgotten and read again. True: nothing
 * is with the writer. Otherwise it is to be called again. */
bool import_run_pause(struct import_run *run);

/* Ends it as soon as nothing is with the writer; the first reason counts. */
void import_run_end(struct import_run *run, enum import_end end, const char *reason);

/* Whether it has ended and can be freed. */
bool import_run_is_over(const struct import_run *run);

#endif
