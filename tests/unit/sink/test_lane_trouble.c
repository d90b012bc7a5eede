/* A lane whose destination is difficult: several batches at once, batches that
 * fail for one event's sake, configurations that are wrong or only seem so. */
#include "stand.h"

#include <stdio.h>

static void several_at_once(int count)
{
	stand.settings.batch_events = 2;
	stand.settings.concurrency = count;
	atomic_store(&robot.order, KEEP);
	post(20);
	start();
}

/* What was delivered out of order is settled in order, without gaps. */
static void test_settles_in_order(void **state)
{
	(void)state;
	several_at_once(4);
	WAIT_FOR(atomic_load(&robot.kept_count) == 4);
	assert_int_equal(status().in_flight, 4);
	robot_settle(3, LG_DELIVERED);
	robot_settle(2, LG_DELIVERED);
	WAIT_FOR(atomic_load(&robot.kept_count) == 6);
	assert_int_equal(status().position, 0);
	robot_settle(0, LG_DELIVERED);
	WAIT_FOR(status().position == 2);
	robot_settle(1, LG_DELIVERED);
	WAIT_FOR(status().position == 8);
	for (int batch = 4; batch < 10; batch++) {
		WAIT_FOR(atomic_load(&robot.kept_count) > batch);
		robot_settle(batch, LG_DELIVERED);
	}
	WAIT_FOR(status().position == 20);
	each_delivered(1, 20, true);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 20);
}

/* The plugin says how many it takes, the configuration may say fewer. */
static void test_no_more_than_allowed(void **state)
{
	(void)state;
	several_at_once(64);
	for (int batch = 0; batch < 10; batch++) {
		WAIT_FOR(atomic_load(&robot.kept_count) > batch);
		assert_true(atomic_load(&robot.kept_count) <= batch + 4);
		robot_settle(batch, LG_DELIVERED);
	}
	WAIT_FOR(status().position == 20);
	assert_int_equal(status().in_flight, 0);
}

/* A batch that is delivered does not overtake one whose time is not up. */
static void test_each_batch_has_its_deadline(void **state)
{
	(void)state;
	stand.settings.concurrency = 2;
	stand.settings.batch_events = 2;
	/* The second is sent at once behind the first, or the lane would pause before it. */
	stand.settings.timeout_ms = 500;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	atomic_store(&robot.order, KEEP_FIRST);
	post(4);
	start();
	WAIT_FOR(in_state(DELIVERY_UNCLASSIFIED) == 2);
	WAIT_FOR(status().position == 4);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 2);
	robot_settle_kept(LG_DELIVERED); /* late: heard, and without effect */
	assert_int_equal(in_state(DELIVERY_UNCLASSIFIED), 2);
	assert_int_equal(atomic_load(&robot.kept_count), 1);
}

/* A restart in mid-flight delivers again what was not settled in order. */
static void test_stops_with_batches_under_way(void **state)
{
	(void)state;
	stand.settings.timeout_ms = 100;
	several_at_once(4);
	WAIT_FOR(atomic_load(&robot.kept_count) >= 4);
	robot_settle(2, LG_DELIVERED);
	robot_settle(3, LG_DELIVERED);
	stop();
	assert_true(in_state(DELIVERY_UNCLASSIFIED) >= 4);
	assert_int_equal(in_state(DELIVERY_UNCLASSIFIED) + in_state(DELIVERY_DELIVERED) +
				 in_state(DELIVERY_PENDING),
			 20);
	atomic_store(&robot.order, DELIVER);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 20);
	each_delivered(1, 20, false);
}

static void stop_behind_an_open_one(int32_t outcome)
{
	stand.settings.batch_events = 1;
	stand.settings.concurrency = 4;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	atomic_store(&robot.retry_after_ms, FAR_OFF_MS); /* it is not asked again at once */
	atomic_store(&robot.order, KEEP);
	post(4);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 4);
	if (outcome != NEVER)
		robot_settle(0, outcome);
	for (int batch = 1; batch < 4; batch++)
		robot_settle(batch, LG_DELIVERED);
	WAIT_FOR(status().in_flight == (outcome == NEVER));
	lane_stop(stand.lane, 0);
	stop();
	assert_int_equal(in_state(DELIVERY_DELIVERED), 3);
	assert_int_equal(in_state(DELIVERY_PENDING), 0);
}

