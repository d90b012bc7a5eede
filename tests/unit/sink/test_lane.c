/* A lane from its start to its end: order, filters, outcomes, hanging plugins. */
#include "stand.h"

#include "lead/record.h"

/* ---- tests ----------------------------------------------------------------- */

static void test_delivers_in_order(void **state)
{
	(void)state;
	post(100);
	start();
	post(100);
	WAIT_FOR(status().position == 200);
	each_delivered(1, 200, true);
	assert_false(robot.out_of_order);
	assert_false(robot.bad_json);
	assert_int_equal(status().lag, 0);
	assert_int_equal(status().delivered, 200);
	assert_string_equal(status().state, "running");
	assert_true(atomic_load(&robot.largest) <= 64);
	stop();
	assert_int_equal(atomic_load(&robot.drained), 1);
	assert_int_equal(atomic_load(&robot.closed), 1);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 200);
}

static void test_goes_on_after_a_restart(void **state)
{
	(void)state;
	post(10);
	start();
	WAIT_FOR(status().position == 10);
	stop();
	kit_close(&stand.kit);
	kit_open(&stand.kit);
	post(10);
	start();
	WAIT_FOR(status().position == 20);
	each_delivered(1, 20, true);
}

static void post_test_lead(void)
{
	struct post one = {.name = "A Test", .email = "test@example.com"};
	struct submission *submission = kit_make(&stand.kit, &one, 1);
	struct capture *capture = &submission->captures[0];
	struct buffer record, event;

	buffer_init(&record, SIZE_MAX);
	buffer_init(&event, SIZE_MAX);
	assert_true(lead_set(capture->lead, LG_IS_TEST, LG_SLICE("true")));
	record_encode(capture->lead, &record);
	event_encode(&event, capture->event_id, EVENT_CREATED, capture->at_ms,
		     buffer_slice(&record), slice_of(NULL, 0));
	capture->event_json = buffer_slice(&event);
	assert_true(outbox_submit(stand.kit.outbox, submission));
	assert_ptr_equal(kit_reply(&stand.kit), submission);
	kit_free(submission);
	buffer_fini(&record);
	buffer_fini(&event);
	stand.posted++;
}

static void test_what_is_not_delivered(void **state)
{
	(void)state;
	post(1);
	kit_post(&stand.kit, (struct post){.name = "T", .email = "t@example.com", .trapped = true});
	post_test_lead();
	kit_post(&stand.kit, (struct post){.name = "A Person",
					   .email = "person1@example.com",
					   .message = "again",
					   .phone = "+15005550001"});
	post(1);
	start();
	WAIT_FOR(status().position == 5);
	assert_int_equal(atomic_load(&robot.delivered_in_all), 3);
	assert_int_equal(atomic_load(&robot.delivered[2]), 0);
	assert_int_equal(atomic_load(&robot.delivered[3]), 0);
	assert_int_equal(in_state(DELIVERY_DISCARDED), 1);
	assert_int_equal(in_state(DELIVERY_FILTERED), 1);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 3);
}

static void test_takes_only_the_types_that_are_asked_for(void **state)
{
	static const struct lg_slice touched[] = {{"lead.touched", 12}};

	(void)state;
	stand.settings.events = (struct lg_list){touched, 1};
	post(3);
	kit_post(&stand.kit, (struct post){.name = "A Person",
					   .email = "person1@example.com",
					   .message = "again"});
	start();
	WAIT_FOR(status().position == 4);
	assert_int_equal(atomic_load(&robot.delivered_in_all), 1);
	assert_int_equal(atomic_load(&robot.delivered[4]), 1);
	assert_int_equal(in_state(DELIVERY_FILTERED), 3);
}

static void test_unknown_type_is_refused(void **state)
{
	static const struct lg_slice wrong[] = {{"lead.made", 9}};
	struct error error = {""};

	(void)state;
	stand.settings.events = (struct lg_list){wrong, 1};
	assert_null(lane_start(&stand.instance, &stand.settings, stand.kit.outbox,
			       stand.kit.store.path, &error));
	assert_string_equal(error.text, "sink robot: there is no event type \"lead.made\"");
}

