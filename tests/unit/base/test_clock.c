#include "unit.h"

#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static void check(int64_t wall_ms, const char *want)
{
	char out[CLOCK_RFC3339_BYTES];
	clock_format(wall_ms, out);
	assert_string_equal(out, want);
}

static void known_dates(void **state)
{
	(void)state;
	check(0, "1970-01-01T00:00:00.000Z");
	check(-1, "1969-12-31T23:59:59.999Z");
	check(951782400000, "2000-02-29T00:00:00.000Z");
	check(1767323045678, "2026-01-02T03:04:05.678Z");
	check(4107542399999, "2100-02-28T23:59:59.999Z");
	check(4107542400000, "2100-03-01T00:00:00.000Z");
	check(-62135596800000, "0001-01-01T00:00:00.000Z");
	check(253402300799999, "9999-12-31T23:59:59.999Z");
	check(-62167219200000, "0000-01-01T00:00:00.000Z");
}

static void beyond_the_calendar_is_clamped(void **state)
{
	(void)state;
	check(INT64_MIN, "0000-01-01T00:00:00.000Z");
	check(-62167219200001, "0000-01-01T00:00:00.000Z");
	check(253402300800000, "9999-12-31T23:59:59.999Z");
	check(INT64_MAX, "9999-12-31T23:59:59.999Z");
}

/* Every eleventh day of ten thousand years, against the C library. */
static void agrees_with_gmtime(void **state)
{
	(void)state;
	for (int64_t day = -719528; day <= 2932896; day += 11) {
		time_t seconds = (time_t)(day * 86400 + (day & 0xFFFF));
		struct tm tm;
		char want[80], got[CLOCK_RFC3339_BYTES];
		assert_non_null(gmtime_r(&seconds, &tm));
		snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02d.007Z",
			 tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
			 tm.tm_sec);
		clock_format((int64_t)seconds * 1000 + 7, got);
		assert_string_equal(got, want);
	}
}

static void clocks_run_forward(void **state)
{
	int64_t before_us = clock_monotonic_us(), cpu_us = clock_thread_cpu_us();
	int64_t wall_s = time(NULL);
	(void)state;
	clock_sleep_ms(2);
	clock_sleep_ms(0);
	clock_sleep_ms(-5);
	assert_true(clock_monotonic_us() >= before_us + 2000);
	assert_true(clock_monotonic_ms() >= before_us / 1000 + 2);
	assert_true(clock_thread_cpu_us() >= cpu_us);
	assert_true(clock_wall_ms() / 1000 >= wall_s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_dates),
		cmocka_unit_test(beyond_the_calendar_is_clamped),
		cmocka_unit_test(agrees_with_gmtime),
		cmocka_unit_test(clocks_run_forward),
	};
	return RUN(tests);
}