/* What is done behind one without an answer is not sent again after a stop, which
 * does not wait for that answer. */
static void test_a_stop_tells_of_what_is_done(void **state)
{
	(void)state;
	stop_behind_an_open_one(NEVER);
	assert_int_equal(in_state(DELIVERY_UNCLASSIFIED), 1);
}

/* The same behind one that parks: it goes first after the start. */
static void test_a_stop_while_one_parks(void **state)
{
	(void)state;
	stop_behind_an_open_one(LG_PARK);
	assert_int_equal(in_state(DELIVERY_RETRY), 1);
	assert_int_equal(kit_count(&stand.kit, "SELECT attempts FROM open WHERE seq = 1"
					       " AND error LIKE 'it parked%'"),
			 1);
	atomic_store(&robot.order, DELIVER);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 4);
	each_delivered(2, 4, true);
}

/* So many new leads, in few commits. */
static void post_many(int count)
{
	static char emails[500][64];
	static struct post posts[500];

	for (int i = 0; i < 500; i++) {
		snprintf(emails[i], sizeof(emails[i]), "many%d@example.com", i);
		posts[i] = (struct post){.name = "A Person", .email = emails[i]};
	}
	for (; count > 0; count -= 500) {
		struct submission *submission = kit_submit(&stand.kit, posts, 500);
		assert_int_equal(submission->status, SUBMISSION_STORED);
		kit_free(submission);
		for (int i = 0; i < 500; i++)
			emails[i][0]++;
	}
}

/* However much waits before it. */
static void test_a_stop_tells_of_what_is_far_behind(void **state)
{
	(void)state;
	stand.settings.batch_events = 3000;
	stand.settings.batch_bytes = 64 << 20;
	stand.settings.concurrency = 3;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	atomic_store(&robot.order, KEEP);
	post_many(9000);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 3);
	robot_settle(2, LG_DELIVERED);
	robot_settle(0, LG_RETRY);
	robot_settle(1, LG_RETRY);
	WAIT_FOR(status().in_flight == 0);
	stop();
	assert_int_equal(in_state(DELIVERY_DELIVERED), 3000);
	assert_int_equal(in_state(DELIVERY_RETRY), 6000);
	assert_int_equal(in_state(DELIVERY_PENDING), 0);
}

/* One was asked to wait: what was sent before that and is taken changes nothing. */
static void test_waits_as_asked(void **state)
{
	(void)state;
	stand.settings.concurrency = 2;
	stand.settings.batch_events = 1;
	atomic_store(&robot.retry_after_ms, 10 * PATIENCE_MS);
	atomic_store(&robot.order, KEEP);
	post(3);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 2);
	robot_settle(1, LG_RETRY);
	WAIT_FOR(strcmp(status().state, "waiting") == 0);
	robot_settle(0, LG_DELIVERED);
	WAIT_FOR(status().position == 2);
	assert_string_equal(status().state, "waiting");
	assert_int_equal(atomic_load(&robot.kept_count), 2);
	assert_true(status().next_attempt_ms > clock_wall_ms() + 8 * PATIENCE_MS);
}

/* Nor does who comes after a restart. */
static void test_a_batch_waits_as_asked_after_a_restart(void **state)
{
	(void)state;
	atomic_store(&robot.retry_after_ms, 10 * PATIENCE_MS);
	atomic_store(&robot.order, RETRY);
	post(3);
	start();
	WAIT_FOR(strcmp(status().state, "waiting") == 0);
	stop();
	atomic_store(&robot.order, DELIVER);
	start();
	post(1);
	WAIT_FOR(robot.delivered[4]);
	assert_int_equal(robot.tried[1] + robot.tried[2] + robot.tried[3], 3);
	assert_int_equal(in_state(DELIVERY_RETRY), 3);
}

