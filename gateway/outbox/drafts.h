/* Rows of new leads that the open transaction keeps back until they are many. To
 * SQLite they are a table, "draft", out of which one statement fills each table of
 * the journal: that costs half of what a statement a row does. Writer thread. */
#ifndef OUTBOX_DRAFTS_H
#define OUTBOX_DRAFTS_H

#include <sqlite3.h>

#include "base/error.h"
#include "outbox/identity_row.h"

#define DRAFTS_MAX 128

/* A lead with its event and the row of its capture. */
struct draft {
	int64_t seq, at_ms;
	struct lg_slice type, body; /* not ours; they live until it is written */
	uint8_t lead_id[UUID_BYTES];
	uint8_t keys[IDENTITY_ROW_BYTES_MAX]; /* packed */
	size_t keys_length;
};

struct drafts {
	struct draft *all; /* by seq, without gaps */
	size_t count;
	size_t at; /* the row that SQLite reads, or read last */
};

/* Makes the table known to the connection, before statements that name it. False
 * with a reason, and then _fini is not needed. */
bool drafts_init(struct drafts *drafts, sqlite3 *db, struct error *error);
/* No statement that names the table may run any more. */
void drafts_fini(struct drafts *drafts);

bool drafts_full(const struct drafts *drafts);
/* The next one, to be filled. They are not full. */
struct draft *drafts_add(struct drafts *drafts);
/* NULL: that one is written, or is none. */
const struct draft *drafts_find(const struct drafts *drafts, int64_t seq);
void drafts_clear(struct drafts *drafts);

#endif
