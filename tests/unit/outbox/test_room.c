/* A store that is full: what is kept for the outcomes of deliveries, and for whose. */
#include "unit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define BAD LG_SLICE("bad")
#define CRM LG_SLICE("crm")
#define MAX_BYTES (1 << 20)
#define RESERVE_BYTES (256 << 10)
/* Of one settlement. */
#define CHUNK 10
/* Pages are used whole. */
#define SLACK_BYTES (32 << 10)

/* To the bound; how many leads were taken. */
static int64_t fill(struct kit *kit)
{
	int64_t taken = 0;

	kit->store.max_size_bytes = MAX_BYTES;
	kit_open(kit);
	for (bool full = false; !full; taken += !full) {
		char email[32];
		snprintf(email, sizeof(email), "f%lld@x.example", (long long)taken);
		struct submission *submission = kit_submit(kit, &(struct post){.email = email}, 1);
		full = submission->status == SUBMISSION_FULL;
		kit_free(submission);
	}
	return taken;
}

struct told {
	struct settlement settlement;
	struct settled_event events[CHUNK];
};

/* The next `count` events from `seq` on end so, each with the longest reason. */
static void prepare(struct kit *kit, struct told *told, struct lg_slice sink, int64_t seq,
		    size_t count, enum delivery_state state)
{
	static char reason[512];

	memset(reason, 'r', sizeof(reason));
	for (size_t i = 0; i < count; i++)
		told->events[i] = (struct settled_event){.seq = seq + (int64_t)i,
							 .state = state,
							 .attempts = 1,
							 .due_ms = 5000,
							 .reason = slice_of(reason, 512)};
	told->settlement = (struct settlement){.reply = &kit->replies,
					       .sink = sink,
					       .first = true,
					       .first_seq = seq,
					       .last_seq = seq + (int64_t)count - 1,
					       .events = told->events,
					       .count = count,
					       .at_ms = 1000};
}

static bool settle(struct kit *kit, struct lg_slice sink, int64_t seq, size_t count,
		   enum delivery_state state)
{
	struct told told;

	prepare(kit, &told, sink, seq, count, state);
	outbox_settle(kit->outbox, &told.settlement);
	assert_ptr_equal(kit_reply(kit), &told.settlement.letter);
	return told.settlement.stored;
}

/* The sink refuses all it gets until the journal takes no more of that; the next seq. */
static int64_t reject_all(struct kit *kit, int64_t taken)
{
	int64_t seq = 1;

	while (seq + CHUNK <= taken && settle(kit, BAD, seq, CHUNK, DELIVERY_DEAD))
		seq += CHUNK;
	assert_true(seq + CHUNK <= taken);
	return seq;
}

static int64_t used_bytes(struct kit *kit)
{
	return (kit_count(kit, "PRAGMA page_count") - kit_count(kit, "PRAGMA freelist_count")) *
	       kit_count(kit, "PRAGMA page_size");
}

static void dead_letters_leave_room_for_deliveries(void **state)
{
	struct kit *kit = *state;
	int64_t taken = fill(kit), seq = reject_all(kit, taken);

	assert_true(used_bytes(kit) <= MAX_BYTES - RESERVE_BYTES / 2 + SLACK_BYTES);
	for (int64_t i = 1; i + CHUNK <= taken; i += CHUNK)
		assert_true(settle(kit, CRM, i, CHUNK, DELIVERY_DELIVERED));
	/* What its destination takes in the end is stored of the other, too. */
	assert_true(settle(kit, BAD, seq, CHUNK, DELIVERY_DELIVERED));
}

/* They may fill what outcomes like theirs have: what repairs them needs little more. */
static void dead_letters_leave_room_for_their_replay(void **state)
{
	struct kit *kit = *state;
	struct chore replay = {.kind = CHORE_REPLAY,
			       .sink = BAD,
			       .replay = {.last_seq = INT64_MAX, .dead_only = true}};
	int64_t taken = fill(kit), seq = reject_all(kit, taken);

	while (seq < taken && settle(kit, BAD, seq, 1, DELIVERY_DEAD))
		seq++;
	assert_true(outbox_do_now(kit->outbox, &replay));
	assert_int_equal(replay.count, seq - 1);
}

/* One lead that fails among many must not hold up the others of its sink. */
static void each_sink_may_leave_some_open(void **state)
{
	struct kit *kit = *state;
	int64_t taken = fill(kit), seq;

	reject_all(kit, taken);
	for (seq = 1; seq + CHUNK <= 128; seq += CHUNK)
		assert_true(settle(kit, CRM, seq, CHUNK, DELIVERY_RETRY));
	assert_false(settle(kit, CRM, seq, CHUNK, DELIVERY_RETRY));
	assert_true(settle(kit, CRM, seq, 128 - (size_t)seq + 1, DELIVERY_RETRY));
	assert_false(settle(kit, CRM, 129, 1, DELIVERY_DEAD));
	assert_true(settle(kit, CRM, 129, 1, DELIVERY_DELIVERED));
}