/* Unless somebody wants to see it try. Asked to wait again, it does. */
static void test_rests_no_longer_when_roused(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	atomic_store(&robot.retry_after_ms, 10 * PATIENCE_MS);
	atomic_store(&robot.order, RETRY);
	post(3);
	start();
	WAIT_FOR(status().position == 1 && strcmp(status().state, "waiting") == 0);
	lane_rouse(stand.lane);
	WAIT_FOR(status().position == 2 && strcmp(status().state, "waiting") == 0);
	assert_int_equal(robot.tried[3], 0);
	atomic_store(&robot.order, DELIVER);
	lane_rouse(stand.lane);
	WAIT_FOR(robot.delivered[3]);
}

/* The lane's own pause is over at once; what it waits for is its one event's time. */
static void test_says_when_it_tries_again(void **state)
{
	(void)state;
	stand.settings.retry_first_ms = 1;
	stand.settings.retry_max_ms = 10 * PATIENCE_MS;
	atomic_store(&robot.order, RETRY);
	post(1);
	start();
	WAIT_FOR(status().next_attempt_ms > clock_wall_ms() + 200);
	assert_string_equal(status().state, "waiting");
}

/* ---- one bad event in a batch -------------------------------------------------- */

static void poisoned(int32_t outcome, int count, int a, int b)
{
	robot.poison[a] = robot.poison[b] = outcome;
	atomic_store(&robot.order, POISON);
	post(count);
	start();
}

static void test_finds_the_event_that_is_rejected(void **state)
{
	(void)state;
	poisoned(LG_REJECT, 64, 41, 41);
	WAIT_FOR(status().position == 64);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 63);
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	assert_int_equal(robot.delivered[41], 0);
	each_delivered(1, 40, true);
	each_delivered(42, 64, true);
	assert_true(robot.tried[41] <= 16); /* halves, not one by one */
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT seq FROM open WHERE state = 'dead'"), 41);
}

static void test_finds_two_of_them(void **state)
{
	(void)state;
	poisoned(LG_REJECT, 64, 1, 64);
	WAIT_FOR(status().position == 64);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 62);
	assert_int_equal(in_state(DELIVERY_DEAD), 2);
	each_delivered(2, 63, true);
}

/* It spoils the batch by a failure that looks like the destination's own. */
static void test_finds_the_event_that_fails(void **state)
{
	(void)state;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = 1;
	poisoned(LG_RETRY, 64, 33, 33);
	WAIT_FOR(status().position == 64);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 63);
	assert_int_equal(in_state(DELIVERY_RETRY), 1);
	robot.poison[33] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 64);
	each_delivered(1, 64, true);
}

/* Whoever asks for an event of a batch that failed is told when and why. */
static void test_a_batch_that_fails_is_told_of(void **state)
{
	static const int outcomes[] = {LG_RETRY, LG_PARK};

	(void)state;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	for (int i = 0; i < 2; i++) {
		poisoned(outcomes[i], 2, 1, 2);
		WAIT_FOR(atomic_load(&robot.batches) == i + 1);
		stop();
		assert_int_equal(in_state(DELIVERY_PENDING), 2 * (i + 1));
		assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM attempt"
						       " WHERE first_seq = 1 AND reason <> ''"),
				 i + 1);
	}
}

/* Batches grow again after the trouble. */
static void test_batches_grow_again(void **state)
{
	(void)state;
	poisoned(LG_REJECT, 64, 2, 2);
	WAIT_FOR(status().position == 64);
	atomic_store(&robot.order, HANG);
	post(1);
	WAIT_FOR(atomic_load(&robot.hangs));
	post(500);
	atomic_store(&robot.largest, 0);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(status().position == 565);
	assert_int_equal(robot.largest, 64);
}

/* ---- parking ---------------------------------------------------------------------- */

/* One event alone is refused as if the configuration were wrong: others pass, so
 * it is to blame. */
static void test_one_that_parks_is_rejected(void **state)
{
	(void)state;
	poisoned(LG_PARK, 30, 1, 1);
	WAIT_FOR(status().position == 30);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 29);
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	each_delivered(2, 30, true);
	assert_string_equal(status().state, "running");
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM open WHERE seq = 1"
					       " AND state = 'dead' AND error <> ''"),
			 1);
}

