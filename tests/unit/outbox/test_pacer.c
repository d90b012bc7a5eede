#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "outbox/pacer.h"
#include "outbox/pacer_vfs.h"

static int temporary_file(void)
{
	char path[] = "/tmp/leadgate-pacer.XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void pushes_after_each_step(void **state)
{
	struct pacer pacer;
	int fd = temporary_file();
	int64_t at = 0;

	(void)state;
	pacer_init(&pacer, fd);
	for (; at < PACER_STEP_BYTES - 4096; at += 4096) {
		pacer_written(&pacer, at, 4096);
		assert_int_equal(pacer.written_bytes, at + 4096);
		assert_int_equal(pacer.count, 1);
	}
	pacer_written(&pacer, at, 4096);
	assert_int_equal(pacer.written_bytes, 0);
	assert_int_equal(pacer.count, 0);
	assert_int_equal(pacer.fd, fd);
	close(fd);
}

/* Scattered writes: never a range over the whole file. */
static void far_writes_stay_apart(void **state)
{
	struct pacer pacer;
	int fd = temporary_file();

	(void)state;
	pacer_init(&pacer, fd);
	for (int64_t i = 0; i < PACER_EXTENTS; i++)
		pacer_written(&pacer, i << 30, 4096);
	assert_int_equal(pacer.count, PACER_EXTENTS);
	for (int i = 0; i < PACER_EXTENTS; i++)
		assert_int_equal(pacer.extents[i].end - pacer.extents[i].start, 4096);
	/* Near ones are one, whichever comes first. */
	pacer_written(&pacer, (INT64_C(3) << 30) + 8192, 4096);
	pacer_written(&pacer, (INT64_C(3) << 30) - 4096, 4096);
	assert_int_equal(pacer.count, PACER_EXTENTS);
	assert_int_equal(pacer.extents[3].end - pacer.extents[3].start, 16384);
	/* One more than there is room for pushes the others. */
	pacer_written(&pacer, INT64_C(99) << 30, 4096);
	assert_int_equal(pacer.count, 1);
	pacer_synced(&pacer);
	assert_int_equal(pacer.count, 0);
	close(fd);
}

static void does_nothing_where_it_cannot(void **state)
{
	struct pacer pacer;
	int ends[2];

	(void)state;
	pacer_init(&pacer, -1);
	pacer_written(&pacer, 0, 10 * PACER_STEP_BYTES);
	assert_int_equal(pacer.written_bytes, 0);
	assert_int_equal(pipe(ends), 0);
	pacer_init(&pacer, ends[1]);
	pacer_written(&pacer, 0, PACER_STEP_BYTES);
	assert_int_equal(pacer.fd, -1);
	pacer_written(&pacer, 0, PACER_STEP_BYTES);
	close(ends[0]);
	close(ends[1]);
}

static void run(sqlite3 *db, const char *sql)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

/* In every mode SQLite finds what it wrote, with the shim and without. */
static void passes_everything_on(void **state)
{
	struct kit *kit = *state;
	static const char *const modes[] = {"PRAGMA journal_mode = DELETE",
					    "PRAGMA journal_mode = WAL",
					    "PRAGMA journal_mode = TRUNCATE"};
	const char *vfs = pacer_vfs_register();
	sqlite3 *db;

	assert_non_null(vfs);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(sqlite3_open_v2(kit->path, &db,
						 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs),
				 SQLITE_OK);
		run(db, modes[i]);
		run(db, "PRAGMA mmap_size = 1000000");
		run(db, "CREATE TABLE IF NOT EXISTS t (a); BEGIN");
		run(db,
		    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 3000)"
		    " INSERT INTO t SELECT randomblob(300) FROM n; COMMIT; PRAGMA wal_checkpoint");
		run(db, "DELETE FROM t WHERE rowid % 2; VACUUM");
		sqlite3_close(db);
		assert_int_equal(
			kit_count(kit, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"),
			1);
	}
	assert_true(kit_count(kit, "SELECT count(*) FROM t") > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pushes_after_each_step),
		cmocka_unit_test(far_writes_stay_apart),
		cmocka_unit_test(does_nothing_where_it_cannot),
		STORE_TEST(passes_everything_on),
	};
	return RUN(tests);
}
