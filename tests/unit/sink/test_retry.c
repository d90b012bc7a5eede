#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sink/retry.h"

#define RETRY_AFTER_MS 86400000

static const struct sink_settings settings = {
	.max_retry_after_ms = RETRY_AFTER_MS,
	.retry_first_ms = 100,
	.retry_max_ms = 1500,
	.retry_for_ms = 10000,
};

static void test_ceiling_doubles(void **state)
{
	static const int64_t ceilings[] = {100, 100, 200, 400, 800, 1500, 1500, 1500};

	(void)state;
	for (int64_t i = 0; i < 8; i++)
		assert_int_equal(retry_ceiling_ms(&settings, i), ceilings[i]);
	assert_int_equal(retry_ceiling_ms(&settings, INT64_MAX), 1500);
}

/* Full jitter: all of the range is used, nothing beyond it. */
static void test_delay_is_spread(void **state)
{
	int low = 0, high = 0;

	(void)state;
	for (int i = 0; i < 2000; i++) {
		int64_t delay_ms = retry_delay_ms(&settings, 3);
		assert_in_range(delay_ms, 1, 400);
		low += delay_ms <= 100;
		high += delay_ms > 300;
	}
	assert_true(low > 300 && high > 300);
}

static struct settled_event judge(int32_t outcome, int64_t attempts, int64_t failing_ms,
				  int64_t retry_after)
{
	struct lg_settlement answer = {
		.size = sizeof(answer),
		.outcome = outcome,
		.status = 503,
		.retry_after = retry_after,
		.reason = LG_SLICE("why"),
		.external_id = LG_SLICE("x1"),
	};
	struct settled_event event = {.seq = 7, .attempts = attempts};

	if (failing_ms)
		event.since_ms = 1000000 - failing_ms;
	retry_judge(&settings, &answer, 1000000, &event);
	assert_int_equal(event.seq, 7);
	assert_int_equal(event.attempts, attempts + 1);
	assert_int_equal(event.status, 503);
	assert_true(slice_is(event.reason, "why"));
	return event;
}

static void test_outcomes(void **state)
{
	struct settled_event event;

	(void)state;
	event = judge(LG_DELIVERED, 0, 0, 0);
	assert_int_equal(event.state, DELIVERY_DELIVERED);
	assert_true(slice_is(event.external_id, "x1"));
	assert_int_equal(event.due_ms, 0);
	event = judge(LG_REJECT, 0, 0, 0);
	assert_int_equal(event.state, DELIVERY_DEAD);
	assert_false(slice_present(event.external_id));
	event = judge(LG_RETRY, 0, 0, 0);
	assert_int_equal(event.state, DELIVERY_RETRY);
	assert_in_range(event.due_ms, 1000001, 1000100);
	assert_int_equal(judge(LG_UNCLASSIFIED, 0, 0, 0).state, DELIVERY_UNCLASSIFIED);
	assert_int_equal(judge(LG_PARK, 0, 0, 0).state, DELIVERY_PARKED);
}

static void test_retry_after_is_obeyed(void **state)
{
	(void)state;
	assert_int_equal(judge(LG_RETRY, 0, 0, 60000).due_ms, 1060000);
	assert_int_equal(judge(LG_RETRY, 0, 0, INT64_MAX).due_ms, 1000000 + RETRY_AFTER_MS);
}

/* A wrong configuration is nobody's death, however long it stays wrong. */
static void test_what_parks_is_not_given_up(void **state)
{
	(void)state;
	assert_int_equal(judge(LG_PARK, 400, 20000, 0).state, DELIVERY_PARKED);
	assert_in_range(judge(LG_PARK, 400, 20000, 0).due_ms, 1000001, 1001500);
	assert_int_equal(judge(LG_PARK, 400, 20000, 0).since_ms, 0);
}

/* From the first failure on; one that a clock ahead wrote down begins now. */
static void test_time_begins_with_a_failure(void **state)
{
	(void)state;
	assert_int_equal(judge(LG_RETRY, 0, 0, 0).since_ms, 1000000);
	assert_int_equal(judge(LG_RETRY, 400, 0, 0).state, DELIVERY_RETRY);
	assert_int_equal(judge(LG_UNCLASSIFIED, 1, 700, 0).since_ms, 999300);
	assert_int_equal(judge(LG_RETRY, 1, -700, 0).since_ms, 1000000);
}

/* A clock that leaps, a gateway that was off: that was no trying. */
static void test_idleness_does_not_count(void **state)
{
	struct lg_settlement answer = {.size = sizeof(answer), .outcome = LG_RETRY};
	struct settled_event event = {.seq = 7, .attempts = 20, .since_ms = 1000};

	(void)state;
	event.was_due_ms = 5000;
	retry_judge(&settings, &answer, 5000 + 1500 + 86400000, &event);
	assert_int_equal(event.state, DELIVERY_RETRY);
	assert_int_equal(event.since_ms, 1000 + 86400000);
	/* Being late by less than the longest wait is no leap. */
	event.was_due_ms = event.since_ms + 9000;
	retry_judge(&settings, &answer, event.since_ms + 10001, &event);
	assert_int_equal(event.state, DELIVERY_DEAD);
}

/* Failing for long and tried often: dead. Either alone is not enough. */
static void test_giving_up(void **state)
{
	(void)state;
	assert_int_equal(judge(LG_RETRY, 3, 20000, 0).state, DELIVERY_RETRY);
	assert_int_equal(judge(LG_RETRY, 4, 20000, 0).state, DELIVERY_DEAD);
	assert_int_equal(judge(LG_UNCLASSIFIED, 4, 20000, 0).state, DELIVERY_DEAD);
	assert_int_equal(judge(LG_RETRY, 400, 9000, 0).state, DELIVERY_RETRY);
	assert_int_equal(judge(LG_DELIVERED, 400, 20000, 0).state, DELIVERY_DELIVERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ceiling_doubles),
		cmocka_unit_test(test_delay_is_spread),
		cmocka_unit_test(test_outcomes),
		cmocka_unit_test(test_retry_after_is_obeyed),
		cmocka_unit_test(test_giving_up),
		cmocka_unit_test(test_idleness_does_not_count),
		cmocka_unit_test(test_what_parks_is_not_given_up),
		cmocka_unit_test(test_time_begins_with_a_failure),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("retry", tests, NULL, NULL);
}
