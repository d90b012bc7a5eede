#include "unit.h"

#include "base/meter.h"

#include <pthread.h>

#define SECOND INT64_C(1000000000)

static void a_burst_then_the_rate(void **state)
{
	const struct meter_rate rate = meter_rate(600, 5);
	struct meter meter = {0};
	(void)state;
	for (int i = 0; i < 5; i++)
		assert_int_equal(meter_take(&meter, &rate, 7 * SECOND), 0);
	assert_int_equal(meter_take(&meter, &rate, 7 * SECOND), 100);
	assert_int_equal(meter_take(&meter, &rate, 7 * SECOND + SECOND / 20), 50);
	assert_int_equal(meter_take(&meter, &rate, 7 * SECOND + SECOND / 10 - 1), 1);
	assert_int_equal(meter_take(&meter, &rate, 7 * SECOND + SECOND / 10), 0);
	assert_true(meter_take(&meter, &rate, 7 * SECOND + SECOND / 10) > 0);
}

/* Rates below one a second, and nothing is lost by asking often. */
static void a_slow_rate_is_exact(void **state)
{
	const struct meter_rate rate = meter_rate(6, 1);
	struct meter meter = {0};
	int taken = 0;
	(void)state;
	for (int64_t now = SECOND; now < 601 * SECOND; now += SECOND / 50)
		taken += meter_take(&meter, &rate, now) == 0;
	assert_int_equal(taken, 60);
}

static void what_was_drawn_counts_on_at_another_rate(void **state)
{
	const struct meter_rate slow = meter_rate(60, 10), fast = meter_rate(600, 10);
	const struct meter_rate none = meter_rate(0, 10);
	struct meter meter = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		assert_int_equal(meter_take(&meter, &slow, SECOND), 0);
	assert_true(meter_take(&meter, &fast, SECOND) > 0);
	assert_int_equal(meter_take(&meter, &none, SECOND), 0);
	assert_int_equal(meter_take(&meter, &slow, 2 * SECOND), 0);
}

static void the_largest_terms_do_not_overflow(void **state)
{
	const struct meter_rate slowest = meter_rate(1, 1000000),
				fastest = meter_rate(1000000000, 1);
	struct meter meter = {0}, quick = {0};
	int64_t year = INT64_C(366) * 86400 * SECOND;
	(void)state;
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(meter_take(&meter, &slowest, year), 0);
	assert_int_equal(meter_take(&meter, &slowest, year), 60000);
	assert_int_equal(meter_take(&quick, &fastest, year), 0);
	assert_int_equal(meter_take(&quick, &fastest, year), 1);
}

static void keys_have_meters_of_their_own(void **state)
{
	const struct meter_rate rate = meter_rate(60, 3);
	struct meter_table *table = meter_table_new();
	(void)state;
	assert_non_null(table);
	for (uint64_t key = 0; key < 100; key++)
		for (int i = 0; i < 3; i++)
			assert_int_equal(
				meter_table_take(table, (uint64_t[2]){key, 1}, &rate, SECOND), 0);
	for (uint64_t key = 0; key < 100; key++)
		assert_true(meter_table_take(table, (uint64_t[2]){key, 1}, &rate, SECOND) > 0);
	meter_table_free(&table);
	assert_null(table);
}

/* However many others there are: nobody gets more than its rate, and hardly
 * anybody less. */
static void a_crowd_lets_nobody_have_more(void **state)
{
	const struct meter_rate rate = meter_rate(60, 1);
	struct meter_table *table = meter_table_new();
	int refused = 0;
	(void)state;
	assert_non_null(table);
	for (uint64_t key = 0; key < 10000; key++)
		refused += meter_table_take(table, (uint64_t[2]){key, key}, &rate, SECOND) > 0;
	assert_in_range(refused, 0, 400);
	for (uint64_t key = 0; key < 10000; key++)
		assert_true(meter_table_take(table, (uint64_t[2]){key, key}, &rate, SECOND) > 0);
	meter_table_free(&table);
}

#define THREADS 4
#define TRIES 50000
#define BURST 20000

struct crowd {
	struct meter_table *table;
	struct meter_rate rate;
	_Atomic(int) taken;
};

static void *draw_much(void *arg)
{
	struct crowd *crowd = arg;

	for (int i = 0; i < TRIES; i++)
		if (meter_table_take(crowd->table, (uint64_t[2]){1, 2}, &crowd->rate, SECOND) == 0)
			atomic_fetch_add(&crowd->taken, 1);
	return NULL;
}

static void threads_together_draw_hardly_more(void **state)
{
	struct crowd crowd = {.table = meter_table_new(), .rate = meter_rate(60, BURST)};
	pthread_t threads[THREADS];
	(void)state;
	assert_non_null(crowd.table);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, draw_much, &crowd), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* Each thread has one draw at most in both rows at once. */
	assert_in_range(atomic_load(&crowd.taken), BURST - THREADS, BURST + THREADS - 1);
	meter_table_free(&crowd.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_the_rate),
		cmocka_unit_test(a_slow_rate_is_exact),
		cmocka_unit_test(what_was_drawn_counts_on_at_another_rate),
		cmocka_unit_test(the_largest_terms_do_not_overflow),
		cmocka_unit_test(keys_have_meters_of_their_own),
		cmocka_unit_test(a_crowd_lets_nobody_have_more),
		cmocka_unit_test(threads_together_draw_hardly_more),
	};
	return RUN(tests);
}
