#include "unit.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "outbox/balance.h"

#define CRM LG_SLICE("crm")
#define OTHER LG_SLICE("other")
/* What these tests call old and young. */
#define OLD_MS INT64_C(1700000000000)
#define CUT_MS INT64_C(1750000000000)
#define YOUNG_MS INT64_C(1790000000000)

static struct capture post_at(struct kit *kit, int person, int64_t at_ms)
{
	char email[32], message[32];
	static int number;

	snprintf(email, sizeof(email), "p%d@x.example", person);
	snprintf(message, sizeof(message), "words %d", number++);
	return kit_post(kit, (struct post){.email = email, .message = message, .at_ms = at_ms});
}

/* A letter an event from `first_seq` on, as first-hand outcomes: d, f, x, r. */
static void settle(struct kit *kit, struct lg_slice sink, int64_t first_seq, const char *states)
{
	struct settled_event events[64] = {{.seq = 0}};
	size_t count = strlen(states);
	struct settlement settlement = {.reply = &kit->replies,
					.sink = sink,
					.first = true,
					.first_seq = first_seq,
					.last_seq = first_seq + (int64_t)count - 1,
					.events = events,
					.count = count,
					.at_ms = 1000};

	for (size_t i = 0; i < count; i++)
		events[i] = (struct settled_event){
			.seq = first_seq + (int64_t)i,
			.state = states[i] == 'd'   ? DELIVERY_DELIVERED
				 : states[i] == 'f' ? DELIVERY_FILTERED
				 : states[i] == 'x' ? DELIVERY_DEAD
						    : DELIVERY_RETRY,
			.due_ms = 5000,
			.external_id = states[i] == 'd' ? LG_SLICE("theirs") : slice_of(NULL, 0),
		};
	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_true(settlement.stored);
}

static int64_t prune(struct kit *kit)
{
	struct chore chore = {.kind = CHORE_PRUNE, .before_ms = CUT_MS};

	if (!outbox_do_now(kit->outbox, &chore))
		kit_fail("%s", chore.error.text);
	return chore.count;
}

static void check(struct kit *kit, struct lg_slice sink, enum delivery_state state,
		  int64_t expected)
{
	struct balance balance = {.found = NULL};
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);
	struct arena arena;

	arena_init(&arena, 4096, 0);
	if (!reader || !balance_read(&balance, reader, &arena, &sink, 1, &error))
		kit_fail("%s", error.text);
	assert_true(balance_closes(&balance));
	for (size_t i = 0; i < balance.sink_count; i++)
		if (slice_equal(balance.sinks[i].name, sink))
			assert_int_equal(balance.sinks[i].by_state[state], expected);
	arena_fini(&arena);
	reader_close(&reader);
}

static int64_t count(struct kit *kit, const char *table)
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s", table);
	return kit_count(kit, sql);
}

static void settled_and_old_goes(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats stats;

	kit_open(kit);
	for (int i = 0; i < 6; i++)
		post_at(kit, i, OLD_MS);
	post_at(kit, 10, YOUNG_MS);
	settle(kit, CRM, 1, "ddfddd");
	settle(kit, OTHER, 1, "dddd");
	/* Only to where all have settled. */
	assert_int_equal(prune(kit), 4);
	assert_int_equal(count(kit, "event"), 3);
	assert_int_equal(count(kit, "lead"), 3);
	assert_int_equal(count(kit, "identity"), 3);
	assert_int_equal(count(kit, "external"), 2);
	assert_int_equal(count(kit, "attempt"), 1);
	check(kit, CRM, DELIVERY_DELIVERED, 2);
	check(kit, OTHER, DELIVERY_DELIVERED, 0);
	check(kit, OTHER, DELIVERY_PENDING, 3);
	outbox_stats(kit->outbox, &stats);
	assert_int_equal(stats.leads, 3);
	settle(kit, OTHER, 5, "ddd");
	settle(kit, CRM, 7, "d");
	assert_int_equal(prune(kit), 2);
	check(kit, CRM, DELIVERY_DELIVERED, 1);
	assert_int_equal(prune(kit), 0);
	/* As after a restart, which counts anew. */
	kit_close(kit);
	kit_open(kit);
	outbox_stats(kit->outbox, &stats);
	assert_int_equal(stats.leads, 1);
}

