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

#endif
