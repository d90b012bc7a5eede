#include "unit.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* The store must not open, say `words`, and be left as it is. */
static void refuses(struct kit *kit, const char *words)
{
	struct error error = {""};
	struct stat before, after;

	assert_int_equal(stat(kit->path, &before), 0);
	assert_false(kit_try_open(kit, &error));
	if (!strstr(error.text, words))
		fail_msg("\"%s\" does not say \"%s\"", error.text, words);
	assert_int_equal(stat(kit->path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void no_database_is_refused(void **state)
{
	struct kit *kit = *state;

	write_file(kit->path,
		   "email,phone\nthis is a list of somebody's contacts, and it is precious\n");
	refuses(kit, "is no SQLite database");
}

static void foreign_database_is_refused(void **state)
{
	struct kit *kit = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	sqlite3_exec(db, "CREATE TABLE bookmarks (url TEXT)", NULL, NULL, NULL);
	sqlite3_close(db);
	refuses(kit, "of another program");
}

/* Empty, but somebody has put a mark on it. */
static void marked_database_is_refused(void **state)
{
	struct kit *kit = *state;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	sqlite3_exec(db, "PRAGMA application_id = 7", NULL, NULL, NULL);
	sqlite3_close(db);
	refuses(kit, "of another program");
}

static void newer_store_is_refused(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	kit_close(kit);
	kit_sql(kit, "PRAGMA user_version = 99");
	refuses(kit, "newer leadgate (its schema is 99");
}

/* As the first version made it: without what came later. */
static void older_store_is_brought_up_to_date(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};

	kit_open(kit);
	kit_post(kit, (struct post){.email = "old@x.example"});
	kit_close(kit);
	kit_sql(kit, "DROP INDEX attempt_last; ALTER TABLE attempt DROP COLUMN reason;"
		     "ALTER TABLE open DROP COLUMN since;"
		     "ALTER TABLE open DROP COLUMN batch_first;"
		     "ALTER TABLE open DROP COLUMN batch_last;"
		     "ALTER TABLE open DROP COLUMN batch_events;"
		     "INSERT INTO attempt VALUES ('crm', 1, 1, 1, 'dead', 400, NULL);"
		     "PRAGMA user_version = 1");
	assert_null(reader_open(kit->store.path, &error));
	assert_non_null(strstr(error.text, "older leadgate"));
	kit_open(kit);
	assert_int_equal(outbox_last_seq(kit->outbox), 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt WHERE reason IS NULL"), 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM sqlite_schema"
					" WHERE name = 'attempt_last'"),
			 1);
	kit_close(kit);
	kit_sql(kit, "PRAGMA user_version = 0");
	refuses(kit, "no released leadgate");
}

static void fill_and_close(struct kit *kit, int count)
{
	kit_open(kit);
	for (int i = 0; i < count; i++) {
		char email[32];
		snprintf(email, sizeof(email), "f%d@x.example", i);
		kit_post(kit, (struct post){.email = email});
	}
	kit_close(kit);
}

static void shortened_file_is_refused(void **state)
{
	struct kit *kit = *state;
	struct stat info;

	fill_and_close(kit, 200);
	assert_int_equal(stat(kit->path, &info), 0);
	assert_int_equal(truncate(kit->path, info.st_size / 2), 0);
	refuses(kit, "is damaged");
}

static void damaged_page_is_refused(void **state)
{
	struct kit *kit = *state;
	char noise[4096];
	int64_t root;

	fill_and_close(kit, 200);
	root = kit_count(kit, "SELECT rootpage FROM sqlite_schema WHERE name = 'identity'");
	memset(noise, 0x5a, sizeof(noise));
	int fd = open(kit->path, O_WRONLY);
	assert_int_equal(pwrite(fd, noise, sizeof(noise), (root - 1) * 4096), sizeof(noise));
	close(fd);
	refuses(kit, "damaged");
}

static void log_without_its_journal_is_kept(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	char log[200], aside[200];
	struct stat info;

	fill_and_close(kit, 3);
	snprintf(log, sizeof(log), "%s-wal", kit->path);
	snprintf(aside, sizeof(aside), "%s.aside", kit->path);
	assert_int_equal(rename(kit->path, aside), 0);
	write_file(log, "as a crash would leave it");
	assert_false(kit_try_open(kit, &error));
	assert_non_null(strstr(error.text, "is missing or empty, but its log"));
	assert_int_equal(stat(log, &info), 0);
	assert_true(info.st_size > 0);
	assert_int_equal(rename(aside, kit->path), 0);
	kit_open(kit);
	assert_int_equal(outbox_last_seq(kit->outbox), 3);
}

static void folder_that_is_not_there_is_named(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};

	kit->store.path = LG_SLICE("/nonexistent-folder/leads.db");
	assert_false(kit_try_open(kit, &error));
	assert_non_null(strstr(error.text, "/nonexistent-folder/leads.db"));
	assert_non_null(strstr(error.text, "folder"));
	kit->store.path = slice_from(kit->folder);
	assert_false(kit_try_open(kit, &error));
	assert_non_null(strstr(error.text, "is no file"));
	/* Its lock stands beside the folder. */
	char lock[200];
	snprintf(lock, sizeof(lock), "%s.lock", kit->folder);
	unlink(lock);
}

