#include "unit.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/counter.h"
#include "base/log.h"

/* SQLite calls these of ours: the disk fails when a test says so; `journal_stuck` is one that
 * has room for the log, which is long enough, and none for the journal itself. */
static atomic_bool disk_full, journal_stuck, sync_fails;

int fdatasync(int fd)
{
	if (atomic_load(&sync_fails)) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

static bool is_log(int fd)
{
	char link[64], path[400];
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path));
	return length > 4 && memcmp(path + length - 4, "-wal", 4) == 0;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	if (atomic_load(&disk_full) || (atomic_load(&journal_stuck) && !is_log(fd))) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, at);
}

int statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	memset(out, 0, sizeof(*out));
	out->f_frsize = 4096;
	out->f_bavail = atomic_load(&disk_full) || atomic_load(&journal_stuck) ? 0 : 1 << 30;
	return 0;
}

static struct post person(char email[32], int number)
{
	snprintf(email, 32, "w%d@x.example", number);
	return (struct post){.email = email};
}

/* Another process writes: our writer waits in its transaction. */
static sqlite3 *hold_the_store(struct kit *kit)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(kit->path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 60000);
	assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void let_go(sqlite3 *db)
{
	assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static size_t submit_until_refused(struct kit *kit, size_t most)
{
	size_t taken = 0;

	for (; taken < most; taken++) {
		char email[32];
		struct post post = person(email, (int)taken);
		struct submission *submission = kit_make(kit, &post, 1);
		if (!outbox_submit(kit->outbox, submission)) {
			kit_free(submission);
			break;
		}
	}
	return taken;
}

static void drain(struct kit *kit, size_t count, enum submission_status status)
{
	while (count-- > 0) {
		struct submission *submission = (struct submission *)(void *)kit_reply(kit);
		assert_int_equal(submission->status, status);
		kit_free(submission);
	}
}

static void queue_has_a_bound(void **state)
{
	struct kit *kit = *state;

	kit->store.queue_submissions = 5;
	kit_open(kit);
	sqlite3 *other = hold_the_store(kit);
	assert_int_equal(submit_until_refused(kit, 100), 5);
	let_go(other);
	drain(kit, 5, SUBMISSION_STORED);
	kit_post(kit, (struct post){.email = "after@x.example"});
	assert_int_equal(outbox_last_seq(kit->outbox), 6);
}

/* Nothing waits any more: nobody else may come for long who would say so. */
static void the_queue_is_told_to_be_empty(void **state)
{
	struct kit *kit = *state;
	int gauge = counter_register(COUNTER_GAUGE, "leadgate_store_queue_submissions", "", "");

	kit_open(kit);
	kit_post(kit, (struct post){.email = "last@x.example"});
	assert_int_equal(counter_read(gauge), 0);
}

static void queue_has_a_bound_in_bytes(void **state)
{
	struct kit *kit = *state;

	kit->store.queue_bytes = 5000;
	kit_open(kit);
	sqlite3 *other = hold_the_store(kit);
	size_t taken = submit_until_refused(kit, 100);
	assert_in_range(taken, 2, 20);
	let_go(other);
	drain(kit, taken, SUBMISSION_STORED);
	assert_int_equal(submit_until_refused(kit, 1), 1);
	drain(kit, 1, SUBMISSION_STORED);
}

static void answers_come_in_order(void **state)
{
	struct kit *kit = *state;

	kit->store.batch_captures = 3;
	kit_open(kit);
	sqlite3 *other = hold_the_store(kit);
	assert_int_equal(submit_until_refused(kit, 20), 20);
	let_go(other);
	for (int64_t i = 1; i <= 20; i++) {
		struct submission *submission = (struct submission *)(void *)kit_reply(kit);
		assert_int_equal(submission->captures[0].seq, i);
		kit_free(submission);
	}
}

#define CHAIN 20

/* What comes together is committed together. */
static void a_chain_is_one_commit(void **state)
{
	struct kit *kit = *state;
	struct letter *oldest = NULL, **newest = &oldest;
	struct outbox_stats before, after;

	kit_open(kit);
	outbox_stats(kit->outbox, &before);
	for (int i = 0; i < CHAIN; i++) {
		char email[32];
		struct post post = person(email, i);
		struct submission *submission = kit_make(kit, &post, 1);
		assert_true(outbox_admit(kit->outbox, submission));
		submission->letter.next = NULL;
		*newest = &submission->letter;
		newest = &submission->letter.next;
	}
	outbox_send(kit->outbox, oldest);
	for (int64_t i = 1; i <= CHAIN; i++) {
		struct submission *submission = (struct submission *)(void *)kit_reply(kit);
		assert_int_equal(submission->captures[0].seq, i);
		kit_free(submission);
	}
	outbox_stats(kit->outbox, &after);
	assert_int_equal(after.commits, before.commits + 1);
}

/* One that cannot be stored takes nobody with it. */
static void culprit_is_taken_out(void **state)
{
	struct kit *kit = *state;
	struct submission *submissions[5];

	kit_open(kit);
	struct capture first = kit_post(kit, (struct post){.email = "first@x.example"});
	sqlite3 *other = hold_the_store(kit);
	for (int i = 0; i < 5; i++) {
		char email[32];
		struct post post = person(email, i);
		submissions[i] = kit_make(kit, &post, 1);
		if (i == 2) /* an id that is taken */
			memcpy(submissions[i]->captures[0].lead_id, first.lead_id, UUID_BYTES);
		assert_true(outbox_submit(kit->outbox, submissions[i]));
	}
	let_go(other);
	for (int i = 0; i < 5; i++)
		kit_reply(kit);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(submissions[i]->status,
				 i == 2 ? SUBMISSION_FAILED : SUBMISSION_STORED);
		if (i == 2)
			assert_string_equal(submissions[i]->unfit, "constraint failed");
		kit_free(submissions[i]);
	}
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 5);
	/* Its keys are not in the index: the same person is new. */
	char email[32];
	assert_int_equal(kit_post(kit, person(email, 2)).verdict, CAPTURE_CREATED);
}

