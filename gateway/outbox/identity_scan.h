/* Reads the whole identity table at start, with several threads: on a cold file
 * cache one reader waits for each page in turn, and unpacking the rows takes as
 * long as filling the index. What they read is handed out in the table's order. */
#ifndef OUTBOX_IDENTITY_SCAN_H
#define OUTBOX_IDENTITY_SCAN_H

#include <sqlite3.h>

#include "base/error.h"
#include "outbox/index.h"

/* Which keys are wanted. */
struct identity_scan_rules {
	unsigned int key_kinds; /* bits 1 << IDENTITY_…, see identity_row_place */
	int64_t recent_from_ms; /* older submissions are left out */
	int64_t after_seq;	/* rows up to it are left out */
};

/* The keys of some rows, oldest first. */
struct identity_stretch {
	const struct index_entry *persons, *recent;
	size_t person_count, recent_count;
	int64_t rows;
	int64_t leads; /* rows that made their lead */
};

/* Calls `take` on the caller's thread for one stretch after the other; what it is
 * given lives while it runs. `db` is an open connection to the store's file; the
 * threads have connections of their own that only read, and have ended when this
 * returns. `last_seq` becomes the number of the last row that is in the table when the
 * call begins, and nothing behind it is read; it stays as it is when there is none.
 * False with a reason: `take` said no (then the reason is its own, in
 * `error`), a row is damaged, the file cannot be read, or memory ran out. */
bool identity_scan(sqlite3 *db, const struct identity_scan_rules *rules,
		   bool (*take)(void *arg, const struct identity_stretch *stretch,
				struct error *error),
		   void *arg, int64_t *last_seq, struct error *error);

#endif
