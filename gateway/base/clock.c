#include "base/clock.h"

#include <string.h>
#include <time.h>

static int64_t read_us(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_monotonic_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t clock_thread_cpu_us(void)
{
	return read_us(CLOCK_THREAD_CPUTIME_ID);
}

#define SECOND_BYTES 20 /* "2026-01-02T03:04:05." */
#define DAY_S INT64_C(86400)
#define FIRST_MS (INT64_C(-719528) * DAY_S * 1000)    /* 0000-01-01T00:00:00.000Z */
#define LAST_MS (INT64_C(2932897) * DAY_S * 1000 - 1) /* 9999-12-31T23:59:59.999Z */

struct date {
	unsigned year, month, day;
};

/* The Gregorian calendar without tables: years are counted from March, so that
 * the leap day is the last of its year, and months then have the lengths
 * 31 30 31 30 31 31 30 31 30 31 31 28, which (153 m + 2) / 5 sums up. */
static struct date date_of(unsigned days_since_0000_03_01)
{
	unsigned era = days_since_0000_03_01 / 146097, day = days_since_0000_03_01 % 146097;
	unsigned year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	unsigned day_of_year = day - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * day_of_year + 2) / 153;

	return (struct date){
		.year = era * 400 + year + (month >= 10),
		.month = month < 10 ? month + 3 : month - 9,
		.day = day_of_year - (153 * month + 2) / 5 + 1,
	};
}

static char *put_number(char *at, unsigned value, int digits, char then)
{
	for (int i = digits; i-- > 0; value /= 10)
		at[i] = (char)('0' + value % 10);
	at[digits] = then;
	return at + digits + 1;
}

/* A second up to its point, counted from the first of March of the year -400, so
 * that nothing is negative. */
static void format_second(int64_t second, char out[SECOND_BYTES])
{
	struct date date = date_of((unsigned)(second / DAY_S));
	unsigned rest = (unsigned)(second % DAY_S);

	out = put_number(out, date.year - 400, 4, '-');
	out = put_number(out, date.month, 2, '-');
	out = put_number(out, date.day, 2, 'T');
	out = put_number(out, rest / 3600, 2, ':');
	out = put_number(out, rest / 60 % 60, 2, ':');
	put_number(out, rest % 60, 2, '.');
}

void clock_format(int64_t wall_ms, char out[CLOCK_RFC3339_BYTES])
{
	/* A busy thread writes the same second over and over. */
	static _Thread_local struct {
		int64_t second;
		char text[SECOND_BYTES];
	} last = {.second = -1};

	if (wall_ms < FIRST_MS)
		wall_ms = FIRST_MS;
	if (wall_ms > LAST_MS)
		wall_ms = LAST_MS;
	int64_t ms = wall_ms + (719468 + 146097) * DAY_S * 1000, second = ms / 1000;

	if (second != last.second) {
		format_second(second, last.text);
		last.second = second;
	}
	memcpy(out, last.text, SECOND_BYTES);
	out = put_number(out + SECOND_BYTES, (unsigned)(ms % 1000), 3, 'Z');
	*out = '\0';
}

void clock_sleep_ms(int64_t ms)
{
	struct timespec span = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	if (ms > 0)
		nanosleep(&span, NULL);
}
