/* How a run ends: its outcome goes to the writer, its memory comes back. */
#include "base/clock.h"
#include "base/error.h"
#include "sink/lane_state.h"

#define RESEND_MS 1000 /* the writer had no room: ask it again */

void lane_give_back(struct lane *lane, struct run *run)
{
	if (batch_unsettled(&run->batch)) {
		list_append(&lane->held_up, &run->link);
		lane->held_up_count++;
		return;
	}
	run_reset(run);
	list_append(&lane->idle, &run->link);
}

static void look_at_held_up(struct lane *lane)
{
	LIST_EACH_SAFE(link, &lane->held_up) {
		struct run *run = container_of(link, struct run, link);
		if (batch_unsettled(&run->batch))
			continue;
		list_remove(link);
		lane->held_up_count--;
		lane_give_back(lane, run);
	}
}

/* One settlement is with the writer at a time: if a later one were stored and
 * an earlier one not, a restart would begin after both. */
static void send_next(struct lane *lane)
{
	if (lane->settling || !lane->queued)
		return;
	lane->settling = lane->queued;
	lane->queued = NULL;
	outbox_settle(lane->outbox, &lane->settling->settlement);
}

void lane_settle(struct lane *lane, struct run *run, bool first)
{
	int64_t last_seq = run->results[run->count - 1].seq;

	run->settlement.reply = &lane->mailbox;
	run->settlement.sink = lane->instance->name;
	run->settlement.first = first;
	run->settlement.first_seq = first ? lane->settled_seq + 1 : run->results[0].seq;
	run->settlement.last_seq = last_seq;
	run->settlement.events = run->results;
	run->settlement.count = run->count;
	run->settlement.at_ms = clock_wall_ms();
	if (first)
		lane->settled_seq = lane->cursor = last_seq;
	else
		lane->due_with_writer = true;
	ALWAYS(!lane->queued);
	lane->queued = run;
	send_next(lane);
}

static const enum lane_counter counter_of_state[] = {
	[DELIVERY_PENDING] = LANE_COUNTERS,
	[DELIVERY_DELIVERED] = LANE_DELIVERED,
	[DELIVERY_FILTERED] = LANE_FILTERED,
	[DELIVERY_RETRY] = LANE_RETRIED,
	[DELIVERY_PARKED] = LANE_PARKED,
	[DELIVERY_DEAD] = LANE_DEAD,
	[DELIVERY_UNCLASSIFIED] = LANE_UNCLASSIFIED,
	[DELIVERY_HELD] = LANE_COUNTERS,
	[DELIVERY_DISCARDED] = LANE_DISCARDED,
	[DELIVERY_ERASED] = LANE_COUNTERS,
};

void lane_count(struct lane *lane, enum lane_counter counter, int64_t n)
{
	if (n == 0 || counter == LANE_COUNTERS)
		return;
	atomic_fetch_add_explicit(&lane->totals[counter], n, memory_order_relaxed);
	counter_add(lane->counters[counter], n);
}

static void count_results(struct lane *lane, const struct settlement *settlement)
{
	int64_t by_counter[LANE_COUNTERS + 1] = {0};

	for (size_t i = 0; i < settlement->count; i++)
		by_counter[counter_of_state[settlement->events[i].state]]++;
	for (int c = 0; c < LANE_COUNTERS; c++)
		lane_count(lane, (enum lane_counter)c, by_counter[c]);
}

/* The writer's answer. */
static void take_settlement(struct lane *lane, struct settlement *settlement)
{
	struct run *run = (struct run *)(void *)settlement;

	if (!settlement->stored) {
		lane->resend_ms = clock_monotonic_ms() + RESEND_MS;
		return;
	}
	count_results(lane, settlement);
	if (settlement->first)
		atomic_store(&lane->position, settlement->last_seq);
	else
		lane->due_with_writer = false;
	lane->next_due_ms = 0;
	lane->settling = NULL;
	lane_give_back(lane, run);
	send_next(lane);
}

void lane_take_letters(struct lane *lane)
{
	struct letter *letter = mailbox_take(&lane->mailbox);

	while (letter) {
		struct letter *next = letter->next;
		take_settlement(lane, (struct settlement *)(void *)letter);
		letter = next;
	}
	if (lane->resend_ms <= clock_monotonic_ms()) {
		lane->resend_ms = INT64_MAX;
		outbox_settle(lane->outbox, &lane->settling->settlement);
	}
	look_at_held_up(lane);
}
