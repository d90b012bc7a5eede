/* A batch that was sent and had no answer goes again as it was, or not at all. */
#include "stand.h"

#include <stdio.h>
#include <time.h>

#include "sink/lane_state.h"

/* The batches that the sink gets are kept; each is looked at and settled. */
static void begin(int count)
{
	atomic_store(&robot.order, KEEP);
	post(count);
	start();
}

static int64_t seq_at(int batch, size_t index)
{
	struct lg_event event = {.size = sizeof(event)};

	if (lg_batch_event(atomic_load(&robot.kept[batch]), index, &event) != LG_OK)
		fail_msg("batch %d has no event %zu", batch, index);
	return event.seq;
}

static size_t size_of(int batch)
{
	WAIT_FOR(atomic_load(&robot.kept_count) > batch);
	return lg_batch_count(atomic_load(&robot.kept[batch]));
}

static void is_batch(int batch, int64_t first_seq, size_t count)
{
	assert_int_equal(size_of(batch), count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(seq_at(batch, i), first_seq + (int64_t)i);
}

static int64_t rows(const char *where)
{
	char sql[256];

	snprintf(sql, sizeof(sql), "SELECT count(*) FROM open WHERE %s", where);
	return kit_count(&stand.kit, sql);
}

/* From here on all is taken, beginning with what was kept and not settled yet. */
static void deliver_rest(int batch, int64_t all)
{
	int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;

	atomic_store(&robot.order, DELIVER);
	while (in_state(DELIVERY_DELIVERED) < all && clock_monotonic_ms() < until_ms) {
		if (atomic_load(&robot.kept_count) > batch)
			robot_settle(batch++, LG_DELIVERED);
		clock_sleep_ms(1);
	}
	assert_int_equal(in_state(DELIVERY_DELIVERED), all);
}

static void test_goes_again_as_it_was(void **state)
{
	(void)state;
	begin(5);
	for (int i = 0; i < 3; i++) {
		is_batch(i, 1, 5);
		robot_settle(i, LG_UNCLASSIFIED);
	}
	is_batch(3, 1, 5);
	assert_int_equal(rows("batch_first = 1 AND batch_last = 5 AND batch_events = 5"), 5);
	robot_settle(3, LG_DELIVERED);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 5);
	assert_int_equal(rows("1"), 0);
}

/* The lane itself decides what goes in between. */
static void test_is_not_mixed_with_others(void **state)
{
	int batch = 1;

	(void)state;
	begin(4);
	is_batch(0, 1, 4);
	post(20);
	robot_settle(0, LG_UNCLASSIFIED);
	for (int seen = 0; seen < 3; batch++) {
		size_t count = size_of(batch);
		if (seq_at(batch, 0) <= 4) {
			is_batch(batch, 1, 4);
			seen++;
		}
		assert_in_range(count, 1, 20);
		robot_settle(batch, seq_at(batch, 0) <= 4 ? LG_UNCLASSIFIED : LG_DELIVERED);
	}
	deliver_rest(batch, 24);
	each_delivered(1, 24, false);
}

static void test_after_a_restart(void **state)
{
	int batch = 0;
	bool found = false;

	(void)state;
	begin(3);
	is_batch(batch++, 1, 3);
	post(3);
	lane_stop(stand.lane, 0);
	stop();
	assert_int_equal(in_state(DELIVERY_UNCLASSIFIED), 3);
	start();
	for (; !found; batch++) {
		size_t count = size_of(batch);
		found = seq_at(batch, 0) == 1;
		assert_in_range(count, found ? 3 : 1, 3);
		if (found)
			is_batch(batch, 1, 3);
		robot_settle(batch, LG_DELIVERED);
	}
	deliver_rest(batch, 6);
}

/* What the destination hangs at is found, though it never answers; and nobody is blamed
 * while it takes nothing at all. */
static void test_silence_is_halved_while_others_pass(void **state)
{
	int batch = 0;

	(void)state;
	stand.settings.max_unanswered = 3;
	begin(8);
	for (; batch < 6; batch++) {
		is_batch(batch, 1, 8);
		robot_settle(batch, LG_UNCLASSIFIED);
	}
	is_batch(batch, 1, 8);
	robot.poison[6] = LG_UNCLASSIFIED;
	atomic_store(&robot.order, POISON);
	post(1);
	robot_settle(batch, LG_UNCLASSIFIED);
	for (int posted = 9; in_state(DELIVERY_DELIVERED) < posted - 1 && posted < 1000;) {
		if (in_state(DELIVERY_DELIVERED) >= posted - 8)
			post(1), posted++;
		clock_sleep_ms(1);
	}
	assert_int_equal(rows("seq = 6 AND state = 'unclassified'"), 1);
	assert_int_equal(rows("seq <> 6"), 0);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(rows("1") == 0);
}

/* A real answer ends it: it is halved until the event is found that is to blame. */
static void test_an_answer_ends_it(void **state)
{
	(void)state;
	begin(8);
	is_batch(0, 1, 8);
	robot_settle(0, LG_UNCLASSIFIED);
	is_batch(1, 1, 8);
	robot.poison[6] = LG_REJECT;
	atomic_store(&robot.order, POISON);
	robot_settle(1, LG_REJECT);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 7);
	WAIT_FOR(in_state(DELIVERY_DEAD) == 1);
	assert_int_equal(rows("seq = 6 AND state = 'dead' AND batch_first IS NULL"), 1);
}

