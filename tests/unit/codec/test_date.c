#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "codec/date.h"

static void reads_instants(void **state)
{
	static const struct {
		const char *text;
		int64_t wall_ms;
	} cases[] = {
		{"1970-01-01T00:00:00Z", 0},
		{"2026-01-02T03:04:05.678Z", INT64_C(1767323045678)},
		{"2026-01-02t03:04:05z", INT64_C(1767323045000)},
		{"2026-01-02 03:04:05+00:00", INT64_C(1767323045000)},
		{"2026-01-02T04:34:05.6789999+01:30", INT64_C(1767323045678)},
		{"2026-01-01T23:04:05-04:00", INT64_C(1767323045000)},
		{"2026-01-02T03:04:05.6Z", INT64_C(1767323045600)},
		{"2026-01-02", INT64_C(1767312000000)},
		{"2024-02-29", INT64_C(1709164800000)},
		{"2016-12-31T23:59:60Z", INT64_C(1483228800000)},
		{"1969-12-31T23:59:59.999Z", -1},
		{"0000-01-01T00:00:00Z", INT64_C(-62167219200000)},
		{"9999-12-31T23:59:59.999Z", INT64_C(253402300799999)},
		{"1767323045", INT64_C(1767323045000)},
		{"1767323045678", INT64_C(1767323045678)},
		{"999999999", INT64_C(999999999000)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t wall_ms = 0;

		if (!time_parse(slice_from(cases[i].text), &wall_ms))
			fail_msg("refused: %s", cases[i].text);
		assert_int_equal(wall_ms, cases[i].wall_ms);
	}
}

static void refuses_what_is_no_instant(void **state)
{
	static const char *const texts[] = {
		"",
		"2026",
		"2026-1-2",
		"2026-01-02T",
		"2026-01-02T03:04Z",
		"2026-01-02T03:04:05",
		"2026-01-02T03:04:05.Z",
		"2026-01-02T24:00:00Z",
		"2026-01-02T03:60:00Z",
		"2026-01-02T03:04:61Z",
		"2026-01-02T03:04:05+1:00",
		"2026-01-02T03:04:05+24:00",
		"2026-01-02T03:04:05Zx",
		"2026-13-01",
		"2026-00-01",
		"2026-02-29",
		"1900-02-29",
		"2026-04-31",
		"2026-01-00",
		"+2026-01-02",
		"20260102",
		"-1767323045",
		"176732304567890",
		"1767323045.5",
	};
	int64_t wall_ms;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (time_parse(slice_from(texts[i]), &wall_ms))
			fail_msg("taken: %s", texts[i]);
	}
	assert_false(time_parse((struct lg_slice){NULL, 0}, &wall_ms));
	assert_false(time_parse(LG_SLICE("2026-01-02\0"), &wall_ms));
}

/* What clock_format writes is read back, over 400 years of days. */
static void agrees_with_the_clock(void **state)
{
	char text[CLOCK_RFC3339_BYTES];

	(void)state;
	for (int64_t day = -100000; day < 50000; day++) {
		int64_t wall_ms = day * 86400000 + (day % 1000 + 1000) * 86399, read;

		clock_format(wall_ms, text);
		assert_true(time_parse(slice_from(text), &read));
		assert_int_equal(read, wall_ms);
	}
}

static void checks_days(void **state)
{
	(void)state;
	assert_true(date_valid(LG_SLICE("2000-02-29")));
	assert_false(date_valid(LG_SLICE("2100-02-29")));
	assert_false(date_valid(LG_SLICE("2000-02-29T00:00:00Z")));
	assert_false(date_valid(LG_SLICE("1767323045")));
	assert_false(date_valid(LG_SLICE("2000-12-32")));
}

#define NOW_MS INT64_C(1767323045000) /* 2026-01-02T03:04:05Z */

static void reads_dates_of_http(void **state)
{
	static const struct {
		const char *text;
		int64_t wall_ms;
	} cases[] = {
		{"Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777000)},
		{"Sunday, 06-Nov-94 08:49:37 GMT", INT64_C(784111777000)},
		{"Sun Nov  6 08:49:37 1994", INT64_C(784111777000)},
		{"Fri, 02 Jan 2026 03:04:05 GMT", NOW_MS},
		{"Friday, 02-Jan-26 03:04:05 GMT", NOW_MS},
		{"Fri Jan 02 03:04:05 2026", NOW_MS},
		{"Thu, 29 Feb 2024 23:59:60 GMT", INT64_C(1709251200000)},
		/* 50 years on it is still to come, 51 years on it is long past */
		{"Wednesday, 01-Jan-76 00:00:00 GMT", INT64_C(3345062400000)},
		{"Saturday, 01-Jan-77 00:00:00 GMT", INT64_C(220924800000)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t wall_ms = -1;

		if (!time_parse_http(slice_from(cases[i].text), NOW_MS, &wall_ms))
			fail_msg("not taken: %s", cases[i].text);
		assert_int_equal(wall_ms, cases[i].wall_ms);
	}
}

static void refuses_what_is_no_date_of_http(void **state)
{
	static const char *const texts[] = {
		"",
		"120",
		",",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 CET",
		"Sun, 06 Nov 1994 08:49:37 GMT ",
		"Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Now 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06x Nov 1994 08:49:37 GMT",
		"Sunday, 00-Nov-94 08:49:37 GMT",
		"Sun Nov 6 08:49:37 1994",
		"2026-01-02T03:04:05Z",
	};
	int64_t wall_ms;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (time_parse_http(slice_from(texts[i]), NOW_MS, &wall_ms))
			fail_msg("taken: %s", texts[i]);
	}
	assert_false(time_parse_http((struct lg_slice){NULL, 0}, NOW_MS, &wall_ms));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_instants),
		cmocka_unit_test(refuses_what_is_no_instant),
		cmocka_unit_test(agrees_with_the_clock),
		cmocka_unit_test(checks_days),
		cmocka_unit_test(reads_dates_of_http),
		cmocka_unit_test(refuses_what_is_no_date_of_http),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
