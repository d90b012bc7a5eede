/* The work of a lane: take a run of events, deliver it, hand the outcome to the
 * writer, and do the next run while the writer commits. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/histogram.h"
#include "base/log.h"
#include "sink/lane_state.h"
#include "sink/retry.h"

#define DUE_MAX 256	    /* open events that are tried at once: they are read whole */
#define HELD_UP_MAX 16	    /* batches that a plugin may leave unsettled after the deadline */
#define READ_AGAIN_MS 1000  /* the journal could not be read: try again */
#define REST_MS 1000	    /* idle for so long: memory is given back */
#define LOOK_AGAIN_MS 60000 /* longest sleep, for a wall clock that was set */
#define PARK_FIRST_MS 5000  /* least that a parked lane waits */
#define GATHER_FACTOR 4	    /* of the last delivery's time, see pace() */
#define GATHER_LEAST_MS 5   /* for the threads that each delivery wakes */

/* ---- runs ------------------------------------------------------------------ */

/* NULL when there is no memory: then nothing goes for a second. */
static struct run *take_run(struct lane *lane)
{
	struct list *link = list_first(&lane->idle);
	struct run *run;

	if (link) {
		list_remove(link);
		return container_of(link, struct run, link);
	}
	run = run_new(lane->instance->host.services, &lane->mailbox);
	if (!run)
		lane->resume_ms = clock_monotonic_ms() + READ_AGAIN_MS;
	return run;
}

/* ---- pauses ---------------------------------------------------------------- */

/* Nothing goes for a while: longer at each failure in a row. */
static void pause_lane(struct lane *lane, enum lane_mood mood, int64_t least_ms,
		       struct lg_slice reason)
{
	int64_t wait_ms = retry_delay_ms(lane->settings, ++lane->failures);

	if (mood == MOOD_PARKED && least_ms < PARK_FIRST_MS)
		least_ms = lane->settings->retry_max_ms < PARK_FIRST_MS
				   ? lane->settings->retry_max_ms
				   : PARK_FIRST_MS;
	if (wait_ms < least_ms)
		wait_ms = least_ms;
	lane->resume_ms = clock_monotonic_ms() + wait_ms;
	if (atomic_load(&lane->mood) != (int)mood || lane->failures == 1)
		log_warning(mood == MOOD_PARKED ? "sink.parked" : "sink.waiting",
			    LOG_SLICE("sink", lane->instance->name), LOG_SLICE("reason", reason),
			    LOG_INT("wait_ms", wait_ms));
	lane_mood_set(lane, mood, reason);
}

static void go_on(struct lane *lane)
{
	if (lane->failures)
		log_notice("sink.resumed", LOG_SLICE("sink", lane->instance->name),
			   LOG_INT("failures", lane->failures));
	lane->failures = 0;
	lane->resume_ms = 0;
	if (atomic_load(&lane->mood) != MOOD_RUNNING)
		lane_mood_set(lane, MOOD_RUNNING, slice_of(NULL, 0));
}

/* True, too, for a plugin that calls nobody. */
static bool open_http(struct lane *lane, struct error *error)
{
	if (!(lane->instance->library->plugin.flags & LG_CALLS_HTTP) || lane->http)
		return true;
	lane->http = http_service_new(lane->loop, &lane->settings->http, &lane->turn, error);
	return lane->http != NULL;
}

static bool open_plugin(struct lane *lane)
{
	struct error error;

	if (lane->instance->opened)
		return true;
	if (!open_http(lane, &error) || !instance_open(lane->instance, &error)) {
		pause_lane(lane, MOOD_PARKED, 0, slice_from(error.text));
		return false;
	}
	go_on(lane);
	return true;
}

/* ---- reading --------------------------------------------------------------- */

static size_t most_events(const struct lane *lane)
{
	/* While it is unsure whether the destination takes anything, one event
	 * finds out. */
	return lane->failures ? 1 : lane->batch_events;
}

static void read_failed(struct lane *lane, struct run *run, const struct error *error)
{
	log_error("sink.read_failed", LOG_SLICE("sink", lane->instance->name),
		  LOG_TEXT("reason", error->text));
	lane_give_back(lane, run);
	lane->resume_ms = clock_monotonic_ms() + READ_AGAIN_MS;
}

