/* order: person. Events 1, 2 and 3 are of one lead, others of others. */
#include "stand.h"

#include <stdio.h>

static void touch(const char *message)
{
	kit_post(&stand.kit, (struct post){.name = "A Person",
					   .email = "person1@example.com",
					   .message = message});
}

static void one_lead_and_others(void)
{
	stand.settings.order = SINK_ORDER_PERSON;
	post(1);
	touch("second");
	touch("third");
	post(5);
}

static void in_turn(int first, int last)
{
	for (int seq = first; seq < last; seq++)
		assert_true(robot.turn[seq] < robot.turn[seq + 1]);
}

/* Not even in one batch: the first might fail and the second not. */
static void test_one_a_batch(void **state)
{
	(void)state;
	one_lead_and_others();
	start();
	WAIT_FOR(status().position == 8);
	each_delivered(1, 8, true);
	in_turn(1, 3);
	assert_true(atomic_load(&robot.batches) >= 3);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 8);
}

static void fail_the_first(void)
{
	robot.poison[1] = LG_RETRY;
	atomic_store(&robot.order, POISON);
	stand.settings.batch_events = 1;
	one_lead_and_others();
	start();
	WAIT_FOR(status().position == 8);
	WAIT_FOR(robot.tried[1] > 5);
}

static void test_an_open_one_holds_back(void **state)
{
	(void)state;
	fail_the_first();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 5);
	each_delivered(4, 8, true);
	assert_int_equal(robot.tried[2] + robot.tried[3], 0);
	assert_int_equal(in_state(DELIVERY_RETRY), 3);
	robot.poison[1] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 8);
	each_delivered(1, 8, true);
	in_turn(1, 3);
}

/* What an event of a lead was settled with, the next one sees: at once, before the
 * writer has stored it, and over a restart. */
static void test_names_are_known(void **state)
{
	(void)state;
	stand.library.plugin.flags |= LG_EXTERNAL_IDS;
	atomic_store(&robot.order, NAME);
	one_lead_and_others();
	start();
	WAIT_FOR(status().position == 8);
	assert_int_equal(robot.known[1], -1);
	assert_int_equal(robot.known[2], 1);
	assert_int_equal(robot.known[3], 2);
	for (int seq = 4; seq <= 8; seq++)
		assert_int_equal(robot.known[seq], -1);
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM external"), 6);
	stop();
	start();
	touch("fourth");
	WAIT_FOR(status().position == 9);
	assert_int_equal(robot.known[9], 3);
	stop();
	/* Who does not ask is not told. */
	stand.library.plugin.flags = 0;
	start();
	touch("fifth");
	WAIT_FOR(status().position == 10);
	assert_int_equal(robot.known[10], -1);
}

/* A dead letter waits for a person, and nobody waits for it. */
static void test_a_dead_one_does_not(void **state)
{
	(void)state;
	fail_the_first();
	robot.poison[1] = LG_REJECT;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 7);
	assert_int_equal(in_state(DELIVERY_DEAD), 1);
	in_turn(2, 3);
}

static void test_held_over_a_restart(void **state)
{
	(void)state;
	fail_the_first();
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM open WHERE due IS NULL"), 2);
	start();
	WAIT_FOR(robot.tried[1] > 8);
	assert_int_equal(robot.tried[2] + robot.tried[3], 0);
	touch("fourth");
	WAIT_FOR(status().position == 9);
	assert_int_equal(robot.tried[9], 0);
	robot.poison[1] = 0;
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 9);
	in_turn(1, 3);
	assert_true(robot.turn[3] < robot.turn[9]);
}

/* Without the option nobody waits any more. */
static void test_free_when_it_is_switched_off(void **state)
{
	(void)state;
	fail_the_first();
	stop();
	stand.settings.order = SINK_ORDER_OFF;
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 7);
	assert_int_equal(in_state(DELIVERY_RETRY), 1);
}

