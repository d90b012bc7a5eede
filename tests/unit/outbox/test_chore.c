#include "unit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

#define CRM LG_SLICE("crm")

/* SQLite calls this one of ours: the disk is full when a test says so. */
static atomic_bool disk_full;

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	if (atomic_load(&disk_full)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, data, size, at);
}

static void post_many(struct kit *kit, int count)
{
	static int number;

	for (int i = 0; i < count; i++) {
		char email[32];
		snprintf(email, sizeof(email), "c%d@x.example", number++);
		kit_post(kit, (struct post){.email = email});
	}
}

static void done(struct kit *kit, struct chore *chore)
{
	if (!outbox_do_now(kit->outbox, chore))
		kit_fail("a chore was not done: %s", chore->error.text);
}

static struct sink_state state_of(struct kit *kit, struct lg_slice sink)
{
	struct error error = {""};
	struct sink_state state;
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader || !reader_sink_state(reader, sink, &state, &error))
		kit_fail("%s", error.text);
	reader_close(&reader);
	return state;
}

static void pause_lasts_until_resume(void **state)
{
	struct kit *kit = *state;
	struct chore pause = {.kind = CHORE_PAUSE, .sink = CRM, .text = LG_SLICE("over lunch")};
	struct chore resume = {.kind = CHORE_RESUME, .sink = CRM};

	kit_open(kit);
	assert_false(state_of(kit, CRM).paused);
	done(kit, &pause);
	assert_int_equal(pause.count, 1);
	kit_close(kit);
	kit_open(kit);
	assert_true(state_of(kit, CRM).paused);
	assert_string_equal(state_of(kit, CRM).reason, "over lunch");
	assert_false(state_of(kit, LG_SLICE("other")).paused);
	done(kit, &resume);
	assert_int_equal(resume.count, 1);
	assert_false(state_of(kit, CRM).paused);
	resume = (struct chore){.kind = CHORE_RESUME, .sink = CRM};
	done(kit, &resume);
	assert_int_equal(resume.count, 0);
}

/* Of the first `count` events all are open for the sink and wait until `due_ms`, but the
 * first, which is a dead letter, and the second, which waits for another one. */
static void leave_open(struct kit *kit, struct lg_slice sink, int64_t count, int64_t due_ms)
{
	struct settled_event *events = calloc((size_t)count, sizeof(*events));
	struct settlement settlement = {.reply = &kit->replies,
					.sink = sink,
					.first = true,
					.first_seq = 1,
					.last_seq = count,
					.events = events,
					.count = (size_t)count,
					.at_ms = 1000};

	for (int64_t i = 0; i < count; i++)
		events[i] = (struct settled_event){.seq = i + 1,
						   .state = i ? DELIVERY_RETRY : DELIVERY_DEAD,
						   .attempts = 3,
						   .since_ms = 900,
						   .due_ms = i == 1 ? 0 : due_ms};
	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_true(settlement.stored);
	free(events);
}

/* More than one step takes. What it waits for besides a time is none of an operator's. */
static void resume_ends_the_wait_of_events(void **state)
{
	enum { EVENTS = 5300 };
	struct kit *kit = *state;
	struct chore resume = {.kind = CHORE_RESUME, .sink = CRM};
	int64_t now_ms = clock_wall_ms();

	kit_open(kit);
	leave_open(kit, CRM, EVENTS, now_ms + 86400000);
	leave_open(kit, LG_SLICE("other"), 3, now_ms + 86400000);
	done(kit, &resume);
	assert_int_equal(resume.count, 0);
	assert_int_equal(kit_count(kit, "SELECT count(DISTINCT due) FROM open WHERE sink = 'crm'"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open WHERE sink = 'crm' AND"
					" due <= unixepoch() * 1000 + 999 AND state = 'retry'"
					" AND attempts = 3 AND since = 900"),
			 EVENTS - 2);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open WHERE sink = 'crm' AND"
					" due IS NULL AND seq <= 2"),
			 2);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open WHERE sink = 'other' AND"
					" due > unixepoch() * 1000 + 999"),
			 1);
}

/* What is due sooner keeps its place before the others. */
static void resume_makes_nothing_later(void **state)
{
	struct kit *kit = *state;
	struct chore resume = {.kind = CHORE_RESUME, .sink = CRM};

	kit_open(kit);
	leave_open(kit, CRM, 3, 5000);
	done(kit, &resume);
	assert_int_equal(kit_count(kit, "SELECT due FROM open WHERE seq = 3"), 5000);
}

static void epoch_rises_and_watchers_are_poked(void **state)
{
	struct kit *kit = *state;
	struct chore pause = {.kind = CHORE_PAUSE, .sink = CRM};
	struct mailbox watcher;
	int64_t before;

	kit_open(kit);
	assert_true(mailbox_init(&watcher));
	assert_true(outbox_watch(kit->outbox, &watcher));
	assert_true(outbox_await(kit->outbox, &watcher, INT64_MAX));
	before = outbox_sink_epoch(kit->outbox);
	done(kit, &pause);
	assert_int_equal(outbox_sink_epoch(kit->outbox), before + 1);
	assert_true(mailbox_wait(&watcher, 60000));
	/* What it awaits has not changed: a commit that does not reach it is silent. */
	mailbox_take(&watcher);
	post_many(kit, 1);
	assert_false(mailbox_wait(&watcher, 0));
	outbox_unwatch(kit->outbox, &watcher);
	mailbox_fini(&watcher);
}

