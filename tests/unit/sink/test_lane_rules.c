/* What a lane delivers by order of its operator: which leads, from where on, and
 * whether at all. */
#include "stand.h"

#include <stdio.h>

#include "base/log.h"
#include "outbox/chore.h"

static void order(enum chore_kind kind, const char *text)
{
	struct chore chore = {.kind = kind, .sink = LG_SLICE("robot"), .text = slice_from(text)};

	if (!outbox_do_now(stand.kit.outbox, &chore))
		fail_msg("%s", chore.error.text);
}

/* ---- when ----------------------------------------------------------------------- */

static void test_when(void **state)
{
	(void)state;
	stand.settings.when = LG_SLICE("ends_with(person.email, '7@example.com')");
	post(30);
	start();
	WAIT_FOR(status().position == 30);
	assert_int_equal(robot.delivered_in_all, 3);
	assert_int_equal(robot.delivered[7], 1);
	assert_int_equal(robot.delivered[17], 1);
	assert_int_equal(robot.delivered[27], 1);
	assert_int_equal(in_state(DELIVERY_FILTERED), 27);
	assert_int_equal(status().filtered, 27);
}

/* Nobody knows whether the sink wants them: they wait, others go, and under a
 * better expression they are tried again. */
static void test_when_fails(void **state)
{
	(void)state;
	log_setup(2, LOG_LOGFMT, LG_LOG_ERROR);
	stand.settings.when = LG_SLICE("starts_with(person.email, 'person1') and 1 < person.phone");
	post(20);
	start();
	WAIT_FOR(status().position == 20);
	assert_int_equal(robot.delivered_in_all, 0);
	assert_int_equal(in_state(DELIVERY_FILTERED), 9);
	assert_int_equal(in_state(DELIVERY_RETRY), 11);
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM open WHERE error LIKE"
					       " '\"when\": %' AND error NOT LIKE '%example%'"),
			 11);
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM attempt"), 0);
	stand.settings.when = LG_SLICE("starts_with(person.email, 'person1')");
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 11);
	assert_int_equal(in_state(DELIVERY_RETRY), 0);
}

static void test_when_fails_for_good(void **state)
{
	(void)state;
	stand.settings.when = LG_SLICE("1 < person.phone");
	stand.settings.retry_for_ms = 1;
	post(2);
	start();
	WAIT_FOR(in_state(DELIVERY_DEAD) == 2);
	assert_int_equal(robot.delivered_in_all, 0);
}

static void test_when_is_no_expression(void **state)
{
	struct error error = {""};

	(void)state;
	stand.settings.when = LG_SLICE("1 <");
	assert_null(lane_start(&stand.instance, &stand.settings, stand.kit.outbox,
			       stand.kit.store.path, &error));
	assert_memory_equal(error.text, "sink robot: \"when\": 1:", 22);
}

/* ---- start ---------------------------------------------------------------------- */

static void test_starts_now(void **state)
{
	(void)state;
	stand.settings.start = LG_SLICE("now");
	post(5);
	start();
	WAIT_FOR(status().position == 5);
	post(5);
	WAIT_FOR(status().position == 10);
	each_delivered(6, 10, true);
	assert_int_equal(robot.delivered_in_all, 5);
	assert_int_equal(in_state(DELIVERY_FILTERED), 5);
	stop();
	post(2);
	start(); /* it is known by now: nothing is left out */
	WAIT_FOR(status().position == 12);
	each_delivered(6, 12, true);
}

static void test_starts_at_a_time(void **state)
{
	static const char *const old[] = {"2020-01-01T00:00:00Z", "2020-06-01T00:00:00Z",
					  "2021-01-01T00:00:00Z"};
	char email[64];

	(void)state;
	for (int i = 0; i < 3; i++) {
		int64_t at_ms = 0;
		assert_true(sink_start_parse(slice_from(old[i]), &at_ms));
		snprintf(email, sizeof(email), "old%d@example.com", i);
		kit_post(&stand.kit, (struct post){.email = email, .at_ms = at_ms});
	}
	stand.settings.start = LG_SLICE("2020-06-01");
	start();
	WAIT_FOR(status().position == 3);
	assert_int_equal(robot.delivered[1], 0);
	each_delivered(2, 3, true);
}

