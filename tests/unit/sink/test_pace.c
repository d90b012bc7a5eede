/* Limits a second and a day, hour by hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sink/pace.h"

#define HOUR PACE_HOUR_MS
#define NOW (100 * HOUR + 1234)

static void test_no_limit(void **state)
{
	struct pace pace;
	bool day;

	(void)state;
	pace_init(&pace, 0, 0, NOW);
	assert_int_equal(pace_room(&pace, NOW), INT64_MAX);
	pace_take(&pace, 1000000, NOW);
	assert_int_equal(pace_wait_ms(&pace, 1, NOW, &day), 0);
	assert_false(day);
}

static void test_a_second(void **state)
{
	struct pace pace;
	bool day;

	(void)state;
	pace_init(&pace, 10, 0, NOW);
	assert_int_equal(pace_room(&pace, NOW), 10);
	pace_take(&pace, 10, NOW);
	assert_int_equal(pace_room(&pace, NOW), 0);
	assert_int_equal(pace_wait_ms(&pace, 1, NOW, &day), 100);
	assert_false(day);
	assert_int_equal(pace_room(&pace, NOW + 100), 1);
	assert_int_equal(pace_room(&pace, NOW + 60000), 10);
}

/* As the manual says, and no more. */
static void test_up_to_twice_as_many_in_one_second(void **state)
{
	struct pace pace;
	int64_t gone = 0;

	(void)state;
	pace_init(&pace, 10, 0, NOW);
	for (int64_t now_ms = NOW; now_ms < NOW + 1000; now_ms += 10) {
		int64_t room = pace_room(&pace, now_ms);
		pace_take(&pace, room, now_ms);
		gone += room;
	}
	assert_in_range(gone, 11, 20);
}

static void test_several_at_once(void **state)
{
	struct pace pace;
	bool day;

	(void)state;
	pace_init(&pace, 10, 0, NOW);
	assert_int_equal(pace_most(&pace), 10);
	pace_take(&pace, 10, NOW);
	assert_int_equal(pace_wait_ms(&pace, 7, NOW, &day), 700);
	pace_init(&pace, 0, 100, NOW);
	assert_int_equal(pace_most(&pace), 100);
	pace_take(&pace, 60, NOW);
	pace_take(&pace, 30, NOW + HOUR);
	assert_int_equal(pace_wait_ms(&pace, 10, NOW + HOUR, &day), 0);
	assert_int_equal(pace_wait_ms(&pace, 70, NOW + HOUR, &day), 125 * HOUR - (NOW + HOUR));
	assert_true(day);
	assert_int_equal(pace_wait_ms(&pace, 71, NOW + HOUR, &day), 126 * HOUR - (NOW + HOUR));
	pace_init(&pace, 0, 0, NOW);
	assert_int_equal(pace_most(&pace), INT64_MAX);
}

static void test_a_day(void **state)
{
	struct pace pace;
	bool day;

	(void)state;
	pace_init(&pace, 0, 100, NOW);
	pace_take(&pace, 60, NOW);
	pace_take(&pace, 40, NOW + HOUR);
	assert_int_equal(pace_room(&pace, NOW + HOUR), 0);
	assert_int_equal(pace_wait_ms(&pace, 1, NOW + HOUR, &day), 125 * HOUR - (NOW + HOUR));
	assert_true(day);
	assert_int_equal(pace_room(&pace, 125 * HOUR - 1), 0);
	assert_int_equal(pace_room(&pace, 125 * HOUR), 60);
	assert_int_equal(pace_room(&pace, 126 * HOUR), 100);
	assert_int_equal(pace_room(&pace, 1000 * HOUR), 100);
}

static void test_what_went_before(void **state)
{
	struct pace pace;
	bool day;

	(void)state;
	pace_init(&pace, 0, 100, NOW);
	pace_recall(&pace, 0, 10);
	pace_recall(&pace, 24, 30);
	pace_recall(&pace, 25, 1000);
	pace_recall(&pace, -1, 1000);
	assert_int_equal(pace_room(&pace, NOW), 60);
	assert_int_equal(pace_room(&pace, NOW + HOUR), 90);
	pace_recall(&pace, 3, 500);
	assert_int_equal(pace_room(&pace, NOW + HOUR), 0);
	assert_int_equal(pace_wait_ms(&pace, 1, NOW + HOUR, &day), 123 * HOUR - (NOW + HOUR));
}

/* Never more than the limit within 24 hours, whatever the rhythm; and whoever
 * waits as long as is said has room. */
static void test_random_play(void **state)
{
	static int64_t taken[4000], at_ms[4000];

	(void)state;
	srand(11);
	for (int round = 0; round < 20; round++) {
		struct pace pace;
		int64_t now_ms = (int64_t)(rand() % 1000) * 3599999;
		bool day;

		pace_init(&pace, 0, 50, now_ms);
		for (int i = 0; i < 400; i++) {
			int64_t room = pace_room(&pace, now_ms), sum = 0;

			if (room == 0) {
				now_ms += pace_wait_ms(&pace, 1, now_ms, &day);
				room = pace_room(&pace, now_ms);
				assert_true(room > 0);
			}
			taken[i] = 1 + rand() % room;
			at_ms[i] = now_ms;
			pace_take(&pace, taken[i], now_ms);
			for (int j = i; j >= 0 && at_ms[j] > now_ms - 24 * HOUR; j--)
				sum += taken[j];
			assert_true(sum <= 50);
			now_ms += rand() % (4 * HOUR);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_to_twice_as_many_in_one_second),
		cmocka_unit_test(test_no_limit),
		cmocka_unit_test(test_a_second),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_a_day),
		cmocka_unit_test(test_what_went_before),
		cmocka_unit_test(test_random_play),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
