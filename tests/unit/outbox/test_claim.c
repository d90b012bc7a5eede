/* Claims in the journal: stored with what came beside them, ended with what they became,
 * and what orders do to them. */
#include "unit.h"

#include <stdio.h>

#include "base/clock.h"
#include "outbox/balance.h"
#include "outbox/claim.h"

#define ADS LG_SLICE("ads")

static struct reader *open_reader(struct kit *kit)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		kit_fail("%s", error.text);
	return reader;
}

/* Submits one lead, or none, with what is done to claims. */
static void store(struct kit *kit, const char *email, struct claim_work *work)
{
	struct submission *submission = kit_make(kit, &(struct post){.email = email},
						 email ? 1 : 0);

	submission->claims = work;
	assert_true(outbox_submit(kit->outbox, submission));
	assert_ptr_equal(kit_reply(kit), &submission->letter);
	assert_int_equal(submission->status, SUBMISSION_STORED);
	kit_free(submission);
}

static bool add(struct kit *kit, const char *key, const char *group, int64_t parts, int64_t due_ms)
{
	struct claim_stub stub = {
		.key = slice_from(key),
		.group = slice_from(group),
		.parts = parts,
		.due_ms = due_ms,
		.blob = LG_SLICE("blob"),
	};
	struct claim_work work = {.source = ADS, .stubs = &stub};

	store(kit, NULL, &work);
	return !stub.repeated;
}

static void end(struct kit *kit, const char *email, int64_t number, enum claim_state state)
{
	struct claim_work work = {
		.source = ADS,
		.end = {.numbers = &number,
			.count = 1,
			.state = state,
			.due_ms = 5000,
			.attempts = 2,
			.error = state == CLAIM_DONE ? slice_of(NULL, 0) : LG_SLICE("why")},
	};

	store(kit, email, &work);
}

static int64_t count_in(struct kit *kit, enum claim_state state)
{
	struct reader *reader = open_reader(kit);
	int64_t by_state[CLAIM_STATES];

	assert_true(reader_claims_count(reader, ADS, by_state));
	reader_close(&reader);
	return by_state[state];
}

static int64_t order(struct kit *kit, struct chore chore)
{
	if (!outbox_do_now(kit->outbox, &chore))
		kit_fail("%s", chore.error.text);
	return chore.count;
}

static void keys_are_known_whatever_became_of_them(void **state)
{
	static const enum claim_state states[] = {CLAIM_WAITING, CLAIM_PARKED, CLAIM_DEAD,
						  CLAIM_DONE};
	struct kit *kit = *state;

	kit_open(kit);
	assert_true(add(kit, "k", NULL, 0, 1000));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		end(kit, NULL, 1, states[i]);
		assert_false(add(kit, "k", NULL, 0, 1000));
		assert_int_equal(count_in(kit, states[i]), 1);
	}
	kit_close(kit);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM claim WHERE blob IS NULL AND error"
					" IS NULL AND state = 'done' AND attempts = 2"),
			 1);
}

/* It keeps what it is fetched by, for somebody may ask for it again. */
static void one_of_a_group_may_be_dead(void **state)
{
	static const int64_t numbers[] = {1, 2};
	const struct lg_slice refusals[] = {slice_of(NULL, 0), LG_SLICE("nobody")};
	struct kit *kit = *state;
	struct claim_work work = {
		.source = ADS,
		.end = {.numbers = numbers, .count = 2, .state = CLAIM_DONE, .refusals = refusals},
	};

	kit_open(kit);
	assert_true(add(kit, "k", "g", 2, 1000));
	assert_true(add(kit, "l", "g", 2, 1000));
	store(kit, NULL, &work);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM claim WHERE no = 1 AND"
					" state = 'done' AND error IS NULL AND blob IS NULL"),
			 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM claim WHERE no = 2 AND"
					" state = 'dead' AND error = 'nobody' AND"
					" CAST(blob AS TEXT) = 'blob'"),
			 1);
	kit_close(kit);
}

static void what_was_refused_is_dead_from_the_start(void **state)
{
	struct kit *kit = *state;
	struct claim_stub stub = {.key = LG_SLICE("k"), .refusal = LG_SLICE("nobody")};
	struct claim_work work = {.source = ADS, .stubs = &stub};

	kit_open(kit);
	store(kit, NULL, &work);
	assert_int_equal(count_in(kit, CLAIM_DEAD), 1);
	assert_false(add(kit, "k", NULL, 0, 1000));
	assert_true(add(kit, "other", NULL, 0, 1000));
	assert_int_equal(count_in(kit, CLAIM_WAITING), 1);
	kit_close(kit);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM claim WHERE state = 'dead' AND"
					" error = 'nobody' AND key = 'k'"),
			 1);
}

