/* When a lane does what: one round of its work, how long it may sleep, its end. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/error.h"
#include "sink/lane_state.h"

#define HELD_UP_MAX 16	    /* batches that a plugin may leave unsettled after the deadline */
#define REST_MS 1000	    /* idle for so long: memory is given back */
#define GAP_EVENTS 4096	    /* that are made open at once at the end for those behind them */
#define LOOK_AGAIN_MS 60000 /* longest sleep, for a wall clock that was set */

/* True, too, for a plugin that calls nobody. */
static bool open_http(struct lane *lane, struct error *error)
{
	if (!(lane->instance->library->plugin.flags & LG_CALLS_HTTP) || lane->http)
		return true;
	lane->http = http_service_new(lane->loop, lane->instance->name, &lane->settings->http,
				      &lane->turn, error);
	return lane->http != NULL;
}

static bool open_plugin(struct lane *lane)
{
	struct error error;

	if (lane->instance->opened)
		return true;
	if (!open_http(lane, &error) || !instance_open(lane->instance, &error)) {
		lane_pause(lane, MOOD_PARKED, clock_monotonic_us(), 0, slice_from(error.text));
		return false;
	}
	lane_go_on(lane, clock_monotonic_us());
	return true;
}

static int64_t sooner(int64_t wait_ms, int64_t other_ms)
{
	if (other_ms < 0)
		other_ms = 0;
	return other_ms < wait_ms ? other_ms : wait_ms;
}

/* How long until the writer is asked again. */
static int64_t resend_ms(const struct lane *lane)
{
	if (lane->resend_ms == INT64_MAX)
		return LOOK_AGAIN_MS;
	return sooner(LOOK_AGAIN_MS, lane->resend_ms - clock_monotonic_ms());
}

/* How long there is nothing to do while no run may begin. */
static int64_t busy_ms(const struct lane *lane)
{
	return sooner(resend_ms(lane), lane_flight_ms(lane));
}

/* How long there is nothing to do while the journal lets nothing go. */
static int64_t barred_ms(const struct lane *lane)
{
	int64_t left_ms = lane->resume_ms - clock_monotonic_ms();

	return left_ms > 0 ? sooner(busy_ms(lane), left_ms) : busy_ms(lane);
}

/* How long new events are left alone: until enough of them have gathered, and
 * the commits before that wake nobody; -1: until there is one. */
static int64_t gather(struct lane *lane)
{
	int64_t left_ms = lane->gather_until_ms - clock_monotonic_ms();
	int64_t enough = left_ms > 0 ? (int64_t)lane->most : 1;

	if (!outbox_await(lane->outbox, &lane->mailbox, lane->ahead.cursor + enough))
		return 0;
	return left_ms > 0 ? left_ms : -1;
}

/* Whether another run may begin: one after the other while the destination fails.
 * Some that are done may wait for one that takes its time; all may wait for what
 * is read next. The urgent ones that do are bounded by their window. */
static bool has_room(const struct lane *lane)
{
	size_t waiting = lane->done_count - lane->urgent_done;

	return !lane->blocked && lane->flying_count < (lane->failures ? 1 : lane->concurrency) &&
	       (waiting < 2 * lane->concurrency - 1 || stretches_open_first(&lane->ahead));
}

/* How long until new events may go beside a batch that waits (lane_most). */
static int64_t beside_ms(struct lane *lane, int64_t now_ms)
{
	int64_t least = lane->beside + 2, ms = 0;
	bool day;

	if (least < lane->reserved)
		ms = pace_wait_ms(&lane->pace, least, now_ms, &day);
	return ms > 0 ? ms : INT64_MAX;
}

/* How long there is nothing to do, when nothing wakes the lane. */
static int64_t idle_ms(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms(), wait_ms = busy_ms(lane), gather_ms, pace_ms;
	bool day;

	if (lane->resume_ms > now_ms)
		return sooner(wait_ms, lane->resume_ms - now_ms);
	if (!has_room(lane))
		return wait_ms; /* until the writer or the plugin answers */
	pace_ms = pace_wait_ms(&lane->pace, lane->reserved ? lane->reserved : 1, now_ms, &day);
	if (pace_ms > 0)
		wait_ms = sooner(wait_ms, pace_ms);
	if (pace_ms > 0 && lane_most(lane) == 0) {
		lane_hold(lane, pace_ms, day);
		return sooner(wait_ms, beside_ms(lane, now_ms));
	}
	lane_hold_over(lane);
	gather_ms = lane_is_full(lane) ? -1 : gather(lane);
	if (gather_ms >= 0)
		wait_ms = sooner(wait_ms, gather_ms);
	if (lane->next_due_ms && lane->next_due_ms != INT64_MAX) {
		/* The pause is over, and there is nothing to end it with until then. */
		if (lane->failures)
			atomic_store(&lane->next_attempt_ms, lane->next_due_ms);
		wait_ms = sooner(wait_ms, lane->next_due_ms - clock_wall_ms());
	}
	return list_empty(&lane->idle) ? wait_ms : sooner(wait_ms, REST_MS);
}

