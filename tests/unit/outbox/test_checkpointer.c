#include "unit.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "outbox/gate.h"

/* Only so that a test which hangs ends. */
#define PATIENCE_MS 300000

static int64_t log_size(struct kit *kit)
{
	char path[200];
	struct stat info;

	snprintf(path, sizeof(path), "%s-wal", kit->path);
	return stat(path, &info) == 0 ? info.st_size : -1;
}

static void post_number(struct kit *kit, int number)
{
	char email[32];

	snprintf(email, sizeof(email), "c%d@x.example", number);
	kit_post(kit, (struct post){.email = email, .message = "some words to fill a page with"});
}

/* Posts until the checkpoints that were done are more than `before`. */
static int post_until_checkpoint(struct kit *kit, int number, int64_t before)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	struct outbox_stats stats;

	do {
		if (clock_monotonic_ms() > until_ms)
			fail_msg("no checkpoint comes");
		post_number(kit, number++);
		outbox_stats(kit->outbox, &stats);
	} while (stats.checkpoints <= before);
	return number;
}

static void log_is_emptied_again_and_again(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats stats;
	int number = 0;

	kit->store.wal_bytes = 256 << 10;
	kit_open(kit);
	outbox_stats(kit->outbox, &stats);
	for (int64_t i = 0; i < 5; i++)
		number = post_until_checkpoint(kit, number, stats.checkpoints + i);
	outbox_stats(kit->outbox, &stats);
	assert_true(stats.wal_bytes < stats.store_bytes + (1 << 20));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), number);
	kit_close(kit);
	/* Nothing is left in the log, and all is in the journal. */
	assert_int_equal(log_size(kit), 0);
	kit_open(kit);
	assert_int_equal(outbox_last_seq(kit->outbox), number);
}

static void log_in_use_is_sized_beforehand(void **state)
{
	struct kit *kit = *state;
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
	int number = 0;

	kit->store.wal_bytes = 4 << 20;
	kit_open(kit);
	/* Enough to say that it is in use, far too little to make it so long. */
	while (number < 30)
		post_number(kit, number++);
	while (log_size(kit) < 2 * kit->store.wal_bytes) {
		if (clock_monotonic_ms() > until_ms)
			fail_msg("the log has %lld bytes", (long long)log_size(kit));
		clock_sleep_ms(1);
	}
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), number);
}

/* Somebody reads for long: nothing is lost or blocked, and when it is over the
 * log is emptied. */
static void old_reader_only_delays(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats stats, later;
	sqlite3 *db;
	int number = 0;

	kit->store.wal_bytes = 256 << 10;
	kit_open(kit);
	post_number(kit, number++);
	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 60000);
	assert_int_equal(sqlite3_exec(db, "BEGIN; SELECT count(*) FROM event", NULL, NULL, NULL),
			 SQLITE_OK);
	outbox_stats(kit->outbox, &stats);
	while (number < 300)
		post_number(kit, number++);
	outbox_stats(kit->outbox, &later);
	assert_int_equal(later.checkpoints, stats.checkpoints);
	assert_true(later.wal_bytes > kit->store.wal_bytes);
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	number = post_until_checkpoint(kit, number, later.checkpoints);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), number);
}

/* ---- the gate ---- */

struct passage {
	struct gate gate;
	_Atomic(int) passed;
};

static void *pass(void *argument)
{
	struct passage *passage = argument;

	for (int i = 0; i < 1000; i++) {
		gate_enter(&passage->gate);
		passage->passed++;
		gate_leave(&passage->gate);
	}
	return NULL;
}

static void held_gate_lets_nobody_in(void **state)
{
	struct passage passage = {.passed = 0};
	pthread_t thread;

	(void)state;
	gate_init(&passage.gate);
	gate_hold(&passage.gate);
	assert_int_equal(pthread_create(&thread, NULL, pass, &passage), 0);
	for (int i = 0; i < 1000; i++) {
		int before = passage.passed;
		assert_int_equal(passage.passed, before);
		gate_release(&passage.gate);
		gate_hold(&passage.gate);
	}
	gate_release(&passage.gate);
	pthread_join(thread, NULL);
	assert_int_equal(passage.passed, 1000);
	gate_fini(&passage.gate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(log_is_emptied_again_and_again),
		STORE_TEST(log_in_use_is_sized_beforehand),
		STORE_TEST(old_reader_only_delays),
		cmocka_unit_test(held_gate_lets_nobody_in),
	};
	return RUN(tests);
}