static void due_ones_are_read_in_order(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	struct claim *claims;
	struct arena arena;

	kit_open(kit);
	add(kit, "later", NULL, 0, 3000);
	add(kit, "first", NULL, 0, 1000);
	add(kit, "second", NULL, 0, 2000);
	struct reader *reader = open_reader(kit);
	arena_init(&arena, 1024, 0);
	assert_int_equal(
		reader_claims_due(reader, &arena, LG_SLICE("other"), 9000, 9, &claims, &error), 0);
	assert_int_equal(reader_claims_due(reader, &arena, ADS, 2000, 9, &claims, &error), 2);
	assert_true(slice_is(claims[0].key, "first") && slice_is(claims[1].key, "second"));
	assert_true(slice_is(claims[0].blob, "blob"));
	assert_int_equal(claims[0].number, 2);
	assert_int_equal(reader_claims_due(reader, &arena, ADS, 2000, 1, &claims, &error), 1);
	assert_int_equal(reader_claims_list(reader, &arena, slice_of(NULL, 0), CLAIM_WAITING, 1, 9,
					    &claims, &error),
			 2);
	arena_fini(&arena);
	reader_close(&reader);
}

static void claims_are_found_by_their_key(void **state)
{
	const struct lg_slice all = {NULL, 0};
	struct kit *kit = *state;
	struct error error = {""};
	struct claim *claims;
	struct arena arena;

	kit_open(kit);
	struct reader *reader = open_reader(kit);
	arena_init(&arena, 1024, 0);
	assert_int_equal(
		reader_claims_named(reader, &arena, all, LG_SLICE("one"), 9, &claims, &error), 0);
	add(kit, "one", NULL, 0, 3000);
	add(kit, "two", NULL, 0, 1000);
	kit_sql(kit, "INSERT INTO claim (source, kind, key, parts, at, state, due, attempts, error)"
		     " VALUES ('zoo', 'claim', 'one', 0, 1, 'parked', 2, 3, 'why'),"
		     " ('zoo', 'poll', 'two', 0, 1, 'waiting', 2, 3, NULL)");
	assert_int_equal(
		reader_claims_named(reader, &arena, all, LG_SLICE("one"), 9, &claims, &error), 2);
	assert_true(slice_equal(claims[0].source, ADS) && slice_is(claims[1].source, "zoo"));
	assert_int_equal(claims[1].state, CLAIM_PARKED);
	assert_true(slice_is(claims[1].error, "why"));
	assert_int_equal(
		reader_claims_named(reader, &arena, all, LG_SLICE("one"), 1, &claims, &error), 1);
	assert_int_equal(reader_claims_named(reader, &arena, LG_SLICE("zoo"), LG_SLICE("one"), 9,
					     &claims, &error),
			 1);
	assert_int_equal(claims[0].attempts, 3);
	assert_int_equal(
		reader_claims_named(reader, &arena, all, LG_SLICE("two"), 9, &claims, &error), 1);
	assert_int_equal(
		reader_claims_named(reader, &arena, ADS, LG_SLICE("three"), 9, &claims, &error), 0);
	arena_fini(&arena);
	reader_close(&reader);
}

static void group_is_due_with_its_last_part(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	struct claim *claims;
	struct arena arena;
	int64_t late_ms = clock_wall_ms() + 3600000;

	kit_open(kit);
	add(kit, "a", "g", 3, late_ms);
	add(kit, "b", "g", 3, late_ms);
	add(kit, "b", "g", 3, late_ms);
	add(kit, "x", "h", 3, late_ms);
	struct reader *reader = open_reader(kit);
	arena_init(&arena, 1024, 0);
	assert_int_equal(reader_claims_due(reader, &arena, ADS, late_ms - 1, 9, &claims, &error),
			 0);
	add(kit, "c", "g", 3, late_ms);
	assert_int_equal(reader_claims_due(reader, &arena, ADS, late_ms - 1, 9, &claims, &error),
			 3);
	assert_int_equal(reader_claims_of(reader, &arena, ADS, LG_SLICE("g"), 9, &claims, &error),
			 3);
	assert_true(slice_is(claims[0].key, "a") && slice_is(claims[2].key, "c"));
	arena_fini(&arena);
	reader_close(&reader);
}

