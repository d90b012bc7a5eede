#include "outbox/schema.h"

#include <stdio.h>

#include "base/random.h"

/* event is append-only. lead points at the event whose body holds the present
 * merged record. identity has one narrow row a capture, under the seq of its
 * event; nothing looks it up by key: the index in memory does. Times are
 * milliseconds since 1970, ids are the 16 bytes of a UUIDv7 (which ascend, so
 * that the lead table is appended to as well). */
/* kind: claim, poll, backfill; parts: of the group, 0: not known; at: when it came first;
 * state: waiting, parked, dead, done; due: of the next attempt, otherwise when it became
 * what it is */
#define CLAIM_TABLE                                                                       \
	"CREATE TABLE claim (no INTEGER PRIMARY KEY, source TEXT NOT NULL, kind TEXT"     \
	" NOT NULL, key TEXT NOT NULL, group_key TEXT, parts INTEGER NOT NULL,"           \
	" at INTEGER NOT NULL, state TEXT NOT NULL, due INTEGER NOT NULL,"                \
	" attempts INTEGER NOT NULL, error TEXT, blob BLOB, UNIQUE (source, kind, key));" \
	"CREATE INDEX claim_due ON claim (source, state, due);"                           \
	"CREATE INDEX claim_group ON claim (source, group_key) WHERE group_key IS NOT NULL;"

/* digest: SHA-256 of the file; state: running, done, failed; offset: of the first byte that
 * is not stored yet, and what the plugin knows there; rejects: bytes of the file of refused
 * rows */
#define IMPORT_TABLE                                                                   \
	"CREATE TABLE import (source TEXT NOT NULL, digest BLOB NOT NULL, name TEXT"   \
	" NOT NULL, bytes INTEGER NOT NULL, state TEXT NOT NULL, at INTEGER NOT NULL," \
	" ended INTEGER, offset INTEGER NOT NULL, position BLOB, rejects INTEGER"      \
	" NOT NULL, rows INTEGER NOT NULL, created INTEGER NOT NULL, touched INTEGER"  \
	" NOT NULL, repeated INTEGER NOT NULL, held INTEGER NOT NULL, refused INTEGER" \
	" NOT NULL, ignored INTEGER NOT NULL, error TEXT,"                             \
	" PRIMARY KEY (source, digest)) WITHOUT ROWID;"

static const char tables[] =
	"CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, lead BLOB NOT NULL,"
	" at INTEGER NOT NULL, body TEXT NOT NULL);"

	"CREATE TABLE lead (id BLOB PRIMARY KEY, event INTEGER NOT NULL) WITHOUT ROWID;"

	/* keys: a byte of flags, the digest, then kind, flags and hash of each key */
	"CREATE TABLE identity (seq INTEGER PRIMARY KEY, lead BLOB NOT NULL, at INTEGER NOT NULL,"
	" keys BLOB NOT NULL);"

	/* outcomes: run-length coded from first_seq to last_seq: "delivered*98 filtered dead" */
	"CREATE TABLE settled (sink TEXT NOT NULL, first_seq INTEGER NOT NULL,"
	" last_seq INTEGER NOT NULL, at INTEGER NOT NULL, outcomes TEXT NOT NULL);"
	"CREATE INDEX settled_last ON settled (sink, last_seq, first_seq);"

	/* since: when it failed first of the attempts that count; none: no such failure.
	 * batch_…: the batch that it was sent in without an answer, which goes again as it
	 * was: seqs of its first and its last event, and how many it had */
	"CREATE TABLE open (sink TEXT NOT NULL, seq INTEGER NOT NULL, state TEXT NOT NULL,"
	" attempts INTEGER NOT NULL, due INTEGER, error TEXT, since INTEGER,"
	" batch_first INTEGER, batch_last INTEGER, batch_events INTEGER,"
	" PRIMARY KEY (sink, seq)) WITHOUT ROWID;"
	"CREATE INDEX open_due ON open (sink, due) WHERE due IS NOT NULL;"

	"CREATE TABLE attempt (sink TEXT NOT NULL, at INTEGER NOT NULL, first_seq INTEGER NOT NULL,"
	" last_seq INTEGER NOT NULL, outcome TEXT NOT NULL, status INTEGER, answer BLOB,"
	" reason TEXT);"
	"CREATE INDEX attempt_last ON attempt (sink, last_seq, first_seq);"

	"CREATE TABLE external (sink TEXT NOT NULL, lead BLOB NOT NULL, id TEXT NOT NULL,"
	" PRIMARY KEY (sink, lead)) WITHOUT ROWID;"

	CLAIM_TABLE

		IMPORT_TABLE

	"CREATE TABLE state (scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB, expires INTEGER,"
	" PRIMARY KEY (scope, key)) WITHOUT ROWID;";