static void second_owner_is_refused(void **state)
{
	struct kit *kit = *state, other = *kit;
	struct error error = {""};
	char words[64];

	kit_open(kit);
	assert_false(kit_try_open(&other, &error));
	snprintf(words, sizeof(words), "in use by process %ld", (long)getpid());
	assert_non_null(strstr(error.text, words));
	kit_post(kit, (struct post){.email = "still@here.example"});
	kit_close(kit);
	kit_open(kit);
}

static void owner_in_another_process_is_named(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	int ready[2], done[2], status;
	char words[64], byte = 0;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(done), 0);
	pid_t child = fork();
	if (child == 0) {
		kit_open(kit);
		_exit(write(ready[1], &byte, 1) == 1 && read(done[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(ready[1]), close(done[0]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_false(kit_try_open(kit, &error));
	snprintf(words, sizeof(words), "in use by process %ld", (long)child);
	assert_non_null(strstr(error.text, words));
	assert_int_equal(write(done[1], &byte, 1), 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	close(ready[0]), close(done[1]);
	/* It ended without a word: the lock is free. */
	kit_open(kit);
}

static void secret_lives_with_the_store(void **state)
{
	struct kit *kit = *state;
	uint8_t secret[IDENTITY_SECRET_BYTES];

	kit_open(kit);
	memcpy(secret, outbox_secret(kit->outbox), sizeof(secret));
	kit_close(kit);
	kit_open(kit);
	assert_memory_equal(secret, outbox_secret(kit->outbox), sizeof(secret));
}

static void keys_of_the_configuration_count(void **state)
{
	struct kit *kit = *state;
	static const struct lg_slice only[] = {{"phone", 5}};

	kit->dedup.keys = (struct lg_list){only, 1};
	kit_open(kit);
	assert_int_equal(outbox_key_kinds(kit->outbox), 1u << IDENTITY_PHONE);
	kit_post(kit, (struct post){.name = "A", .email = "a@x.example"});
	assert_int_equal(kit_post(kit, (struct post){.name = "B", .email = "a@x.example"}).verdict,
			 CAPTURE_CREATED);
}

static void unknown_key_is_named(void **state)
{
	struct kit *kit = *state;
	static const struct lg_slice names[] = {{"phone", 5}, {"fax", 3}};
	struct error error = {""};

	kit->dedup.keys = (struct lg_list){names, 2};
	assert_false(kit_try_open(kit, &error));
	assert_string_equal(error.text, "\"fax\" is none of email, phone, profile");
}

static void page_size_is_chosen_once(void **state)
{
	struct kit *kit = *state;

	kit->store.page_bytes = 8192;
	kit_open(kit);
	kit_close(kit);
	kit->store.page_bytes = 4096;
	kit_open(kit);
	assert_int_equal(kit_count(kit, "PRAGMA page_size"), 8192);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(no_database_is_refused),
		STORE_TEST(foreign_database_is_refused),
		STORE_TEST(marked_database_is_refused),
		STORE_TEST(newer_store_is_refused),
		STORE_TEST(older_store_is_brought_up_to_date),
		STORE_TEST(shortened_file_is_refused),
		STORE_TEST(damaged_page_is_refused),
		STORE_TEST(log_without_its_journal_is_kept),
		STORE_TEST(folder_that_is_not_there_is_named),
		STORE_TEST(second_owner_is_refused),
		STORE_TEST(owner_in_another_process_is_named),
		STORE_TEST(secret_lives_with_the_store),
		STORE_TEST(keys_of_the_configuration_count),
		STORE_TEST(unknown_key_is_named),
		STORE_TEST(page_size_is_chosen_once),
	};
	return RUN(tests);
}
