#include "outbox/balance_leads.h"

#include "outbox/reader_private.h"
#include "outbox/statements.h"

#define PAGE 4096 /* leads of one read */

static void count_lead(struct balance *balance, int64_t seq, struct lg_slice type)
{
	balance->leads++;
	if (slice_is(type, event_type_name(EVENT_HELD)))
		balance->held++;
	if (slice_present(type))
		return;
	balance->faults++;
	if (balance->found)
		balance->found(balance, slice_of(NULL, 0), BALANCE_NO_RECORD, seq, seq);
}

/* Counts those behind the id `after`, whose memory SQLite reads meanwhile. `last` becomes
 * the id of the last one. How many; -1: they cannot be read. */
static int read_page(struct balance *balance, sqlite3_stmt *select, const uint8_t after[UUID_BYTES],
		     uint8_t last[UUID_BYTES])
{
	int found = 0;

	statement_bind_blob(select, 1, after, UUID_BYTES);
	sqlite3_bind_int(select, 2, PAGE);
	for (; sqlite3_step(select) == SQLITE_ROW; found++) {
		struct lg_slice id = statement_column(select, 0);
		if (id.length == UUID_BYTES)
			memcpy(last, id.data, UUID_BYTES);
		count_lead(balance, sqlite3_column_int64(select, 1), statement_column(select, 2));
	}
	return sqlite3_reset(select) == SQLITE_OK ? found : -1;
}

bool balance_leads_read(struct balance *balance, struct reader *reader, struct error *error)
{
	static const char sql[] = "SELECT l.id, l.event, e.type FROM lead l"
				  " LEFT JOIN event e ON e.seq = l.event"
				  " WHERE l.id > ? ORDER BY l.id LIMIT ?";
	uint8_t after[UUID_BYTES] = {0}, last[UUID_BYTES] = {0};
	sqlite3_stmt *select = NULL;
	bool goes_on;
	int found;

	if (sqlite3_prepare_v2(reader->db, sql, -1, &select, NULL) != SQLITE_OK)
		return error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
	do {
		found = read_page(balance, select, after, last);
		/* Ids that are none would be read for ever. */
		goes_on = found == PAGE && memcmp(last, after, UUID_BYTES) != 0;
		memcpy(after, last, UUID_BYTES);
	} while (goes_on);
	if (found < 0)
		error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
	sqlite3_finalize(select);
	return found >= 0;
}
