#include "unit.h"

#include <stdio.h>

#include "outbox/outcomes.h"

#define SINK LG_SLICE("crm")

static void post_many(struct kit *kit, int count)
{
	for (int i = 0; i < count; i++) {
		char email[32];
		snprintf(email, sizeof(email), "s%d@x.example", i);
		kit_post(kit, (struct post){.email = email});
	}
}

static struct settled_event event(int64_t seq, enum delivery_state state)
{
	return (struct settled_event){.seq = seq, .state = state};
}

static bool settle(struct kit *kit, bool first, int64_t first_seq, int64_t last_seq,
		   const struct settled_event *events, size_t count)
{
	struct settlement settlement = {.reply = &kit->replies,
					.sink = SINK,
					.first = first,
					.first_seq = first_seq,
					.last_seq = last_seq,
					.events = events,
					.count = count,
					.at_ms = 1000};

	outbox_settle(kit->outbox, &settlement);
	assert_ptr_equal(kit_reply(kit), &settlement.letter);
	return settlement.stored;
}

static struct reader *open_reader(struct kit *kit)
{
	struct error error = {""};
	struct reader *reader = reader_open(kit->store.path, &error);

	if (!reader)
		fail_msg("%s", error.text);
	return reader;
}

static void tally(struct kit *kit, struct sink_tally *tally)
{
	struct error error = {""};
	struct arena arena;
	struct reader *reader = open_reader(kit);

	arena_init(&arena, 4096, 0);
	assert_true(reader_tally(reader, &arena, SINK, tally, &error));
	arena_fini(&arena);
	reader_close(&reader);
}

static void outcomes_are_run_length_coded(void **state)
{
	struct outcomes_writer writer;
	struct buffer out;
	struct lg_slice rest;
	int got;
	int64_t count;

	(void)state;
	buffer_init(&out, SIZE_MAX);
	outcomes_begin(&writer, &out);
	outcomes_add(&writer, DELIVERY_DELIVERED, 1);
	outcomes_add(&writer, OUTCOME_NONE, 0);
	outcomes_add(&writer, DELIVERY_DELIVERED, 97);
	outcomes_add(&writer, DELIVERY_FILTERED, 1);
	outcomes_add(&writer, OUTCOME_NONE, 3);
	outcomes_add(&writer, DELIVERY_DEAD, 1);
	outcomes_end(&writer);
	rest = buffer_slice(&out);
	assert_true(slice_is(rest, "delivered*98 filtered none*3 dead"));
	assert_true(outcomes_next(&rest, &got, &count));
	assert_int_equal(got, DELIVERY_DELIVERED);
	assert_int_equal(count, 98);
	assert_true(outcomes_next(&rest, &got, &count));
	assert_int_equal(got, DELIVERY_FILTERED);
	assert_int_equal(count, 1);
	assert_true(outcomes_next(&rest, &got, &count));
	assert_int_equal(got, OUTCOME_NONE);
	assert_int_equal(count, 3);
	assert_true(outcomes_next(&rest, &got, &count));
	assert_int_equal(got, DELIVERY_DEAD);
	assert_false(outcomes_next(&rest, &got, &count));
	rest = LG_SLICE("delivered*x");
	assert_false(outcomes_next(&rest, &got, &count));
	rest = LG_SLICE("nonsense*4");
	assert_false(outcomes_next(&rest, &got, &count));
	rest = LG_SLICE("delivered*0");
	assert_false(outcomes_next(&rest, &got, &count));
	buffer_fini(&out);
}

static void position_moves_with_runs(void **state)
{
	struct kit *kit = *state;
	const struct settled_event events[] = {event(1, DELIVERY_DELIVERED),
					       event(2, DELIVERY_FILTERED),
					       event(3, DELIVERY_DELIVERED)};
	struct sink_tally t;

	kit_open(kit);
	post_many(kit, 5);
	tally(kit, &t);
	assert_int_equal(t.position, 0);
	assert_int_equal(t.by_state[DELIVERY_PENDING], 5);
	assert_true(settle(kit, true, 1, 3, events, 3));
	tally(kit, &t);
	assert_int_equal(t.position, 3);
	assert_int_equal(t.last_seq, 5);
	assert_int_equal(t.by_state[DELIVERY_DELIVERED], 2);
	assert_int_equal(t.by_state[DELIVERY_FILTERED], 1);
	assert_int_equal(t.by_state[DELIVERY_PENDING], 2);
	assert_true(t.oldest_pending_ms > 0);
}

