/* `priority: urgent`: leads that are in a hurry go before the others that wait.
 *
 * Of what was never settled, a window is looked through, each event once; of what was
 * tried before, those that have been due for longest. What has waited for urgent_after
 * cannot be passed over any longer: tried before, it goes as if it were urgent, and the
 * oldest of the others takes turns with the urgent ones. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "sink/lane_state.h"

#define URGENT "status.intent == 'hard' or status.temperature == 'hot'"
#define LOOK_PAGE 64

bool lane_priority_init(struct lane *lane, struct error *error)
{
	const struct sink_settings *settings = lane->settings;

	if (settings->priority == SINK_PRIORITY_OFF)
		return true;
	lane->urgent = filter_new(LG_SLICE(URGENT), settings->http.limits, error);
	if (!lane->urgent)
		return false;
	lane->priority = priority_new((size_t)settings->max_look_ahead, lane_is_ordered(lane),
				      lane->settled_seq);
	return lane->priority || error_set(error, "there is no memory for its lane");
}

/* One on which the expression fails is in no hurry. */
static bool is_urgent(struct lane *lane, const struct journal_event *event)
{
	struct error error;
	bool urgent = false;

	return event->type != EVENT_ALERT &&
	       filter_test(lane->urgent, event->body, &urgent, &error) && urgent &&
	       run_takes(event, &lane->rules);
}

static bool is_old(const struct lane *lane, const struct journal_event *event)
{
	return clock_wall_ms() - event->at_ms >= lane->settings->urgent_after_ms;
}

/* ---- what was tried before ---------------------------------------------------------- */

/* Stable, so that what has been due for longest is the first of its kind. */
void lane_prefer_urgent(struct lane *lane, struct run *run)
{
	struct journal_event *sorted;
	size_t first = 0, last = 0;

	if (!lane->priority || run->count < 2)
		return;
	sorted = arena_alloc(&run->arena, 2 * run->count * sizeof(*sorted));
	if (!sorted)
		return;
	for (size_t i = 0; i < run->count; i++) {
		const struct journal_event *event = &run->events[i];
		if (is_old(lane, event) || is_urgent(lane, event))
			sorted[first++] = *event;
		else
			sorted[run->count + last++] = *event;
	}
	memmove(&sorted[first], &sorted[run->count], last * sizeof(*sorted));
	run->events = sorted;
}

/* ---- what was never settled ----------------------------------------------------------- */

static void look_at(struct lane *lane, const struct run *run, int64_t last_seq)
{
	for (size_t i = 0; i < run->count && !priority_is_full(lane->priority); i++) {
		const struct journal_event *event = &run->events[i];
		if (event->seq > last_seq)
			return;
		priority_add(lane->priority, event->seq, event->lead_id, is_urgent(lane, event));
	}
}

/* Looks at what has come since and at what has come into the window. False: it cannot be
 * read now. */
static bool look_ahead(struct lane *lane)
{
	int64_t last_seq = outbox_last_seq(lane->outbox);

	priority_settle(lane->priority, lane->settled_seq);
	if (last_seq > lane->settled_seq + lane->settings->max_look_ahead)
		last_seq = lane->settled_seq + lane->settings->max_look_ahead;
	while (priority_looked(lane->priority) < last_seq && !priority_is_full(lane->priority)) {
		struct run *run = lane_take_run(lane, false);
		if (!run || !lane_read_range(lane, run, NULL, priority_looked(lane->priority) + 1,
					     LOOK_PAGE))
			return false;
		look_at(lane, run, last_seq);
		if (run->count == 0 || run->events[run->count - 1].seq > last_seq)
			priority_skip(lane->priority, last_seq);
		lane_give_back(lane, run);
	}
	return true;
}

/* Whether the oldest event that waits has waited for too long. */
static bool oldest_is_old(struct lane *lane)
{
	struct stretch *from = stretches_open(&lane->ahead, 0);
	int64_t seq = from ? from->first_seq : lane->ahead.cursor + 1;
	struct run *run = lane_take_run(lane, false);
	bool old;

	if (!run || !lane_read_range(lane, run, from, seq, 1))
		return false;
	old = run->count && is_old(lane, &run->events[0]);
	lane_give_back(lane, run);
	return old;
}

/* How many of the urgent ones from `seq` on follow each other without a gap. */
static size_t count_urgent(const struct lane *lane, int64_t seq, size_t most)
{
	size_t count = 1;

	while (count < most &&
	       priority_next(lane->priority, seq + (int64_t)count - 1) == seq + (int64_t)count)
		count++;
	return count;
}

/* A run of urgent events that begins with `seq`. NULL: it is under way or gone, or cannot
 * be read, and then nothing goes for a second: a later one of its lead must not either. */
static struct run *take_urgent(struct lane *lane, int64_t seq)
{
	struct stretch *from = stretches_open(&lane->ahead, seq - 1);
	bool open = from ? from->first_seq <= seq : seq > lane->ahead.cursor;
	size_t count = open ? count_urgent(lane, seq, lane_most(lane)) : 0, left = 0;
	struct run *run = open ? lane_take_run(lane, false) : NULL;

	if (open && (!run || !lane_read_range(lane, run, from, seq, count)))
		return NULL;
	priority_drop(lane->priority, seq);
	if (!open)
		return NULL;
	while (left < run->count && run->events[left].seq == seq + (int64_t)left)
		priority_drop(lane->priority, run->events[left++].seq);
	run->count = left;
	if (left == 0) {
		lane_give_back(lane, run);
		return NULL;
	}
	run->urgent = true;
	run->stretch = stretches_take(&lane->ahead, seq, seq + (int64_t)left - 1, run);
	return run;
}

/* Whether all that waits goes at once, so that nobody can be the first. */
static bool goes_at_once(struct lane *lane)
{
	int64_t waiting = outbox_last_seq(lane->outbox) - lane->ahead.cursor;

	return !stretches_open(&lane->ahead, 0) && waiting <= (int64_t)lane_most(lane);
}

struct run *lane_read_urgent(struct lane *lane)
{
	struct run *run = NULL;
	int64_t seq;

	if (!lane->priority || goes_at_once(lane) || !look_ahead(lane) ||
	    !(seq = priority_next(lane->priority, 0)))
		return NULL;
	if (lane->was_urgent && oldest_is_old(lane)) {
		lane->was_urgent = false;
		return NULL;
	}
	while (seq && !run && lane->resume_ms <= clock_monotonic_ms()) {
		run = take_urgent(lane, seq);
		seq = priority_next(lane->priority, seq);
	}
	lane->was_urgent = run != NULL;
	return run;
}

void lane_look_again(struct lane *lane, int64_t first_seq)
{
	if (lane->priority)
		priority_cut(lane->priority, first_seq - 1);
}
