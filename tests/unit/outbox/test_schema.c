#include "unit.h"

#include <sqlite3.h>
#include <string.h>

#include "outbox/schema.h"

#define TEXT_BYTES 16384

/* What the first version wrote, word for word. */
static const char version_1[] =
	"CREATE TABLE event (seq INTEGER PRIMARY KEY, type TEXT NOT NULL, lead BLOB NOT NULL,"
	" at INTEGER NOT NULL, body TEXT NOT NULL);"
	"CREATE TABLE lead (id BLOB PRIMARY KEY, event INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE identity (seq INTEGER PRIMARY KEY, lead BLOB NOT NULL, at INTEGER NOT NULL,"
	" keys BLOB NOT NULL);"
	"CREATE TABLE settled (sink TEXT NOT NULL, first_seq INTEGER NOT NULL,"
	" last_seq INTEGER NOT NULL, at INTEGER NOT NULL, outcomes TEXT NOT NULL);"
	"CREATE INDEX settled_last ON settled (sink, last_seq);"
	"CREATE TABLE open (sink TEXT NOT NULL, seq INTEGER NOT NULL, state TEXT NOT NULL,"
	" attempts INTEGER NOT NULL, due INTEGER, error TEXT,"
	" PRIMARY KEY (sink, seq)) WITHOUT ROWID;"
	"CREATE INDEX open_due ON open (sink, due) WHERE due IS NOT NULL;"
	"CREATE TABLE attempt (sink TEXT NOT NULL, at INTEGER NOT NULL, first_seq INTEGER NOT NULL,"
	" last_seq INTEGER NOT NULL, outcome TEXT NOT NULL, status INTEGER, answer BLOB);"
	"CREATE TABLE external (sink TEXT NOT NULL, lead BLOB NOT NULL, id TEXT NOT NULL,"
	" PRIMARY KEY (sink, lead)) WITHOUT ROWID;"
	"CREATE TABLE claim (no INTEGER PRIMARY KEY, source TEXT NOT NULL, key TEXT NOT NULL,"
	" part TEXT, due INTEGER, attempts INTEGER NOT NULL, error TEXT, blob BLOB,"
	" UNIQUE (source, key));"
	"CREATE TABLE import (source TEXT NOT NULL, digest BLOB NOT NULL, at INTEGER NOT NULL,"
	" position BLOB, PRIMARY KEY (source, digest)) WITHOUT ROWID;"
	"CREATE TABLE state (scope TEXT NOT NULL, key TEXT NOT NULL, value BLOB, expires INTEGER,"
	" PRIMARY KEY (scope, key)) WITHOUT ROWID;";

static const char version_1_rows[] =
	"PRAGMA application_id = 0x4c454144; PRAGMA user_version = 1;"
	"INSERT INTO state VALUES ('leadgate', 'secret', zeroblob(32), NULL);"
	"INSERT INTO event VALUES (1, 'lead.created', x'00112233445566778899aabbccddeeff',"
	" 1000, '{}'), (2, 'lead.touched', x'00112233445566778899aabbccddeeff', 2000, '{}');"
	"INSERT INTO settled VALUES ('crm', 1, 2, 3000, 'delivered dead');"
	"INSERT INTO open VALUES ('crm', 2, 'dead', 1, NULL, 'no');"
	"INSERT INTO attempt VALUES ('crm', 3000, 2, 2, 'dead', 422, x'6e6f');";

static void make_version_1(struct kit *kit, const char *more)
{
	char *failure = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
	sqlite3_exec(db, version_1, NULL, NULL, &failure);
	if (!failure)
		sqlite3_exec(db, version_1_rows, NULL, NULL, &failure);
	if (!failure)
		sqlite3_exec(db, more, NULL, NULL, &failure);
	if (failure)
		kit_fail("%s", failure);
	sqlite3_close(db);
}

/* Columns of all tables and indexes, and how the indexes are made. */
static void describe(struct kit *kit, char text[TEXT_BYTES])
{
	static const char sql[] =
		"SELECT m.name || ' ' || c.name || ' ' || ifnull(c.type, '') || char(10) FROM"
		" sqlite_schema m, pragma_table_xinfo(m.name) c WHERE m.type = 'table'"
		" UNION ALL SELECT sql || char(10) FROM sqlite_schema WHERE type = 'index'"
		" AND sql IS NOT NULL ORDER BY 1";
	sqlite3_stmt *select = NULL;
	sqlite3 *db;

	text[0] = '\0';
	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
	while (sqlite3_step(select) == SQLITE_ROW)
		strncat(text, (const char *)sqlite3_column_text(select, 0),
			TEXT_BYTES - strlen(text) - 1);
	sqlite3_finalize(select);
	sqlite3_close(db);
	assert_true(strlen(text) > 500);
}

static void version_1_is_brought_up(void **state)
{
	static char migrated[TEXT_BYTES], made[TEXT_BYTES];
	struct kit *kit = *state, fresh;

	make_version_1(kit, "");
	kit_open(kit);
	kit_close(kit);
	assert_int_equal(kit_count(kit, "PRAGMA user_version"), SCHEMA_VERSION);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt WHERE sink = 'crm' AND"
					" answer = x'6e6f' AND reason IS NULL"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM settled WHERE sink = 'crm' AND"
					" outcomes = 'delivered dead'"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 2);
	/* As one that is made today. */
	describe(kit, migrated);
	kit_init(&fresh);
	kit_open(&fresh);
	kit_close(&fresh);
	describe(&fresh, made);
	kit_fini(&fresh);
	assert_string_equal(migrated, made);
}

static void migration_is_all_or_nothing(void **state)
{
	static char before[TEXT_BYTES], after[TEXT_BYTES];
	struct error error = {""};
	struct kit *kit = *state;

	/* The third statement of the change fails. */
	make_version_1(kit, "DROP INDEX settled_last");
	describe(kit, before);
	assert_false(kit_try_open(kit, &error));
	assert_non_null(strstr(error.text, "no such index: settled_last"));
	assert_int_equal(kit_count(kit, "PRAGMA user_version"), 1);
	describe(kit, after);
	assert_string_equal(before, after);
	kit_sql(kit, "CREATE INDEX settled_last ON settled (sink, last_seq)");
	kit_open(kit);
}

static void reader_says_what_to_do_with_version_1(void **state)
{
	struct error error = {""};
	struct kit *kit = *state;
	struct reader *reader;

	make_version_1(kit, "");
	assert_null(reader_open(kit->store.path, &error));
	assert_non_null(strstr(error.text, "start the gateway once"));
	assert_int_equal(kit_count(kit, "PRAGMA user_version"), 1);
	kit_open(kit);
	reader = reader_open(kit->store.path, &error);
	assert_non_null(reader);
	reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(version_1_is_brought_up),
		STORE_TEST(migration_is_all_or_nothing),
		STORE_TEST(reader_says_what_to_do_with_version_1),
	};

	return RUN(tests);
}