static void what_is_open_stays(void **state)
{
	struct kit *kit = *state;
	struct chore replay = {.kind = CHORE_REPLAY,
			       .sink = CRM,
			       .replay = {.last_seq = INT64_MAX, .dead_only = true}};

	kit_open(kit);
	for (int i = 0; i < 5; i++)
		post_at(kit, i, OLD_MS);
	post_at(kit, 10, YOUNG_MS);
	settle(kit, CRM, 1, "dxrdd");
	assert_int_equal(prune(kit), 3);
	check(kit, CRM, DELIVERY_DEAD, 1);
	check(kit, CRM, DELIVERY_RETRY, 1);
	check(kit, CRM, DELIVERY_PENDING, 1);
	/* A dead letter is still there to be replayed. */
	assert_true(outbox_do_now(kit->outbox, &replay));
	assert_int_equal(replay.count, 1);
	check(kit, CRM, DELIVERY_RETRY, 2);
}

static void lead_goes_with_its_last_event(void **state)
{
	struct kit *kit = *state;
	struct capture returning, gone;

	kit->dedup.person_window_ms = YOUNG_MS;
	kit_open(kit);
	returning = post_at(kit, 1, OLD_MS);
	gone = post_at(kit, 2, OLD_MS);
	post_at(kit, 2, OLD_MS + 1000);
	post_at(kit, 1, YOUNG_MS);
	settle(kit, CRM, 1, "dddd");
	assert_int_equal(prune(kit), 3);
	assert_int_equal(count(kit, "lead"), 1);
	assert_int_equal(count(kit, "identity"), 2);
	assert_non_null(strstr(kit_record(kit, returning.lead_id), "p1@x.example"));
	check(kit, CRM, DELIVERY_DELIVERED, 1);
	/* Known by what an event left that is gone itself; the other one is not. */
	assert_int_equal(post_at(kit, 1, YOUNG_MS).verdict, CAPTURE_TOUCHED);
	struct capture anew = post_at(kit, 2, YOUNG_MS);
	assert_int_equal(anew.verdict, CAPTURE_CREATED);
	assert_memory_not_equal(anew.lead_id, gone.lead_id, UUID_BYTES);
}

/* The last of its events stays for the first, with all that the lead has. */
static void lead_stays_with_its_dead_letter(void **state)
{
	struct kit *kit = *state;
	const struct settled_event healed = {.seq = 1, .state = DELIVERY_DELIVERED};
	struct settlement settlement = {.reply = &kit->replies,
					.sink = CRM,
					.first_seq = 1,
					.last_seq = 1,
					.events = &healed,
					.count = 1};

	kit->dedup.person_window_ms = YOUNG_MS;
	kit_open(kit);
	struct capture first = post_at(kit, 1, OLD_MS);
	post_at(kit, 1, OLD_MS + 1000);
	post_at(kit, 1, OLD_MS + 2000);
	post_at(kit, 2, OLD_MS + 2500);
	settle(kit, CRM, 1, "xddd");
	assert_int_equal(prune(kit), 1);
	assert_int_equal(count(kit, "lead"), 2);
	assert_int_equal(count(kit, "external"), 2);
	assert_non_null(strstr(kit_record(kit, first.lead_id), "p1@x.example"));
	check(kit, CRM, DELIVERY_DELIVERED, 2);
	/* By its keys, too, who comes back is no new lead. */
	assert_int_equal(post_at(kit, 1, OLD_MS + 3000).verdict, CAPTURE_TOUCHED);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event WHERE lead ="
					" (SELECT lead FROM event WHERE seq = 1)"),
			 3);
	settle(kit, CRM, 5, "d");
	post_at(kit, 3, YOUNG_MS);
	settle(kit, CRM, 6, "d");
	assert_int_equal(prune(kit), 2);
	outbox_settle(kit->outbox, &settlement);
	kit_reply(kit);
	assert_true(settlement.stored);
	assert_int_equal(prune(kit), 2);
	assert_int_equal(count(kit, "external"), 1);
	assert_int_equal(count(kit, "identity"), 1);
}