/* From the version of its place to the next. */
static const char *const migrations[SCHEMA_VERSION] = {
	[1] = "ALTER TABLE attempt ADD COLUMN reason TEXT;"
	      "CREATE INDEX attempt_last ON attempt (sink, last_seq, first_seq);"
	      "DROP INDEX settled_last;"
	      "CREATE INDEX settled_last ON settled (sink, last_seq, first_seq);",
	[2] = "ALTER TABLE open ADD COLUMN since INTEGER;",
	[3] = "ALTER TABLE open ADD COLUMN batch_first INTEGER;"
	      "ALTER TABLE open ADD COLUMN batch_last INTEGER;"
	      "ALTER TABLE open ADD COLUMN batch_events INTEGER;",
	/* Nothing was ever written to it; nor to the next one's. */
	[4] = "DROP TABLE claim;" CLAIM_TABLE,
	[5] = "DROP TABLE import;" IMPORT_TABLE,
};

static bool run(sqlite3 *db, const char *sql, struct error *error)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK)
		return true;
	return error_set(error, "%s", sqlite3_errmsg(db));
}

static bool store_secret(sqlite3 *db, struct error *error)
{
	uint8_t secret[IDENTITY_SECRET_BYTES];
	sqlite3_stmt *insert = NULL;

	random_bytes(secret, sizeof(secret));
	bool done = sqlite3_prepare_v2(db,
				       "INSERT INTO state VALUES ('leadgate', 'secret', ?, NULL)",
				       -1, &insert, NULL) == SQLITE_OK &&
		    sqlite3_bind_blob(insert, 1, secret, sizeof(secret), SQLITE_STATIC) ==
			    SQLITE_OK &&
		    sqlite3_step(insert) == SQLITE_DONE;
	if (!done)
		error_set(error, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(insert);
	return done;
}

bool schema_create(sqlite3 *db, int64_t page_bytes, struct error *error)
{
	char pragma[64], marks[128];

	snprintf(pragma, sizeof(pragma), "PRAGMA page_size = %lld", (long long)page_bytes);
	snprintf(marks, sizeof(marks), "PRAGMA application_id = %d; PRAGMA user_version = %d",
		 SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
	if (!run(db, pragma, error) || !run(db, "BEGIN IMMEDIATE", error))
		return false;
	if (run(db, marks, error) && run(db, tables, error) && store_secret(db, error) &&
	    run(db, "COMMIT", error))
		return true;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool schema_migrate(sqlite3 *db, struct error *error)
{
	int64_t version = schema_integer(db, "PRAGMA user_version");
	char mark[64];
	bool done;

	if (version == SCHEMA_VERSION)
		return true;
	if (version < SCHEMA_VERSION_FIRST || version > SCHEMA_VERSION)
		return error_set(error, "its schema has the version %lld", (long long)version);
	done = run(db, "BEGIN IMMEDIATE", error);
	for (; done && version < SCHEMA_VERSION; version++)
		done = run(db, migrations[version], error);
	snprintf(mark, sizeof(mark), "PRAGMA user_version = %d", SCHEMA_VERSION);
	if (done && run(db, mark, error) && run(db, "COMMIT", error))
		return true;
	sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

bool schema_secret(sqlite3 *db, uint8_t secret[IDENTITY_SECRET_BYTES], struct error *error)
{
	sqlite3_stmt *select = NULL;
	bool found = false;

	if (sqlite3_prepare_v2(
		    db, "SELECT value FROM state WHERE scope = 'leadgate' AND key = 'secret'", -1,
		    &select, NULL) == SQLITE_OK &&
	    sqlite3_step(select) == SQLITE_ROW &&
	    sqlite3_column_bytes(select, 0) == IDENTITY_SECRET_BYTES) {
		memcpy(secret, sqlite3_column_blob(select, 0), IDENTITY_SECRET_BYTES);
		found = true;
	}
	sqlite3_finalize(select);
	return found || error_set(error, "the secret of its identity keys is missing");
}

int64_t schema_integer(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *select = NULL;
	int64_t value = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &select, NULL) == SQLITE_OK &&
	    sqlite3_step(select) == SQLITE_ROW)
		value = sqlite3_column_int64(select, 0);
	sqlite3_finalize(select);
	return value;
}
