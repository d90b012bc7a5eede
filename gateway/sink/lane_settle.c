/* How a run ends: its outcome goes to the writer, its memory comes back. */
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "sink/lane_state.h"

#define RESEND_MS 1000 /* the writer had no room: ask it again */

static struct run *run_of(struct list *link)
{
	return container_of(link, struct run, link);
}

/* ---- memory ---------------------------------------------------------------------- */

void lane_give_back(struct lane *lane, struct run *run)
{
	if (batch_unsettled(&run->batch)) {
		list_append(&lane->held_up, &run->link);
		lane->held_up_count++;
		return;
	}
	if (run->shrunk) {
		run_free(&run);
		return;
	}
	run_reset(run);
	list_append(&lane->idle, &run->link);
}

void lane_forget(struct lane *lane, struct run *run)
{
	lane_order_forget(lane, run);
	if (run->stretch) {
		lane_look_again(lane, run->stretch->first_seq);
		stretches_reopen(&lane->ahead, run->stretch);
	}
	lane_give_back(lane, run);
}

static void look_at_held_up(struct lane *lane)
{
	LIST_EACH_SAFE(link, &lane->held_up) {
		if (batch_unsettled(&run_of(link)->batch))
			continue;
		list_remove(link);
		lane->held_up_count--;
		lane_give_back(lane, run_of(link));
	}
}

/* ---- to the writer --------------------------------------------------------------- */

/* Runs that go together, in the order in which they are told of. */
static size_t collect_first(struct lane *lane, size_t runs)
{
	size_t count = 0;

	for (struct stretch *s; runs > 0 && (s = stretches_done(&lane->ahead)); runs--) {
		count += s->run->count;
		lane->urgent_done -= s->run->urgent;
		list_append(&lane->with_writer, &s->run->link);
		lane->settled_seq = s->last_seq;
		s->run->stretch = NULL;
		stretches_drop(&lane->ahead, s);
		lane->done_count--;
	}
	return count;
}

static size_t collect_due(struct lane *lane, size_t runs)
{
	size_t count = 0;

	for (struct list *link; runs > 0 && (link = list_first(&lane->due_done)); runs--) {
		count += run_of(link)->count;
		list_remove(link);
		list_append(&lane->with_writer, link);
		lane->done_count--;
	}
	return count;
}

/* How many runs are done and could go together; their events in *count. */
static size_t count_done(const struct lane *lane, bool first, size_t *count)
{
	size_t runs = 0;

	*count = 0;
	if (first) {
		struct stretch *s = stretches_done(&lane->ahead);
		for (; s; s = stretches_done_after(&lane->ahead, s), runs++)
			*count += s->run->count;
	} else {
		LIST_EACH(link, &lane->due_done) {
			*count += run_of(link)->count;
			runs++;
		}
	}
	return runs;
}