static void settle_one(struct kit *kit, int64_t seq, bool expected)
{
	const struct settled_event event = {.seq = seq, .state = DELIVERY_DELIVERED};
	struct settlement settlement = {.reply = &kit->replies,
					.sink = LG_SLICE("s"),
					.first = true,
					.first_seq = seq,
					.last_seq = seq,
					.events = &event,
					.count = 1,
					.at_ms = 1};

	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_int_equal(settlement.stored, expected);
}

static void await_ready(struct kit *kit)
{
	int64_t until_ms = clock_monotonic_ms() + 300000;

	while (!outbox_ready(kit->outbox, NULL)) {
		if (clock_monotonic_ms() > until_ms)
			fail_msg("the store does not resume");
		clock_sleep_ms(5);
	}
}

static void full_disk_answers_and_resumes(void **state)
{
	struct kit *kit = *state;
	const char *reason;
	char email[32];

	kit_open(kit);
	kit_post(kit, person(email, 0));
	assert_true(outbox_ready(kit->outbox, &reason));
	assert_null(reason);
	atomic_store(&disk_full, true);
	struct post post = person(email, 1);
	struct submission *refused = kit_submit(kit, &post, 1);
	assert_int_equal(refused->status, SUBMISSION_FULL);
	kit_free(refused);
	assert_false(outbox_ready(kit->outbox, &reason));
	assert_string_equal(reason, "the disk of the journal is full");
	assert_int_equal(submit_until_refused(kit, 10), 0);
	settle_one(kit, 1, false);
	atomic_store(&disk_full, false);
	await_ready(kit);
	settle_one(kit, 1, true);
	/* What was refused left nothing behind, in the journal or in the index. */
	assert_int_equal(kit_post(kit, person(email, 1)).verdict, CAPTURE_CREATED);
	assert_int_equal(kit_post(kit, person(email, 1)).verdict, CAPTURE_REPEATED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 2);
}

/* A checkpoint finds it out, when the writer has nothing to do and nobody wakes it: leads are
 * refused at the door. */
