/* `order: person`: what waits for an earlier event of its lead, and until when.
 *
 * While the earlier one is with the plugin, reading stops before the later one.
 * When it is to be tried again, which may take days, the later one is settled as
 * open without a time, so that others go on; it gets its time when the earlier
 * one is settled for good. */
#include "base/clock.h"
#include "base/log.h"
#include "sink/lane_state.h"

#define RELEASED_MAX 256 /* at once */
#define LOAD_AGAIN_MS 1000

/* ---- before and after a delivery --------------------------------------------------- */

static bool hold(struct lane *lane, struct run *run, size_t index)
{
	struct settled_event *result = &run->results[index];
	const struct journal_event *event = &run->events[index];

	result->state = DELIVERY_RETRY;
	result->untried = true;
	result->reason = LG_SLICE("an earlier event of the same lead is open");
	result->due_ms = 0;
	result->since_ms = 0;
	return order_set(lane->order, event->lead_id, event->seq, event->attempts, ORDER_HELD);
}

/* What is left of the run when it ends before an event. */
static void cut(struct lane *lane, struct run *run, size_t count)
{
	run->count = count;
	if (count)
		lane_look_again(lane, run->events[count - 1].seq + 1);
	if (count)
		stretches_cut(&lane->ahead, run->stretch, run->events[count - 1].seq);
	else
		lane->blocked = true;
}

bool lane_order_apply(struct lane *lane, struct run *run)
{
	for (size_t i = 0; lane_is_ordered(lane) && i < run->count; i++) {
		const struct journal_event *event = &run->events[i];
		enum delivery_state state = run->results[i].state;
		enum order_state before = order_before(lane->order, event->lead_id, event->seq);
		bool open = run->due || state == DELIVERY_RETRY, good;

		if (event->type == EVENT_ALERT ||
		    (state != DELIVERY_PENDING && state != DELIVERY_RETRY))
			continue;
		if (before == ORDER_FLYING && !run->due) {
			cut(lane, run, i);
			return true;
		}
		if (before != ORDER_NONE)
			good = hold(lane, run, i);
		else
			good = order_set(lane->order, event->lead_id, event->seq, event->attempts,
					 open ? ORDER_OPEN : ORDER_FLYING);
		if (!good)
			return false;
	}
	return true;
}

void lane_order_landed(struct lane *lane, const struct run *run)
{
	for (size_t i = 0; lane_is_ordered(lane) && i < run->count; i++) {
		const struct settled_event *result = &run->results[i];
		const struct journal_event *event = &run->events[i];

		if (result->untried && result->state == DELIVERY_RETRY)
			continue;
		if (result->state == DELIVERY_RETRY || result->state == DELIVERY_PARKED ||
		    result->state == DELIVERY_UNCLASSIFIED)
			order_set(lane->order, event->lead_id, event->seq, result->attempts,
				  ORDER_OPEN);
		else
			order_remove(lane->order, event->lead_id, event->seq);
	}
}

void lane_order_forget(struct lane *lane, const struct run *run)
{
	for (size_t i = 0; lane_is_ordered(lane) && run->results && i < run->count; i++) {
		const struct journal_event *event = &run->events[i];

		if (!run->due)
			order_remove(lane->order, event->lead_id, event->seq);
		else if (run->results[i].untried)
			order_set(lane->order, event->lead_id, event->seq, event->attempts,
				  ORDER_OPEN);
	}
}

/* ---- those that are free ------------------------------------------------------------- */

static void release(struct lane *lane, const struct settled_event *events, size_t count)
{
	struct run *run = lane_take_run(lane, true);

	if (run)
		run->results = arena_alloc(&run->arena, count * sizeof(*run->results));
	if (!run || !run->results) {
		lane->order_known = false; /* read anew when there is memory */
		if (run)
			lane_give_back(lane, run);
		return;
	}
	memcpy(run->results, events, count * sizeof(*events));
	run->count = count;
	lane_settle(lane, run);
}

void lane_order_release(struct lane *lane)
{
	struct settled_event events[RELEASED_MAX];
	int64_t now_ms = clock_wall_ms(), stored_seq = atomic_load(&lane->position);
	int64_t seq, attempts;
	size_t count = 0;

	while (count < RELEASED_MAX && order_take_free(lane->order, stored_seq, &seq, &attempts))
		events[count++] = (struct settled_event){
			.seq = seq,
			.state = DELIVERY_RETRY,
			.attempts = attempts,
			.due_ms = now_ms,
			.untried = true,
		};
	if (count)
		release(lane, events, count);
}

/* ---- what the journal has ---------------------------------------------------------------- */

static bool note(void *context, const struct waiting_event *event)
{
	struct lane *lane = context;
	uint8_t lead_id[UUID_BYTES] = {0};

	/* What is under way is known, and may be settled in a moment. */
	if (lane_has_due(lane, event->seq))
		return true;
	if (lane_is_ordered(lane))
		return order_set(lane->order, event->lead_id, event->seq, event->attempts,
				 event->held ? ORDER_HELD : ORDER_OPEN);
	/* Nobody waits for anybody any more: each is like a lead of its own. */
	memcpy(lead_id + UUID_BYTES - sizeof(event->seq), &event->seq, sizeof(event->seq));
	return !event->held ||
	       order_set(lane->order, lead_id, event->seq, event->attempts, ORDER_HELD);
}

bool lane_order_load(struct lane *lane)
{
	if (lane->order_known)
		return true;
	if (!lane->order)
		lane->order = order_new();
	lane->order_known = lane->order &&
			    reader_waiting(lane->reader, lane->instance->name, note, lane);
	if (lane->order_known) {
		order_free_first(lane->order);
		return true;
	}
	log_error("sink.read_failed", LOG_SLICE("sink", lane->instance->name),
		  LOG_TEXT("reason", "the events that wait cannot be read"));
	lane->resume_ms = clock_monotonic_ms() + LOAD_AGAIN_MS;
	return false;
}