static struct sink_tally tally_of(struct kit *kit, struct lg_slice sink)
{
	struct error error = {""};
	struct sink_tally tally;
	struct arena arena;
	struct reader *reader = reader_open(kit->store.path, &error);

	arena_init(&arena, 4096, 0);
	if (!reader || !reader_tally(reader, &arena, sink, &tally, &error))
		kit_fail("%s", error.text);
	arena_fini(&arena);
	reader_close(&reader);
	return tally;
}

static void begin_settles_what_was_before(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 4};
	struct sink_tally tally;

	kit_open(kit);
	post_many(kit, 2);
	kit_post(kit, (struct post){.email = "trap@x.example", .trapped = true});
	post_many(kit, 3);
	assert_false(state_of(kit, CRM).begun);
	done(kit, &chore);
	assert_int_equal(chore.count, 4);
	assert_true(state_of(kit, CRM).begun);
	tally = tally_of(kit, CRM);
	assert_int_equal(tally.position, 4);
	assert_int_equal(tally.by_state[DELIVERY_FILTERED], 3);
	assert_int_equal(tally.by_state[DELIVERY_DISCARDED], 1);
	assert_int_equal(tally.by_state[DELIVERY_PENDING], 2);
	/* A second order changes nothing. */
	chore = (struct chore){.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 6};
	done(kit, &chore);
	assert_int_equal(chore.count, 0);
	assert_int_equal(tally_of(kit, CRM).position, 4);
}

static void begin_at_the_beginning_is_remembered(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 0};

	kit_open(kit);
	done(kit, &chore);
	assert_true(state_of(kit, CRM).begun);
	post_many(kit, 3);
	/* "now" asked for again after a restart must not skip what came since. */
	chore = (struct chore){.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 3};
	done(kit, &chore);
	assert_int_equal(tally_of(kit, CRM).by_state[DELIVERY_PENDING], 3);
}

static void begin_counts_real_events(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 1000};
	struct sink_tally tally;

	kit_open(kit);
	post_many(kit, 5);
	kit_close(kit);
	kit_sql(kit, "DELETE FROM event WHERE seq IN (1, 3)");
	kit_open(kit);
	done(kit, &chore);
	assert_int_equal(chore.count, 3);
	tally = tally_of(kit, CRM);
	assert_int_equal(tally.position, 5);
	assert_int_equal(tally.by_state[DELIVERY_FILTERED], 3);
}

static void unknown_kind_is_an_answer(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = (enum chore_kind)99, .sink = CRM};

	kit_open(kit);
	assert_false(outbox_do_now(kit->outbox, &chore));
	assert_string_equal(chore.error.text, "there is no such chore");
}

/* It says so, nothing is changed, and nobody else is harmed by it. */
static void full_disk_is_an_answer(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 2};
	const char *reason;

	kit_open(kit);
	post_many(kit, 3);
	atomic_store(&disk_full, true);
	assert_false(outbox_do_now(kit->outbox, &chore));
	assert_non_null(strstr(chore.error.text, "the disk of the journal is full, or"));
	assert_non_null(strstr(chore.error.text, "nothing was changed"));
	assert_true(outbox_ready(kit->outbox, &reason));
	atomic_store(&disk_full, false);
	assert_false(state_of(kit, CRM).begun);
	post_many(kit, 1);
	chore = (struct chore){.kind = CHORE_BEGIN, .sink = CRM, .last_seq = 2};
	done(kit, &chore);
	assert_int_equal(chore.count, 2);
	assert_int_equal(tally_of(kit, CRM).by_state[DELIVERY_PENDING], 2);
}

/* What waits for the writer when the store is closed is done before. */
static void closing_ends_what_was_ordered(void **state)
{
	struct kit *kit = *state;
	struct chore chores[3] = {
		{.reply = &kit->replies, .kind = CHORE_PAUSE, .sink = CRM},
		{.reply = &kit->replies, .kind = CHORE_BEGIN, .sink = CRM, .last_seq = 5},
		{.reply = &kit->replies, .kind = CHORE_RESUME, .sink = CRM},
	};

	kit_open(kit);
	post_many(kit, 5);
	for (size_t i = 0; i < 3; i++)
		outbox_do(kit->outbox, &chores[i]);
	kit_close(kit);
	for (size_t i = 0; i < 3; i++) {
		assert_ptr_equal(kit_reply(kit), &chores[i].letter);
		assert_true(chores[i].done);
	}
	assert_false(state_of(kit, CRM).paused);
	assert_int_equal(tally_of(kit, CRM).position, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(pause_lasts_until_resume),
		STORE_TEST(resume_ends_the_wait_of_events),
		STORE_TEST(resume_makes_nothing_later),
		STORE_TEST(epoch_rises_and_watchers_are_poked),
		STORE_TEST(begin_settles_what_was_before),
		STORE_TEST(begin_at_the_beginning_is_remembered),
		STORE_TEST(begin_counts_real_events),
		STORE_TEST(unknown_kind_is_an_answer),
		STORE_TEST(full_disk_is_an_answer),
		STORE_TEST(closing_ends_what_was_ordered),
	};

	return RUN(tests);
}