static void full_disk_that_a_checkpoint_finds_resumes(void **state)
{
	struct kit *kit = *state;
	int64_t frame_bytes = kit->store.page_bytes + 24;
	int64_t until_ms = clock_monotonic_ms() + 60000;
	struct outbox_stats stats;
	char email[32];
	int number = 0;

	kit->store.wal_bytes = 256 << 10;
	kit_open(kit);
	atomic_store(&journal_stuck, true);
	do {
		kit_post(kit, person(email, number++));
		outbox_stats(kit->outbox, &stats);
	} while (stats.wal_bytes + frame_bytes <= kit->store.wal_bytes);
	while (outbox_ready(kit->outbox, NULL) && clock_monotonic_ms() < until_ms)
		clock_sleep_ms(5);
	assert_false(outbox_ready(kit->outbox, NULL));
	atomic_store(&journal_stuck, false);
	await_ready(kit);
	assert_int_equal(kit_post(kit, person(email, number)).verdict, CAPTURE_CREATED);
}

/* Sinks that have much to catch up with settle without a pause. */
static void full_disk_resumes_beside_settlements(void **state)
{
	struct kit *kit = *state;
	char email[32];
	int64_t until_ms = clock_monotonic_ms() + 20000;

	kit_open(kit);
	atomic_store(&disk_full, true);
	struct post post = person(email, 1);
	struct submission *refused = kit_submit(kit, &post, 1);
	assert_int_equal(refused->status, SUBMISSION_FULL);
	kit_free(refused);
	atomic_store(&disk_full, false);
	for (int64_t seq = 1; !outbox_ready(kit->outbox, NULL); seq++) {
		if (clock_monotonic_ms() > until_ms)
			fail_msg("the store does not resume");
		settle_one(kit, seq, true);
	}
}

static void max_size_is_kept(void **state)
{
	struct kit *kit = *state;
	char message[4000], email[32];
	const char *reason;
	int64_t seq = 0;
	enum submission_status status;

	memset(message, 'x', sizeof(message));
	message[sizeof(message) - 1] = '\0';
	kit->store.max_size_bytes = 1 << 20;
	kit_open(kit);
	do {
		struct post post = person(email, (int)seq++);
		post.message = message;
		struct submission *submission = kit_submit(kit, &post, 1);
		status = submission->status;
		kit_free(submission);
	} while (status == SUBMISSION_STORED && seq < 1000);
	assert_int_equal(status, SUBMISSION_FULL);
	assert_in_range(seq, 100, 300);
	assert_false(outbox_ready(kit->outbox, &reason));
	assert_string_equal(reason, "the journal has reached store.max_size");
	assert_int_equal(submit_until_refused(kit, 10), 0);
	/* Sinks go on, and their settlements are stored. */
	for (int64_t i = 1; i <= 50; i++)
		settle_one(kit, i, true);
	assert_true(kit_count(kit, "PRAGMA page_count") * 4096 <= 1 << 20);
	kit_sql(kit, "DELETE FROM event WHERE seq < 60");
	await_ready(kit);
	kit_post(kit, person(email, 5000));
}

/* In a child: ends with a signal before anything is answered. */
static void fail_a_sync(struct kit *kit)
{
	char email[32];

	kit_open(kit);
	kit_post(kit, person(email, 0));
	kit_post(kit, person(email, 1));
	log_setup(STDOUT_FILENO, LOG_LOGFMT, -1); /* its last words are meant */
	atomic_store(&sync_fails, true);
	struct post post = person(email, 2);
	kit_submit(kit, &post, 1);
	_exit(0);
}

static void failed_sync_ends_the_process(void **state)
{
	struct kit *kit = *state;
	char email[32];
	int status;

	pid_t child = fork();
	if (child == 0)
		fail_a_sync(kit);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	/* What was acknowledged is there. */
	kit_open(kit);
	assert_int_equal(kit_post(kit, person(email, 0)).verdict, CAPTURE_REPEATED);
	assert_int_equal(kit_post(kit, person(email, 1)).verdict, CAPTURE_REPEATED);
}

