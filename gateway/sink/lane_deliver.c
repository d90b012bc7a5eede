/* A run and the plugin: handing over, taking back, and what its outcome means. */
#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/log.h"
#include "sink/lane_state.h"

#define GATHER_FACTOR 4	   /* of the last delivery's time, see pace() */
#define GATHER_LEAST_MS 20 /* for the threads that each delivery wakes, and the disk */
#define SAY_AGAIN_MS 10000 /* that the filter or the mapping fails */

/* A delivery that syncs costs the disk much and the events little: so the next
 * one does not begin before four times its duration has passed (`gather` at
 * most), unless a batch is full. A lane that was idle begins at once. */
static void pace(struct lane *lane, int64_t started_us)
{
	int64_t now_us = clock_monotonic_us();
	int64_t wait_ms = ((now_us - started_us) * GATHER_FACTOR + 999) / 1000;

	if (wait_ms < GATHER_LEAST_MS)
		wait_ms = GATHER_LEAST_MS;
	if (wait_ms > lane->settings->gather_ms)
		wait_ms = lane->settings->gather_ms;
	lane->gather_until_ms = now_us / 1000 + wait_ms;
}

/* ---- what an outcome means -------------------------------------------------------- */

static const struct journal_event *only_event(const struct run *run)
{
	return &run->events[run->places[0]];
}

/* One event parked alone. Whether another lead has passed all the same. */
static bool suspect_event(struct lane *lane, const struct run *run, bool due)
{
	const struct journal_event *event = only_event(run);

	if (!lane->suspects.count)
		lane->probing = (struct probing){.turn = PROBE_OTHERS};
	if (!due)
		lane->probing.asked_seq = event->seq;
	return suspects_add(&lane->suspects, event->seq, event->lead_id, run->started_us, due);
}

/* All of the run parked. One that does so alone is suspected, and the lane waits for
 * another lead to find out (lane_read) unless one has passed already that went no
 * sooner. The one that parks again after that is to blame itself. It stays pending
 * meanwhile, unless too much waits behind it. */
static bool weigh_parked(struct lane *lane, struct run *run, const struct run_tally *tally)
{
	bool alone = run->batch.count == 1;
	bool open = run->due ||
		    (stretches_is_first(&lane->ahead, run->stretch) && !lane_may_probe(lane));

	if (alone && suspects_has_clear(&lane->suspects, only_event(run)->seq)) {
		suspects_drop(&lane->suspects, only_event(run)->seq);
		run->passed = true;
		lane_go_on(lane, run->started_us);
		return true;
	}
	if (!alone || !suspect_event(lane, run, open))
		lane_pause(lane, MOOD_PARKED, run->started_us, tally->retry_after_ms,
			   tally->reason);
	return alone && open;
}

/* Something of it was delivered. What parks beside that is to blame itself. */
static void weigh_passed(struct lane *lane, struct run *run)
{
	run->passed = true;
	lane->taken_us = clock_monotonic_us();
	for (size_t i = 0; i < run->batch.count; i++) {
		const struct journal_event *event = &run->events[run->places[i]];
		if (batch_outcome(&run->batch, i) == LG_DELIVERED)
			suspects_pass(&lane->suspects, event->seq, event->lead_id, run->started_us);
		else
			suspects_drop(&lane->suspects, event->seq);
	}
	lane_go_on(lane, run->started_us);
	lane_grow(lane);
}

/* Nothing of it was taken, nor did all of it park: what was suspected does something else
 * now, and where the destination fails, what passed before shows nothing. */
static void weigh_suspects(struct lane *lane, const struct run *run, const struct run_tally *tally)
{
	for (size_t i = 0; i < run->batch.count; i++)
		suspects_drop(&lane->suspects, run->events[run->places[i]].seq);
	if (!tally->dead)
		suspects_doubt(&lane->suspects);
}

/* What the outcome of a run means for the lane. True: the run is settled; false:
 * nobody took anything of it, so it stays as it was and is read again. A single
 * event is settled in any case but when it parks, so that it cannot stand in the
 * way of others; and a batch that was told to wait, so that the journal has the time
 * for whoever comes after a restart. */