/* Two in a row do not hide that others pass. */
static void test_two_that_park_are_rejected(void **state)
{
	(void)state;
	poisoned(LG_PARK, 30, 7, 8);
	WAIT_FOR(status().position == 30);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 28);
	assert_int_equal(in_state(DELIVERY_DEAD), 2);
	each_delivered(1, 6, true);
	each_delivered(9, 30, true);
}

/* Many of them, and enough others to tell by: what passed between them waits for the first, which is found out
 * before so much waits that nothing goes any more. */
static void test_many_that_park_are_rejected(void **state)
{
	(void)state;
	stand.settings.concurrency = 4;
	stand.settings.batch_events = 1;
	for (int seq = 1; seq <= 150; seq += 2)
		robot.poison[seq] = LG_PARK;
	atomic_store(&robot.order, THREAD);
	post(300);
	start();
	WAIT_FOR(status().position == 300);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 225);
	assert_int_equal(in_state(DELIVERY_DEAD), 75);
	assert_string_equal(status().state, "running");
}

/* Nobody passes, but all others are tried again later: they cannot be told of
 * before the first is. So it is open, too, and others are asked again. */
static void test_not_all_wait_for_one_that_parks(void **state)
{
	(void)state;
	robot.poison[1] = LG_PARK;
	for (int seq = 2; seq <= 40; seq++)
		robot.poison[seq] = LG_RETRY;
	stand.settings.batch_events = 1;
	atomic_store(&robot.order, POISON);
	post(40);
	start();
	WAIT_FOR(status().position >= 5);
	for (int seq = 2; seq <= 40; seq++)
		robot.poison[seq] = 0;
	WAIT_FOR(status().position == 40);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 39);
	WAIT_FOR(in_state(DELIVERY_DEAD) == 1);
	each_delivered(2, 40, true);
}

/* When the configuration was wrong and is repaired, nobody is rejected, although
 * another lead was the first to pass. */
static void test_nothing_is_lost_while_parked(void **state)
{
	int leads = 0;

	(void)state;
	atomic_store(&robot.order, PARK);
	post(20);
	start();
	WAIT_FOR(atomic_load(&robot.batches) > 12);
	assert_string_equal(status().state, "parked");
	assert_int_equal(status().position, 0);
	for (int seq = 1; seq <= 20; seq++)
		leads += robot.tried[seq] > 1;
	assert_true(leads > 1); /* each probe is another one */
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(status().position == 20);
	each_delivered(1, 20, true);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 20);
	assert_string_equal(status().state, "running");
}

/* There is nobody else to ask. */
static void test_the_only_one_waits(void **state)
{
	(void)state;
	poisoned(LG_PARK, 1, 1, 1);
	WAIT_FOR(atomic_load(&robot.batches) > 4);
	assert_string_equal(status().state, "parked");
	assert_string_equal(status().reason, "the robot was told to");
	assert_int_equal(in_state(DELIVERY_PENDING), 1);
	post(1);
	WAIT_FOR(status().position == 2);
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 1);
}

/* All that is left parks, and of that the destination then takes the suspect alone:
 * no other lead comes that could show it. */
static void test_the_suspect_has_its_turn(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	poisoned(LG_PARK, 3, 1, 2);
	robot.poison[3] = LG_PARK;
	WAIT_FOR(robot.tried[1] && robot.tried[2] && robot.tried[3]);
	robot.poison[1] = 0;
	WAIT_FOR(status().position == 1);
	robot.poison[3] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 2);
	robot.poison[2] = 0;
	WAIT_FOR(status().position == 3);
	each_delivered(1, 1, true);
	each_delivered(3, 3, true);
	assert_int_equal(in_state(DELIVERY_DELIVERED) + in_state(DELIVERY_DEAD), 3);
}