static void watchers_are_poked(void **state)
{
	struct kit *kit = *state;
	struct mailbox box;
	char email[32];

	kit_open(kit);
	assert_true(mailbox_init(&box));
	assert_true(outbox_watch(kit->outbox, &box));
	kit_post(kit, person(email, 0));
	assert_true(mailbox_wait(&box, 10000));
	mailbox_take(&box);
	/* What adds no event wakes nobody: its answer comes after the pokes. */
	kit_post(kit, person(email, 0));
	kit_post(kit, person(email, 0));
	assert_false(mailbox_wait(&box, 0));
	outbox_unwatch(kit->outbox, &box);
	kit_post(kit, person(email, 1));
	kit_post(kit, person(email, 1));
	assert_false(mailbox_wait(&box, 0));
	mailbox_fini(&box);
}

/* Adds an event; tells whether that poked. The repetition adds none, but its
 * answer comes after the poke. */
static bool post_pokes(struct kit *kit, int number, struct mailbox *box)
{
	char email[32];

	kit_post(kit, person(email, number));
	assert_int_equal(kit_post(kit, person(email, number)).verdict, CAPTURE_REPEATED);
	bool poked = mailbox_wait(box, 0);
	mailbox_take(box);
	return poked;
}

static void a_watcher_awaits_a_seq(void **state)
{
	struct kit *kit = *state;
	struct mailbox box;

	kit_open(kit);
	assert_true(mailbox_init(&box));
	assert_true(outbox_watch(kit->outbox, &box));
	assert_true(outbox_await(kit->outbox, &box, 3));
	assert_false(post_pokes(kit, 1, &box));
	assert_false(post_pokes(kit, 2, &box));
	assert_true(post_pokes(kit, 3, &box));
	assert_false(post_pokes(kit, 4, &box));
	assert_false(outbox_await(kit->outbox, &box, 4));
	assert_true(outbox_await(kit->outbox, &box, INT64_MAX));
	assert_false(post_pokes(kit, 5, &box));
	outbox_unwatch(kit->outbox, &box);
	mailbox_fini(&box);
}

static void watchers_have_a_bound(void **state)
{
	struct kit *kit = *state;
	struct mailbox box;

	kit_open(kit);
	assert_true(mailbox_init(&box));
	for (int i = 0; i < OUTBOX_WATCHERS; i++)
		assert_true(outbox_watch(kit->outbox, &box));
	assert_false(outbox_watch(kit->outbox, &box));
	for (int i = 0; i < OUTBOX_WATCHERS; i++)
		outbox_unwatch(kit->outbox, &box);
	mailbox_fini(&box);
}

/* Each allocation of opening fails in turn: a reason, never a crash or leak. */
static void opening_without_memory_is_refused(void **state)
{
	struct kit *kit = *state;
	struct error error;
	int64_t n = 0;
	bool opened;
	char email[32];

	kit_open(kit);
	kit_post(kit, person(email, 0));
	kit_close(kit);
	do {
		error.text[0] = '\0';
		alloc_fail_at(++n);
		opened = kit_try_open(kit, &error);
		bool failed = alloc_failed();
		alloc_fail_at(0);
		assert_true(opened || error.text[0]);
		if (opened)
			kit_close(kit);
		if (!failed)
			break;
	} while (n < 1000);
	assert_true(opened);
	assert_in_range(n, 2, 999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(queue_has_a_bound),
		STORE_TEST(the_queue_is_told_to_be_empty),
		STORE_TEST(queue_has_a_bound_in_bytes),
		STORE_TEST(answers_come_in_order),
		STORE_TEST(a_chain_is_one_commit),
		STORE_TEST(culprit_is_taken_out),
		STORE_TEST(full_disk_answers_and_resumes),
		STORE_TEST(full_disk_that_a_checkpoint_finds_resumes),
		STORE_TEST(full_disk_resumes_beside_settlements),
		STORE_TEST(max_size_is_kept),
		STORE_TEST(failed_sync_ends_the_process),
		STORE_TEST(watchers_are_poked),
		STORE_TEST(a_watcher_awaits_a_seq),
		STORE_TEST(watchers_have_a_bound),
		STORE_TEST(opening_without_memory_is_refused),
	};
	return RUN(tests);
}