/* A lane that starts counts them against the limit of a day. */
static void attempts_stay_for_a_day(void **state)
{
	static const char said[] = "SELECT count(*) FROM attempt WHERE reason IS NOT NULL"
				   " OR answer IS NOT NULL";
	struct kit *kit = *state;

	kit_open(kit);
	for (int i = 0; i < 4; i++)
		post_at(kit, i, OLD_MS);
	settle(kit, CRM, 1, "dfdd");
	assert_int_equal(count(kit, "attempt"), 2);
	char sql[128];
	snprintf(sql, sizeof(sql), "UPDATE attempt SET at = %lld, reason = 'why', answer = x'4f4b'",
		 (long long)clock_wall_ms() - 3600000);
	kit_sql(kit, sql);
	assert_int_equal(prune(kit), 3);
	assert_int_equal(count(kit, "attempt"), 2);
	/* Nothing is told any more of those whose events are gone. */
	assert_int_equal(kit_count(kit, said), 1);
	kit_sql(kit, "UPDATE attempt SET at = at - 1000 * 86400000");
	assert_int_equal(prune(kit), 0);
	assert_int_equal(count(kit, "attempt"), 1);
}

static void newest_event_keeps_the_numbers(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	for (int i = 0; i < 3; i++)
		post_at(kit, i, OLD_MS);
	settle(kit, CRM, 1, "ddd");
	assert_int_equal(prune(kit), 2);
	kit_close(kit);
	kit_open(kit);
	assert_int_equal(post_at(kit, 9, YOUNG_MS).seq, 4);
	check(kit, CRM, DELIVERY_DELIVERED, 1);
	check(kit, CRM, DELIVERY_PENDING, 1);
}

static void sink_that_has_begun_holds_its_events(void **state)
{
	struct kit *kit = *state;
	struct chore begin = {.kind = CHORE_BEGIN, .sink = OTHER};
	struct chore forget = {.kind = CHORE_FORGET, .sink = OTHER};

	kit_open(kit);
	for (int i = 0; i < 4; i++)
		post_at(kit, i, OLD_MS);
	settle(kit, CRM, 1, "dddd");
	assert_true(outbox_do_now(kit->outbox, &begin));
	assert_int_equal(prune(kit), 0);
	assert_true(outbox_do_now(kit->outbox, &forget));
	assert_int_equal(prune(kit), 3);
}

/* More than a step takes, in all its tables, and with gaps. */
static void long_pass_goes_in_steps(void **state)
{
	/* A seventh is dead, and so many leads of these came back later. */
	enum { EVENTS = 1700, DEAD = (EVENTS + 6) / 7, BACK = (500 + 6) / 7 };
	static struct settled_event events[EVENTS];
	static struct post posts[EVENTS];
	static char emails[EVENTS][32];
	struct kit *kit = *state;
	struct settlement settlement = {.reply = &kit->replies,
					.sink = CRM,
					.first = true,
					.first_seq = 1,
					.last_seq = EVENTS,
					.events = events,
					.count = EVENTS};

	kit_open(kit);
	for (size_t i = 0; i < EVENTS; i++) {
		snprintf(emails[i], sizeof(emails[i]), "many%zu@x.example", i % 1200);
		posts[i] = (struct post){.email = emails[i], .at_ms = OLD_MS + (int64_t)i};
		events[i] = (struct settled_event){
			.seq = (int64_t)i + 1, .state = i % 7 ? DELIVERY_DELIVERED : DELIVERY_DEAD};
	}
	for (size_t i = 0; i < EVENTS; i++)
		if (i >= 1200)
			posts[i].message = "again";
	kit_free(kit_submit(kit, posts, EVENTS));
	outbox_settle(kit->outbox, &settlement);
	kit_reply(kit);
	assert_true(settlement.stored);
	post_at(kit, 1, YOUNG_MS);
	assert_int_equal(prune(kit), EVENTS - DEAD - BACK);
	check(kit, CRM, DELIVERY_DEAD, DEAD);
	check(kit, CRM, DELIVERY_DELIVERED, BACK);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event WHERE NOT EXISTS (SELECT 1"
					" FROM lead WHERE id = event.lead)"),
			 0);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM identity WHERE NOT EXISTS (SELECT 1"
					" FROM lead WHERE id = identity.lead)"),
			 0);
}