static bool weigh(struct lane *lane, struct run *run)
{
	size_t all = run->batch.count;
	struct run_tally tally;

	run_tally(run, &tally);
	if (tally.delivered) {
		weigh_passed(lane, run);
		return true;
	}
	if (tally.parked == all)
		return weigh_parked(lane, run, &tally);
	lane_shrink(lane, all);
	if (tally.dead == all && all > 1)
		return false; /* it answers, so there is no pause */
	weigh_suspects(lane, run, &tally);
	if (tally.dead) {
		lane_go_on(lane, run->started_us);
	} else if (!run->due || lane_due_failed(lane, run->events[0].seq, tally.retry_after_ms)) {
		lane_pause(lane, MOOD_WAITING, run->started_us, tally.retry_after_ms, tally.reason);
		if (!run->due && all > 1 && tally.retried == all)
			return tally.retry_after_ms > 0;
	}
	return true;
}

/* ---- sent, and no answer ------------------------------------------------------------- */

/* A batch goes again as it was or not at all: not when the filter leaves out one of its
 * events now, or one has to wait for another of its lead. */
static void check_sent(struct run *run)
{
	for (size_t i = 0; run->sent.count && i < run->count; i++)
		if (run->results[i].state != DELIVERY_PENDING)
			run->sent.count = 0;
}

/* Whether nobody knows if the destination has the batch: it had no answer, or did not
 * even get it when it went again. A batch that is given up is none any more. */
static bool is_unanswered(const struct lane *lane, const struct run *run)
{
	for (size_t i = 0; i < run->batch.count; i++) {
		const struct settled_event *result = &run->results[run->places[i]];
		bool unsent = run->sent.count && lane->http && result->status == 0 &&
			      result->state == DELIVERY_RETRY;
		if (result->state != DELIVERY_UNCLASSIFIED && !unsent)
			return false;
	}
	return run->batch.count > 0;
}

/* Events of a run from..to (not included) are one sent batch, due together. */
static void make_sent(struct run *run, size_t from, size_t to)
{
	const struct settled_event *first = &run->results[run->places[from]];
	struct sent_batch sent = {first->seq, run->results[run->places[to - 1]].seq,
				  (int64_t)(to - from)};

	for (size_t i = from; i < to; i++) {
		run->results[run->places[i]].sent = sent;
		run->results[run->places[i]].due_ms = first->due_ms;
	}
}

/* Whether the batch itself seems to be to blame: it has had no answer for long, and
 * something else has been taken since the last batch that had none. While nothing is
 * taken it is the destination, which may well have had the batch. */
static bool is_to_blame(struct lane *lane, const struct run *run)
{
	bool others_pass = lane->taken_us > lane->unanswered_us;

	lane->unanswered_us = clock_monotonic_us();
	return others_pass && run->batch.count > 1 && run->sent.count &&
	       run->results[run->places[0]].attempts >= lane->settings->max_unanswered;
}

/* Its events stay together, so that its key is the same when it goes again; or the two
 * halves of it do. A sink that takes single events needs no note of that. */
static void keep_together(struct lane *lane, struct run *run)
{
	size_t count = run->batch.count, half;

	if (lane->batch_events == 1 || !is_unanswered(lane, run))
		return;
	half = is_to_blame(lane, run) ? count / 2 : 0;
	if (half)
		make_sent(run, 0, half);
	make_sent(run, half, count);
}

/* It is a mistake in the plugin that only a new one ends, so once is enough. */
static void note_unsized(struct lane *lane, const struct run *run)
{
	if (lane->unsized_said || !atomic_load(&run->batch.unsized))
		return;
	lane->unsized_said = true;
	log_warning("plugin.unsized", LOG_SLICE("sink", lane->instance->name),
		    LOG_TEXT("plugin", lane->instance->library->plugin.name),
		    LOG_TEXT("reason", BATCH_UNSIZED));
}

/* ---- there and back ------------------------------------------------------------------ */

/* The plugin is done with the run, or had its time. */
static void land(struct lane *lane, struct run *run)
{
	bool settle = true;

	lane->blocked = false;
	if (run->batch.count) {
		batch_expire(&run->batch, LG_UNCLASSIFIED, "no outcome before the deadline");
		note_unsized(lane, run);
		histogram_add_us(lane->deliveries, clock_monotonic_us() - run->started_us);
		pace(lane, run->started_us);
		settle = weigh(lane, run);
	}
	run_judge(run, lane->settings, clock_wall_ms());
	if (!settle) {
		lane_note(lane, run);
		return;
	}
	keep_together(lane, run);
	lane_order_landed(lane, run);
	lane_settle(lane, run);
}

static void call_plugin(struct lane *lane, struct run *run)
{
	struct instance *instance = lane->instance;
	int32_t said;

	run->started_us = clock_monotonic_us();
	run->deadline_ms = clock_monotonic_ms() + lane->settings->timeout_ms;
	said = instance->sink.deliver(instance->state, &run->batch.handle, run->deadline_ms);
	if (said != LG_OK && said != LG_LATER)
		batch_abandon(&run->batch, LG_RETRY, "the plugin failed and said no reason");
}

