#include "supervise/monitor.h"

#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervise/hearing.h"

#define TICK_MS 1000
/* Looking at the backlog may take this part of the time. */
#define LOOK_PART 100

/* What waited for a sink at the last look. */
struct view {
	struct list link;
	char name[ALERT_NAME_BYTES];
	struct sink_backlog backlog;
	bool seen;
};

struct monitor {
	struct gateway *gateway;
	struct loop_timer timer;
	struct alerts alerts;
	struct reader *reader;
	struct hearing hearing;
	struct list views;
	int64_t look_from_ms;	/* monotonic: not before */
	int64_t looked_ms;	/* wall clock: the last look */
	int64_t looked_changes; /* changes_now by then */
};

/* ---- what waits for sinks ----------------------------------------------------------- */

static struct view *find_view(const struct monitor *monitor, struct lg_slice name)
{
	LIST_EACH(link, &monitor->views) {
		struct view *view = container_of(link, struct view, link);
		if (slice_is(name, view->name))
			return view;
	}
	return NULL;
}

static struct view *add_view(struct monitor *monitor, struct lg_slice name)
{
	struct view *view = alloc_zalloc(sizeof(*view));

	if (!view)
		return NULL;
	slice_to_text(name, view->name, sizeof(view->name));
	list_append(&monitor->views, &view->link);
	return view;
}

static void look_at_backlog(struct monitor *monitor, struct lg_slice sink)
{
	struct view *view = find_view(monitor, sink);
	struct error error;

	if (!view)
		view = add_view(monitor, sink);
	if (!view)
		return;
	view->seen = true;
	if (!reader_backlog(monitor->reader, sink, reader_position(monitor->reader, sink),
			    &view->backlog, &error))
		log_warning("gateway.backlog", LOG_SLICE("sink", sink),
			    LOG_TEXT("reason", error.text));
}

static void look_at_backlogs(struct monitor *monitor)
{
	const struct settings *settings = monitor->gateway->settings;

	LIST_EACH(link, &monitor->views)
		container_of(link, struct view, link)->seen = false;
	for (size_t i = 0; i < settings->sink_count; i++)
		look_at_backlog(monitor, settings->sinks[i].instance->name);
	LIST_EACH_SAFE(link, &monitor->views) {
		struct view *view = container_of(link, struct view, link);
		if (view->seen)
			continue;
		list_remove(link);
		alloc_free(view);
	}
}

/* Commits and chores: what the backlog changes by. */
static int64_t changes_now(const struct monitor *monitor)
{
	const struct outbox *outbox = monitor->gateway->outbox;
	struct outbox_stats stats;

	outbox_stats(outbox, &stats);
	return stats.commits + outbox_sink_epoch(outbox);
}

/* Rows of the journal are counted for this, so it is done seldomer the longer
 * it takes, and not at all while nothing was committed. */
static void refresh(struct monitor *monitor)
{
	int64_t began_ms = clock_monotonic_ms(), changes = changes_now(monitor);

	if (began_ms < monitor->look_from_ms || changes == monitor->looked_changes)
		return;
	monitor->looked_changes = changes;
	monitor->looked_ms = clock_wall_ms();
	look_at_backlogs(monitor);
	int64_t now_ms = clock_monotonic_ms();
	monitor->look_from_ms = now_ms + (now_ms - began_ms) * LOOK_PART;
}

void monitor_backlog(struct monitor *monitor, struct lg_slice sink, struct sink_backlog *backlog)
{
	const struct view *view;

	refresh(monitor);
	view = find_view(monitor, sink);
	*backlog = view ? view->backlog : (struct sink_backlog){0};
}

/* Whether nothing was committed since the last look. */
static bool is_current(const struct monitor *monitor)
{
	return changes_now(monitor) == monitor->looked_changes;
}

int64_t monitor_age_ms(struct monitor *monitor, struct lg_slice sink)
{
	struct sink_backlog backlog;
	int64_t age_ms;

	monitor_backlog(monitor, sink, &backlog);
	if (backlog.oldest_ms == 0)
		return 0;
	/* What was committed since the last look may have been its delivery. */
	age_ms = (is_current(monitor) ? clock_wall_ms() : monitor->looked_ms) - backlog.oldest_ms;
	return age_ms > 0 ? age_ms : 0;
}