/* A sink that nothing is known of, such as one that was forgotten meanwhile. */
static void gap_before_the_first_is_refused(void **state)
{
	struct kit *kit = *state;
	const struct settled_event late[] = {event(3, DELIVERY_DELIVERED)};

	kit_open(kit);
	post_many(kit, 3);
	assert_false(settle(kit, true, 3, 3, late, 1));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM settled"), 0);
	assert_true(settle(kit, true, 1, 3, late, 1));
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM settled"), 1);
}

static void gap_is_refused_and_overlap_left_out(void **state)
{
	struct kit *kit = *state;
	const struct settled_event events[] = {
		event(1, DELIVERY_DELIVERED), event(2, DELIVERY_DEAD), event(3, DELIVERY_DELIVERED),
		event(4, DELIVERY_DELIVERED)};
	struct sink_tally t;

	kit_open(kit);
	post_many(kit, 6);
	assert_true(settle(kit, true, 1, 2, events, 2));
	assert_false(settle(kit, true, 4, 4, events + 3, 1));
	/* A lane that was replaced settles what its successor had settled. */
	assert_true(settle(kit, true, 1, 2, events, 2));
	assert_true(settle(kit, true, 2, 4, events + 1, 3));
	tally(kit, &t);
	assert_int_equal(t.position, 4);
	assert_int_equal(t.by_state[DELIVERY_DELIVERED], 3);
	assert_int_equal(t.by_state[DELIVERY_DEAD], 1);
	assert_int_equal(t.by_state[DELIVERY_PENDING], 2);
}

/* An event's way: retry, unclassified, retry, delivered; another: retry, dead. */
static void open_events_have_their_turns(void **state)
{
	struct kit *kit = *state;
	struct settled_event events[] = {event(1, DELIVERY_RETRY), event(2, DELIVERY_RETRY),
					 event(3, DELIVERY_PARKED)};
	struct journal_event *due;
	struct error error = {""};
	struct sink_tally t;
	struct arena arena;

	kit_open(kit);
	post_many(kit, 3);
	events[0].due_ms = 2000;
	events[1].due_ms = 1500;
	events[0].attempts = events[1].attempts = 1;
	events[0].reason = LG_SLICE("connection refused");
	assert_true(settle(kit, true, 1, 3, events, 3));
	arena_init(&arena, 4096, 0);
	struct reader *reader = open_reader(kit);
	assert_int_equal(reader_next_due(reader, SINK), 1500);
	assert_int_equal(reader_next_due(reader, LG_SLICE("other")), INT64_MAX);
	assert_int_equal(reader_due(reader, &arena, SINK, 1499, 10, 1 << 20, &due, &error), 0);
	assert_int_equal(reader_due(reader, &arena, SINK, 2000, 10, 1, &due, &error), 1);
	assert_int_equal(reader_due(reader, &arena, SINK, 2000, 10, 1 << 20, &due, &error), 2);
	assert_int_equal(due[0].seq, 2);
	assert_int_equal(due[1].seq, 1);
	assert_int_equal(due[1].state, DELIVERY_RETRY);
	assert_int_equal(due[1].attempts, 1);
	assert_true(due[1].body.length > 0);

	const struct settled_event again[] = {
		{.seq = 1, .state = DELIVERY_UNCLASSIFIED, .attempts = 2, .due_ms = 3000},
		{.seq = 2, .state = DELIVERY_DEAD, .attempts = 2, .due_ms = 9}};
	assert_true(settle(kit, false, 1, 2, again, 2));
	assert_int_equal(reader_next_due(reader, SINK), 3000);
	const struct settled_event last[] = {event(1, DELIVERY_DELIVERED),
					     event(3, DELIVERY_DELIVERED)};
	assert_true(settle(kit, false, 1, 3, last, 2));
	assert_int_equal(reader_next_due(reader, SINK), INT64_MAX);
	/* What is closed stays closed. */
	assert_true(settle(kit, false, 1, 1, again, 1));
	tally(kit, &t);
	assert_int_equal(t.by_state[DELIVERY_DELIVERED], 2);
	assert_int_equal(t.by_state[DELIVERY_DEAD], 1);
	assert_int_equal(t.by_state[DELIVERY_RETRY], 0);
	assert_int_equal(t.position, 3);
	/* Not alike: their reasons differ. */
	assert_int_equal(kit_count(kit, "SELECT count(*) FROM attempt"), 8);
	assert_int_equal(kit_count(kit, "SELECT first_seq + last_seq FROM attempt"
					" WHERE reason = 'connection refused'"),
			 2);
	reader_close(&reader);
	arena_fini(&arena);
}

