#include "supervise/berth.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "supervise/difference.h"

/* How often an ending lane is looked at. */
#define LOOK_MS 20
/* A lane that could not be started is tried again after this. */
#define RETRY_MS 1000
/* A lane's end is awaited in slices, so that others are heard meanwhile. */
#define JOIN_SLICE_MS 50
#define STORE_MS 1000 /* that a lane gets at the end to store what it did */
/* However little time is left: a lane that has nothing to wait for ends within it
 * also where many threads want a core. */
#define END_MS_MIN 2000
/* What a lane may take beyond its delivery's deadline: to settle and to close. */
#define GRACE_MS 1000

static struct berth *berth_of(struct list *link)
{
	return container_of(link, struct berth, link);
}

/* ---- who has a berth ------------------------------------------------------------- */

static void tenant_set(struct tenant *tenant, struct generation *generation,
		       struct sink_section *section)
{
	generation_unref(&tenant->generation);
	*tenant = (struct tenant){generation ? generation_ref(generation) : NULL, section};
}

static void tenant_clear(struct tenant *tenant)
{
	tenant_set(tenant, NULL, NULL);
}

static struct berth *find(const struct berths *berths, struct lg_slice name)
{
	LIST_EACH(link, &berths->all)
		if (slice_is(name, berth_of(link)->name))
			return berth_of(link);
	return NULL;
}

static bool is_empty(const struct berth *berth)
{
	return !berth->lane && !berth->next.generation;
}

static void berth_free(struct berth *berth)
{
	list_remove(&berth->link);
	tenant_clear(&berth->present);
	tenant_clear(&berth->next);
	alloc_free(berth);
}

void berths_sweep(struct berths *berths)
{
	LIST_EACH_SAFE(link, &berths->all)
		if (is_empty(berth_of(link)))
			berth_free(berth_of(link));
}

bool berths_prepare(struct berths *berths, const struct settings *settings)
{
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct lg_slice name = settings->sinks[i].instance->name;
		struct berth *berth = find(berths, name) ? NULL : alloc_zalloc(sizeof(*berth));

		if (berth) {
			slice_to_text(name, berth->name, sizeof(berth->name));
			list_append(&berths->all, &berth->link);
		} else if (!find(berths, name)) {
			berths_sweep(berths);
			return false;
		}
	}
	return true;
}

/* ---- lanes that end and begin ----------------------------------------------------- */

static void stop_lane(struct berth *berth, int64_t by_ms)
{
	lane_stop(berth->lane, by_ms);
	if (berth->stopping)
		return;
	berth->stopping = true;
	berth->hang_said = false;
	berth->hangs_from_ms = clock_monotonic_ms() + berth->present.section->settings.timeout_ms +
			       GRACE_MS;
}

static void say_hang(struct berth *berth)
{
	log_warning("sink.hangs", LOG_TEXT("sink", berth->name),
		    LOG_TEXT("reason", "its plugin does not return; what comes after it waits"));
	berth->hang_said = true;
}

/* True when it has ended. */
static bool end_lane(struct berth *berth, int64_t patience_ms)
{
	if (!lane_join(&berth->lane, patience_ms)) {
		if (!berth->hang_said && clock_monotonic_ms() >= berth->hangs_from_ms)
			say_hang(berth);
		return false;
	}
	berth->stopping = false;
	tenant_clear(&berth->present);
	return true;
}

/* The cursor comes from the journal, where the one before has settled. */
static bool begin_lane(struct berths *berths, struct berth *berth, struct error *error)
{
	struct sink_section *section = berth->next.section;

	berth->lane = lane_start(section->instance, &section->settings, berths->outbox,
				 berths->store_path, error);
	if (!berth->lane)
		return error_prefix(error, "sink %s: ", berth->name);
	berth->present = berth->next;
	berth->next = (struct tenant){NULL, NULL};
	return true;
}

static bool is_barred(const struct berths *berths, const struct berth *berth)
{
	LIST_EACH(link, &berths->bars)
		if (slice_is(container_of(link, struct berth_bar, link)->sink, berth->name))
			return true;
	return false;
}

/* Brings a berth further; true when a lane has begun or ended. */
static bool tend(struct berths *berths, struct berth *berth, int64_t now_ms)
{
	struct error error = {0};
	bool ended = berth->stopping && end_lane(berth, 0);

	if (berth->lane || !berth->next.generation || now_ms < berth->retry_from_ms ||
	    is_barred(berths, berth))
		return ended;
	if (begin_lane(berths, berth, &error))
		return true;
	log_error("sink.failed", LOG_TEXT("reason", error.text));
	berth->retry_from_ms = now_ms + RETRY_MS;
	return ended;
}