static void test_tests_where_they_are_asked_for(void **state)
{
	(void)state;
	stand.settings.is_test = 1;
	post_test_lead();
	start();
	WAIT_FOR(status().position == 1);
	assert_int_equal(atomic_load(&robot.delivered[1]), 1);
}

/* A dead destination: what waits stays pending, one event finds out. */
static void test_retry(void **state)
{
	(void)state;
	atomic_store(&robot.order, RETRY);
	post(50);
	start();
	WAIT_FOR(atomic_load(&robot.batches) > 8);
	assert_true(in_state(DELIVERY_DELIVERED) == 0);
	assert_true(in_state(DELIVERY_RETRY) < 50);
	assert_string_equal(status().state, "waiting");
	assert_string_equal(status().reason, "the robot was told to");
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 50);
	each_delivered(1, 50, true);
	WAIT_FOR(strcmp(status().state, "running") == 0);
	assert_int_equal(in_state(DELIVERY_RETRY), 0);
}

static void test_one_bad_event_does_not_stop_the_others(void **state)
{
	(void)state;
	atomic_store(&robot.order, ODD_REJECTED);
	post(40);
	start();
	WAIT_FOR(status().position == 40);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 20);
	assert_int_equal(in_state(DELIVERY_DEAD), 20);
	assert_int_equal(status().dead, 20);
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT count(*) FROM open WHERE state = 'dead'"
					       " AND error = 'the robot was told to'"),
			 20);
	assert_true(kit_count(&stand.kit, "SELECT count(*) FROM attempt WHERE status = 400"
					  " AND answer = x'6e6f'") > 0);
}

static void test_park(void **state)
{
	(void)state;
	atomic_store(&robot.order, PARK);
	post(20);
	start();
	WAIT_FOR(atomic_load(&robot.batches) > 3);
	assert_string_equal(status().state, "parked");
	assert_string_equal(status().reason, "the robot was told to");
	assert_int_equal(status().position, 0);
	assert_true(status().lag == 20);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(status().position == 20);
	each_delivered(1, 20, true);
	assert_string_equal(status().state, "running");
}

static void test_silence_is_unclassified(void **state)
{
	(void)state;
	atomic_store(&robot.order, KEEP);
	stand.settings.timeout_ms = 10;
	post(5);
	start();
	WAIT_FOR(in_state(DELIVERY_UNCLASSIFIED) > 0);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 0);
	atomic_store(&robot.order, DELIVER);
	robot_settle_kept(LG_UNCLASSIFIED);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 5);
	assert_int_equal(in_state(DELIVERY_UNCLASSIFIED), 0);
}

/* A plugin that never settles cannot make the lane grow without end. */
static void test_unsettled_batches_are_bounded(void **state)
{
	int batches;

	(void)state;
	atomic_store(&robot.order, NEVER);
	stand.settings.timeout_ms = 1;
	post(64);
	start();
	WAIT_FOR(strcmp(status().reason, "the plugin has not settled earlier batches") == 0);
	batches = atomic_load(&robot.batches);
	assert_in_range(batches, 16, 18); /* one may be with the writer meanwhile */
	atomic_store(&robot.order, DELIVER);
	clock_sleep_ms(20); /* room for a mistake to show; nothing waits for it */
	assert_int_equal(atomic_load(&robot.batches), batches);
}

static void test_half_settled(void **state)
{
	(void)state;
	atomic_store(&robot.order, HALF);
	stand.settings.timeout_ms = 10;
	post(10);
	start();
	WAIT_FOR(status().position == 10);
	atomic_store(&robot.order, DELIVER);
	robot_settle_kept(LG_UNCLASSIFIED);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 10);
	each_delivered(1, 10, true);
}