/* The process ended between the events of a pass and their keys. */
static void keys_left_behind_go_later(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats stats;

	kit_open(kit);
	for (int i = 0; i < 6; i++)
		post_at(kit, i, OLD_MS);
	settle(kit, CRM, 1, "dddddd");
	kit_close(kit);
	kit_sql(kit, "DELETE FROM event WHERE seq < 6; DELETE FROM lead WHERE event < 6;"
		     " UPDATE settled SET first_seq = 6, outcomes = 'delivered'");
	kit_open(kit);
	assert_int_equal(prune(kit), 0);
	assert_int_equal(count(kit, "identity"), 1);
	outbox_stats(kit->outbox, &stats);
	assert_int_equal(stats.leads, 1);
	check(kit, CRM, DELIVERY_DELIVERED, 1);
}

/* Captured while the clock was ahead: it hides nothing of those that come after it. */
static void keys_go_behind_a_young_event(void **state)
{
	struct kit *kit = *state;
	struct outbox_stats stats, anew;

	kit_open(kit);
	for (int i = 0; i < 6; i++)
		post_at(kit, i, i == 1 ? YOUNG_MS : OLD_MS);
	post_at(kit, 10, YOUNG_MS);
	settle(kit, CRM, 1, "ddddddd");
	assert_int_equal(prune(kit), 5);
	assert_int_equal(count(kit, "lead"), 2);
	assert_int_equal(count(kit, "identity"), 2);
	outbox_stats(kit->outbox, &stats);
	assert_int_equal(stats.leads, 2);
	/* As a restart reads the index anew. */
	kit_close(kit);
	kit_open(kit);
	outbox_stats(kit->outbox, &anew);
	assert_int_equal(stats.index_keys, anew.index_keys);
	assert_int_equal(anew.leads, 2);
}

/* By the retention, without being told; and a full journal takes leads again. */
static void retention_makes_room(void **state)
{
	struct kit *kit = *state;
	static char words[8000];
	const char *reason = NULL;
	int taken = 0;

	memset(words, 'w', sizeof(words) - 1);
	kit->store.max_size_bytes = 1 << 20;
	kit->store.retention_ms = INT64_C(86400000);
	kit_open(kit);
	while (outbox_ready(kit->outbox, &reason)) {
		char email[32];
		snprintf(email, sizeof(email), "f%d@x.example", taken);
		struct submission *submission = kit_submit(
			kit, &(struct post){.email = email, .message = words, .at_ms = OLD_MS}, 1);
		taken += submission->status == SUBMISSION_STORED;
		kit_free(submission);
	}
	assert_string_equal(reason, "the journal has reached store.max_size");
	assert_true(taken > 10);
	for (int i = 0; !outbox_ready(kit->outbox, NULL); i++) {
		assert_true(i < 60000);
		usleep(1000);
	}
	post_at(kit, 1, clock_wall_ms());
	assert_true(count(kit, "event") < taken);
}

static void overfull_batch_is_no_full_disk(void **state)
{
	struct kit *kit = *state;
	static char words[60000];
	static struct post posts[40];
	static char emails[40][32];
	const char *reason = NULL;

	memset(words, 'w', sizeof(words) - 1);
	kit->store.max_size_bytes = 1 << 20;
	kit_open(kit);
	for (size_t i = 0; i < 40; i++) {
		snprintf(emails[i], sizeof(emails[i]), "o%zu@x.example", i);
		posts[i] = (struct post){.email = emails[i], .message = words};
	}
	struct submission *submission = kit_submit(kit, posts, 40);
	assert_int_equal(submission->status, SUBMISSION_FULL);
	kit_free(submission);
	/* It may be taking leads again. */
	if (!outbox_ready(kit->outbox, &reason))
		assert_string_equal(reason, "the journal has reached store.max_size");
	for (int i = 0; !outbox_ready(kit->outbox, NULL); i++) {
		assert_true(i < 60000);
		usleep(1000);
	}
	post_at(kit, 1, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(settled_and_old_goes),
		STORE_TEST(what_is_open_stays),
		STORE_TEST(lead_goes_with_its_last_event),
		STORE_TEST(lead_stays_with_its_dead_letter),
		STORE_TEST(attempts_stay_for_a_day),
		STORE_TEST(newest_event_keeps_the_numbers),
		STORE_TEST(sink_that_has_begun_holds_its_events),
		STORE_TEST(long_pass_goes_in_steps),
		STORE_TEST(keys_left_behind_go_later),
		STORE_TEST(keys_go_behind_a_young_event),
		STORE_TEST(retention_makes_room),
		STORE_TEST(overfull_batch_is_no_full_disk),
	};

	return RUN(tests);
}
