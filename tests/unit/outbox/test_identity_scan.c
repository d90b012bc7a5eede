#include "unit.h"

#include <sqlite3.h>
#include <string.h>

#include "outbox/identity_row.h"
#include "outbox/identity_scan.h"

/* Over many stretches, which more threads than one have read. */
#define ROWS 150000
#define EVERY 3 /* seqs have gaps, as after touches */
#define EMAIL_OF(i) ((uint64_t)(i)*3 + 1)
#define NOW_MS 1000000

struct seen {
	int64_t last_seq, persons, recent, rows, leads;
	int64_t after_seq, end_seq; /* given, and what came back */
	int64_t stop_at;	    /* persons; 0: never */
};

static sqlite3 *open_database(struct kit *kit)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	return db;
}

static void make_table(struct kit *kit)
{
	sqlite3 *db = open_database(kit);

	assert_int_equal(sqlite3_exec(db,
				      "CREATE TABLE identity (seq INTEGER PRIMARY KEY,"
				      " lead BLOB NOT NULL, at INTEGER NOT NULL,"
				      " keys BLOB NOT NULL)",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
}

static void add_row(sqlite3_stmt *insert, int64_t i)
{
	/* A wanted kind, one that is not wanted, a weak one, a submission. */
	const struct identity_row row = {
		.flags = i % 2 ? IDENTITY_ROW_CREATED : 0,
		.keys = {{.kind = IDENTITY_EMAIL, .hash = EMAIL_OF(i)},
			 {.kind = IDENTITY_PHONE, .hash = 5},
			 {.kind = IDENTITY_EMAIL, .flags = IDENTITY_WEAK, .hash = 6},
			 {.kind = IDENTITY_SUBMISSION, .hash = 7}},
		.key_count = 4,
	};
	uint8_t packed[IDENTITY_ROW_BYTES_MAX];
	size_t length = identity_row_pack(&row, packed);

	sqlite3_bind_int64(insert, 1, i * EVERY);
	sqlite3_bind_int64(insert, 2, NOW_MS - (i % 4 == 0));
	sqlite3_bind_blob(insert, 3, packed, (int)length, SQLITE_STATIC);
	assert_int_equal(sqlite3_step(insert), SQLITE_DONE);
	sqlite3_reset(insert);
}

static void fill_table(struct kit *kit, int64_t rows)
{
	sqlite3 *db = open_database(kit);
	sqlite3_stmt *insert;

	sqlite3_exec(db, "PRAGMA synchronous = OFF; BEGIN", NULL, NULL, NULL);
	assert_int_equal(sqlite3_prepare_v2(db, "INSERT INTO identity VALUES (?, x'00', ?, ?)", -1,
					    &insert, NULL),
			 SQLITE_OK);
	for (int64_t i = 1; i <= rows; i++)
		add_row(insert, i);
	sqlite3_finalize(insert);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static bool take(void *arg, const struct identity_stretch *stretch, struct error *error)
{
	struct seen *seen = arg;

	for (size_t i = 0; i < stretch->person_count; i++) {
		const struct index_entry *entry = &stretch->persons[i];
		assert_int_equal(entry->seq, seen->last_seq + EVERY);
		assert_int_equal(entry->hash, EMAIL_OF(entry->seq / EVERY));
		seen->last_seq = entry->seq;
		if (++seen->persons == seen->stop_at)
			return error_set(error, "enough");
	}
	for (size_t i = 0; i < stretch->recent_count; i++)
		assert_int_equal(stretch->recent[i].hash, 7);
	seen->recent += (int64_t)stretch->recent_count;
	seen->rows += stretch->rows;
	seen->leads += stretch->leads;
	return true;
}

static bool scan(struct kit *kit, struct seen *seen, struct error *error)
{
	const struct identity_scan_rules rules = {
		.key_kinds = 1u << IDENTITY_EMAIL,
		.recent_from_ms = NOW_MS,
		.after_seq = seen->after_seq,
	};
	sqlite3 *db = open_database(kit);
	bool done = identity_scan(db, &rules, take, seen, &seen->end_seq, error);

	sqlite3_close(db);
	return done;
}

static void rows_come_in_their_order(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {0};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, ROWS);
	if (!scan(kit, &seen, &error))
		fail_msg("%s", error.text);
	assert_int_equal(seen.persons, ROWS);
	assert_int_equal(seen.recent, ROWS - ROWS / 4);
	assert_int_equal(seen.leads, ROWS / 2);
	assert_int_equal(seen.rows, ROWS);
	assert_int_equal(seen.end_seq, ROWS * EVERY);
}

static void rows_are_read_on(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {.after_seq = 20000 * EVERY, .last_seq = 20000 * EVERY};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, 30000);
	assert_true(scan(kit, &seen, &error));
	assert_int_equal(seen.rows, 10000);
	assert_int_equal(seen.end_seq, 30000 * EVERY);

	seen.after_seq = seen.end_seq;
	assert_true(scan(kit, &seen, &error));
	assert_int_equal(seen.rows, 10000);
	assert_int_equal(seen.end_seq, 30000 * EVERY);
}

static void empty_table_gives_nothing(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {0};
	struct error error = {""};

	make_table(kit);
	assert_true(scan(kit, &seen, &error));
	assert_int_equal(seen.persons, 0);
}

static void one_row_is_enough(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {0};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, 1);
	assert_true(scan(kit, &seen, &error));
	assert_int_equal(seen.persons, 1);
	assert_int_equal(seen.leads, 1);
}

static void damaged_row_is_named(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {0};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, 30000);
	kit_sql(kit, "UPDATE identity SET keys = x'0102' WHERE seq = 60000");
	assert_false(scan(kit, &seen, &error));
	assert_string_equal(error.text, "row 60000 of its table identity is damaged");
}

static void impossible_number_is_named(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {0};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, 2);
	kit_sql(kit, "UPDATE identity SET seq = -4 WHERE seq = 3");
	assert_false(scan(kit, &seen, &error));
	assert_string_equal(error.text, "row -4 of its table identity is damaged");
}

static void caller_may_stop_it(void **state)
{
	struct kit *kit = *state;
	struct seen seen = {.stop_at = 20000};
	struct error error = {""};

	make_table(kit);
	fill_table(kit, ROWS);
	assert_false(scan(kit, &seen, &error));
	assert_string_equal(error.text, "enough");
	assert_int_equal(seen.persons, 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(rows_come_in_their_order),	STORE_TEST(empty_table_gives_nothing),
		STORE_TEST(one_row_is_enough),		STORE_TEST(damaged_row_is_named),
		STORE_TEST(impossible_number_is_named), STORE_TEST(caller_may_stop_it),
		STORE_TEST(rows_are_read_on),
	};
	return RUN(tests);
}