/* Another process writes: what the store is told meanwhile comes to one transaction. */
static sqlite3 *hold_writer(struct kit *kit)
{
	sqlite3 *other;

	assert_int_equal(sqlite3_open(kit->path, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return other;
}

static void let_go(struct kit *kit, sqlite3 *other, int replies)
{
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	while (replies-- > 0)
		kit_reply(kit);
}

static void settle_between_others(struct kit *kit, struct told *middle)
{
	struct told good[2];
	sqlite3 *other = hold_writer(kit);

	prepare(kit, &good[0], CRM, 1, 1, DELIVERY_DELIVERED);
	prepare(kit, &good[1], LG_SLICE("last"), 1, 1, DELIVERY_DELIVERED);
	outbox_settle(kit->outbox, &good[0].settlement);
	outbox_settle(kit->outbox, &middle->settlement);
	outbox_settle(kit->outbox, &good[1].settlement);
	let_go(kit, other, 3);
	assert_true(good[0].settlement.stored);
	assert_false(middle->settlement.stored);
	assert_true(good[1].settlement.stored);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM settled WHERE sink <> 'bad'"), 2);
}

static void what_finds_no_room_takes_no_other_along(void **state)
{
	struct kit *kit = *state;
	int64_t taken = fill(kit), seq = reject_all(kit, taken);
	struct told bad;

	prepare(kit, &bad, BAD, seq, CHUNK, DELIVERY_DEAD);
	settle_between_others(kit, &bad);
}

/* Nor does one that is larger than all that is left. */
static void what_is_too_large_takes_no_other_along(void **state)
{
	static char id[MAX_BYTES];
	struct kit *kit = *state;
	struct told bad;

	fill(kit);
	memset(id, 'i', sizeof(id));
	prepare(kit, &bad, BAD, 1, 1, DELIVERY_DELIVERED);
	bad.events[0].external_id = slice_of(id, sizeof(id));
	settle_between_others(kit, &bad);
}

/* Posts until one settlement of all of it may not be stored; how many. */
static int64_t post_too_many(struct kit *kit)
{
	int64_t taken = 0;

	kit->store.max_size_bytes = MAX_BYTES;
	kit_open(kit);
	for (bool fits = true; fits; taken++) {
		char email[32];
		snprintf(email, sizeof(email), "m%lld@x.example", (long long)taken);
		kit_post(kit, (struct post){.email = email});
		fits = taken * 512 < MAX_BYTES - RESERVE_BYTES / 2 - used_bytes(kit);
	}
	return taken;
}

/* What one sink may not leave open says nothing of the room for leads. */
static void what_finds_no_room_turns_no_lead_away(void **state)
{
	struct kit *kit = *state;
	int64_t taken = post_too_many(kit);
	struct settled_event *events = calloc((size_t)taken, sizeof(*events));
	struct told first, bad;
	struct submission *lead = kit_make(kit, &(struct post){.email = "beside@x.example"}, 1);
	sqlite3 *other = hold_writer(kit);

	assert_non_null(events);
	prepare(kit, &first, CRM, 1, 1, DELIVERY_DELIVERED);
	prepare(kit, &bad, BAD, 1, 1, DELIVERY_DEAD);
	for (int64_t i = 0; i < taken; i++) {
		events[i] = bad.events[0];
		events[i].seq = i + 1;
	}
	bad.settlement.events = events;
	bad.settlement.count = (size_t)taken;
	bad.settlement.last_seq = taken;
	outbox_settle(kit->outbox, &first.settlement);
	outbox_settle(kit->outbox, &bad.settlement);
	assert_true(outbox_submit(kit->outbox, lead));
	let_go(kit, other, 3);
	assert_true(first.settlement.stored);
	assert_false(bad.settlement.stored);
	assert_int_equal(lead->status, SUBMISSION_STORED);
	assert_true(outbox_ready(kit->outbox, NULL));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM settled WHERE sink = 'bad'"), 0);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt WHERE sink = 'bad'"), 0);
	kit_free(lead);
	free(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(dead_letters_leave_room_for_deliveries),
		STORE_TEST(dead_letters_leave_room_for_their_replay),
		STORE_TEST(each_sink_may_leave_some_open),
		STORE_TEST(what_finds_no_room_takes_no_other_along),
		STORE_TEST(what_is_too_large_takes_no_other_along),
		STORE_TEST(what_finds_no_room_turns_no_lead_away),
	};

	return RUN(tests);
}