/* While the first is with the plugin, the second is not even read. */
static void test_waits_for_one_that_flies(void **state)
{
	(void)state;
	stand.settings.concurrency = 4;
	stand.settings.batch_events = 1;
	atomic_store(&robot.order, KEEP);
	one_lead_and_others();
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 1);
	touch("fourth");
	for (int batch = 0; batch < 9; batch++) {
		WAIT_FOR(atomic_load(&robot.kept_count) > batch);
		if (batch < 2)
			assert_int_equal(atomic_load(&robot.kept_count), batch + 1);
		robot_settle(batch, LG_DELIVERED);
	}
	WAIT_FOR(status().position == 9);
	each_delivered(1, 9, true);
	in_turn(1, 3);
	assert_true(robot.turn[3] < robot.turn[9]);
}

static void touch_other(int person)
{
	char email[64];

	snprintf(email, sizeof(email), "person%d@example.com", person);
	kit_post(&stand.kit,
		 (struct post){.name = "A Person", .email = email, .message = "once more"});
}

/* Two leads park with all their events: they do not hide a third from each other. */
static void test_two_leads_that_park(void **state)
{
	(void)state;
	one_lead_and_others();
	touch_other(3);
	post(2);
	for (int seq = 1; seq <= 3; seq++)
		robot.poison[seq] = LG_PARK;
	robot.poison[5] = robot.poison[9] = LG_PARK;
	stand.settings.batch_events = 1;
	atomic_store(&robot.order, POISON);
	start();
	WAIT_FOR(status().position == 11);
	assert_int_equal(in_state(DELIVERY_DEAD), 5);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 6);
}

/* New events wait while too many are open, and go when they are not. */
static void test_no_more_than_max_held(void **state)
{
	(void)state;
	stand.settings.order = SINK_ORDER_PERSON;
	stand.settings.max_held = 4;
	stand.settings.batch_events = 1;
	atomic_store(&robot.order, RETRY);
	post(20);
	start();
	WAIT_FOR(in_state(DELIVERY_RETRY) == 4);
	WAIT_FOR(robot.tried[1] > 3);
	WAIT_FOR(status().position == 4);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 20);
}

/* What is open is not in the journal yet: it waits for a batch that failed as a whole,
 * which must go again, however many are open. */
static void test_the_first_one_goes_when_it_is_full(void **state)
{
	char message[2500];

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	stand.settings.order = SINK_ORDER_PERSON;
	stand.settings.max_held = 4;
	stand.settings.batch_events = 4;
	stand.settings.batch_bytes = 4000; /* two with a long message */
	stand.settings.concurrency = 2;
	atomic_store(&robot.order, KEEP);
	for (int i = 0; i < 2; i++)
		kit_post(&stand.kit, (struct post){.name = "A Person",
						   .email = i ? "a@example.com" : "b@example.com",
						   .message = message});
	post(10);
	start();
	WAIT_FOR(atomic_load(&robot.kept_count) == 2);
	robot_settle(1, LG_UNCLASSIFIED);
	WAIT_FOR(status().in_flight == 1);
	atomic_store(&robot.order, DELIVER);
	robot_settle(0, LG_RETRY);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 12);
}

/* Each of its events is asked twice before the next one goes, others pass at once. */
static void test_a_lead_that_parks(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	stand.settings.concurrency = 4;
	robot.poison[1] = robot.poison[2] = LG_PARK;
	atomic_store(&robot.order, POISON);
	one_lead_and_others();
	start();
	WAIT_FOR(status().position == 8);
	WAIT_FOR(in_state(DELIVERY_DEAD) == 2);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 6);
	each_delivered(3, 8, true);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_one_a_batch),
		ON_A_STAND(test_an_open_one_holds_back),
		ON_A_STAND(test_names_are_known),
		ON_A_STAND(test_a_dead_one_does_not),
		ON_A_STAND(test_held_over_a_restart),
		ON_A_STAND(test_free_when_it_is_switched_off),
		ON_A_STAND(test_waits_for_one_that_flies),
		ON_A_STAND(test_two_leads_that_park),
		ON_A_STAND(test_no_more_than_max_held),
		ON_A_STAND(test_the_first_one_goes_when_it_is_full),
		ON_A_STAND(test_a_lead_that_parks),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_order", tests, NULL, NULL);
}