static void test_settled_by_another_thread(void **state)
{
	(void)state;
	atomic_store(&robot.order, THREAD);
	post(150);
	start();
	WAIT_FOR(status().position == 150);
	each_delivered(1, 150, true);
	assert_int_equal(in_state(DELIVERY_DELIVERED), 150);
}

static void test_plugin_that_fails(void **state)
{
	(void)state;
	atomic_store(&robot.order, FAIL);
	post(1);
	start();
	WAIT_FOR(in_state(DELIVERY_RETRY) == 1);
	assert_string_equal(status().reason, "the plugin failed and said no reason");
	/* However often: what it gave back is not waited for. */
	WAIT_FOR(status().retries >= 40);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 1);
}

static void test_giving_up(void **state)
{
	(void)state;
	atomic_store(&robot.order, RETRY);
	stand.settings.retry_for_ms = 1;
	post(2);
	start();
	WAIT_FOR(status().dead == 2);
	assert_int_equal(in_state(DELIVERY_DEAD), 2);
	stop();
	assert_int_equal(kit_count(&stand.kit, "SELECT min(attempts) FROM open"), 5);
}

/* retry_for counts from the first failure: a lead may be old when it is sent. */
static void test_an_old_lead_has_its_time(void **state)
{
	(void)state;
	atomic_store(&robot.order, RETRY);
	stand.settings.retry_for_ms = 86400000;
	kit_post(&stand.kit, (struct post){.email = "old@x.example", .at_ms = 1000});
	start();
	WAIT_FOR(status().retries + status().dead >= 12);
	stop();
	assert_int_equal(in_state(DELIVERY_RETRY), 1);
	assert_true(kit_count(&stand.kit, "SELECT since FROM open") > 1000);
}

static void test_plugin_that_does_not_open(void **state)
{
	(void)state;
	atomic_store(&robot.may_open, false);
	post(3);
	start();
	WAIT_FOR(strcmp(status().state, "parked") == 0);
	assert_string_equal(status().reason, "sink robot: the robot is asleep");
	assert_int_equal(atomic_load(&robot.batches), 0);
	atomic_store(&robot.may_open, true);
	WAIT_FOR(status().position == 3);
	assert_int_equal(atomic_load(&robot.opened), 1);
	assert_string_equal(status().state, "running");
}

/* A plugin that hangs holds up only its own end, and that not without limit. */
static void test_hanging_plugin_is_not_waited_for(void **state)
{
	(void)state;
	atomic_store(&robot.order, HANG);
	post(1);
	start();
	WAIT_FOR(atomic_load(&robot.hangs));
	lane_stop(stand.lane, INT64_MAX);
	assert_false(lane_join(&stand.lane, 20));
	assert_non_null(stand.lane);
	atomic_store(&robot.order, DELIVER);
	assert_true(lane_join(&stand.lane, PATIENCE_MS));
	assert_int_equal(in_state(DELIVERY_DELIVERED), 1);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_delivers_in_order),
		ON_A_STAND(test_goes_on_after_a_restart),
		ON_A_STAND(test_what_is_not_delivered),
		ON_A_STAND(test_takes_only_the_types_that_are_asked_for),
		ON_A_STAND(test_unknown_type_is_refused),
		ON_A_STAND(test_tests_where_they_are_asked_for),
		ON_A_STAND(test_retry),
		ON_A_STAND(test_one_bad_event_does_not_stop_the_others),
		ON_A_STAND(test_park),
		ON_A_STAND(test_silence_is_unclassified),
		ON_A_STAND(test_unsettled_batches_are_bounded),
		ON_A_STAND(test_half_settled),
		ON_A_STAND(test_settled_by_another_thread),
		ON_A_STAND(test_plugin_that_fails),
		ON_A_STAND(test_giving_up),
		ON_A_STAND(test_an_old_lead_has_its_time),
		ON_A_STAND(test_plugin_that_does_not_open),
		ON_A_STAND(test_hanging_plugin_is_not_waited_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane", tests, NULL, NULL);
}
