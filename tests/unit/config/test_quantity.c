#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <leadgate/option.h>

#include "config/quantity.h"

static void reads_durations(void **state)
{
	int64_t ms;

	(void)state;
	assert_true(parse_duration(LG_SLICE("500ms"), &ms) && ms == 500);
	assert_true(parse_duration(LG_SLICE("5s"), &ms) && ms == 5000);
	assert_true(parse_duration(LG_SLICE("2m"), &ms) && ms == 120000);
	assert_true(parse_duration(LG_SLICE("3h"), &ms) && ms == 10800000);
	assert_true(parse_duration(LG_SLICE("90d"), &ms) && ms == INT64_C(7776000000));
	assert_true(parse_duration(LG_SLICE("0"), &ms) && ms == 0);
	assert_true(parse_duration(LG_SLICE("9223372036854775807ms"), &ms) && ms == INT64_MAX);
	assert_false(parse_duration(LG_SLICE("9223372036854775808ms"), &ms));
	assert_false(parse_duration(LG_SLICE("106751991168d"), &ms));
	assert_false(parse_duration(LG_SLICE("5"), &ms));
	assert_false(parse_duration(LG_SLICE("5 s"), &ms));
	assert_false(parse_duration(LG_SLICE("5S"), &ms));
	assert_false(parse_duration(LG_SLICE("-5s"), &ms));
	assert_false(parse_duration(LG_SLICE("1.5s"), &ms));
	assert_false(parse_duration(LG_SLICE("s"), &ms));
	assert_false(parse_duration(LG_SLICE(""), &ms));
	assert_false(parse_duration(LG_SLICE("1h30m"), &ms));
}

static void reads_sizes(void **state)
{
	int64_t bytes;

	(void)state;
	assert_true(parse_size(LG_SLICE("4096"), &bytes) && bytes == 4096);
	assert_true(parse_size(LG_SLICE("64KiB"), &bytes) && bytes == 65536);
	assert_true(parse_size(LG_SLICE("20GiB"), &bytes) && bytes == INT64_C(20) << 30);
	assert_true(parse_size(LG_SLICE("1TiB"), &bytes) && bytes == INT64_C(1) << 40);
	assert_false(parse_size(LG_SLICE("8388608TiB"), &bytes));
	assert_false(parse_size(LG_SLICE("64kb"), &bytes));
	assert_false(parse_size(LG_SLICE("64 KiB"), &bytes));
	assert_false(parse_size(LG_SLICE("KiB"), &bytes));
}

static void reads_integers(void **state)
{
	int64_t number;

	(void)state;
	assert_true(parse_integer(LG_SLICE("-12"), &number) && number == -12);
	assert_true(parse_integer(LG_SLICE("007"), &number) && number == 7);
	assert_false(parse_integer(LG_SLICE("--1"), &number));
	assert_false(parse_integer(LG_SLICE("+1"), &number));
	assert_false(parse_integer(LG_SLICE("1e3"), &number));
	assert_false(parse_integer(LG_SLICE("-"), &number));
}

static void prints_in_the_largest_whole_unit(void **state)
{
	char text[QUANTITY_TEXT_BYTES];

	(void)state;
	quantity_print(LG_DURATION, 90000, text);
	assert_string_equal(text, "90s");
	quantity_print(LG_DURATION, 86400000, text);
	assert_string_equal(text, "1d");
	quantity_print(LG_DURATION, 0, text);
	assert_string_equal(text, "0ms");
	quantity_print(LG_SIZE, 4096, text);
	assert_string_equal(text, "4KiB");
	quantity_print(LG_SIZE, 4097, text);
	assert_string_equal(text, "4097");
	quantity_print(LG_INTEGER, -5, text);
	assert_string_equal(text, "-5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_sizes),
		cmocka_unit_test(reads_integers),
		cmocka_unit_test(prints_in_the_largest_whole_unit),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
