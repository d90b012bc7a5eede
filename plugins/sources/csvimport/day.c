/* Times as spreadsheets and CRMs write them, brought into the form that lg_time reads. */
#include "csvimport.h"

#include <stdio.h>

struct day {
	int year, month, day, hour, minute, second;
};

/* One or more digits, `most` of them. */
static bool take_number(struct lg_slice *text, size_t most, int *number)
{
	size_t n = 0;

	*number = 0;
	while (n < most && n < text->length && text->data[n] >= '0' && text->data[n] <= '9')
		*number = *number * 10 + text->data[n++] - '0';
	*text = lg_slice_cut(*text, n, text->length);
	return n > 0;
}

static bool take(struct lg_slice *text, char c)
{
	if (text->length == 0 || text->data[0] != c)
		return false;
	*text = lg_slice_cut(*text, 1, text->length);
	return true;
}

/* Three numbers with the same sign between. */
static bool take_parts(struct lg_slice *text, char sign, int parts[3])
{
	return take_number(text, 4, &parts[0]) && take(text, sign) &&
	       take_number(text, 2, &parts[1]) && take(text, sign) &&
	       take_number(text, 4, &parts[2]);
}

static bool take_date(struct lg_slice *text, int32_t dates, struct day *day)
{
	static const char signs[] = "-./";
	int p[3] = {0, 0, 0};

	for (const char *sign = signs; *sign; sign++) {
		struct lg_slice rest = *text;

		if (!take_parts(&rest, *sign, p))
			continue;
		*text = rest;
		if (p[0] >= 1000)
			*day = (struct day){p[0], p[1], p[2], 0, 0, 0};
		else if (*sign == '.' || (*sign == '/' && dates == DATES_DAY_FIRST))
			*day = (struct day){p[2], p[1], p[0], 0, 0, 0};
		else if (*sign == '/' && dates == DATES_MONTH_FIRST)
			*day = (struct day){p[2], p[0], p[1], 0, 0, 0};
		return day->year >= 1000;
	}
	return false;
}

/* Twelve is the first hour of both halves. */
static bool take_half(struct lg_slice *text, struct day *day)
{
	struct lg_slice word = lg_slice_trim(*text);
	bool morning = lg_slice_is(word, "am"), evening = lg_slice_is(word, "pm");

	if (!morning && !evening)
		return true;
	if (day->hour < 1 || day->hour > 12)
		return false;
	day->hour = day->hour % 12 + (evening ? 12 : 0);
	*text = lg_slice_cut(*text, text->length, 0);
	return true;
}

static bool take_clock(struct lg_slice *text, struct day *day)
{
	if (text->length == 0)
		return true;
	take(text, ',');
	if (!take(text, ' ') && !take(text, 'T'))
		return false;
	return take_number(text, 2, &day->hour) && take(text, ':') &&
	       take_number(text, 2, &day->minute) &&
	       (!take(text, ':') || take_number(text, 2, &day->second)) && take_half(text, day);
}

bool day_read(struct lg_request *request, struct lg_slice text, int32_t dates, int64_t *at)
{
	struct day day = {0};
	char whole[96];

	text = lg_slice_trim(text);
	if (lg_time(request, text, at) == LG_OK)
		return true;
	if (!take_date(&text, dates, &day) || !take_clock(&text, &day) || text.length > 6)
		return false;
	/* What is left is the zone; without one it is taken as UTC. */
	if (text.length == 0)
		text = LG_SLICE("Z");
	snprintf(whole, sizeof(whole), "%04d-%02d-%02dT%02d:%02d:%02d%.*s", day.year, day.month,
		 day.day, day.hour, day.minute, day.second, (int)text.length, text.data);
	return lg_time(request, lg_slice_from(whole), at) == LG_OK;
}
