/* What the destination called a lead before: for sinks that want to know it, so
 * that a touch changes what its lead has become there. */
#include "base/error.h"
#include "base/log.h"
#include "sink/lane_state.h"

/* The latest name of a lead so far, while it is looked for. */
struct search {
	const uint8_t *lead_id;
	int64_t seq; /* of the event that brought it; 0: none did */
	struct lg_slice id;
};

static void look_in_run(struct search *search, const struct run *run)
{
	for (size_t i = 0; run->named && i < run->count; i++) {
		const struct settled_event *result = &run->results[i];
		if (!slice_present(result->external_id) || result->seq < search->seq ||
		    memcmp(run->events[i].lead_id, search->lead_id, UUID_BYTES) != 0)
			continue;
		search->seq = result->seq;
		search->id = result->external_id;
	}
}

static void look_in_runs(struct search *search, struct list *runs)
{
	LIST_EACH(link, runs)
		look_in_run(search, container_of(link, struct run, link));
}

/* What the writer has not stored yet, or may not have. */
static struct lg_slice find_pending(struct lane *lane, const uint8_t lead_id[UUID_BYTES])
{
	struct search search = {.lead_id = lead_id};

	LIST_EACH(link, &lane->ahead.all) {
		const struct stretch *stretch = container_of(link, struct stretch, link);
		if (stretch->stage == STRETCH_DONE)
			look_in_run(&search, stretch->run);
	}
	look_in_runs(&search, &lane->due_done);
	look_in_runs(&search, &lane->with_writer);
	return search.id;
}

static bool find_one(struct lane *lane, struct run *run, size_t index, struct error *error)
{
	const struct journal_event *event = &run->events[index];
	struct lg_slice id = find_pending(lane, event->lead_id);

	if (!slice_present(id))
		return reader_external(lane->reader, &run->arena, lane->instance->name,
				       event->lead_id, &run->external_ids[index], error);
	run->external_ids[index] = arena_copy(&run->arena, id);
	return slice_present(run->external_ids[index]) || error_set(error, "no memory");
}

bool lane_name_leads(struct lane *lane, struct run *run)
{
	struct error error = {"no memory"};
	bool good;

	if (!lane->wants_external)
		return true;
	run->external_ids = arena_zalloc(&run->arena, run->count * sizeof(*run->external_ids));
	good = run->external_ids != NULL;
	for (size_t i = 0; good && i < run->count; i++)
		if (run->events[i].type != EVENT_ALERT)
			good = find_one(lane, run, i, &error);
	if (!good)
		log_error("sink.read_failed", LOG_SLICE("sink", lane->instance->name),
			  LOG_TEXT("reason", error.text));
	return good;
}