static void test_a_failure_ends_it(void **state)
{
	(void)state;
	begin(4);
	is_batch(0, 1, 4);
	robot_settle(0, LG_UNCLASSIFIED);
	is_batch(1, 1, 4);
	atomic_store(&robot.order, RETRY);
	robot_settle(1, LG_RETRY);
	WAIT_FOR(rows("state = 'retry' AND batch_first IS NULL") == 4);
	atomic_store(&robot.order, DELIVER);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 4);
}

/* ---- when it cannot be kept -------------------------------------------------------- */

static void unclassified(int count)
{
	stand.settings.retry_first_ms = stand.settings.retry_max_ms = FAR_OFF_MS;
	begin(count);
	is_batch(0, 1, (size_t)count);
	robot_settle(0, LG_UNCLASSIFIED);
	WAIT_FOR(in_state(DELIVERY_UNCLASSIFIED) == count);
	stop();
	atomic_store(&robot.order, DELIVER);
	atomic_store(&robot.largest, 0);
	kit_sql(&stand.kit, "UPDATE open SET due = 1");
}

static void test_smaller_limits_end_it(void **state)
{
	(void)state;
	unclassified(9);
	stand.settings.batch_events = 4;
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 9);
	assert_int_equal(robot.largest, 4);
	each_delivered(1, 9, true);
}

static void test_fewer_bytes_end_it(void **state)
{
	(void)state;
	unclassified(9);
	stand.settings.batch_bytes = 1024;
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 9);
	assert_in_range(robot.largest, 1, 4);
}

/* One is settled by somebody else, one is replayed. */
static void test_it_ends_without_one_of_its_events(void **state)
{
	(void)state;
	unclassified(6);
	kit_sql(&stand.kit, "DELETE FROM open WHERE seq = 2");
	kit_sql(&stand.kit, "UPDATE open SET batch_first = NULL, batch_last = NULL,"
			    " batch_events = NULL WHERE seq = 4");
	start();
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 5);
	assert_int_equal(robot.delivered[2], 0);
	assert_true(robot.largest < 6);
}

/* All of it goes at once though others want to go, and the rate is kept. */
static void test_the_rate_allows_it(void **state)
{
	int batch = 1;

	(void)state;
	stand.settings.batch_events = stand.settings.rate = 20;
	atomic_store(&robot.order, KEEP);
	post(20);
	start();
	is_batch(0, 1, 20);
	post(30);
	robot_settle(0, LG_UNCLASSIFIED);
	for (bool found = false; !found; batch++) {
		found = size_of(batch) == 20 && seq_at(batch, 0) == 1;
		assert_true(found || seq_at(batch, 0) > 20);
		robot_settle(batch, LG_DELIVERED);
	}
	deliver_rest(batch, 50);
}

/* Whether the lane's thread needs no processor for a while. */
static bool is_asleep(void)
{
	struct timespec before, after;
	clockid_t clock;

	assert_int_equal(pthread_getcpuclockid(stand.lane->thread, &clock), 0);
	clock_gettime(clock, &before);
	clock_sleep_ms(50);
	clock_gettime(clock, &after);
	return before.tv_sec == after.tv_sec && before.tv_nsec == after.tv_nsec;
}

/* As much is under way as may be, more is due, and there is room for another batch. */
static void test_the_lane_sleeps_while_enough_is_under_way(void **state)
{
	(void)state;
	stand.settings.batch_events = 128;
	stand.settings.concurrency = 4;
	atomic_store(&robot.order, UNCLASSIFIED);
	post(300);
	start();
	WAIT_FOR(status().position == 300);
	stop();
	kit_sql(&stand.kit, "UPDATE open SET due = 1, batch_first = NULL, batch_last = NULL,"
			    " batch_events = NULL");
	atomic_store(&robot.order, KEEP);
	start();
	WAIT_FOR(status().in_flight == 2);
	WAIT_FOR(is_asleep());
	assert_int_equal(status().in_flight, 2);
	deliver_rest(0, 300);
}

/* A sink that takes one event at a time needs no note. */
static void test_single_events_need_none(void **state)
{
	(void)state;
	stand.settings.batch_events = 1;
	begin(1);
	is_batch(0, 1, 1);
	robot_settle(0, LG_UNCLASSIFIED);
	is_batch(1, 1, 1);
	assert_int_equal(rows("batch_first IS NULL"), 1);
	robot_settle(1, LG_DELIVERED);
	WAIT_FOR(in_state(DELIVERY_DELIVERED) == 1);
}

int main(void)
{
#define ON_A_STAND(test) cmocka_unit_test_setup_teardown(test, stand_up, stand_down)
	const struct CMUnitTest tests[] = {
		ON_A_STAND(test_goes_again_as_it_was),
		ON_A_STAND(test_is_not_mixed_with_others),
		ON_A_STAND(test_after_a_restart),
		ON_A_STAND(test_silence_is_halved_while_others_pass),
		ON_A_STAND(test_an_answer_ends_it),
		ON_A_STAND(test_a_failure_ends_it),
		ON_A_STAND(test_smaller_limits_end_it),
		ON_A_STAND(test_fewer_bytes_end_it),
		ON_A_STAND(test_it_ends_without_one_of_its_events),
		ON_A_STAND(test_the_rate_allows_it),
		ON_A_STAND(test_the_lane_sleeps_while_enough_is_under_way),
		ON_A_STAND(test_single_events_need_none),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("lane_due", tests, NULL, NULL);
}