/* ---- sinks -------------------------------------------------------------------------- */

static bool is_parked(const struct lane_status *status)
{
	return strcmp(status->state, "parked") == 0;
}

/* A lane that was parked before the start begins as if nothing were wrong: until
 * it has tried, or nothing waits for it, nobody knows. */
static bool is_unproven(struct monitor *monitor, struct lg_slice sink,
			const struct lane_status *status)
{
	const struct alert *alert = alerts_find(&monitor->alerts, ALERT_PARKED, sink);
	struct sink_backlog backlog;

	if (!alert || !alert->inherited || is_parked(status) || status->delivered > 0)
		return false;
	monitor_backlog(monitor, sink, &backlog);
	return backlog.oldest_ms != 0;
}

static void look_at_lane(struct monitor *monitor, struct lg_slice sink, struct lane *lane)
{
	struct lane_status status;

	lane_status(lane, &status);
	if (is_unproven(monitor, sink, &status)) {
		alerts_keep(&monitor->alerts, ALERT_PARKED, sink);
		return;
	}
	alerts_take(&monitor->alerts,
		    &(struct alert_finding){
			    .kind = ALERT_PARKED,
			    .name = sink,
			    .raised = is_parked(&status),
			    .reason = is_parked(&status) ? slice_from(status.reason)
							 : LG_SLICE("the lane goes on"),
		    });
}

/* While nothing was committed the last look grew old and raised it; then came a
 * commit, and the look says no more than what was the case before. */
static bool is_raised_since_look(const struct monitor *monitor, struct lg_slice sink)
{
	const struct alert *alert = alerts_find(&monitor->alerts, ALERT_LAG, sink);

	return alert && alert->raised && !is_current(monitor) &&
	       monitor->looked_ms < alert->since_ms;
}

static void look_at_lag(struct monitor *monitor, const struct sink_section *sink)
{
	struct sink_backlog backlog;
	bool late;

	if (sink->settings.alert_lag_ms == 0)
		return;
	late = monitor_age_ms(monitor, sink->instance->name) >= sink->settings.alert_lag_ms;
	if (!late && is_raised_since_look(monitor, sink->instance->name)) {
		alerts_keep(&monitor->alerts, ALERT_LAG, sink->instance->name);
		return; /* the next look will tell */
	}
	monitor_backlog(monitor, sink->instance->name, &backlog);
	alerts_take(&monitor->alerts,
		    &(struct alert_finding){
			    .kind = ALERT_LAG,
			    .name = sink->instance->name,
			    .raised = late,
			    .last_ms = backlog.oldest_ms,
			    .reason = late ? LG_SLICE("events wait for longer than alert_lag")
					   : LG_SLICE("no event waits for so long any more"),
		    });
}

static void look_at_sinks(struct monitor *monitor)
{
	const struct gateway *gateway = monitor->gateway;

	for (size_t i = 0; i < gateway->settings->sink_count; i++) {
		const struct sink_section *sink = &gateway->settings->sinks[i];
		if (gateway->lanes[i])
			look_at_lane(monitor, sink->instance->name, gateway->lanes[i]);
		else
			alerts_keep(&monitor->alerts, ALERT_PARKED, sink->instance->name);
		look_at_lag(monitor, sink);
	}
}

/* ---- sources ------------------------------------------------------------------------- */

/* Why the first parked claim is; the alert copies it. */
static struct lg_slice parked_reason(struct monitor *monitor, struct lg_slice source,
				     struct arena *arena)
{
	struct claim *claims;
	struct error error;
	ptrdiff_t count = reader_claims_list(monitor->reader, arena, source, CLAIM_PARKED, 0, 1,
					     &claims, &error);

	return count == 1 && slice_present(claims[0].error) ? claims[0].error
							    : LG_SLICE("claims are parked");
}

