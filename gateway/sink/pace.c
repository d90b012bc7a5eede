#include "sink/pace.h"

#include <string.h>

void pace_init(struct pace *pace, int64_t per_second, int64_t per_day, int64_t now_ms)
{
	memset(pace, 0, sizeof(*pace));
	bucket_init(&pace->second, per_second, per_second, now_ms);
	pace->per_second = per_second;
	pace->per_day = per_day;
	pace->hour = now_ms / PACE_HOUR_MS;
}

static int64_t *hour_at(struct pace *pace, int64_t hour)
{
	return &pace->hours[(hour % PACE_HOURS + PACE_HOURS) % PACE_HOURS];
}

/* Forgets the hours that have left the day. */
static void turn(struct pace *pace, int64_t now_ms)
{
	int64_t hour = now_ms / PACE_HOUR_MS;

	if (hour - pace->hour >= PACE_HOURS)
		memset(pace->hours, 0, sizeof(pace->hours));
	else
		for (int64_t h = pace->hour + 1; h <= hour; h++)
			*hour_at(pace, h) = 0;
	if (hour > pace->hour)
		pace->hour = hour;
}

void pace_recall(struct pace *pace, int64_t hours_ago, int64_t events)
{
	if (hours_ago >= 0 && hours_ago < PACE_HOURS)
		*hour_at(pace, pace->hour - hours_ago) += events;
}

static int64_t room_of_day(const struct pace *pace)
{
	int64_t room = pace->per_day;

	for (int i = 0; i < PACE_HOURS; i++)
		room -= pace->hours[i];
	return room > 0 ? room : 0;
}

int64_t pace_room(struct pace *pace, int64_t now_ms)
{
	int64_t room = INT64_MAX, day;

	if (pace->per_second)
		room = bucket_level(&pace->second, now_ms);
	if (!pace->per_day)
		return room;
	turn(pace, now_ms);
	day = room_of_day(pace);
	return day < room ? day : room;
}

void pace_take(struct pace *pace, int64_t events, int64_t now_ms)
{
	bucket_take(&pace->second, events, now_ms);
	turn(pace, now_ms);
	*hour_at(pace, pace->hour) += events;
}

int64_t pace_most(const struct pace *pace)
{
	int64_t second = pace->per_second ? pace->per_second : INT64_MAX;
	int64_t day = pace->per_day ? pace->per_day : INT64_MAX;

	return day < second ? day : second;
}

/* Until so many of the oldest hours have gone that there is room. */
static int64_t day_wait_ms(struct pace *pace, int64_t events, int64_t now_ms)
{
	int64_t room = pace->per_day, hours = 0;

	for (int i = 0; i < PACE_HOURS; i++)
		room -= pace->hours[i];
	while (room < events && hours < PACE_HOURS)
		room += *hour_at(pace, pace->hour - PACE_HOURS + ++hours);
	return hours ? (pace->hour + hours) * PACE_HOUR_MS - now_ms : 0;
}

int64_t pace_wait_ms(struct pace *pace, int64_t events, int64_t now_ms, bool *day)
{
	int64_t second_ms = pace->per_second ? bucket_wait_ms(&pace->second, events, now_ms) : 0;
	int64_t day_ms = 0;

	if (pace->per_day) {
		turn(pace, now_ms);
		day_ms = day_wait_ms(pace, events, now_ms);
	}
	*day = day_ms > second_ms;
	return *day ? day_ms : second_ms;
}
