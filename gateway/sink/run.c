#include "sink/run.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "sink/retry.h"

#define RUN_BLOCK_BYTES 65536
#define SHRUNK_BLOCK_BYTES 1024
/* `{"seq":` and the digits of any seq and a comma. */
#define SEQ_BYTES 32

struct run *run_new(const struct lg_services *services, struct mailbox *wake)
{
	struct run *run = alloc_zalloc(sizeof(*run));

	if (!run)
		return NULL;
	list_init(&run->link);
	arena_init(&run->arena, RUN_BLOCK_BYTES, 0);
	buffer_init(&run->json, SIZE_MAX);
	batch_init(&run->batch, services, wake);
	return run;
}

void run_free(struct run **run)
{
	if (!*run)
		return;
	list_remove(&(*run)->link);
	batch_fini(&(*run)->batch);
	buffer_fini(&(*run)->json);
	arena_fini(&(*run)->arena);
	alloc_free(*run);
	*run = NULL;
}

void run_reset(struct run *run)
{
	batch_reset(&run->batch, 0);
	arena_reset(&run->arena);
	buffer_clear(&run->json);
	memset(&run->settlement, 0, sizeof(run->settlement));
	run->events = NULL;
	run->results = NULL;
	run->bodies = NULL;
	run->external_ids = NULL;
	run->places = NULL;
	run->count = 0;
	run->stretch = NULL;
	run->sent.count = 0;
	run->parted = false;
	run->when_errors = 0;
	run->mapping_errors = 0;
	run->named = false;
	run->passed = false;
	run->urgent = false;
}

void run_shrink(struct run *run)
{
	struct settled_event *results;
	struct journal_event *events;
	struct arena arena;

	if (batch_unsettled(&run->batch))
		return;
	arena_init(&arena, SHRUNK_BLOCK_BYTES, 0);
	results = arena_alloc(&arena, run->count * sizeof(*results));
	events = arena_alloc(&arena, run->count * sizeof(*events));
	for (size_t i = 0; results && events && i < run->count; i++) {
		events[i] = run->events[i];
		events[i].body = slice_of(NULL, 0);
		results[i] = run->results[i];
		results[i].reason = arena_copy(&arena, run->results[i].reason);
		results[i].answer = arena_copy(&arena, run->results[i].answer);
		results[i].external_id = arena_copy(&arena, run->results[i].external_id);
	}
	if (arena.failed) {
		arena_fini(&arena);
		return;
	}
	arena_fini(&run->arena);
	buffer_fini(&run->json);
	batch_fini(&run->batch);
	run->arena = arena;
	run->results = results;
	run->events = events;
	run->places = NULL;
	run->shrunk = true;
}

enum delivery_state run_state(const struct journal_event *event, const struct run_rules *rules,
			      struct error *error)
{
	if (event->discarded)
		return DELIVERY_DISCARDED;
	if (event->type == EVENT_HELD)
		return DELIVERY_HELD;
	switch (rules_judge(rules, event->type, event->body, error)) {
	case RULES_WANTED: return DELIVERY_PENDING;
	case RULES_FAILED: return DELIVERY_RETRY;
	default: return DELIVERY_FILTERED;
	}
}

/* A release is what the sink sees first of a lead. */
static struct lg_slice type_seen(enum event_type type)
{
	return slice_from(event_type_name(type == EVENT_RELEASED ? EVENT_CREATED : type));
}

static struct lg_slice external_id_of(const struct run *run, size_t index)
{
	return run->external_ids ? run->external_ids[index] : slice_of(NULL, 0);
}

bool run_map(const struct journal_event *event, const struct run_rules *rules,
	     struct lg_slice external_id, struct arena *arena, struct lg_slice *body,
	     struct error *error)
{
	struct event_binding binding = {
		.seq = event->seq,
		.body = event->body,
		.type = type_seen(event->type),
		.external_id = external_id,
	};

	return mapping_make(rules->mapping, &binding, arena, body, error);
}

bool run_takes(const struct journal_event *event, const struct run_rules *rules)
{
	struct error error;

	return run_state(event, rules, &error) == DELIVERY_PENDING;
}

/* Nobody knows whether the sink wants it, or in which form, so it waits as if it
 * had been tried. */
static void put_off(struct run *run, size_t index, const struct run_rules *rules,
		    struct lg_slice reason)
{
	struct lg_settlement answer = {.outcome = LG_RETRY, .reason = reason};

	retry_judge(rules->settings, &answer, clock_wall_ms(), &run->results[index]);
	run->results[index].untried = true;
}