static void test_what_a_start_is(void **state)
{
	int64_t at_ms;

	(void)state;
	assert_true(sink_start_parse(LG_SLICE("now"), &at_ms));
	assert_true(sink_start_parse(LG_SLICE("beginning"), &at_ms));
	assert_true(sink_start_parse(LG_SLICE("2026-01-31T00:00:00+02:00"), &at_ms));
	assert_false(sink_start_parse(LG_SLICE("later"), &at_ms));
	assert_false(sink_start_parse(LG_SLICE("1767225600"), &at_ms));
	assert_false(sink_start_parse(LG_SLICE(""), &at_ms));
	assert_false(sink_start_parse(LG_SLICE("2026-13-31"), &at_ms));
}

/* ---- pause ---------------------------------------------------------------------- */

static void test_pause(void **state)
{
	(void)state;
	post(5);
	start();
	WAIT_FOR(status().position == 5);
	order(CHORE_PAUSE, "for a repair");
	WAIT_FOR(strcmp(status().state, "paused") == 0);
	assert_string_equal(status().reason, "for a repair");
	post(5);
	stop();
	assert_int_equal(robot.delivered_in_all, 5);
	start(); /* the journal knows */
	WAIT_FOR(strcmp(status().state, "paused") == 0);
	order(CHORE_RESUME, NULL);
	WAIT_FOR(status().position == 10);
	assert_string_equal(status().state, "running");
	each_delivered(1, 10, true);
}

/* Who resumes a sink sees it try, however long it would have waited. */
static void test_resume_tries_at_once(void **state)
{
	(void)state;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	atomic_store(&robot.order, RETRY);
	post(10);
	start();
	WAIT_FOR(strcmp(status().state, "waiting") == 0);
	assert_true(status().next_attempt_ms > 0);
	order(CHORE_PAUSE, NULL);
	WAIT_FOR(strcmp(status().state, "paused") == 0);
	atomic_store(&robot.order, DELIVER);
	order(CHORE_RESUME, NULL);
	WAIT_FOR(status().position == 10);
}

/* ---- rate ----------------------------------------------------------------------- */

static void test_rate(void **state)
{
	int64_t started_ms = clock_monotonic_ms();

	(void)state;
	stand.settings.rate = 50;
	post(75);
	start();
	WAIT_FOR(status().position == 75);
	assert_true(clock_monotonic_ms() - started_ms >= 500);
	each_delivered(1, 75, true);
	assert_true(atomic_load(&robot.largest) <= 50);
}

/* Nobody is told of an attempt for long when there is nothing to attempt. */
static void test_the_rate_allows_the_next_one(void **state)
{
	(void)state;
	stand.settings.rate = 1;
	post(1);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 1);
	WAIT_FOR(status().next_attempt_ms == 0);
	assert_string_equal(status().state, "running");
}

/* A restart does not give the destination a new day. */
static void test_rate_a_day(void **state)
{
	(void)state;
	stand.settings.rate_day = 12;
	post(20);
	start();
	WAIT_FOR(strcmp(status().reason, "rate_day is used up") == 0);
	assert_string_equal(status().state, "waiting");
	assert_true(status().next_attempt_ms > clock_wall_ms() + 3600000);
	WAIT_FOR(status().position == 12);
	stop();
	start();
	WAIT_FOR(strcmp(status().reason, "rate_day is used up") == 0);
	assert_int_equal(robot.delivered_in_all, 12);
	stop();
	stand.settings.rate_day = 0;
	start();
	WAIT_FOR(status().position == 20);
}

/* A batch that goes as it was waits until the day has room for all of it. Replayed, its
 * events go as far as there is room. */
static void test_a_replay_ends_the_wait_for_the_rate(void **state)
{
	struct chore chore = {.kind = CHORE_REPLAY,
			      .sink = LG_SLICE("robot"),
			      .replay = {.last_seq = INT64_MAX, .again = true}};

	(void)state;
	stand.settings.rate_day = 20;
	atomic_store(&robot.order, UNCLASSIFIED);
	post(12);
	start();
	WAIT_FOR(status().next_attempt_ms > clock_wall_ms() + 3600000);
	atomic_store(&robot.order, DELIVER);
	if (!outbox_do_now(stand.kit.outbox, &chore))
		fail_msg("%s", chore.error.text);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 8);
}

/* A batch of six goes in vain three times and waits for the day. What is new has half
 * of the four that are left, and not what the batch could go with. */
static void test_new_events_go_beside_a_batch_that_waits(void **state)
{
	(void)state;
	stand.settings.rate_day = 22;
	atomic_store(&robot.order, UNCLASSIFIED);
	post(6);
	start();
	WAIT_FOR(kit_count(&stand.kit, "SELECT min(attempts) FROM open") == 3);
	atomic_store(&robot.order, DELIVER);
	post(4);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 2);
	WAIT_FOR(strcmp(status().reason, "rate_day is used up") == 0);
	WAIT_FOR(status().position == 8);
	assert_int_equal(robot.delivered_in_all, 2);
	stop();
	stand.settings.rate_day = 0;
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 10);
}

