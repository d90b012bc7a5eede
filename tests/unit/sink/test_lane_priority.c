/* A lane with `priority: urgent`: who goes first, and that nobody waits for ever. */
#include "stand.h"

#include <stdio.h>

static void hurry(int64_t look_ahead)
{
	stand.settings.priority = SINK_PRIORITY_URGENT;
	stand.settings.max_look_ahead = look_ahead;
	stand.settings.urgent_after_ms = INT64_C(3600000);
	stand.settings.batch_events = 1;
}

/* Before the lane begins. */
static void make_urgent(int first, int last, const char *word)
{
	char sql[256];

	snprintf(sql, sizeof(sql),
		 "UPDATE event SET body = replace(replace(body, '\"intent\":\"soft\"',"
		 " '\"intent\":\"%s\"'), '\"temperature\":\"cold\"', '\"temperature\":\"%s\"')"
		 " WHERE seq BETWEEN %d AND %d",
		 word[0] == 'h' && word[1] == 'a' ? "hard" : "soft",
		 word[0] == 'h' && word[1] == 'o' ? "hot" : "cold", first, last);
	kit_sql(&stand.kit, sql);
}

static int turn(int seq)
{
	return atomic_load(&robot.turn[seq]);
}

static void test_urgent_ones_go_first(void **state)
{
	(void)state;
	hurry(1000);
	post(40);
	make_urgent(20, 21, "hard");
	make_urgent(38, 40, "hot");
	start();
	WAIT_FOR(status().position == 40);
	each_delivered(1, 40, true);
	assert_int_equal(turn(20), 1);
	assert_int_equal(turn(21), 2);
	for (int seq = 38; seq <= 40; seq++)
		assert_int_equal(turn(seq), seq - 35);
	for (int seq = 1; seq < 20; seq++)
		assert_int_equal(turn(seq), seq + 5);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 40);
}

static void test_off_they_do_not(void **state)
{
	(void)state;
	hurry(1000);
	stand.settings.priority = SINK_PRIORITY_OFF;
	post(10);
	make_urgent(10, 10, "hard");
	start();
	WAIT_FOR(status().position == 10);
	assert_int_equal(turn(10), 10);
}

/* Beyond the window nobody is looked for, and it moves on. */
static void test_within_the_window(void **state)
{
	(void)state;
	hurry(10);
	post(30);
	make_urgent(21, 21, "hard");
	start();
	WAIT_FOR(status().position == 30);
	assert_int_equal(turn(21), 12);
	each_delivered(1, 30, true);
}

/* All are urgent but one, which has waited for too long: it takes turns. */
static void test_old_ones_take_turns(void **state)
{
	(void)state;
	hurry(1000);
	stand.settings.urgent_after_ms = 0;
	post(20);
	make_urgent(11, 20, "hard");
	start();
	WAIT_FOR(status().position == 20);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(turn(11 + i), 2 * i + 1);
		assert_int_equal(turn(1 + i), 2 * i + 2);
	}
}

static void test_those_that_were_tried_before(void **state)
{
	(void)state;
	hurry(1000);
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = 1;
	post(20);
	make_urgent(17, 20, "hot");
	atomic_store(&robot.order, RETRY);
	start();
	WAIT_FOR(status().position == 20);
	stop();
	kit_sql(&stand.kit, "UPDATE open SET due = seq");
	atomic_store(&robot.order, DELIVER);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 20);
	for (int seq = 17; seq <= 20; seq++)
		assert_int_equal(turn(seq), seq - 16);
	for (int seq = 1; seq <= 16; seq++)
		assert_int_equal(turn(seq), seq + 4);
}

/* An urgent event does not overtake one of its person: that one is as urgent. */
static void test_in_order_of_the_person(void **state)
{
	(void)state;
	hurry(1000);
	stand.settings.order = SINK_ORDER_PERSON;
	stand.settings.max_held = 1000;
	stand.settings.concurrency = 4;
	post(10);
	kit_post(&stand.kit, (struct post){.name = "A Person",
					   .email = "person6@example.com",
					   .message = "now"});
	make_urgent(11, 11, "hard");
	atomic_store(&robot.order, THREAD);
	start();
	WAIT_FOR(status().position == 11);
	each_delivered(1, 11, true);
	assert_true(turn(6) < turn(11));
	assert_true(turn(11) < turn(10));
}

/* What is taken back or fails goes first again, and nothing is lost of what others wait
 * for, however often it stops. */
static void test_with_trouble(void **state)
{
	(void)state;
	hurry(50);
	stand.settings.concurrency = 4;
	stand.settings.batch_events = 3;
	for (int seq = 5; seq <= 300; seq += 7)
		robot.poison[seq] = seq % 2 ? LG_RETRY : LG_REJECT;
	post(300);
	for (int seq = 1; seq <= 300; seq += 10)
		make_urgent(seq, seq + 2, seq % 20 == 1 ? "hard" : "hot");
	atomic_store(&robot.order, POISON);
	for (int i = 0; i < 5; i++) {
		start();
		WAIT_FOR(atomic_load(&robot.batches) > 20 * i);
		stop();
	}
	for (int seq = 0; seq <= 300; seq++)
		if (robot.poison[seq] == LG_RETRY)
			robot.poison[seq] = 0;
	atomic_store(&robot.order, THREAD);
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) + in_state(DELIVERY_DEAD) == 300);
	for (int seq = 1; seq <= 300; seq++)
		assert_int_equal(robot.delivered[seq], robot.poison[seq] == 0);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_urgent_ones_go_first),
		ON_A_STAND(test_off_they_do_not),
		ON_A_STAND(test_within_the_window),
		ON_A_STAND(test_old_ones_take_turns),
		ON_A_STAND(test_those_that_were_tried_before),
		ON_A_STAND(test_in_order_of_the_person),
		ON_A_STAND(test_with_trouble),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_priority", tests, NULL, NULL);
}
