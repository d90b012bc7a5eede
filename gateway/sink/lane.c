#include "sink/lane.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "sink/batch.h"
#include "sink/lane_state.h"

/* Of any other thread, and of a plugin that did not ask for it, nothing is sent. */
static int32_t service_http_send(struct lg_host *host, const struct lg_http_call *call,
				 void (*done)(void *context, const struct lg_http_answer *answer),
				 void *context)
{
	struct lane *lane = ((struct instance *)(void *)host)->carrier;

	if (!lane || !pthread_equal(lane->thread, pthread_self()) || !lane->http)
		return LG_FAIL;
	return http_service_send(lane->http, host->services, call, done, context);
}

void sink_services_add(struct lg_services *services)
{
	batch_services_add(services);
	services->http_send = service_http_send;
	services->http_header = http_service_header;
}

/* ---- making ---------------------------------------------------------------- */

/* A plugin of many destinations asks for all; the gateway's own option says which
 * of those that are called by HTTP give names. */
static bool wants_external(const struct lane *lane)
{
	uint32_t flags = lane->instance->library->plugin.flags;

	if (!(flags & LG_EXTERNAL_IDS))
		return false;
	return !(flags & LG_CALLS_HTTP) || slice_present(lane->settings->http.outcome.external_id);
}

static size_t smaller(int64_t ours, int64_t theirs)
{
	return (size_t)(theirs > 0 && theirs < ours ? theirs : ours);
}

/* How many batches the plugin may have at once; one that says nothing takes one
 * after the other. */
static size_t at_once(const struct sink_settings *settings, const struct instance *instance)
{
	int64_t theirs = instance->sink.concurrency > 0 ? instance->sink.concurrency : 1;
	int64_t ours = settings->concurrency > 0 ? settings->concurrency : 1;

	return (size_t)(theirs < ours ? theirs : ours);
}

static void read_limits(struct lane *lane)
{
	const struct instance *instance = lane->instance;
	int64_t events = instance->sink.batch_events, bytes = instance->sink.batch_bytes;

	if (instance->sink.limits)
		instance->sink.limits(instance->settings, &events, &bytes);
	lane->batch_events = smaller(lane->settings->batch_events, events);
	lane->batch_bytes = smaller(lane->settings->batch_bytes, bytes);
	lane->most = lane->batch_events;
	lane->concurrency = at_once(lane->settings, instance);
}

static void init_end(struct lane *lane)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&lane->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&lane->end, &attributes);
	pthread_condattr_destroy(&attributes);
}

static void init_lists(struct lane *lane)
{
	list_init(&lane->idle);
	list_init(&lane->held_up);
	list_init(&lane->flying);
	list_init(&lane->due_done);
	list_init(&lane->with_writer);
}

/* Flying, waiting for one that flies, waiting for a suspect. */
#define STRETCHES_PER_BATCH 8

static bool init_ahead(struct lane *lane, struct error *error)
{
	size_t overtaking = 0; /* each may wait for others by itself */

	lane->settled_seq = reader_position(lane->reader, lane->instance->name);
	if (lane->settled_seq < 0)
		return error_set(error, "the journal cannot be read");
	atomic_store(&lane->position, lane->settled_seq);
	if (lane->settings->priority != SINK_PRIORITY_OFF)
		overtaking = (size_t)lane->settings->max_look_ahead;
	return stretches_init(&lane->ahead, STRETCHES_PER_BATCH * lane->concurrency + overtaking,
			      lane->settled_seq) ||
	       error_set(error, "there is no memory for its lane");
}

static void recall(void *context, int64_t hours_ago, int64_t events)
{
	pace_recall(context, hours_ago, events);
}

/* What went before a restart counts for the day. */
static void init_pace(struct lane *lane)
{
	pace_init(&lane->pace, lane->settings->rate, lane->settings->rate_day,
		  clock_monotonic_ms());
	if (lane->settings->rate_day)
		reader_attempts(lane->reader, lane->instance->name, clock_wall_ms(), recall,
				&lane->pace);
}

static void lane_free(struct lane *lane)
{
	if (lane->mailbox.fd >= 0) {
		outbox_unwatch(lane->outbox, &lane->mailbox);
		mailbox_fini(&lane->mailbox);
	}
	loop_free(&lane->loop);
	lane->instance->carrier = NULL;
	/* Nobody waits behind a lane that is gone; a successor counts anew. */
	counter_set(lane->counters[LANE_LAG], 0);
	if (lane->reader)
		reader_close(&lane->reader);
	stretches_fini(&lane->ahead);
	rules_fini(&lane->rules);
	filter_free(&lane->urgent);
	priority_free(&lane->priority);
	order_free(&lane->order);
	pthread_cond_destroy(&lane->end);
	pthread_mutex_destroy(&lane->lock);
	alloc_free(lane);
}

/* One round of work. Only when it has nothing more to do does the loop sleep;
 * between two rounds it serves what else is on it. */
static void take_turn(struct lane *lane)
{
	int64_t wait_ms = lane_step(lane);

	if (wait_ms < 0)
		loop_stop(lane->loop);
	else if (wait_ms == 0 || !loop_timer_set(&lane->timer, wait_ms))
		loop_task_post(&lane->turn);
}