/* Whether it is time to tell again of what happens to one lead after the other. */
static bool say_again(int64_t *said_ms)
{
	int64_t now_ms = clock_monotonic_ms();

	if (*said_ms && now_ms - *said_ms < SAY_AGAIN_MS)
		return false;
	*said_ms = now_ms;
	return true;
}

/* Each is counted; one in a while is told of. */
static void note_failures(struct lane *lane, const struct run *run)
{
	struct lg_slice sink = lane->instance->name;

	lane_count(lane, LANE_WHEN_ERRORS, (int64_t)run->when_errors);
	lane_count(lane, LANE_MAPPING_ERRORS, (int64_t)run->mapping_errors);
	if (run->when_errors && say_again(&lane->when_said_ms))
		log_warning("sink.when_failed", LOG_SLICE("sink", sink),
			    LOG_SLICE("reason", run->when_error));
	if (run->mapping_errors && say_again(&lane->mapping_said_ms))
		log_warning("sink.mapping_failed", LOG_SLICE("sink", sink),
			    LOG_SLICE("reason", run->mapping_error));
}

void lane_deliver(struct lane *lane, struct run *run)
{
	bool good = lane_name_leads(lane, run) && run_sort(run, &lane->rules) &&
		    lane_order_apply(lane, run);

	if (good && run->count == 0) {
		lane_forget(lane, run);
		return;
	}
	if (!good || !run_fill(run, &lane->rules)) {
		lane_pause(lane, MOOD_WAITING, clock_monotonic_us(), 0,
			   LG_SLICE("a batch cannot be made: the log says why, or there is no "
				    "memory"));
		lane_forget(lane, run);
		return;
	}
	note_failures(lane, run);
	check_sent(run);
	if (run->batch.count) {
		pace_take(&lane->pace, (int64_t)run->batch.count, clock_monotonic_ms());
		if (lane->reserved)
			lane->beside += (int64_t)run->batch.count;
		/* It may block: whoever looks meanwhile finds the batch with it. */
		atomic_store(&lane->in_flight, (int64_t)lane->flying_count + 1);
		call_plugin(lane, run);
	}
	if (batch_unsettled(&run->batch) == 0) {
		atomic_store(&lane->in_flight, (int64_t)lane->flying_count);
		land(lane, run);
		return;
	}
	list_append(&lane->flying, &run->link);
	atomic_store(&lane->in_flight, (int64_t)++lane->flying_count);
}

static int64_t deadline_ms(const struct lane *lane, const struct run *run)
{
	int64_t stop_by_ms = atomic_load(&lane->stop_by_ms);

	return run->deadline_ms < stop_by_ms ? run->deadline_ms : stop_by_ms;
}

void lane_land(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms();

	LIST_EACH_SAFE(link, &lane->flying) {
		struct run *run = container_of(link, struct run, link);
		if (batch_unsettled(&run->batch) && now_ms < deadline_ms(lane, run))
			continue;
		list_remove(link);
		atomic_store(&lane->in_flight, (int64_t)--lane->flying_count);
		land(lane, run);
	}
}

/* Whether the plugin settled a run only because its calls were taken back: what it
 * had settled before has landed. */
static bool was_recalled(const struct run *run)
{
	struct run_tally tally;

	if (batch_unsettled(&run->batch))
		return false;
	run_tally(run, &tally);
	return tally.retried == run->batch.count;
}

void lane_recall(struct lane *lane)
{
	if (lane->recalled)
		return;
	lane->recalled = true;
	lane_bring_forward(lane, clock_monotonic_ms() + lane->settings->stop_wait_ms);
	if (!lane->http)
		return;
	http_service_recall(lane->http);
	LIST_EACH_SAFE(link, &lane->flying) {
		struct run *run = container_of(link, struct run, link);
		if (!was_recalled(run))
			continue;
		list_remove(link);
		atomic_store(&lane->in_flight, (int64_t)--lane->flying_count);
		lane_forget(lane, run);
	}
}

int64_t lane_flight_ms(const struct lane *lane)
{
	int64_t first_ms = INT64_MAX;

	LIST_EACH(link, &lane->flying) {
		const struct run *run = container_of(link, struct run, link);
		if (deadline_ms(lane, run) < first_ms)
			first_ms = deadline_ms(lane, run);
	}
	return first_ms == INT64_MAX ? first_ms : first_ms - clock_monotonic_ms();
}