static void sum_of_states_always_closes(void **state)
{
	struct kit *kit = *state;
	struct settled_event events[40];
	struct sink_tally t;
	int64_t sum = 0;

	kit_open(kit);
	post_many(kit, 50);
	for (int i = 0; i < 40; i++)
		events[i] = event(i + 1, (enum delivery_state)(1 + i % 9));
	assert_true(settle(kit, true, 1, 40, events, 40));
	for (int i = 0; i < 40; i += 3)
		events[i].state = DELIVERY_DELIVERED;
	assert_true(settle(kit, false, 1, 40, events, 40));
	tally(kit, &t);
	for (int i = 0; i < 16; i++)
		sum += t.by_state[i];
	assert_int_equal(sum, 50);
	assert_int_equal(t.by_state[DELIVERY_PENDING], 10);
}

static void external_ids_and_answers_are_kept(void **state)
{
	struct kit *kit = *state;
	struct settled_event e = event(1, DELIVERY_DELIVERED);

	kit_open(kit);
	post_many(kit, 1);
	e.external_id = LG_SLICE("crm-17");
	e.status = 201;
	e.answer = LG_SLICE("created");
	assert_true(settle(kit, true, 1, 1, &e, 1));
	assert_int_equal(kit_count(kit,
				   "SELECT count(*) FROM external x JOIN lead l ON l.id = x.lead"
				   " WHERE x.sink = 'crm' AND x.id = 'crm-17'"),
			 1);
	assert_int_equal(kit_count(kit,
				   "SELECT count(*) FROM attempt WHERE status = 201"
				   " AND outcome = 'delivered' AND answer = x'63726561746564'"),
			 1);
}

static void settled_survives_a_restart(void **state)
{
	struct kit *kit = *state;
	struct settled_event e = event(1, DELIVERY_DELIVERED);

	kit_open(kit);
	post_many(kit, 2);
	assert_true(settle(kit, true, 1, 1, &e, 1));
	kit_close(kit);
	kit_open(kit);
	struct reader *reader = open_reader(kit);
	assert_int_equal(reader_position(reader, SINK), 1);
	reader_close(&reader);
	e.seq = 2;
	assert_true(settle(kit, true, 2, 2, &e, 1));
}

/* Nobody takes "it cannot be read" for "there is nothing". */
static void what_cannot_be_read_is_not_nothing(void **state)
{
	struct kit *kit = *state;
	const struct settled_event events[] = {event(1, DELIVERY_RETRY)};

	kit_open(kit);
	post_many(kit, 1);
	assert_true(settle(kit, true, 1, 1, events, 1));
	kit_close(kit);
	struct reader *reader = open_reader(kit);
	assert_int_equal(reader_position(reader, SINK), 1);
	kit_sql(kit, "ALTER TABLE settled RENAME TO settled_;"
		     "ALTER TABLE open RENAME TO open_");
	assert_int_equal(reader_position(reader, SINK), -1);
	assert_int_equal(reader_next_due(reader, SINK), 0);
	assert_true(reader_last_due(reader, SINK) == INT64_MIN);
	reader_close(&reader);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outcomes_are_run_length_coded),
		STORE_TEST(position_moves_with_runs),
		STORE_TEST(gap_before_the_first_is_refused),
		STORE_TEST(gap_is_refused_and_overlap_left_out),
		STORE_TEST(open_events_have_their_turns),
		STORE_TEST(sum_of_states_always_closes),
		STORE_TEST(external_ids_and_answers_are_kept),
		STORE_TEST(settled_survives_a_restart),
		STORE_TEST(what_cannot_be_read_is_not_nothing),
	};
	return RUN(tests);
}