/* The trigger fails the lead, so the end of its claim must not be there either. */
static void lead_and_end_are_one(void **state)
{
	struct kit *kit = *state;
	const int64_t number = 1;
	struct claim_work work = {
		.source = ADS,
		.end = {.numbers = &number, .count = 1, .state = CLAIM_DONE},
	};

	kit_open(kit);
	add(kit, "k", NULL, 0, 1000);
	kit_sql(kit,
		"CREATE TRIGGER t BEFORE UPDATE ON claim BEGIN SELECT raise(ABORT, 'no'); END");
	struct submission *submission = kit_make(kit, &(struct post){.email = "a@example.com"}, 1);
	submission->claims = &work;
	assert_true(outbox_submit(kit->outbox, submission));
	kit_reply(kit);
	assert_int_equal(submission->status, SUBMISSION_FAILED);
	kit_free(submission);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 0);
	assert_int_equal(count_in(kit, CLAIM_WAITING), 1);
	kit_sql(kit, "DROP TRIGGER t");
	end(kit, "a@example.com", 1, CLAIM_DONE);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM event"), 1);
	assert_int_equal(count_in(kit, CLAIM_DONE), 1);
}

static void orders_bring_them_back(void **state)
{
	struct kit *kit = *state;

	kit_open(kit);
	add(kit, "parked", NULL, 0, 1000);
	add(kit, "dead", NULL, 0, 1000);
	add(kit, "fresh", NULL, 0, 1000);
	end(kit, NULL, 1, CLAIM_PARKED);
	end(kit, NULL, 2, CLAIM_DEAD);
	assert_int_equal(order(kit, (struct chore){.kind = CHORE_CLAIMS, .sink = ADS}), 1);
	assert_int_equal(count_in(kit, CLAIM_WAITING), 2);
	assert_int_equal(
		order(kit,
		      (struct chore){.kind = CHORE_CLAIMS, .sink = ADS, .replay.dead_only = true}),
		2);
	assert_int_equal(count_in(kit, CLAIM_WAITING), 3);
	end(kit, NULL, 1, CLAIM_PARKED);
	store(kit, NULL, &(struct claim_work){.source = ADS, .unpark = true});
	assert_int_equal(count_in(kit, CLAIM_PARKED), 0);
	const struct chore backfill = {
		.kind = CHORE_BACKFILL, .sink = ADS, .before_ms = 1767225600000};
	assert_int_equal(order(kit, backfill), 1);
	assert_int_equal(order(kit, backfill), 0);
	end(kit, NULL, 4, CLAIM_DEAD);
	assert_int_equal(order(kit, backfill), 1);
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM claim WHERE kind = 'backfill' AND"
					" key = '2026-01-01T00:00:00.000Z' AND state = 'waiting'"),
			 1);
	end(kit, NULL, 4, CLAIM_GONE);
	assert_int_equal(count_in(kit, CLAIM_WAITING), 3);
}

/* Who waits for a vendor goes on waiting when a sink is paused. */
static void only_orders_about_claims_are_told(void **state)
{
	const struct lg_slice sink = LG_SLICE("crm");
	struct kit *kit = *state;

	kit_open(kit);
	int64_t before = outbox_claim_epoch(kit->outbox), sinks = outbox_sink_epoch(kit->outbox);
	order(kit, (struct chore){.kind = CHORE_PAUSE, .sink = sink, .text = sink});
	order(kit, (struct chore){.kind = CHORE_RESUME, .sink = sink});
	assert_int_equal(outbox_claim_epoch(kit->outbox), before);
	assert_true(outbox_sink_epoch(kit->outbox) > sinks);
	order(kit, (struct chore){.kind = CHORE_CLAIMS, .sink = ADS});
	assert_int_equal(outbox_claim_epoch(kit->outbox), before + 1);
	order(kit, (struct chore){.kind = CHORE_BACKFILL, .sink = ADS});
	assert_int_equal(outbox_claim_epoch(kit->outbox), before + 2);
}

static bool see(void *context, struct lg_slice source, const struct state_note *note)
{
	char *seen = context;

	snprintf(seen + strlen(seen), 200 - strlen(seen), "%.*s:%.*s=%.*s ", SLICE_ARGS(source),
		 SLICE_ARGS(note->key), SLICE_ARGS(note->value));
	return true;
}

static void notes_are_kept_and_forgotten(void **state)
{
	struct kit *kit = *state;
	struct error error = {""};
	char seen[200] = "";
	struct state_note third = {.key = LG_SLICE("a")};
	struct state_note second = {&third, LG_SLICE("b"), LG_SLICE("")};
	struct state_note first = {&second, LG_SLICE("a"), LG_SLICE("1")};

	kit_open(kit);
	store(kit, "x@example.com", &(struct claim_work){.source = ADS, .notes = &first});
	third.value = LG_SLICE("3");
	store(kit, NULL, &(struct claim_work){.source = LG_SLICE("b"), .notes = &third});
	struct reader *reader = open_reader(kit);
	assert_true(reader_state_notes(reader, see, seen, &error));
	assert_string_equal(seen, "ads:b= b:a=3 ");
	add(kit, "k", NULL, 0, 1000);
	assert_int_equal(
		order(kit, (struct chore){.kind = CHORE_FORGET, .sink = ADS, .of_source = true}),
		2);
	seen[0] = '\0';
	assert_true(reader_state_notes(reader, see, seen, &error));
	assert_string_equal(seen, "b:a=3 ");
	assert_int_equal(count_in(kit, CLAIM_WAITING), 0);
	reader_close(&reader);
}