static int compare_seq(const void *a, const void *b)
{
	const struct settled_event *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* The results of all runs that go, in one piece and in order. */
static void merge(struct lane *lane)
{
	struct settled_event *at = lane->merged;
	size_t count;

	LIST_EACH(link, &lane->with_writer) {
		memcpy(at, run_of(link)->results, run_of(link)->count * sizeof(*at));
		at += run_of(link)->count;
	}
	count = (size_t)(at - lane->merged);
	qsort(lane->merged, count, sizeof(*at), compare_seq);
}

/* One settlement is with the writer at a time: if a later one were stored and
 * an earlier one not, a restart would begin after both. What gathers meanwhile
 * goes as one, which saves the writer as many rows and rounds. */
static void send_done(struct lane *lane, bool first)
{
	int64_t first_seq = lane->settled_seq + 1;
	struct settlement *settlement;
	size_t count, runs = count_done(lane, first, &count);
	struct run *head;

	if (runs > 1) {
		lane->merged = alloc_malloc(count * sizeof(*lane->merged));
		runs = lane->merged ? runs : 1;
	}
	count = first ? collect_first(lane, runs) : collect_due(lane, runs);
	if (runs > 1)
		merge(lane);
	head = run_of(list_first(&lane->with_writer));
	settlement = &head->settlement;
	settlement->reply = &lane->mailbox;
	settlement->sink = lane->instance->name;
	settlement->events = runs > 1 ? lane->merged : head->results;
	settlement->count = count;
	settlement->first = first;
	settlement->first_seq = first ? first_seq : settlement->events[0].seq;
	settlement->last_seq = first ? lane->settled_seq : settlement->events[count - 1].seq;
	settlement->at_ms = clock_wall_ms();
	lane->was_first = first;
	outbox_settle(lane->outbox, settlement);
}

void lane_send_done(struct lane *lane)
{
	bool first = stretches_done(&lane->ahead), due = !list_empty(&lane->due_done);

	if (list_empty(&lane->with_writer) && (first || due))
		send_done(lane, first && !(due && lane->was_first));
}

void lane_settle(struct lane *lane, struct run *run)
{
	lane->done_count++;
	lane->urgent_done += run->urgent;
	if (run->urgent)
		run_shrink(run);
	if (run->due)
		list_append(&lane->due_done, &run->link);
	else
		run->stretch->stage = STRETCH_DONE;
	lane_send_done(lane);
}

/* What the run has settled without delivering it is told when it is read again. */
void lane_note(struct lane *lane, struct run *run)
{
	lane_order_forget(lane, run);
	if (run->stretch) {
		lane_look_again(lane, run->stretch->first_seq);
		stretches_reopen(&lane->ahead, run->stretch);
	}
	run->stretch = NULL;
	run->urgent = false; /* what is told of it goes as what is due */
	run->count = run->batch.count;
	for (size_t i = 0; i < run->count; i++) {
		struct settled_event *result = &run->results[i];
		run->events[i] = run->events[run->places[i]];
		*result = run->results[run->places[i]];
		run->places[i] = i;
		result->noted = true;
		result->parted = run->parted;
		if (result->state == DELIVERY_DEAD) /* not it, but its batch was refused */
			result->state = DELIVERY_RETRY;
	}
	run->due = true;
	lane_settle(lane, run);
}

static bool has_seq(struct list *runs, int64_t seq)
{
	LIST_EACH(link, runs) {
		const struct run *run = run_of(link);
		for (size_t i = 0; run->due && i < run->count; i++)
			if (run->results[i].seq == seq)
				return true;
	}
	return false;
}

bool lane_has_due(const struct lane *lane, int64_t seq)
{
	struct lane *mine = (struct lane *)(uintptr_t)lane; /* lists are only walked */

	return has_seq(&mine->flying, seq) || has_seq(&mine->due_done, seq) ||
	       has_seq(&mine->with_writer, seq);
}

static size_t count_due(const struct list *runs)
{
	size_t count = 0;

	LIST_EACH(link, runs)
		count += run_of(link)->due ? run_of(link)->count : 0;
	return count;
}

size_t lane_due_count(const struct lane *lane)
{
	return count_due(&lane->flying) + count_due(&lane->due_done) +
	       count_due(&lane->with_writer);
}

/* ---- its answer ------------------------------------------------------------------ */

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

static void count_results(struct lane *lane, const struct settlement *settlement)
{
	int64_t by_counter[LANE_COUNTERS + 1] = {0};

	for (size_t i = 0; i < settlement->count; i++)
		if (!settlement->events[i].untried)
			by_counter[counter_of_state[settlement->events[i].state]]++;
	for (int c = 0; c < LANE_COUNTERS; c++)
		lane_count(lane, (enum lane_counter)c, by_counter[c]);
}

/* Without it nothing new is delivered, so it is said, and that it is over. */
static void tell_resend(struct lane *lane, bool stored)
{
	bool told = atomic_load(&lane->unstored_ms) != 0;

	if (stored == !told)
		return;
	atomic_store(&lane->unstored_ms, stored ? 0 : clock_wall_ms());
	if (stored)
		log_notice("sink.outcomes_stored", LOG_SLICE("sink", lane->instance->name));
	else
		log_error("sink.outcomes_wait", LOG_SLICE("sink", lane->instance->name),
			  LOG_TEXT("reason", LANE_UNSTORED));
}

static void take_settlement(struct lane *lane, struct settlement *settlement)
{
	tell_resend(lane, settlement->stored);
	if (!settlement->stored) {
		lane->resend_ms = clock_monotonic_ms() + RESEND_MS;
		return;
	}
	count_results(lane, settlement);
	if (settlement->first)
		atomic_store(&lane->position, settlement->last_seq);
	lane->next_due_ms = 0;
	alloc_free(lane->merged);
	lane->merged = NULL;
	LIST_EACH_SAFE(link, &lane->with_writer) {
		list_remove(link);
		lane_give_back(lane, run_of(link));
	}
	lane_send_done(lane);
}

void lane_take_letters(struct lane *lane)
{
	struct letter *letter = mailbox_take(&lane->mailbox);

	while (letter) {
		struct letter *next = letter->next;
		if (letter == &lane->begin.letter)
			lane_take_begin(lane);
		else
			take_settlement(lane, (struct settlement *)(void *)letter);
		letter = next;
	}
	if (lane->resend_ms <= clock_monotonic_ms()) {
		struct run *head = run_of(list_first(&lane->with_writer));
		lane->resend_ms = INT64_MAX;
		outbox_settle(lane->outbox, &head->settlement);
	}
	look_at_held_up(lane);
}