static void on_wake(struct loop_watch *watch, int events)
{
	(void)events;
	take_turn(container_of(watch, struct lane, wake));
}

static void on_turn(struct loop_task *task)
{
	take_turn(container_of(task, struct lane, turn));
}

static void on_timer(struct loop_timer *timer)
{
	struct lane *lane = container_of(timer, struct lane, timer);

	lane_rest(lane);
	take_turn(lane);
}

static bool init_loop(struct lane *lane, struct error *error)
{
	lane->loop = loop_new();
	if (lane->loop) {
		loop_watch_init(&lane->wake, lane->loop, lane->mailbox.fd, on_wake);
		loop_timer_init(&lane->timer, lane->loop, on_timer);
		loop_task_init(&lane->turn, lane->loop, on_turn);
		if (loop_watch_set(&lane->wake, LOOP_READ))
			return true;
	}
	return error_set(error, "no descriptor or no memory is left for its loop");
}

static void *lane_main(void *arg)
{
	struct lane *lane = arg;

	loop_task_post(&lane->turn);
	loop_run(lane->loop);
	loop_timer_fini(&lane->timer);
	loop_task_fini(&lane->turn);
	loop_watch_fini(&lane->wake);
	lane_mood_set(lane, MOOD_STOPPING, slice_of(NULL, 0));
	lane_finish(lane);
	pthread_mutex_lock(&lane->lock);
	lane->ended = true;
	pthread_cond_signal(&lane->end);
	pthread_mutex_unlock(&lane->lock);
	return NULL;
}

/* Signals are the main thread's. */
static bool start_thread(struct lane *lane, struct error *error)
{
	sigset_t all, before;
	char name[16];
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&lane->thread, NULL, lane_main, lane);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (failed)
		return error_set(error, "its thread cannot start: %s", strerror(failed));
	snprintf(name, sizeof(name), "sink %.*s",
		 SLICE_ARGS(slice_cut(lane->instance->name, 0, 10)));
	pthread_setname_np(lane->thread, name);
	return true;
}

struct lane *lane_start(struct instance *instance, const struct sink_settings *settings,
			struct outbox *outbox, struct lg_slice store_path, struct error *error)
{
	struct lane *lane = alloc_zalloc(sizeof(*lane));

	if (!lane) {
		error_set(error, "%s: no memory for its lane", instance->description.data);
		return NULL;
	}
	lane->instance = instance;
	lane->settings = settings;
	lane->outbox = outbox;
	lane->mailbox.fd = -1;
	lane->resend_ms = INT64_MAX;
	lane->stop_by_ms = INT64_MAX;
	lane->since_ms = clock_wall_ms();
	lane->epoch = -1;
	lane->wants_external = wants_external(lane);
	read_limits(lane);
	init_lists(lane);
	init_end(lane);
	lane_register_counters(lane);
	if (!mailbox_init(&lane->mailbox))
		error_set(error, "no descriptor is left: %s", strerror(errno));
	else if (!outbox_watch(outbox, &lane->mailbox))
		error_set(error, "more than %d sinks", OUTBOX_WATCHERS);
	else if (init_loop(lane, error) && rules_init(&lane->rules, instance, settings, error) &&
		 (lane->reader = reader_open(store_path, error)) && init_ahead(lane, error) &&
		 lane_priority_init(lane, error)) {
		init_pace(lane);
		instance->carrier = lane;
		if (start_thread(lane, error))
			return lane;
	}
	error_prefix(error, "%s: ", instance->description.data);
	lane_free(lane);
	return NULL;
}

struct loop *lane_loop(struct lane *lane)
{
	return lane->loop;
}

/* ---- ending ---------------------------------------------------------------- */

void lane_bring_forward(struct lane *lane, int64_t by_ms)
{
	int64_t old_ms = atomic_load(&lane->stop_by_ms);

	while (by_ms < old_ms && !atomic_compare_exchange_weak(&lane->stop_by_ms, &old_ms, by_ms))
		continue;
}

void lane_rouse(struct lane *lane)
{
	atomic_store(&lane->roused, true);
	mailbox_poke(&lane->mailbox);
}

void lane_stop(struct lane *lane, int64_t by_ms)
{
	lane_bring_forward(lane, by_ms);
	atomic_store(&lane->stopping, true);
	mailbox_poke(&lane->mailbox);
}

bool lane_join(struct lane **lane, int64_t timeout_ms)
{
	int64_t until_ms = clock_monotonic_ms() + timeout_ms;
	struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
	int waited = 0;
	bool ended;

	pthread_mutex_lock(&(*lane)->lock);
	while (!(*lane)->ended && waited != ETIMEDOUT)
		waited = pthread_cond_timedwait(&(*lane)->end, &(*lane)->lock, &until);
	ended = (*lane)->ended;
	pthread_mutex_unlock(&(*lane)->lock);
	if (!ended)
		return false;
	pthread_join((*lane)->thread, NULL);
	lane_free(*lane);
	*lane = NULL;
	return true;
}
