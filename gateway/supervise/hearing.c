#include "supervise/hearing.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"

/* How far back the journal is asked when a source was heard last: some ten
 * milliseconds, at a start and at a reload that brings sources. */
#define EVENTS_MAX 10000

struct heard {
	struct list link;
	char name[ALERT_NAME_BYTES];
	int64_t leads;	  /* as counted when it was looked at last */
	int64_t wall_ms;  /* when it brought something, by either clock: a step of the */
	int64_t clock_ms; /* wall clock raises no alert */
	bool seen;
};

static struct heard *find_heard(const struct hearing *hearing, struct lg_slice name)
{
	LIST_EACH(link, &hearing->all) {
		struct heard *heard = container_of(link, struct heard, link);
		if (slice_is(name, heard->name))
			return heard;
	}
	return NULL;
}

/* Everything that reached the journal says that the source is alive, a
 * repetition too. */
static int64_t leads_of(const struct source *source)
{
	return counter_read(source->counters[SOURCE_CREATED]) +
	       counter_read(source->counters[SOURCE_TOUCHED]) +
	       counter_read(source->counters[SOURCE_REPEATED]);
}

/* What is known of a source from before the start; otherwise its silence begins
 * now. */
static int64_t heard_before(const struct alerts *alerts, const struct source_heard *found)
{
	const struct alert *alert = alerts_find(alerts, ALERT_SILENT, found->source);

	if (found->at_ms)
		return found->at_ms;
	return alert && alert->inherited && alert->last_ms ? alert->last_ms : clock_wall_ms();
}

static void add_heard(struct hearing *hearing, const struct source *source, int64_t heard_ms)
{
	struct heard *heard = alloc_zalloc(sizeof(*heard));
	int64_t ago_ms;

	if (!heard)
		return; /* the next round adds it */
	slice_to_text(source->instance->name, heard->name, sizeof(heard->name));
	heard->leads = leads_of(source);
	heard->wall_ms = heard_ms;
	ago_ms = clock_wall_ms() - heard->wall_ms;
	heard->clock_ms = clock_monotonic_ms() - (ago_ms > 0 ? ago_ms : 0);
	list_append(&hearing->all, &heard->link);
}

static bool is_new(const struct hearing *hearing, const struct source *source)
{
	return source->settings.alert_silent_ms > 0 && !find_heard(hearing, source->instance->name);
}

/* Sources that are new to us: the journal may know them. It is asked for all of
 * them at once. */
static void add_sources(struct hearing *hearing, const struct settings *settings,
			struct reader *reader, const struct alerts *alerts)
{
	struct source_heard *found = NULL;
	size_t count = 0;
	struct error error;

	for (size_t i = 0; i < settings->source_count; i++)
		count += is_new(hearing, &settings->sources[i]);
	if (count)
		found = alloc_zalloc(count * sizeof(*found));
	if (!found)
		return; /* nothing to do, or no memory: the next round tries again */
	count = 0;
	for (size_t i = 0; i < settings->source_count; i++)
		if (is_new(hearing, &settings->sources[i]))
			found[count++].source = settings->sources[i].instance->name;
	if (!reader_heard(reader, found, count, EVENTS_MAX, &error))
		log_warning("gateway.alerts", LOG_TEXT("reason", error.text));
	for (size_t i = 0, k = 0; i < settings->source_count && k < count; i++)
		if (slice_equal(settings->sources[i].instance->name, found[k].source))
			add_heard(hearing, &settings->sources[i],
				  heard_before(alerts, &found[k++]));
	alloc_free(found);
}

static void listen_to(struct hearing *hearing, const struct source *source, struct alerts *alerts)
{
	struct heard *heard = find_heard(hearing, source->instance->name);
	int64_t leads = leads_of(source), now_ms = clock_monotonic_ms();

	if (!heard) {
		alerts_keep(alerts, ALERT_SILENT, source->instance->name);
		return;
	}
	heard->seen = true;
	if (leads != heard->leads) {
		heard->leads = leads;
		heard->wall_ms = clock_wall_ms();
		heard->clock_ms = now_ms;
	}
	bool silent = now_ms - heard->clock_ms >= source->settings.alert_silent_ms;
	alerts_take(alerts,
		    &(struct alert_finding){
			    .kind = ALERT_SILENT,
			    .name = source->instance->name,
			    .raised = silent,
			    .last_ms = heard->wall_ms,
			    .reason = silent ? LG_SLICE("no lead for longer than alert_silent")
					     : LG_SLICE("a lead came"),
		    });
}

void hearing_listen(struct hearing *hearing, const struct settings *settings, struct reader *reader,
		    struct alerts *alerts)
{
	add_sources(hearing, settings, reader, alerts);
	LIST_EACH(link, &hearing->all)
		container_of(link, struct heard, link)->seen = false;
	for (size_t i = 0; i < settings->source_count; i++)
		if (settings->sources[i].settings.alert_silent_ms > 0)
			listen_to(hearing, &settings->sources[i], alerts);
	LIST_EACH_SAFE(link, &hearing->all) {
		struct heard *heard = container_of(link, struct heard, link);
		if (heard->seen)
			continue;
		list_remove(link);
		alloc_free(heard);
	}
}

void hearing_init(struct hearing *hearing)
{
	list_init(&hearing->all);
}

void hearing_fini(struct hearing *hearing)
{
	LIST_EACH_SAFE(link, &hearing->all)
		alloc_free(container_of(link, struct heard, link));
}
