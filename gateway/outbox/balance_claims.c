#include "outbox/balance_claims.h"

#include "outbox/reader_private.h"
#include "outbox/statements.h"

static void count_claim(struct balance *balance, int64_t number, struct lg_slice state)
{
	balance->claims++;
	for (int i = 0; i < CLAIM_STATES; i++) {
		if (!slice_is(state, claim_state_name((enum claim_state)i)))
			continue;
		balance->claims_by_state[i]++;
		return;
	}
	balance->faults++;
	if (balance->found)
		balance->found(balance, slice_of(NULL, 0), BALANCE_LOST_CLAIM, number, number);
}

bool balance_claims_read(struct balance *balance, struct reader *reader, struct error *error)
{
	static const char sql[] = "SELECT no, state FROM claim WHERE kind = 'claim' AND no > ?"
				  " ORDER BY no LIMIT 4096";
	sqlite3_stmt *select = NULL;
	int64_t last = 0, before;
	int rc = sqlite3_prepare_v2(reader->db, sql, -1, &select, NULL);

	do {
		before = last;
		sqlite3_bind_int64(select, 1, last);
		while (rc == SQLITE_OK && sqlite3_step(select) == SQLITE_ROW) {
			last = sqlite3_column_int64(select, 0);
			count_claim(balance, last, statement_column(select, 1));
		}
		if (rc == SQLITE_OK)
			rc = sqlite3_reset(select);
	} while (rc == SQLITE_OK && last > before);
	sqlite3_finalize(select);
	return rc == SQLITE_OK ||
	       error_set(error, "reading the journal: %s", sqlite3_errmsg(reader->db));
}