/* ---- clocks --------------------------------------------------------------------- */

/* A clock that ran ahead wrote down when it is due, and was set since. */
static void test_due_in_a_hundred_years(void **state)
{
	(void)state;
	atomic_store(&robot.order, RETRY);
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = PATIENCE_MS;
	post(1);
	start();
	WAIT_FOR(in_state(DELIVERY_RETRY) == 1);
	stop();
	kit_sql(&stand.kit, "UPDATE open SET due = due + 3155760000000");
	atomic_store(&robot.order, DELIVER);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 1);
}

/* Within what the destination may ask for it is left alone. */
static void test_retry_after_is_obeyed(void **state)
{
	(void)state;
	atomic_store(&robot.order, RETRY);
	atomic_store(&robot.retry_after_ms, 10 * PATIENCE_MS);
	post(1);
	start();
	WAIT_FOR(in_state(DELIVERY_RETRY) == 1);
	assert_true(status().next_attempt_ms > clock_wall_ms() + 8 * PATIENCE_MS);
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT due > 1000 * strftime('%s') + 480000"
					       " FROM open"),
			 1);
	stand.settings.max_retry_after_ms = 2;
	atomic_store(&robot.order, DELIVER);
	start(); /* so long may no destination ask any more */
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 1);
}

/* ---- events that are due -------------------------------------------------------- */

/* So many that were delivered are sent once more, one by one, and now fail. */
static void replay_in_vain(int count)
{
	struct chore chore = {.kind = CHORE_REPLAY,
			      .sink = LG_SLICE("robot"),
			      .replay = {.last_seq = INT64_MAX, .again = true}};

	stand.settings.batch_events = 1;
	post(count);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == count);
	atomic_store(&robot.order, RETRY);
	if (!outbox_do_now(stand.kit.outbox, &chore))
		fail_msg("%s", chore.error.text);
}

/* What one of them is told holds for all. */
static void test_due_ones_wait_as_asked(void **state)
{
	(void)state;
	atomic_store(&robot.retry_after_ms, 10 * PATIENCE_MS);
	replay_in_vain(20);
	WAIT_FOR(strcmp(status().state, "waiting") == 0);
	assert_int_equal(atomic_load(&robot.batches), 21);
	assert_true(status().next_attempt_ms > clock_wall_ms() + 8 * PATIENCE_MS);
	WAIT_FOR(kit_count(&stand.kit, "SELECT count(*) FROM open WHERE attempts = 1") == 1);
	assert_int_equal(in_state(DELIVERY_RETRY), 20);
}

static void test_several_due_ones_pause(void **state)
{
	(void)state;
	replay_in_vain(20);
	WAIT_FOR(strcmp(status().state, "waiting") == 0);
	assert_true(atomic_load(&robot.batches) > 22); /* not for the first one's sake */
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 20);
	assert_string_equal(status().state, "running");
}

/* It may be to blame itself. */
static void test_one_due_one_does_not_pause(void **state)
{
	(void)state;
	replay_in_vain(1);
	WAIT_FOR(status().retries >= 20);
	assert_string_equal(status().state, "running");
	assert_int_equal(status().next_attempt_ms, 0);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_when),
		ON_A_STAND(test_when_fails),
		ON_A_STAND(test_when_fails_for_good),
		ON_A_STAND(test_when_is_no_expression),
		ON_A_STAND(test_starts_now),
		ON_A_STAND(test_starts_at_a_time),
		cmocka_unit_test(test_what_a_start_is),
		ON_A_STAND(test_pause),
		ON_A_STAND(test_resume_tries_at_once),
		ON_A_STAND(test_rate),
		ON_A_STAND(test_the_rate_allows_the_next_one),
		ON_A_STAND(test_rate_a_day),
		ON_A_STAND(test_a_replay_ends_the_wait_for_the_rate),
		ON_A_STAND(test_new_events_go_beside_a_batch_that_waits),
		ON_A_STAND(test_due_in_a_hundred_years),
		ON_A_STAND(test_retry_after_is_obeyed),
		ON_A_STAND(test_due_ones_wait_as_asked),
		ON_A_STAND(test_several_due_ones_pause),
		ON_A_STAND(test_one_due_one_does_not_pause),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_rules", tests, NULL, NULL);
}
