#include "unit.h"

#include <stdio.h>

#define CRM LG_SLICE("crm")
/* Of the events that are settled: so many fail again and again. */
#define EVENTS 40
#define MAX_BYTES (1 << 20)

static char words[8000];

/* To the bound; how many were taken. */
static int fill(struct kit *kit)
{
	int taken = 0;

	memset(words, 'w', sizeof(words) - 1);
	kit->store.max_size_bytes = MAX_BYTES;
	kit_open(kit);
	for (bool full = false; !full; taken += !full) {
		char email[32];
		snprintf(email, sizeof(email), "a%d@x.example", taken);
		struct submission *submission = kit_submit(
			kit, &(struct post){.email = email, .message = words}, 1);
		full = submission->status == SUBMISSION_FULL;
		kit_free(submission);
	}
	assert_true(taken > EVENTS);
	return taken;
}

/* Events 1 to EVENTS, each with an answer of its own. */
static bool settle(struct kit *kit, bool first, enum delivery_state state)
{
	static char answers[EVENTS][1024];
	struct settled_event events[EVENTS];
	struct settlement settlement = {.reply = &kit->replies,
					.sink = CRM,
					.first = first,
					.first_seq = 1,
					.last_seq = EVENTS,
					.events = events,
					.count = EVENTS,
					.at_ms = 1000};

	for (size_t i = 0; i < EVENTS; i++) {
		memset(answers[i], 'a' + (int)(i % 26), sizeof(answers[i]));
		events[i] = (struct settled_event){.seq = (int64_t)i + 1,
						   .state = state,
						   .due_ms = 5000,
						   .answer = slice_of(answers[i], 1024)};
	}
	outbox_settle(kit->outbox, &settlement);
	kit_reply(kit);
	return settlement.stored;
}

static int64_t used_bytes(struct kit *kit)
{
	return kit_count(kit, "SELECT (SELECT page_count FROM pragma_page_count) * page_size"
			      " FROM pragma_page_size") -
	       kit_count(kit, "SELECT (SELECT freelist_count FROM pragma_freelist_count)"
			      " * page_size FROM pragma_page_size");
}

/* What is kept for outcomes is not for the history of failures. */
static void failures_leave_room_for_outcomes(void **state)
{
	struct kit *kit = *state;

	fill(kit);
	assert_true(settle(kit, true, DELIVERY_RETRY));
	for (int i = 0; i < 30; i++)
		assert_true(settle(kit, false, DELIVERY_RETRY));
	assert_true(used_bytes(kit) < MAX_BYTES - (128 << 10));
	assert_true(settle(kit, false, DELIVERY_DELIVERED));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt WHERE outcome = 'delivered'"
					" AND answer IS NULL"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open"), 0);
}

/* A journal that they have filled is no end: old ones go. */
static void old_failures_give_their_room(void **state)
{
	struct kit *kit = *state;
	char sql[512];

	fill(kit);
	kit_close(kit);
	snprintf(sql, sizeof(sql),
		 "PRAGMA max_page_count = %d; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i +"
		 " 1 FROM n WHERE i < 5000) INSERT INTO attempt SELECT 'crm', 1, 1, 1, 'delivered',"
		 " 200, NULL, NULL FROM n WHERE i < 600 UNION ALL SELECT 'crm', 1, 1, 1, 'retry',"
		 " 500, zeroblob(%lld), NULL FROM n WHERE i < 60",
		 1 << 30, (long long)(MAX_BYTES - used_bytes(kit)) / 60);
	kit_sql(kit, sql);
	assert_true(used_bytes(kit) >= MAX_BYTES);
	kit_open(kit);
	bool stored = false;
	for (int i = 0; i < 10 && !stored; i++)
		stored = settle(kit, true, DELIVERY_RETRY);
	assert_true(stored);
	assert_true(settle(kit, false, DELIVERY_DELIVERED));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt WHERE outcome = 'delivered'"),
			 600);
}

static void replay_leaves_room_for_outcomes(void **state)
{
	struct kit *kit = *state;
	struct chore again = {.kind = CHORE_REPLAY,
			      .sink = CRM,
			      .replay = {.last_seq = INT64_MAX, .again = true}};
	struct chore dead = {.kind = CHORE_REPLAY,
			     .sink = CRM,
			     .replay = {.last_seq = INT64_MAX, .dead_only = true}};

	fill(kit);
	assert_true(settle(kit, true, DELIVERY_DELIVERED));
	assert_false(outbox_do_now(kit->outbox, &again));
	assert_non_null(strstr(again.error.text, "there is no room"));
	assert_int_equal(again.count, 0);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open"), 0);
	/* Dead letters may: to deliver them makes room. */
	kit_sql(kit, "INSERT INTO open (sink, seq, state, attempts) VALUES ('crm', 3, 'dead', 1)");
	assert_true(outbox_do_now(kit->outbox, &dead));
	assert_int_equal(dead.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(failures_leave_room_for_outcomes),
		STORE_TEST(old_failures_give_their_room),
		STORE_TEST(replay_leaves_room_for_outcomes),
	};

	return RUN(tests);
}
