/* An import: a file of leads that the errand thread reads through a source whose plugin
 * has LG_READS_FILES. Leads, refused rows and the position commit together, so an import
 * that ended half-way goes on behind its last commit when the same file comes again. */
#ifndef INGEST_IMPORT_H
#define INGEST_IMPORT_H

#include <stdatomic.h>

#include "base/mailbox.h"
#include "outbox/import_row.h"

struct fetcher;

enum import_stage {
	IMPORT_WAITS,  /* for other imports of its source, or for the thread */
	IMPORT_CHECKS, /* the digest of the file is made */
	IMPORT_READS,  /* leads are stored */
};

/* For whoever watches, on any thread. Rows are those of this run and of runs before it
 * that it goes on from; all are committed. */
struct import_progress {
	_Atomic int stage;	     /* enum import_stage */
	_Atomic int64_t bytes;	     /* of the file; 0: not known yet */
	_Atomic int64_t bytes_done;  /* of the present stage */
	_Atomic int64_t bytes_begun; /* where this run began to read */
	_Atomic int64_t rows, by_result[IMPORT_RESULTS];
};

enum import_end {
	IMPORT_ENDED,	    /* all is stored; of a dry run: all was read */
	IMPORT_KNOWN,	    /* it was imported before, at `known_ms`: nothing was done */
	IMPORT_UNREADABLE,  /* the file, or what the plugin made of it: `error` says why */
	IMPORT_INTERRUPTED, /* by a lack of room, a reload, the gateway's end, or another import of
			     * the same content: `error` says why; the same file again goes on */
	IMPORT_CANCELLED,   /* because `cancelled` was set; as before */
};

/* What somebody wants imported. It belongs to the errand thread from fetcher_import until
 * it comes back through `reply`, all it points at too. Zero but for what is set. */
struct import_job {
	struct letter letter; /* first; used for both ways */
	struct mailbox *reply;
	struct lg_slice source;
	struct lg_slice name;	   /* of the file, without folders: for the plugin and people */
	int file;		   /* a regular file, open for reading; its offset is not used */
	int rejects;		   /* open for reading and writing; -1: refused rows are only
				    * counted. One that goes on cuts it to what is committed; one
				    * from the start empties it where rows of the same content were
				    * refused before. Rows of another are an error, for nobody may
				    * have repaired them yet; one that goes on and had none refused
				    * finds it with the first one. Stays as it is until then. */
	const struct lg_pair *map; /* columns, as struct lg_file has them */
	size_t map_count;
	bool new_rejects; /* `rejects` is of this file alone, and may be empty though runs before
			   * have refused rows, which lie elsewhere: it begins with a header
			   * again. Otherwise that is an error, for they would be missed */
	bool again;	  /* also when it was imported before; from the start */
	bool dry_run; /* stores nothing, from the start; rows are prepared and refused as ever */

	_Atomic bool cancelled;
	struct import_progress progress;

	/* What the file looks like, for people: whole when the stage is IMPORT_READS, and
	 * constant from then on. Freed by import_job_fini. */
	struct arena arena;
	struct lg_slice dialect;
	const struct lg_pair *columns; /* and what they mean */
	size_t column_count;

	/* When it is back. The totals are in `progress`. */
	enum import_end end;
	int64_t known_ms;	    /* wall clock */
	struct import_counts known; /* and what came of it then */
	struct error error;
};

/* Frees what an import has left in a job that is back, or never went. */
void import_job_fini(struct import_job *job);

/* Has a file imported. The job always comes back, also when the thread ends. Any thread,
 * until fetcher_stop. */
void fetcher_import(struct fetcher *fetcher, struct import_job *job);

#endif