int64_t lane_step(struct lane *lane)
{
	struct run *run;

	lane_take_letters(lane);
	lane_land(lane);
	if (atomic_load(&lane->stopping)) {
		lane_recall(lane);
		return lane->flying_count ? busy_ms(lane) : -1;
	}
	if (atomic_exchange(&lane->roused, false))
		lane_end_rest(lane);
	if (!lane_is_permitted(lane) || !lane_order_load(lane))
		return barred_ms(lane);
	lane_order_release(lane);
	if (lane->resume_ms > clock_monotonic_ms() || !has_room(lane) || !open_plugin(lane))
		return idle_ms(lane);
	if (lane->held_up_count >= HELD_UP_MAX - 1 + lane->concurrency) {
		lane_pause(lane, MOOD_WAITING, clock_monotonic_us(), 0,
			   LG_SLICE("the plugin has not settled earlier batches"));
		return idle_ms(lane);
	}
	run = lane_most(lane) ? lane_read(lane) : NULL;
	if (!run)
		return idle_ms(lane);
	lane_deliver(lane, run);
	return 0;
}

static void drain_plugin(struct lane *lane)
{
	struct instance *instance = lane->instance;

	if (instance->opened && instance->sink.drain)
		instance->sink.drain(instance->state,
				     sooner(clock_monotonic_ms() + lane->settings->timeout_ms,
					    atomic_load(&lane->stop_by_ms)));
	http_service_free(&lane->http);
	instance_close(instance);
}

static void free_runs(struct list *list)
{
	LIST_EACH_SAFE(link, list) {
		struct run *run = container_of(link, struct run, link);
		run_free(&run);
	}
}

void lane_rest(struct lane *lane)
{
	if (outbox_last_seq(lane->outbox) == lane->ahead.cursor)
		free_runs(&lane->idle);
}

/* An event is open that the destination did not settle: it goes after the start. */
static void leave_one_open(const struct lane *lane, struct settled_event *result)
{
	const struct suspect *suspect = suspects_find(&lane->suspects, result->seq);

	result->state = DELIVERY_RETRY;
	result->untried = true;
	result->attempts += suspect ? suspect->attempts : 0;
	result->reason = suspect ? LG_SLICE("it parked, and the sink stopped before it went again")
				 : LG_SLICE("the sink stopped before it was through");
	result->due_ms = clock_wall_ms();
}

static bool leave_open(struct lane *lane, struct run *run)
{
	bool good = run_sort(run, &lane->rules);

	for (size_t i = 0; good && i < run->count; i++)
		if (run->results[i].state == DELIVERY_PENDING)
			leave_one_open(lane, &run->results[i]);
	good = good && lane_order_apply(lane, run);
	if (good)
		lane_settle(lane, run);
	else
		lane_forget(lane, run);
	return good;
}

/* Until the writer has no more of the lane's, or no room for it. */
static void await_writer(struct lane *lane)
{
	while (lane->asked || (!list_empty(&lane->with_writer) && lane->resend_ms == INT64_MAX)) {
		mailbox_wait(&lane->mailbox, -1);
		lane_take_letters(lane);
	}
}

/* What is done can be told of only when nothing before it is pending. However much
 * that is, it goes to the writer part by part. */
static void close_gaps(struct lane *lane)
{
	struct run *run;

	await_writer(lane);
	while (lane->resend_ms == INT64_MAX && (run = lane_read_gap(lane, GAP_EVENTS)) &&
	       leave_open(lane, run))
		await_writer(lane);
	await_writer(lane); /* a gap without events may have set something free */
}

/* What is done but waits for room in the store is delivered again after the next
 * start: at least once. */
static void forget_done(struct lane *lane)
{
	LIST_EACH(link, &lane->ahead.all) {
		struct stretch *stretch = container_of(link, struct stretch, link);
		if (stretch->run)
			run_free(&stretch->run);
	}
	free_runs(&lane->with_writer);
	free_runs(&lane->due_done);
	alloc_free(lane->merged);
	lane->merged = NULL;
}

void lane_finish(struct lane *lane)
{
	drain_plugin(lane);
	close_gaps(lane);
	forget_done(lane);
	free_runs(&lane->idle);
	free_runs(&lane->held_up);
}
