/* Imports: files of leads that were read through a source, each a row of the journal under
 * its source and the digest of its content. How far one came commits with its leads. */
#ifndef OUTBOX_IMPORT_ROW_H
#define OUTBOX_IMPORT_ROW_H

#include "base/arena.h"
#include "base/error.h"
#include "base/slice.h"

enum import_state { IMPORT_RUNNING, IMPORT_DONE, IMPORT_FAILED, IMPORT_STATES };
const char *import_state_name(enum import_state state); /* "running", "done", "failed" */

/* How a row of a file ended. */
enum import_result {
	IMPORT_CREATED,
	IMPORT_TOUCHED,
	IMPORT_REPEATED,
	IMPORT_HELD, /* it sprang a trap: stored, delivered to nobody */
	IMPORT_REFUSED,
	IMPORT_IGNORED,
	IMPORT_RESULTS
};
const char *import_result_name(enum import_result result); /* "created" … */

struct import_counts {
	int64_t rows; /* all; more than the sum of the rest where nothing is stored */
	int64_t by_result[IMPORT_RESULTS];
};

#define IMPORT_DIGEST_BYTES 32	 /* SHA-256 of the file */
#define IMPORT_POSITION_BYTES 64 /* at most, of what a plugin says */

/* What a submission does to an import, in one transaction with its captures, which are
 * rows of the file. Memory is the submitter's. */
struct import_work {
	struct lg_slice source;
	uint8_t digest[IMPORT_DIGEST_BYTES];
	bool anew; /* makes the row, in place of one that was there; nothing else is done */
	struct lg_slice name; /* of the file; of a new row, as is the next */
	int64_t bytes;

	/* Where it stood before. The row must stand there still, so that what follows a
	 * submission which failed fails, too: a file has no holes. */
	int64_t from;
	int64_t offset;		  /* where it stands then */
	struct lg_slice position; /* what the plugin needs to know there; absent: nothing */
	int64_t rejects;	  /* bytes of the file of refused rows */
	int64_t refused, ignored; /* rows that have no capture */
	enum import_state state;
	struct lg_slice error; /* of IMPORT_FAILED; otherwise absent */

	struct import_counts counts; /* filled by the writer: what this submission added */
};

/* Writer, in a transaction, when the captures have their verdicts: an SQLite result;
 * SQLITE_ABORT where the row does not stand at `from`. */
struct journal;
struct submission;
int import_store(struct journal *journal, struct submission *submission, int64_t now_ms);

/* ---- reading; see reader.h --------------------------------------------------------- */

/* An import as it stands in the journal; slices live in the arena of the call. */
struct import_row {
	struct lg_slice source, name;
	uint8_t digest[IMPORT_DIGEST_BYTES];
	int64_t bytes;
	enum import_state state;
	int64_t at_ms, ended_ms; /* wall clock; 0: not yet */
	int64_t offset;
	struct lg_slice position;
	int64_t rejects;
	struct import_counts counts;
	struct lg_slice error;
};

struct reader;
/* The import of this content through this source: 1, 0 where there is none, -1 with a
 * reason. */
int reader_import(struct reader *reader, struct arena *arena, struct lg_slice source,
		  const uint8_t digest[IMPORT_DIGEST_BYTES], struct import_row *row,
		  struct error *error);
/* A page of all, or of one source's, those that began last first, without the first
 * `skip`. How many; -1 with a reason. */
ptrdiff_t reader_imports(struct reader *reader, struct arena *arena, struct lg_slice source,
			 size_t skip, size_t count, struct import_row **rows, struct error *error);

#endif
