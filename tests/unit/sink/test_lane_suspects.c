/* Leads that park among others that do not: each is found to be to blame itself, however
 * many there are and however they come. */
#include "stand.h"

static int64_t delivered(void)
{
	return in_state(DELIVERY_DELIVERED);
}

static int64_t dead(void)
{
	return in_state(DELIVERY_DEAD);
}

/* So many are with the destination at once, each by itself. */
static void send_wave(int count)
{
	stand.settings.batch_events = 1;
	stand.settings.concurrency = count;
	atomic_store(&robot.order, KEEP);
	post(count);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == count);
}

/* Nobody comes any more who could show it: those that went with them have. */
static void test_a_wave_of_both(void **state)
{
	(void)state;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	send_wave(4);
	robot.poison[1] = robot.poison[3] = LG_PARK;
	atomic_store(&robot.order, POISON);
	robot_settle(0, LG_PARK);
	robot_settle(2, LG_PARK);
	robot_settle(1, LG_DELIVERED);
	robot_settle(3, LG_DELIVERED);
	WAIT_FOR(status().position == 4);
	assert_int_equal(delivered(), 2);
	assert_int_equal(dead(), 2);
	assert_int_equal(robot.tried[1], 2);
	assert_int_equal(robot.tried[3], 2);
	each_delivered(2, 2, true);
	each_delivered(4, 4, true);
	assert_string_equal(status().state, "running");
}

/* The good ones land first. */
static void test_a_wave_that_lands_backwards(void **state)
{
	(void)state;
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	send_wave(4);
	robot.poison[1] = robot.poison[2] = LG_PARK;
	atomic_store(&robot.order, POISON);
	robot_settle(3, LG_DELIVERED);
	WAIT_FOR(status().in_flight == 3);
	robot_settle(2, LG_DELIVERED);
	robot_settle(1, LG_PARK);
	robot_settle(0, LG_PARK);
	WAIT_FOR(status().position == 4);
	assert_int_equal(dead(), 2);
	assert_string_equal(status().state, "running");
}

/* All of a wave park, and all that is asked later: that is the configuration. */
static void test_a_wave_that_parks_rejects_nobody(void **state)
{
	(void)state;
	send_wave(4);
	atomic_store(&robot.order, PARK);
	for (int batch = 3; batch >= 0; batch--)
		robot_settle(batch, LG_PARK);
	post(4);
	WAIT_FOR(atomic_load(&robot.batches) > 40);
	assert_string_equal(status().state, "parked");
	assert_int_equal(dead(), 0);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(status().position == 8);
	assert_int_equal(delivered(), 8);
}

/* Settles what is kept as its lead deserves, until all are settled. */
static void answer_until(int64_t position)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	for (int next = 0; status().position < position; clock_sleep_ms(1)) {
		assert_true(clock_monotonic_ms() < until_ms);
		while (next < atomic_load(&robot.kept_count)) {
			struct lg_event event;
			lg_batch_event(atomic_load(&robot.kept[next]), 0, &event);
			robot_settle(next++, robot.poison[event.seq] ? LG_PARK : LG_DELIVERED);
		}
	}
}

/* Each is asked twice at most, or the robot could not keep them all. */
static void test_many_among_many(void **state)
{
	(void)state;
	for (int seq = 1; seq <= 20; seq += 2)
		robot.poison[seq] = LG_PARK;
	stand.settings.batch_events = 1;
	stand.settings.concurrency = 4;
	atomic_store(&robot.order, KEEP);
	post(50);
	start();
	answer_until(50);
	assert_int_equal(delivered(), 40);
	assert_int_equal(dead(), 10);
	assert_string_equal(status().state, "running");
}

/* They were tried before, and good ones come all the time. */
static void test_open_ones_among_new_ones(void **state)
{
	(void)state;
	for (int seq = 1; seq <= 5; seq++)
		robot.poison[seq] = LG_RETRY;
	stand.settings.batch_events = 1;
	atomic_store(&robot.order, POISON);
	post(5);
	start();
	WAIT_FOR(status().position == 5);
	for (int seq = 1; seq <= 5; seq++) {
		robot.poison[seq] = LG_PARK;
		atomic_store(&robot.tried[seq], 0);
	}
	while (dead() < 5 && stand.posted < 500)
		post(1);
	assert_int_equal(dead(), 5);
	for (int seq = 1; seq <= 5; seq++)
		assert_true(robot.tried[seq] <= 8);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_a_wave_of_both),
		ON_A_STAND(test_a_wave_that_lands_backwards),
		ON_A_STAND(test_a_wave_that_parks_rejects_nobody),
		ON_A_STAND(test_many_among_many),
		ON_A_STAND(test_open_ones_among_new_ones),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_suspects", tests, NULL, NULL);
}
