#include "unit.h"

#include <stdio.h>

#include "outbox/balance.h"
#include "outbox/reader_replay.h"
#include "outbox/replay.h"

#define CRM LG_SLICE("crm")
#define OTHER LG_SLICE("other")

static struct capture post_one(struct kit *kit)
{
	static int number;
	char email[32];

	snprintf(email, sizeof(email), "r%d@x.example", number++);
	return kit_post(kit, (struct post){.email = email});
}

static void settle(struct kit *kit, struct lg_slice sink, bool first,
		   const struct settled_event *events, size_t count)
{
	struct settlement settlement = {.reply = &kit->replies,
					.sink = sink,
					.first = first,
					.first_seq = events[0].seq,
					.last_seq = events[count - 1].seq,
					.events = events,
					.count = count,
					.at_ms = 1000};

	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	assert_true(settlement.stored);
}

/* One after the other from `first_seq` on, a letter an event: d(elivered),
 * f(iltered), r(etry), p(arked), x (dead), u(nclassified), t(rap). */
static void settle_as(struct kit *kit, struct lg_slice sink, int64_t first_seq, const char *states)
{
	struct settled_event events[32] = {{.seq = 0}};
	size_t count = strlen(states);

	for (size_t i = 0; i < count; i++) {
		char c = states[i];
		events[i] = (struct settled_event){
			.seq = first_seq + (int64_t)i,
			.state = c == 'd'   ? DELIVERY_DELIVERED
				 : c == 'f' ? DELIVERY_FILTERED
				 : c == 'r' ? DELIVERY_RETRY
				 : c == 'p' ? DELIVERY_PARKED
				 : c == 'x' ? DELIVERY_DEAD
				 : c == 'u' ? DELIVERY_UNCLASSIFIED
					    : DELIVERY_DISCARDED,
			.due_ms = INT64_C(99999999999999),
			.attempts = 7,
			.since_ms = 900,
			.reason = LG_SLICE("no such field"),
			.answer = LG_SLICE("<html>"),
			.status = c == 'x' ? 422 : 0,
		};
	}
	settle(kit, sink, true, events, count);
}

static struct reader *open_reader(struct kit *kit)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		kit_fail("%s", error.text);
	return reader;
}

/* Every sum closes, and the states of the sink are these. */
static void check(struct kit *kit, struct lg_slice sink, enum delivery_state state,
		  int64_t expected)
{
	struct balance balance = {.found = NULL};
	struct error error = {""};
	struct arena arena;
	struct reader *reader = open_reader(kit);

	arena_init(&arena, 4096, 0);
	if (!balance_read(&balance, reader, &arena, &sink, 1, &error))
		kit_fail("%s", error.text);
	assert_true(balance_closes(&balance));
	for (size_t i = 0; i < balance.sink_count; i++)
		if (slice_equal(balance.sinks[i].name, sink))
			assert_int_equal(balance.sinks[i].by_state[state], expected);
	arena_fini(&arena);
	reader_close(&reader);
}

/* The plan says what the chore then does. */
static struct replay_plan replay(struct kit *kit, struct replay what)
{
	struct chore chore = {.kind = CHORE_REPLAY, .sink = CRM, .replay = what};
	struct replay_plan plan = {.taken = {0}};
	struct error error = {""};
	struct reader *reader = open_reader(kit);

	if (!reader_replay_plan(reader, CRM, &what, &plan, NULL, NULL, &error))
		kit_fail("%s", error.text);
	reader_close(&reader);
	if (!outbox_do_now(kit->outbox, &chore))
		kit_fail("%s", chore.error.text);
	assert_memory_equal(&plan, &chore.plan, sizeof(plan));
	assert_int_equal(chore.count, replay_taken(&plan));
	return plan;
}

static void fill(struct kit *kit)
{
	kit_open(kit);
	for (int i = 0; i < 12; i++)
		post_one(kit);
	settle_as(kit, CRM, 1, "ddfxr");
	settle_as(kit, CRM, 6, "pxudt");
	settle_as(kit, OTHER, 1, "dddddddddddd");
}

static void dead_letters_are_due_now(void **state)
{
	struct kit *kit = *state;
	struct replay_plan plan;

	fill(kit);
	plan = replay(kit, (struct replay){.last_seq = INT64_MAX, .dead_only = true});
	assert_int_equal(plan.taken[DELIVERY_DEAD], 2);
	assert_int_equal(replay_taken(&plan), 2);
	assert_int_equal(plan.types[EVENT_CREATED], 2);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM open WHERE sink = 'crm' AND"
					" state = 'retry' AND attempts = 0 AND since IS NULL AND"
					" seq IN (4, 7) AND due <= unixepoch() * 1000 + 999"),
			 2);
	check(kit, CRM, DELIVERY_DEAD, 0);
	check(kit, CRM, DELIVERY_RETRY, 3);
	check(kit, OTHER, DELIVERY_DELIVERED, 12);
	plan = replay(kit, (struct replay){.last_seq = INT64_MAX, .dead_only = true});
	assert_int_equal(replay_taken(&plan), 0);
}

