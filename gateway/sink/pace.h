/* How many events a sink may get: so many a second in the long run, and so many a day.
 * What one second leaves is there in the next, so that a batch may have all of it: within
 * one second up to twice as many go. Times are monotonic. A day is counted by the hour,
 * rounded in the destination's favour: within any 24 hours there are never more. Pure;
 * one thread at a time. */
#ifndef SINK_PACE_H
#define SINK_PACE_H

#include "base/bucket.h"

#define PACE_HOUR_MS INT64_C(3600000)
#define PACE_HOURS 25 /* the hour under way and those that 24 hours can touch */

struct pace {
	struct bucket second;
	int64_t per_second, per_day; /* 0: no limit */
	int64_t hours[PACE_HOURS];   /* events, by the hour's number */
	int64_t hour;		     /* the one under way, of the monotonic clock */
};

void pace_init(struct pace *pace, int64_t per_second, int64_t per_day, int64_t now_ms);

/* Counts events that went `hours_ago` before, in an earlier life of the sink. */
void pace_recall(struct pace *pace, int64_t hours_ago, int64_t events);

/* How many events may go now; INT64_MAX: any number. */
int64_t pace_room(struct pace *pace, int64_t now_ms);
/* They go. There was room for them. */
void pace_take(struct pace *pace, int64_t events, int64_t now_ms);
/* The most that there can ever be room for at once; INT64_MAX: any number. */
int64_t pace_most(const struct pace *pace);
/* How long until there is room for so many, which are not more than that; `day`: for
 * the day's sake. */
int64_t pace_wait_ms(struct pace *pace, int64_t events, int64_t now_ms, bool *day);

#endif
