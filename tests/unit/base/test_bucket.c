#include "unit.h"

#include "base/bucket.h"

static void a_burst_then_the_rate(void **state)
{
	struct bucket b;
	(void)state;
	bucket_init(&b, 10, 5, 1000);
	for (int i = 0; i < 5; i++)
		assert_true(bucket_take(&b, 1, 1000));
	assert_false(bucket_take(&b, 1, 1000));
	assert_int_equal(bucket_wait_ms(&b, 1, 1000), 100);
	assert_false(bucket_take(&b, 1, 1099));
	assert_int_equal(bucket_wait_ms(&b, 1, 1099), 1);
	assert_true(bucket_take(&b, 1, 1100));
	assert_false(bucket_take(&b, 6, 100000));
	assert_true(bucket_take(&b, 5, 100000));
}

/* Asked every millisecond, nothing may be lost by rounding. */
static void frequent_questions_cost_nothing(void **state)
{
	struct bucket b;
	int taken = 0;
	(void)state;
	bucket_init(&b, 3, 1, 0);
	assert_true(bucket_take(&b, 1, 0));
	for (int64_t now = 1; now <= 10000; now++)
		taken += bucket_take(&b, 1, now);
	assert_in_range(taken, 29, 30);
}

static void no_rate_is_no_limit(void **state)
{
	struct bucket b;
	(void)state;
	bucket_init(&b, 0, 0, 0);
	assert_true(bucket_take(&b, INT64_MAX, 0));
	assert_int_equal(bucket_wait_ms(&b, 5, 0), 0);
}

static void a_waiting_time_is_enough_and_least(void **state)
{
	struct bucket b;
	(void)state;
	for (int64_t rate = 1; rate < 5000; rate += 7) {
		bucket_init(&b, rate, 10, 0);
		assert_true(bucket_take(&b, 10, 0));
		int64_t wait = bucket_wait_ms(&b, 4, 0);
		assert_false(bucket_take(&b, 4, wait - 1));
		assert_true(bucket_level(&b, wait) >= 4);
		assert_true(bucket_level(&b, wait - 1) < 4);
		assert_true(bucket_take(&b, 4, wait));
	}
}

static void extremes_do_not_overflow(void **state)
{
	struct bucket b;
	(void)state;
	bucket_init(&b, 0, 0, 0);
	assert_int_equal(bucket_level(&b, 5), INT64_MAX);
	bucket_init(&b, INT64_MAX, INT64_MAX, 0);
	assert_true(bucket_take(&b, 1000, INT64_MAX));
	assert_int_equal(bucket_wait_ms(&b, INT64_MAX, INT64_MAX), INT64_MAX);
	bucket_init(&b, 1, 2, 1000);
	assert_true(bucket_take(&b, 2, 1000));
	assert_false(bucket_take(&b, 1, 0)); /* a clock that goes back gives nothing */
	assert_true(bucket_take(&b, 1, 2000));
	assert_int_equal(bucket_wait_ms(&b, 3, 2000), INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(frequent_questions_cost_nothing),
		cmocka_unit_test(no_rate_is_no_limit),
		cmocka_unit_test(a_waiting_time_is_enough_and_least),
		cmocka_unit_test(extremes_do_not_overflow),
	};
	return RUN(tests);
}