static void what_is_done_is_left(void **state)
{
	struct kit *kit = *state;
	struct replay_plan plan;

	fill(kit);
	plan = replay(kit, (struct replay){.first_seq = 2, .last_seq = 11});
	assert_int_equal(plan.left[DELIVERY_DELIVERED], 2);
	assert_int_equal(plan.left[DELIVERY_DISCARDED], 1);
	assert_int_equal(plan.left[DELIVERY_PENDING], 1);
	assert_int_equal(plan.taken[DELIVERY_FILTERED], 1);
	assert_int_equal(plan.taken[DELIVERY_DEAD], 2);
	assert_int_equal(plan.taken[DELIVERY_RETRY], 1);
	assert_int_equal(plan.taken[DELIVERY_PARKED], 1);
	assert_int_equal(plan.taken[DELIVERY_UNCLASSIFIED], 1);
	check(kit, CRM, DELIVERY_RETRY, 6);
	check(kit, CRM, DELIVERY_FILTERED, 0);
	check(kit, CRM, DELIVERY_DELIVERED, 3);
	check(kit, CRM, DELIVERY_PENDING, 2);
}

static void again_repeats_what_was_delivered(void **state)
{
	struct kit *kit = *state;
	const struct settled_event late = {.seq = 5, .state = DELIVERY_DELIVERED};
	const struct settled_event last = {.seq = 1, .state = DELIVERY_DELIVERED};
	struct replay_plan plan;

	fill(kit);
	settle(kit, CRM, false, &late, 1); /* has a row of its own */
	check(kit, CRM, DELIVERY_DELIVERED, 4);
	plan = replay(kit, (struct replay){.last_seq = INT64_MAX, .again = true});
	assert_int_equal(plan.taken[DELIVERY_DELIVERED], 4);
	assert_int_equal(plan.left[DELIVERY_DISCARDED], 1);
	assert_int_equal(plan.left[DELIVERY_PENDING], 2);
	check(kit, CRM, DELIVERY_DELIVERED, 0);
	check(kit, CRM, DELIVERY_RETRY, 9);
	check(kit, CRM, DELIVERY_PENDING, 2);
	check(kit, OTHER, DELIVERY_DELIVERED, 12);
	/* The position stays: nothing is read anew. */
	assert_int_equal(kit_count(kit, "SELECT max(last_seq) FROM settled WHERE sink = 'crm'"),
			 10);
	settle(kit, CRM, false, &last, 1);
	check(kit, CRM, DELIVERY_DELIVERED, 1);
	check(kit, CRM, DELIVERY_RETRY, 8);
}

static void position_outlives_its_outcomes(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	for (int i = 0; i < 3; i++)
		post_one(kit);
	settle_as(kit, CRM, 1, "ddd");
	replay(kit, (struct replay){.last_seq = INT64_MAX, .again = true});
	assert_int_equal(kit_count(kit, "SELECT max(last_seq) FROM settled WHERE sink = 'crm'"), 3);
	check(kit, CRM, DELIVERY_RETRY, 3);
	check(kit, CRM, DELIVERY_PENDING, 0);
}

/* More than one step takes. */
static void long_replay_goes_in_steps(void **state)
{
	enum { EVENTS = 2 * REPLAY_PAGE + 345 };
	static struct settled_event events[EVENTS];
	static struct post posts[EVENTS];
	static char emails[EVENTS][32];
	struct kit *kit = *state;
	struct replay_plan plan;

	kit_open(kit);
	for (size_t i = 0; i < EVENTS; i++) {
		snprintf(emails[i], sizeof(emails[i]), "many%zu@x.example", i);
		posts[i].email = emails[i];
		events[i] = (struct settled_event){
			.seq = (int64_t)i + 1, .state = i % 3 ? DELIVERY_DELIVERED : DELIVERY_DEAD};
	}
	kit_free(kit_submit(kit, posts, EVENTS));
	settle(kit, CRM, true, events, EVENTS);
	plan = replay(kit, (struct replay){.last_seq = INT64_MAX, .dead_only = true});
	assert_int_equal(plan.taken[DELIVERY_DEAD], (EVENTS + 2) / 3);
	plan = replay(kit, (struct replay){.last_seq = INT64_MAX, .again = true});
	assert_int_equal(replay_taken(&plan), EVENTS);
	check(kit, CRM, DELIVERY_RETRY, EVENTS);
}

