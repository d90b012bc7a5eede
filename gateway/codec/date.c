#include "codec/date.h"

#include <stdio.h>

#define DAY_S 86400
#define YEAR_MS INT64_C(31556952000) /* on average */

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
	if (!take_one(text, "+-") || !take_digits(text, 2, &hour))
		return false;
	take_one(text, ":"); /* ISO 8601's basic form has none */
	if (!take_digits(text, 2, &minute) || hour > 23 || minute > 59)
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

/* ---- dates of HTTP --------------------------------------------------------- */

/* Whether a text has a form: "#" is a digit, "_" a digit or a blank, "@" a letter,
 * everything else itself. */
static bool has_form(struct lg_slice text, const char *form)
{
	if (text.length != strlen(form))
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i], lower = (char)(c | 0x20);
		bool digit = c >= '0' && c <= '9';
		bool fits = form[i] == '#'   ? digit
			    : form[i] == '_' ? digit || c == ' '
			    : form[i] == '@' ? lower >= 'a' && lower <= 'z'
					     : c == form[i];
		if (!fits)
			return false;
	}
	return true;
}

/* 1 to 12; 0: no month. */
static int month_number(struct lg_slice name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	int month = 1;

	while (month <= 12 && memcmp(names + 3 * (month - 1), name.data, 3) != 0)
		month++;
	return month % 13;
}

static int two_digits(struct lg_slice text)
{
	return (text.data[0] == ' ' ? 0 : text.data[0] - '0') * 10 + text.data[1] - '0';
}

/* A year of two digits, as close to now as the rule wants it. */
static int whole_year(int short_year, int64_t now_ms)
{
	int now = 1970 + (int)(now_ms / YEAR_MS);
	int year = now - now % 100 + short_year;

	return year > now + 50 ? year - 100 : year;
}

/* The parts brought into the form that time_parse knows, and checks. */
static bool parse_parts(int year, struct lg_slice month, struct lg_slice day, struct lg_slice clock,
			int64_t *wall_ms)
{
	char text[64];

	snprintf(text, sizeof(text), "%04d-%02d-%02dT%.8sZ", year, month_number(month),
		 two_digits(day), clock.data);
	return time_parse(slice_of(text, strlen(text)), wall_ms);
}

bool time_parse_http(struct lg_slice text, int64_t now_ms, int64_t *wall_ms)
{
	ptrdiff_t comma = slice_find(text, ',');
	struct lg_slice rest = slice_cut(text, comma < 0 ? 0 : (size_t)comma + 1, SIZE_MAX);

	if (has_form(text, "@@@, ## @@@ #### ##:##:## GMT"))
		return parse_parts(two_digits(slice_cut(text, 12, 2)) * 100 +
					   two_digits(slice_cut(text, 14, 2)),
				   slice_cut(text, 8, 3), slice_cut(text, 5, 2),
				   slice_cut(text, 17, 8), wall_ms);
	if (has_form(text, "@@@ @@@ _# ##:##:## ####"))
		return parse_parts(two_digits(slice_cut(text, 20, 2)) * 100 +
					   two_digits(slice_cut(text, 22, 2)),
				   slice_cut(text, 4, 3), slice_cut(text, 8, 2),
				   slice_cut(text, 11, 8), wall_ms);
	if (comma > 0 && has_form(rest, " ##-@@@-## ##:##:## GMT"))
		return parse_parts(whole_year(two_digits(slice_cut(rest, 8, 2)), now_ms),
				   slice_cut(rest, 4, 3), slice_cut(rest, 1, 2),
				   slice_cut(rest, 11, 8), wall_ms);
	return false;
}

bool date_valid(struct lg_slice text)
{
	int64_t days;

	return take_date(&text, &days) && text.length == 0;
}
