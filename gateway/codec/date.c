#include "codec/date.h"

#define DAY_S 86400

/* Takes exactly `count` digits. */
static bool take_digits(struct lg_slice *text, size_t count, int *value)
{
	*value = 0;
	if (text->length < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
		*value = *value * 10 + text->data[i] - '0';
	}
	*text = slice_cut(*text, count, text->length);
	return true;
}

static bool take_one(struct lg_slice *text, const char *of)
{
	if (text->length == 0 || text->data[0] == '\0' || !strchr(of, text->data[0]))
		return false;
	*text = slice_cut(*text, 1, text->length);
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar. A year is counted
 * from March, so that the leap day is its last. */
static int64_t days_from_civil(int year, int month, int day)
{
	int64_t y = year - (month <= 2) + 400; /* not negative for the year 0 */
	int64_t from_march = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * from_march + 2) / 5 + day - 1 - 146097 -
	       719468;
}

static bool take_date(struct lg_slice *text, int64_t *days)
{
	int year, month, day;

	if (!take_digits(text, 4, &year) || !take_one(text, "-") || !take_digits(text, 2, &month) ||
	    !take_one(text, "-") || !take_digits(text, 2, &day))
		return false;
	if (month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	*days = days_from_civil(year, month, day);
	return true;
}

static bool take_clock(struct lg_slice *text, int64_t *ms)
{
	int hour, minute, second, digit;
	int64_t fraction = 0, unit = 100;

	if (!take_digits(text, 2, &hour) || !take_one(text, ":") ||
	    !take_digits(text, 2, &minute) || !take_one(text, ":") ||
	    !take_digits(text, 2, &second) || hour > 23 || minute > 59 || second > 60)
		return false;
	if (take_one(text, ".")) {
		if (!take_digits(text, 1, &digit))
			return false;
		do {
			fraction += unit * digit;
			unit /= 10;
		} while (take_digits(text, 1, &digit));
	}
	*ms = ((hour * 60 + minute) * 60 + second) * INT64_C(1000) + fraction;
	return true;
}

static bool take_offset(struct lg_slice *text, int64_t *offset_ms)
{
	bool west;
	int hour, minute;

	*offset_ms = 0;
	if (take_one(text, "Zz"))
		return true;
	west = text->length > 0 && text->data[0] == '-';
	if (!take_one(text, "+-") || !take_digits(text, 2, &hour) || !take_one(text, ":") ||
	    !take_digits(text, 2, &minute) || hour > 23 || minute > 59)
		return false;
	*offset_ms = (hour * 60 + minute) * INT64_C(60000) * (west ? -1 : 1);
	return true;
}

static bool parse_epoch(struct lg_slice text, int64_t *wall_ms)
{
	uint64_t number;

	if (text.length < 9 || text.length > 14 || !slice_to_u64(text, &number))
		return false;
	*wall_ms = (int64_t)number * (text.length <= 11 ? 1000 : 1);
	return true;
}

bool time_parse(struct lg_slice text, int64_t *wall_ms)
{
	int64_t days, ms, offset_ms;

	if (parse_epoch(text, wall_ms))
		return true;
	if (!take_date(&text, &days))
		return false;
	*wall_ms = days * DAY_S * 1000;
	if (text.length == 0)
		return true;
	if (!take_one(&text, "Tt ") || !take_clock(&text, &ms) || !take_offset(&text, &offset_ms) ||
	    text.length > 0)
		return false;
	*wall_ms += ms - offset_ms;
	return true;
}

bool date_valid(struct lg_slice text)
{
	int64_t days;

	return take_date(&text, &days) && text.length == 0;
}