/* Whether its plugin is in an errand for longer than a call to the vendor may take. */
static bool hangs(const struct monitor *monitor, const struct source *source)
{
	int64_t for_ms;
	const struct source *called = fetcher_called(monitor->gateway->fetcher, &for_ms);

	return called && for_ms > called->settings.errands.timeout_ms &&
	       slice_equal(called->instance->name, source->instance->name);
}

static void look_at_claims(struct monitor *monitor, const struct source *source)
{
	bool stuck = hangs(monitor, source);
	bool raised = stuck || counter_read(source->counters[SOURCE_CLAIMS_PARKED]) > 0;
	struct lg_slice name = source->instance->name;
	struct arena arena;

	arena_init(&arena, 1024, 0);
	alerts_take(&monitor->alerts,
		    &(struct alert_finding){
			    .kind = ALERT_CLAIMS,
			    .name = name,
			    .raised = raised,
			    .reason = stuck    ? LG_SLICE("its plugin does not return from an "
							     "errand: those of all sources wait")
				      : raised ? parked_reason(monitor, name, &arena)
					       : LG_SLICE("no claim is parked"),
		    });
	arena_fini(&arena);
}

static void look_at_sources(struct monitor *monitor)
{
	const struct settings *settings = monitor->gateway->settings;

	for (size_t i = 0; i < settings->source_count; i++)
		if (source_has_errands(&settings->sources[i]))
			look_at_claims(monitor, &settings->sources[i]);
}

/* ---- the round ----------------------------------------------------------------------- */

static bool is_asked(const struct settings *settings)
{
	for (size_t i = 0; i < settings->sink_count; i++) {
		const struct lg_list *events = &settings->sinks[i].settings.events;
		for (size_t k = 0; k < events->count; k++)
			if (slice_is(events->items[k], event_type_name(EVENT_ALERT)))
				return true;
	}
	return false;
}

static void on_tick(struct loop_timer *timer)
{
	struct monitor *monitor = container_of(timer, struct monitor, timer);
	const struct gateway *gateway = monitor->gateway;

	/* What stops is neither silent nor late. */
	if (gateway->draining)
		return;
	alerts_begin(&monitor->alerts, is_asked(gateway->settings));
	hearing_listen(&monitor->hearing, gateway->settings, monitor->reader, &monitor->alerts);
	look_at_sources(monitor);
	look_at_sinks(monitor);
	alerts_end(&monitor->alerts);
	loop_timer_set(timer, TICK_MS);
}

const struct alerts *monitor_alerts(const struct monitor *monitor)
{
	return &monitor->alerts;
}

bool monitor_open(struct gateway *gateway, struct error *error)
{
	struct monitor *monitor = alloc_zalloc(sizeof(*monitor));

	if (!monitor || !alerts_open(&monitor->alerts, gateway->loop, gateway->outbox)) {
		alloc_free(monitor);
		return error_set(error, "watching sources and sinks: not enough memory or "
					"descriptors");
	}
	monitor->gateway = gateway;
	monitor->looked_changes = -1;
	hearing_init(&monitor->hearing);
	list_init(&monitor->views);
	loop_timer_init(&monitor->timer, gateway->loop, on_tick);
	gateway->monitor = monitor;
	monitor->reader = reader_open(gateway->settings->store.path, error);
	if (!monitor->reader)
		return false;
	alerts_inherit(&monitor->alerts, monitor->reader);
	return loop_timer_set(&monitor->timer, TICK_MS) ||
	       error_set(error, "watching sources and sinks: not enough memory");
}

void monitor_close(struct monitor **pointer)
{
	struct monitor *monitor = *pointer;

	*pointer = NULL;
	if (!monitor)
		return;
	loop_timer_fini(&monitor->timer);
	alerts_close(&monitor->alerts);
	if (monitor->reader)
		reader_close(&monitor->reader);
	hearing_fini(&monitor->hearing);
	LIST_EACH_SAFE(link, &monitor->views)
		alloc_free(container_of(link, struct view, link));
	alloc_free(monitor);
}