/* The timer runs only while there is something to look at. */
static void tend_all(struct berths *berths)
{
	int64_t now_ms = clock_monotonic_ms();
	bool moved = false, busy = false;

	LIST_EACH_SAFE(link, &berths->all) {
		struct berth *berth = berth_of(link);

		moved |= tend(berths, berth, now_ms);
		busy |= berth->stopping || berth->next.generation;
	}
	berths_sweep(berths);
	if (busy && !loop_timer_set(&berths->timer, LOOK_MS))
		log_error("sink.failed", LOG_TEXT("reason", "no memory for a timer"));
	if (moved)
		berths->moved(berths);
}

static void on_timer(struct loop_timer *timer)
{
	tend_all(container_of(timer, struct berths, timer));
}

/* ---- a generation's wishes --------------------------------------------------------- */

static void adopt(struct berth *berth, struct generation *generation, struct sink_section *section)
{
	if (berth->lane && !berth->stopping &&
	    difference_same_sink(berth->present.section, section))
		return;
	tenant_set(&berth->next, generation, section);
	berth->retry_from_ms = 0;
	if (berth->lane)
		stop_lane(berth, INT64_MAX);
}

static bool is_wanted(const struct settings *settings, const struct berth *berth)
{
	for (size_t i = 0; i < settings->sink_count; i++)
		if (slice_is(settings->sinks[i].instance->name, berth->name))
			return true;
	return false;
}

bool berths_adopt(struct berths *berths, struct generation *generation, struct error *error)
{
	struct settings *settings = generation->settings;

	LIST_EACH(link, &berths->all) {
		struct berth *berth = berth_of(link);

		if (is_wanted(settings, berth))
			continue;
		tenant_clear(&berth->next);
		if (berth->lane)
			stop_lane(berth, INT64_MAX);
	}
	for (size_t i = 0; i < settings->sink_count; i++) {
		struct sink_section *section = &settings->sinks[i];
		struct berth *berth = find(berths, section->instance->name);

		adopt(berth, generation, section);
		if (error && !begin_lane(berths, berth, error))
			return false;
	}
	tend_all(berths);
	return true;
}

void berths_bar(struct berths *berths, struct berth_bar *bar, struct lg_slice sink)
{
	bar->sink = sink;
	list_append(&berths->bars, &bar->link);
}

void berths_unbar(struct berth_bar *bar)
{
	list_remove(&bar->link);
}

struct lane *berths_lane(const struct berths *berths, struct lg_slice name)
{
	const struct berth *berth = find(berths, name);

	return berth ? berth->lane : NULL;
}

const struct berth *berths_ending(const struct berths *berths)
{
	LIST_EACH(link, &berths->all)
		if (berth_of(link)->stopping)
			return berth_of(link);
	return NULL;
}

/* ---- beginning and end --------------------------------------------------------------- */

void berths_init(struct berths *berths, struct loop *loop, void (*moved)(struct berths *berths))
{
	*berths = (struct berths){.moved = moved};
	list_init(&berths->all);
	list_init(&berths->bars);
	loop_timer_init(&berths->timer, loop, on_timer);
}

void berths_open(struct berths *berths, struct outbox *outbox, struct lg_slice store_path)
{
	berths->outbox = outbox;
	berths->store_path = store_path;
}

/* What flies then is given up a little sooner, so that there is time to store it. */
static int64_t cut_ms(int64_t until_ms)
{
	int64_t now_ms = clock_monotonic_ms(), left_ms = until_ms - now_ms;

	return left_ms < 2 * STORE_MS ? now_ms + left_ms / 2 : until_ms - STORE_MS;
}

bool berths_stop(struct berths *berths, int64_t until_ms, bool (*patient)(void *arg), void *arg)
{
	int64_t least_ms = clock_monotonic_ms() + END_MS_MIN;
	bool ended = true;

	loop_timer_stop(&berths->timer);
	LIST_EACH(link, &berths->all) {
		tenant_clear(&berth_of(link)->next);
		if (berth_of(link)->lane)
			stop_lane(berth_of(link), cut_ms(until_ms));
	}
	LIST_EACH(link, &berths->all) {
		struct berth *berth = berth_of(link);

		while (berth->lane && !end_lane(berth, JOIN_SLICE_MS) &&
		       (patient(arg) || clock_monotonic_ms() < least_ms))
			continue;
		if (!berth->lane)
			continue;
		if (!berth->hang_said)
			say_hang(berth);
		ended = false;
	}
	return ended;
}

size_t berths_count(const struct berths *berths)
{
	size_t count = 0;

	LIST_EACH(link, &berths->all)
		count += berth_of(link)->lane != NULL;
	return count;
}

void berths_fini(struct berths *berths)
{
	LIST_EACH_SAFE(link, &berths->all)
		berth_free(berth_of(link));
	loop_timer_fini(&berths->timer);
}
