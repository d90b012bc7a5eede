#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sink/suspects.h"

static const uint8_t *lead(int number)
{
	static uint8_t ids[300][UUID_BYTES];

	ids[number][0] = (uint8_t)number;
	ids[number][1] = (uint8_t)(number >> 8);
	return ids[number];
}

static void test_who_went_no_sooner_passes(void **state)
{
	struct suspects suspects = {0};

	(void)state;
	assert_false(suspects_add(&suspects, 1, lead(1), 100, false));
	assert_int_equal(suspects_unclear(&suspects)->seq, 1);
	suspects_pass(&suspects, 2, lead(2), 99);  /* sooner */
	suspects_pass(&suspects, 3, lead(1), 101); /* the same lead */
	assert_false(suspects_has_clear(&suspects, 1));
	suspects_pass(&suspects, 4, lead(4), 100);
	assert_true(suspects_has_clear(&suspects, 1));
	assert_null(suspects_unclear(&suspects));
	assert_int_equal(suspects_clear(&suspects)->seq, 1);
	suspects_drop(&suspects, 1);
	assert_false(suspects_has_clear(&suspects, 1));
	assert_null(suspects_clear(&suspects));
}

/* It lands only when another has passed. */
static void test_one_that_lands_late(void **state)
{
	struct suspects suspects = {0};

	(void)state;
	suspects_pass(&suspects, 2, lead(2), 100);
	assert_true(suspects_add(&suspects, 1, lead(1), 99, false));
	assert_false(suspects_add(&suspects, 3, lead(3), 101, false));
	assert_false(suspects_add(&suspects, 4, lead(2), 99, false));
}

static void test_what_changes_or_fails_shows_nothing(void **state)
{
	struct suspects suspects = {0};

	(void)state;
	suspects_add(&suspects, 1, lead(1), 100, false);
	suspects_pass(&suspects, 2, lead(2), 110);
	suspects_doubt(&suspects);
	assert_false(suspects_has_clear(&suspects, 1));
	assert_false(suspects_add(&suspects, 3, lead(3), 105, false));
	suspects_pass(&suspects, 1, lead(1), 120); /* the suspect itself */
	assert_int_equal(suspects.count, 0);
}

/* The oldest pending one holds up most; what is open in the journal holds up nobody. */
static void test_which_comes_first(void **state)
{
	struct suspects suspects = {0};

	(void)state;
	suspects_add(&suspects, 1, lead(1), 100, true);
	suspects_add(&suspects, 9, lead(9), 100, false);
	suspects_add(&suspects, 5, lead(5), 100, false);
	assert_int_equal(suspects_unclear(&suspects)->seq, 5);
	suspects_pass(&suspects, 20, lead(20), 100);
	assert_int_equal(suspects_clear(&suspects)->seq, 5);
	suspects_drop(&suspects, 5);
	suspects_drop(&suspects, 9);
	assert_null(suspects_clear(&suspects));
	assert_true(suspects_has_clear(&suspects, 1));
}

static void test_too_many_of_them(void **state)
{
	struct suspects suspects = {0};

	(void)state;
	for (int i = 1; i < 300; i++) {
		suspects_add(&suspects, i, lead(i), i, false);
		assert_non_null(suspects_unclear(&suspects));
	}
	assert_int_equal(suspects.count, SUSPECTS_MAX);
	suspects_pass(&suspects, 300, lead(0), 300);
	assert_true(suspects_has_clear(&suspects, 299));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_went_no_sooner_passes),
		cmocka_unit_test(test_one_that_lands_late),
		cmocka_unit_test(test_what_changes_or_fails_shows_nothing),
		cmocka_unit_test(test_which_comes_first),
		cmocka_unit_test(test_too_many_of_them),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("suspects", tests, NULL, NULL);
}
