/* The window in which urgent events are found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/priority.h"

static void add(struct priority *priority, int64_t seq, uint8_t person, bool urgent)
{
	uint8_t lead_id[UUID_BYTES] = {0};

	lead_id[UUID_BYTES - 1] = person;
	priority_add(priority, seq, lead_id, urgent);
	assert_int_equal(priority_looked(priority), seq);
}

static void test_urgent_ones_in_order(void **state)
{
	struct priority *priority = priority_new(8, false, 10);

	(void)state;
	assert_int_equal(priority_looked(priority), 10);
	assert_int_equal(priority_next(priority, 0), 0);
	add(priority, 11, 1, false);
	add(priority, 13, 1, true);
	add(priority, 14, 2, false);
	add(priority, 17, 3, true);
	assert_int_equal(priority_next(priority, 0), 13);
	assert_int_equal(priority_next(priority, 13), 17);
	assert_int_equal(priority_next(priority, 17), 0);
	priority_drop(priority, 13);
	priority_drop(priority, 15); /* there is none */
	assert_int_equal(priority_next(priority, 0), 17);
	priority_free(&priority);
	assert_null(priority);
}

static void test_the_window_moves(void **state)
{
	struct priority *priority = priority_new(4, false, 0);

	(void)state;
	for (int64_t seq = 1; seq <= 1000; seq++) {
		add(priority, seq, (uint8_t)seq, seq % 10 == 0);
		assert_int_equal(priority_is_full(priority), seq >= 4);
		if (seq >= 4)
			priority_settle(priority, seq - 3);
		assert_int_equal(priority_next(priority, 0),
				 seq % 10 < 3 && seq >= 10 ? seq - seq % 10 : 0);
	}
	priority_settle(priority, 2000);
	assert_int_equal(priority_looked(priority), 2000);
	add(priority, 2001, 1, true);
	assert_int_equal(priority_next(priority, 0), 2001);
	priority_skip(priority, 2010);
	priority_skip(priority, 2005);
	assert_int_equal(priority_looked(priority), 2010);
	priority_free(&priority);
}

static void test_looks_again(void **state)
{
	struct priority *priority = priority_new(8, false, 0);

	(void)state;
	add(priority, 1, 1, true);
	add(priority, 2, 2, true);
	add(priority, 3, 3, true);
	priority_drop(priority, 2);
	priority_cut(priority, 1);
	assert_int_equal(priority_looked(priority), 1);
	assert_int_equal(priority_next(priority, 0), 1);
	assert_int_equal(priority_next(priority, 1), 0);
	add(priority, 2, 2, true);
	assert_int_equal(priority_next(priority, 1), 2);
	priority_cut(priority, 5); /* not looked at yet */
	assert_int_equal(priority_looked(priority), 2);
	priority_free(&priority);
}

/* What comes before an urgent event of its lead is urgent, too. */
static void test_by_person(void **state)
{
	for (int by_person = 0; by_person < 2; by_person++) {
		struct priority *priority = priority_new(8, by_person, 0);
		(void)state;
		add(priority, 1, 1, false);
		add(priority, 2, 2, false);
		add(priority, 3, 0, false); /* of no lead */
		add(priority, 4, 1, false);
		add(priority, 5, 1, true);
		add(priority, 6, 0, true);
		assert_int_equal(priority_next(priority, 0), by_person ? 1 : 5);
		assert_int_equal(priority_next(priority, 1), by_person ? 4 : 5);
		assert_int_equal(priority_next(priority, 4), 5);
		assert_int_equal(priority_next(priority, 5), 6);
		priority_free(&priority);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urgent_ones_in_order),
		cmocka_unit_test(test_the_window_moves),
		cmocka_unit_test(test_looks_again),
		cmocka_unit_test(test_by_person),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("priority", tests, NULL, NULL);
}