static int compare_seq(const void *a, const void *b)
{
	const struct journal_event *x = a, *y = b;

	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* As many as fit into a batch, in the order in which the writer wants them. */
static void trim_due(struct lane *lane, struct run *run)
{
	size_t bytes = 0, fit = 0;

	while (fit < run->count) {
		bytes += run->events[fit].body.length;
		if (fit > 0 && bytes > lane->batch_bytes)
			break;
		fit++;
	}
	run->count = fit;
	qsort(run->events, fit, sizeof(run->events[0]), compare_seq);
}

/* Open events whose time has come; NULL: none. */
static struct run *read_due(struct lane *lane)
{
	int64_t now_ms = clock_wall_ms();
	struct error error;
	struct run *run;
	ptrdiff_t got;
	size_t most;

	if (lane->due_with_writer)
		return NULL;
	if (!lane->next_due_ms)
		lane->next_due_ms = reader_next_due(lane->reader, lane->instance->name);
	if (lane->next_due_ms > now_ms || !(run = take_run(lane)))
		return NULL;
	most = most_events(lane) < DUE_MAX ? most_events(lane) : DUE_MAX;
	got = reader_due(lane->reader, &run->arena, lane->instance->name, now_ms, most,
			 &run->events, &error);
	if (got < 0) {
		read_failed(lane, run, &error);
		return NULL;
	}
	lane->next_due_ms = 0;
	run->count = (size_t)got;
	if (got > 0) {
		trim_due(lane, run);
		return run;
	}
	/* An open row without its event, which somebody erased meanwhile: it
	 * must not keep the lane awake. */
	lane->next_due_ms = now_ms + LOOK_AGAIN_MS;
	lane_give_back(lane, run);
	return NULL;
}

/* Whether new events are to be read now, or gather a little longer. */
static bool want_new(const struct lane *lane)
{
	int64_t waiting = outbox_last_seq(lane->outbox) - lane->cursor;

	return waiting > 0 && (waiting >= (int64_t)lane->batch_events ||
			       clock_monotonic_ms() >= lane->gather_until_ms);
}

static struct run *read_new(struct lane *lane)
{
	int64_t last_seq = outbox_last_seq(lane->outbox);
	struct run *run = want_new(lane) ? take_run(lane) : NULL;
	struct error error;
	ptrdiff_t got;

	if (!run)
		return NULL;
	got = reader_events(lane->reader, &run->arena, lane->cursor, most_events(lane),
			    lane->batch_bytes, &run->events, &error);
	if (got < 0) {
		read_failed(lane, run, &error);
		return NULL;
	}
	run->count = (size_t)got;
	if (got > 0) {
		atomic_store(&lane->oldest_pending_ms, run->events[0].at_ms);
		return run;
	}
	/* Numbers that are of no event any more (erased): there is nothing to say. */
	lane->cursor = last_seq;
	lane_give_back(lane, run);
	return NULL;
}

/* New events and due ones take turns, so that neither waits for the other. */
static struct run *read_run(struct lane *lane, bool *due)
{
	struct run *run;

	*due = !lane->was_due;
	run = *due ? read_due(lane) : read_new(lane);
	if (!run) {
		*due = !*due;
		run = *due ? read_due(lane) : read_new(lane);
	}
	return run;
}

/* ---- delivering ------------------------------------------------------------ */

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

/* False: the plugin is not done with it yet. */
static bool call_plugin(struct lane *lane, struct run *run)
{
	struct instance *instance = lane->instance;
	int32_t said;

	run->started_us = clock_monotonic_us();
	run->deadline_ms = clock_monotonic_ms() + lane->settings->timeout_ms;
	said = instance->sink.deliver(instance->state, &run->batch.handle, run->deadline_ms);
	if (said != LG_OK && said != LG_LATER)
		batch_abandon(&run->batch, LG_RETRY, "the plugin failed and said no reason");
	return batch_unsettled(&run->batch) == 0;
}

/* What the outcome of a run means for the lane. True: the run is settled; false:
 * nobody took anything of it, so it stays pending and is read again. A single
 * event is settled as a retry, so that it cannot stand in the way of others. */
static bool weigh(struct lane *lane, const struct run *run, bool due)
{
	struct run_tally tally;
	size_t all = run->batch.count;

	run_tally(run, &tally);
	if (all == 0)
		return true;
	if (tally.parked == all) {
		lane_count(lane, LANE_PARKED, (int64_t)all);
		pause_lane(lane, MOOD_PARKED, tally.retry_after_ms, tally.reason);
		return false;
	}
	if (tally.delivered || tally.dead) {
		go_on(lane);
	} else if (!due) {
		pause_lane(lane, MOOD_WAITING, tally.retry_after_ms, tally.reason);
		if (all > 1 && tally.retried == all) {
			lane_count(lane, LANE_RETRIED, (int64_t)all);
			return false;
		}
	}
	return true;
}

/* The plugin is done with the run, or had its time. */
static void land_run(struct lane *lane, struct run *run)
{
	if (run->batch.count) {
		batch_expire(&run->batch, LG_UNCLASSIFIED, "no outcome before the deadline");
		histogram_add_us(lane->deliveries, clock_monotonic_us() - run->started_us);
		pace(lane, run->started_us);
	}
	if (!weigh(lane, run, run->due)) {
		lane_give_back(lane, run);
		return;
	}
	run_judge(run, lane->settings, clock_wall_ms());
	if (!run->due)
		atomic_store(&lane->oldest_pending_ms, 0);
	lane_settle(lane, run, !run->due);
}

static void deliver_run(struct lane *lane, struct run *run, bool due)
{
	lane->was_due = run->due = due;
	if (!run_prepare(run, &lane->rules)) {
		pause_lane(lane, MOOD_WAITING, 0, LG_SLICE("there is no memory for a batch"));
		lane_give_back(lane, run);
		return;
	}
	if (run->batch.count == 0 || call_plugin(lane, run))
		land_run(lane, run);
	else
		lane->flying = run;
}

/* How long the run that flies may still take; 0: none flies any more. */
static int64_t flight_ms(struct lane *lane)
{
	struct run *run = lane->flying;
	int64_t left_ms;

	if (!run)
		return 0;
	left_ms = run->deadline_ms - clock_monotonic_ms();
	if (batch_unsettled(&run->batch) && left_ms > 0)
		return left_ms;
	lane->flying = NULL;
	land_run(lane, run);
	return 0;
}

/* ---- the step -------------------------------------------------------------- */

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

/* How long new events are left alone: until enough of them have gathered, and
 * the commits before that wake nobody; -1: until there is one. */
static int64_t gather(struct lane *lane)
{
	int64_t left_ms = lane->gather_until_ms - clock_monotonic_ms();
	int64_t enough = left_ms > 0 ? (int64_t)lane->batch_events : 1;

	if (!outbox_await(lane->outbox, &lane->mailbox, lane->cursor + enough))
		return 0;
	return left_ms > 0 ? left_ms : -1;
}

/* How long there is nothing to do, when nothing wakes the lane. */
static int64_t idle_ms(struct lane *lane)
{
	int64_t now_ms = clock_monotonic_ms(), wait_ms = resend_ms(lane), gather_ms;

	if (lane->resume_ms > now_ms)
		return sooner(wait_ms, lane->resume_ms - now_ms);
	if (lane->queued)
		return wait_ms; /* until the writer answers */
	gather_ms = gather(lane);
	if (gather_ms >= 0)
		wait_ms = sooner(wait_ms, gather_ms);
	if (!lane->due_with_writer && lane->next_due_ms && lane->next_due_ms != INT64_MAX)
		wait_ms = sooner(wait_ms, lane->next_due_ms - clock_wall_ms());
	return list_empty(&lane->idle) ? wait_ms : sooner(wait_ms, REST_MS);
}

int64_t lane_step(struct lane *lane)
{
	struct run *run;
	int64_t left_ms;
	bool due;

	lane_take_letters(lane);
	left_ms = flight_ms(lane);
	if (left_ms > 0)
		return sooner(resend_ms(lane), left_ms);
	if (atomic_load(&lane->stopping))
		return -1;
	if (lane->resume_ms > clock_monotonic_ms() || lane->queued || !open_plugin(lane))
		return idle_ms(lane);
	if (lane->held_up_count >= HELD_UP_MAX) {
		pause_lane(lane, MOOD_WAITING, 0,
			   LG_SLICE("the plugin has not settled earlier batches"));
		return idle_ms(lane);
	}
	run = read_run(lane, &due);
	if (!run)
		return idle_ms(lane);
	deliver_run(lane, run, due);
	return 0;
}

static void drain_plugin(struct lane *lane)
{
	struct instance *instance = lane->instance;

	if (instance->opened && instance->sink.drain)
		instance->sink.drain(instance->state,
				     clock_monotonic_ms() + lane->settings->timeout_ms);
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
	if (outbox_last_seq(lane->outbox) == lane->cursor)
		free_runs(&lane->idle);
}

void lane_finish(struct lane *lane)
{
	drain_plugin(lane);
	/* What the writer has no room for now is delivered again after the next
	 * start: at least once. */
	while (lane->settling && lane->resend_ms == INT64_MAX) {
		mailbox_wait(&lane->mailbox, -1);
		lane_take_letters(lane);
	}
	run_free(&lane->settling);
	run_free(&lane->queued);
	free_runs(&lane->idle);
	free_runs(&lane->held_up);
}
