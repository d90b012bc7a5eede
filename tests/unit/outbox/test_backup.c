#include "unit.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outbox/backup.h"

static void post_many(struct kit *kit, int count)
{
	static int number;

	for (int i = 0; i < count; i++) {
		char email[32];
		snprintf(email, sizeof(email), "b%d@x.example", number++);
		kit_post(kit,
			 (struct post){.email = email, .message = "some words to fill a page"});
	}
}

static struct reader *open_reader(struct kit *kit)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		kit_fail("%s", error.text);
	return reader;
}

static void copy_name(struct kit *kit, char file[256])
{
	snprintf(file, 256, "%s/copy.db", kit->folder);
}

/* A text or number of the copy, which must be a whole database. */
static int64_t ask_copy(const char *file, const char *sql)
{
	sqlite3_stmt *select = NULL;
	sqlite3 *db;
	int64_t value;

	assert_int_equal(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &select, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(select), SQLITE_ROW);
	assert_string_equal((const char *)sqlite3_column_text(select, 0), "ok");
	sqlite3_finalize(select);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &select, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(select), SQLITE_ROW);
	value = sqlite3_column_int64(select, 0);
	sqlite3_finalize(select);
	sqlite3_close(db);
	return value;
}

static void copy_is_a_store(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	char file[256];
	struct stat there;
	struct reader *reader;

	kit_open(kit);
	post_many(kit, 30);
	reader = open_reader(kit);
	copy_name(kit, file);
	assert_true(backup_write(reader, file, NULL, NULL, &error));
	reader_close(&reader);
	assert_int_equal(stat(file, &there), 0);
	assert_int_equal(there.st_mode & 07777, 0600);
	kit_close(kit);
	assert_int_equal(ask_copy(file, "SELECT count(*) FROM event"), 30);
	/* To restore is to use it. */
	kit->store.path = slice_from(file);
	kit_open(kit);
	assert_int_equal(outbox_last_seq(kit->outbox), 30);
	kit_close(kit);
}

static void nothing_is_overwritten(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	char file[256], partial[300];
	struct reader *reader;

	kit_open(kit);
	post_many(kit, 3);
	reader = open_reader(kit);
	copy_name(kit, file);
	assert_true(backup_write(reader, file, NULL, NULL, &error));
	post_many(kit, 3);
	assert_false(backup_write(reader, file, NULL, NULL, &error));
	assert_non_null(strstr(error.text, "is there already"));
	assert_int_equal(ask_copy(file, "SELECT count(*) FROM event"), 3);
	assert_false(backup_write(reader, kit->path, NULL, NULL, &error));
	unlink(file);
	snprintf(partial, sizeof(partial), "%s.partial", file);
	fclose(fopen(partial, "w"));
	assert_false(backup_write(reader, file, NULL, NULL, &error));
	assert_non_null(strstr(error.text, "broken off"));
	assert_int_equal(access(partial, F_OK), 0);
	reader_close(&reader);
}

static void failure_leaves_nothing(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	char file[256];
	struct reader *reader;

	kit_open(kit);
	reader = open_reader(kit);
	snprintf(file, sizeof(file), "%s/none/copy.db", kit->folder);
	assert_false(backup_write(reader, file, NULL, NULL, &error));
	assert_non_null(strstr(error.text, "No such file or directory"));
	reader_close(&reader);
}

struct load {
	struct kit *kit;
	atomic_bool stop;
};

static void *submit_on(void *arg)
{
	struct load *load = arg;

	while (!atomic_load(&load->stop))
		post_many(load->kit, 1);
	return NULL;
}

static void hear_progress(void *arg, int64_t done, int64_t all)
{
	int64_t *heard = arg;

	assert_true(done <= all);
	assert_true(done >= *heard);
	*heard = done;
}

/* Commits beside it must neither break it nor send it back for ever. */
static void copy_is_made_under_load(void **state)
{
	struct kit *kit = *state;
	struct load load = {.kit = kit};
	struct error error = {""};
	struct reader *reader;
	int64_t heard = 0, events;
	char file[256];
	pthread_t thread;

	kit_open(kit);
	post_many(kit, 2000);
	kit_sql(kit, "CREATE TABLE ballast (b); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT"
		     " i + 1 FROM n WHERE i < 3000) INSERT INTO ballast SELECT zeroblob(4000)"
		     " FROM n");
	atomic_init(&load.stop, false);
	assert_int_equal(pthread_create(&thread, NULL, submit_on, &load), 0);
	reader = open_reader(kit);
	copy_name(kit, file);
	bool done = backup_write(reader, file, hear_progress, &heard, &error);
	atomic_store(&load.stop, true);
	pthread_join(thread, NULL);
	reader_close(&reader);
	if (!done)
		fail_msg("%s", error.text);
	assert_true(heard > 3000 * 4000);
	events = ask_copy(file, "SELECT count(*) FROM event");
	assert_true(events >= 2000 && events <= outbox_last_seq(kit->outbox));
	assert_int_equal(ask_copy(file, "SELECT max(seq) FROM event"), events);
	assert_int_equal(ask_copy(file, "SELECT count(*) FROM identity"), events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(copy_is_a_store),
		STORE_TEST(nothing_is_overwritten),
		STORE_TEST(failure_leaves_nothing),
		STORE_TEST(copy_is_made_under_load),
	};

	return RUN(tests);
}