/* The same of events that were tried before, beside new ones. */
static void test_due_ones_have_their_turn(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	poisoned(LG_RETRY, 2, 1, 2);
	WAIT_FOR(status().position == 2);
	robot.poison[1] = robot.poison[2] = robot.poison[3] = LG_PARK;
	post(1);
	WAIT_FOR(strcmp(status().state, "parked") == 0 && robot.tried[3]);
	robot.poison[2] = 0;
	WAIT_FOR(robot.delivered[2]);
	robot.poison[1] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) + in_state(DELIVERY_DEAD) >= 2);
	robot.poison[3] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) + in_state(DELIVERY_DEAD) == 3);
}

/* What was sent before the suspect says nothing of what the destination takes since. */
static void test_who_went_before_acquits_nobody(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	stand.settings.concurrency = 2;
	atomic_store(&robot.order, KEEP);
	post(2);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 2);
	atomic_store(&robot.order, PARK);
	robot_settle(1, LG_PARK);
	WAIT_FOR(status().in_flight == 1);
	robot_settle(0, LG_DELIVERED);
	WAIT_FOR(robot.tried[2] > 3);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 2);
	assert_int_equal(in_state(DELIVERY_DEAD), 0);
}

/* What is done waits for one that parks and is of no event any more. */
static void test_the_first_one_is_gone(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	stand.settings.concurrency = 2;
	atomic_store(&robot.order, KEEP);
	post(2);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 2);
	robot_settle(1, LG_DELIVERED);
	WAIT_FOR(status().in_flight == 1);
	kit_sql(&stand.kit, "DELETE FROM event WHERE seq = 1");
	robot_settle(0, LG_PARK);
	WAIT_FOR(status().position == 2);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 1);
}

/* Flapping: it works and fails in turn, in every way. */
static void test_flapping(void **state)
{
	static const int orders[] = {DELIVER, RETRY, PARK, UNCLASSIFIED, FAIL, THREAD};

	(void)state;
	stand.settings.timeout_ms = 10;
	stand.settings.concurrency = 4;
	stand.settings.batch_events = 8;
	start();
	for (int i = 0; i < 60; i++) {
		int before = atomic_load(&robot.batches);
		atomic_store(&robot.order, orders[i % 6]);
		post(5);
		WAIT_FOR(atomic_load(&robot.batches) > before);
	}
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 300);
	each_delivered(1, 300, false);
	assert_int_equal(in_state(DELIVERY_DEAD), 0);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_settles_in_order),
		ON_A_STAND(test_no_more_than_allowed),
		ON_A_STAND(test_each_batch_has_its_deadline),
		ON_A_STAND(test_stops_with_batches_under_way),
		ON_A_STAND(test_a_stop_tells_of_what_is_done),
		ON_A_STAND(test_a_stop_while_one_parks),
		ON_A_STAND(test_a_stop_tells_of_what_is_far_behind),
		ON_A_STAND(test_waits_as_asked),
		ON_A_STAND(test_a_batch_waits_as_asked_after_a_restart),
		ON_A_STAND(test_rests_no_longer_when_roused),
		ON_A_STAND(test_says_when_it_tries_again),
		ON_A_STAND(test_finds_the_event_that_is_rejected),
		ON_A_STAND(test_finds_two_of_them),
		ON_A_STAND(test_finds_the_event_that_fails),
		ON_A_STAND(test_a_batch_that_fails_is_told_of),
		ON_A_STAND(test_batches_grow_again),
		ON_A_STAND(test_one_that_parks_is_rejected),
		ON_A_STAND(test_two_that_park_are_rejected),
		ON_A_STAND(test_many_that_park_are_rejected),
		ON_A_STAND(test_not_all_wait_for_one_that_parks),
		ON_A_STAND(test_nothing_is_lost_while_parked),
		ON_A_STAND(test_the_only_one_waits),
		ON_A_STAND(test_the_suspect_has_its_turn),
		ON_A_STAND(test_due_ones_have_their_turn),
		ON_A_STAND(test_who_went_before_acquits_nobody),
		ON_A_STAND(test_the_first_one_is_gone),
		ON_A_STAND(test_flapping),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_trouble", tests, NULL, NULL);
}