static char noted[8];

static void note(struct claim_work *work)
{
	snprintf(noted + strlen(noted), sizeof(noted) - strlen(noted), "%.*s",
		 SLICE_ARGS(work->notes->value));
}

/* As they were committed, and before whoever sent them hears of it. */
static void notes_are_told_in_order(void **state)
{
	struct kit *kit = *state;
	struct submission *submissions[3];
	struct state_note notes[3];
	struct claim_work works[3];

	kit_open(kit);
	kit_sql(kit, "CREATE TRIGGER t BEFORE INSERT ON state WHEN NEW.value = CAST('2' AS BLOB)"
		     " BEGIN SELECT RAISE(ABORT, 'no'); END");
	for (int i = 0; i < 3; i++) {
		notes[i] = (struct state_note){.key = LG_SLICE("a"),
					       .value = slice_of(&"123"[i], 1)};
		works[i] = (struct claim_work){.source = ADS, .notes = &notes[i], .noted = note};
		submissions[i] = kit_make(kit, NULL, 0);
		submissions[i]->claims = &works[i];
		assert_true(outbox_submit(kit->outbox, submissions[i]));
	}
	for (int i = 0; i < 3; i++)
		kit_reply(kit);
	assert_string_equal(noted, "13");
	assert_int_equal(submissions[1]->status, SUBMISSION_FAILED);
	for (int i = 0; i < 3; i++)
		kit_free(submissions[i]);
}

static void old_ones_that_are_done_go(void **state)
{
	struct kit *kit = *state;
	int64_t now_ms = clock_wall_ms();

	kit_open(kit);
	add(kit, "done", NULL, 0, 1000);
	add(kit, "waits", NULL, 0, 1000);
	end(kit, NULL, 1, CLAIM_DONE);
	store(kit, NULL, &(struct claim_work){.source = ADS, .drop_before_ms = now_ms - 1});
	assert_int_equal(count_in(kit, CLAIM_DONE), 1);
	store(kit, NULL, &(struct claim_work){.source = ADS, .drop_before_ms = now_ms + 3600000});
	assert_int_equal(count_in(kit, CLAIM_DONE), 0);
	assert_int_equal(count_in(kit, CLAIM_WAITING), 1);
}

static bool balance(struct kit *kit, struct balance *balance)
{
	struct reader *reader = open_reader(kit);
	struct error error = {""};
	struct arena arena;

	*balance = (struct balance){.events = 0};
	arena_init(&arena, 1024, 0);
	if (!balance_read(balance, reader, &arena, NULL, 0, &error))
		kit_fail("%s", error.text);
	arena_fini(&arena);
	reader_close(&reader);
	return balance_closes(balance);
}

static void balance_counts_them(void **state)
{
	struct kit *kit = *state;
	struct balance sums;

	kit_open(kit);
	add(kit, "a", NULL, 0, 1000);
	add(kit, "b", NULL, 0, 1000);
	end(kit, "a@example.com", 1, CLAIM_DONE);
	assert_true(balance(kit, &sums));
	assert_int_equal(sums.claims, 2);
	assert_int_equal(sums.claims_by_state[CLAIM_DONE], 1);
	assert_int_equal(sums.claims_by_state[CLAIM_WAITING], 1);
	kit_sql(kit, "UPDATE claim SET state = 'lost' WHERE key = 'b'");
	assert_false(balance(kit, &sums));
	assert_int_equal(sums.faults, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_TEST(keys_are_known_whatever_became_of_them),
		STORE_TEST(one_of_a_group_may_be_dead),
		STORE_TEST(what_was_refused_is_dead_from_the_start),
		STORE_TEST(due_ones_are_read_in_order),
		STORE_TEST(claims_are_found_by_their_key),
		STORE_TEST(group_is_due_with_its_last_part),
		STORE_TEST(lead_and_end_are_one),
		STORE_TEST(orders_bring_them_back),
		STORE_TEST(only_orders_about_claims_are_told),
		STORE_TEST(notes_are_kept_and_forgotten),
		STORE_TEST(notes_are_told_in_order),
		STORE_TEST(old_ones_that_are_done_go),
		STORE_TEST(balance_counts_them),
	};

	return RUN(tests);
}