static void sort_one(struct run *run, size_t index, const struct run_rules *rules)
{
	struct settled_event *result = &run->results[index];
	struct error error;

	result->state = run_state(&run->events[index], rules, &error);
	if (result->state == DELIVERY_RETRY) {
		run->when_errors++;
		run->when_error = arena_printf(&run->arena, "\"when\": %s", error.text);
		put_off(run, index, rules, run->when_error);
	} else if (result->state == DELIVERY_PENDING && rules->mapping &&
		   !run_map(&run->events[index], rules, external_id_of(run, index), &run->arena,
			    &run->bodies[index], &error)) {
		run->mapping_errors++;
		run->mapping_error = arena_printf(&run->arena, "\"mapping\": %s", error.text);
		put_off(run, index, rules, run->mapping_error);
	}
}

static void fill_event(struct run *run, size_t index, struct lg_slice media_type,
		       struct batch_event *out)
{
	const struct journal_event *event = &run->events[index];
	size_t start = buffer_length(&run->json);

	event_encode_delivery(&run->json, event->seq, event->body);
	out->json = slice_cut(buffer_slice(&run->json), start, SIZE_MAX);
	out->seq = event->seq;
	out->at_ms = event->at_ms;
	out->attempt = event->attempts + 1;
	out->id = event_body_id(event->body);
	out->type = type_seen(event->type);
	out->body = run->bodies ? run->bodies[index] : out->json;
	out->body_type = media_type;
	out->external_id = external_id_of(run, index);
	out->lead_id[0] = '\0';
	if (event->type != EVENT_ALERT)
		uuid_format(event->lead_id, out->lead_id);
}

bool run_sort(struct run *run, const struct run_rules *rules)
{
	run->results = arena_zalloc(&run->arena, run->count * sizeof(*run->results));
	if (rules->mapping)
		run->bodies = arena_zalloc(&run->arena, run->count * sizeof(*run->bodies));
	if (!run->results || run->arena.failed)
		return false;
	for (size_t i = 0; i < run->count; i++) {
		const struct journal_event *event = &run->events[i];
		run->results[i].seq = event->seq;
		run->results[i].attempts = event->attempts;
		run->results[i].since_ms = event->since_ms;
		run->results[i].was_due_ms = event->due_ms;
		sort_one(run, i, rules);
	}
	return !run->arena.failed;
}

bool run_fill(struct run *run, const struct run_rules *rules)
{
	struct lg_slice media_type = LG_SLICE("application/json");
	size_t wanted = 0, bytes = 0;

	run->places = arena_alloc(&run->arena, run->count * sizeof(*run->places));
	if (!run->places)
		return false;
	for (size_t i = 0; i < run->count; i++)
		if (run->results[i].state == DELIVERY_PENDING) {
			run->places[wanted++] = i;
			bytes += run->events[i].body.length + SEQ_BYTES;
		}
	/* All room at once: the batch's slices must not move. */
	if (wanted && !buffer_room(&run->json, bytes))
		return false;
	if (!batch_reset(&run->batch, wanted))
		return false;
	if (rules->mapping)
		media_type = mapping_media_type(rules->mapping);
	for (size_t i = 0; i < wanted; i++)
		fill_event(run, run->places[i], media_type, &run->batch.events[i]);
	return true;
}

void run_tally(const struct run *run, struct run_tally *tally)
{
	memset(tally, 0, sizeof(*tally));
	for (size_t i = 0; i < run->batch.count; i++) {
		struct lg_settlement answer;
		switch (batch_outcome(&run->batch, i)) {
		case LG_DELIVERED: tally->delivered++; continue;
		case LG_UNCLASSIFIED: tally->unclassified++; break;
		case LG_PARK: tally->parked++; break;
		case LG_REJECT: tally->dead++; break;
		default: tally->retried++; break;
		}
		batch_answer(&run->batch, i, &answer);
		if (answer.retry_after > tally->retry_after_ms)
			tally->retry_after_ms = answer.retry_after;
		if (!slice_present(tally->reason))
			tally->reason = answer.reason;
	}
}

void run_judge(struct run *run, const struct sink_settings *settings, int64_t now_ms)
{
	for (size_t i = 0; i < run->batch.count; i++) {
		size_t place = run->places[i];
		struct lg_settlement answer;
		batch_answer(&run->batch, i, &answer);
		if (run->passed && answer.outcome == LG_PARK)
			answer.outcome = LG_REJECT;
		retry_judge(settings, &answer, now_ms, &run->results[place]);
		run->named |= slice_present(run->results[place].external_id);
	}
}