static void cancelled_replay_says_so(void **state)
{
	struct kit *kit = *state;
	struct chore chore = {.kind = CHORE_REPLAY, .sink = CRM, .step_count = 1};

	kit_open(kit);
	atomic_init(&chore.cancelled, true);
	assert_false(outbox_do_now(kit->outbox, &chore));
	assert_string_equal(chore.error.text, "it was broken off; the rest was not done");
}

static void letters_tell_what_happened(void **state)
{
	struct kit *kit = *state;
	struct dead_letter *letters;
	struct error error = {""};
	struct reader *reader;
	struct arena arena;

	fill(kit);
	reader = open_reader(kit);
	arena_init(&arena, 4096, 0);
	assert_int_equal(reader_replay_dead(reader, &arena, CRM, 0, 10, &letters, &error), 2);
	assert_int_equal(letters[0].seq, 4);
	assert_int_equal(letters[1].seq, 7);
	assert_int_equal(letters[0].attempts, 7);
	assert_int_equal(letters[0].status, 422);
	assert_int_equal(letters[0].tried_ms, 1000);
	assert_int_equal(letters[0].event_id.length, 36);
	assert_int_equal(strlen(letters[0].lead_id), 36);
	assert_true(slice_is(letters[0].type, "lead.created"));
	assert_true(slice_is(letters[0].reason, "no such field"));
	assert_true(slice_is(letters[0].answer, "<html>"));
	assert_int_equal(reader_replay_dead(reader, &arena, CRM, 4, 10, &letters, &error), 1);
	assert_int_equal(reader_replay_dead(reader, &arena, CRM, 0, 1, &letters, &error), 1);
	assert_int_equal(reader_replay_dead(reader, &arena, OTHER, 0, 10, &letters, &error), 0);
	arena_fini(&arena);
	reader_close(&reader);
}

static void ids_are_events_and_leads(void **state)
{
	struct kit *kit = *state;
	struct capture first, second;
	struct error error = {""};
	struct reader *reader;
	const uint8_t none[UUID_BYTES] = {0};
	int64_t seqs[8];

	kit_open(kit);
	post_one(kit);
	first = kit_post(kit, (struct post){.email = "id@x.example", .message = "one"});
	post_one(kit);
	second = kit_post(kit, (struct post){.email = "id@x.example", .message = "two"});
	reader = open_reader(kit);
	assert_int_equal(reader_replay_find(reader, second.receipt, seqs, 8, &error), 1);
	assert_int_equal(seqs[0], 4);
	assert_int_equal(reader_replay_find(reader, first.lead_id, seqs, 8, &error), 2);
	assert_int_equal(seqs[0], 2);
	assert_int_equal(seqs[1], 4);
	assert_int_equal(reader_replay_find(reader, first.lead_id, seqs, 1, &error), 1);
	assert_int_equal(reader_replay_find(reader, none, seqs, 8, &error), 0);
	reader_close(&reader);
}

static void forgotten_sink_leaves_nothing(void **state)
{
	struct kit *kit = *state;
	struct chore pause = {.kind = CHORE_PAUSE, .sink = CRM};
	struct chore forget = {.kind = CHORE_FORGET, .sink = CRM};

	fill(kit);
	assert_true(outbox_do_now(kit->outbox, &pause));
	assert_true(outbox_do_now(kit->outbox, &forget));
	assert_true(forget.count > 0);
	for (size_t i = 0; i < 4; i++) {
		static const char *const tables[] = {"settled", "open", "attempt", "external"};
		char sql[64];
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM %s WHERE sink = 'crm'", tables[i]);
		assert_int_equal(kit_count(kit, sql), 0);
	}
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM state WHERE key = 'crm'"), 0);
	check(kit, CRM, DELIVERY_PENDING, 12);
	check(kit, OTHER, DELIVERY_DELIVERED, 12);
	forget = (struct chore){.kind = CHORE_FORGET, .sink = CRM};
	assert_true(outbox_do_now(kit->outbox, &forget));
	assert_int_equal(forget.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(dead_letters_are_due_now),
		STORE_TEST(what_is_done_is_left),
		STORE_TEST(again_repeats_what_was_delivered),
		STORE_TEST(position_outlives_its_outcomes),
		STORE_TEST(long_replay_goes_in_steps),
		STORE_TEST(cancelled_replay_says_so),
		STORE_TEST(letters_tell_what_happened),
		STORE_TEST(ids_are_events_and_leads),
		STORE_TEST(forgotten_sink_leaves_nothing),
	};

	return RUN(tests);
}
