#include <stdio.h>

#include "base/alloc.h"
#include "codec/date.h"
#include "codec/json_writer.h"
#include "outbox/reader_replay.h"
#include "outbox/replay.h"
#include "sink/run.h"
#include "supervise/daemon.h"
#include "supervise/errand.h"
#include "verbs/arguments.h"
#include "verbs/order.h"
#include "verbs/print.h"
#include "verbs/verb.h"

/* Events of a lead for which room is made at first. */
#define SEQS_FIRST 1024

/* Which events: one range, or one event each. */
struct selection {
	struct replay *ranges;
	size_t count;
	struct replay range;
	struct replay *singles; /* ours; NULL: it is a range */
};

static bool mistake(const char *text)
{
	fprintf(stderr, "leadgate replay: %s\n", text);
	return false;
}

/* What is wrong before anything is opened. */
static bool understood(const struct arguments *arguments, int64_t *since_ms, uint8_t *id)
{
	int ways = arguments->dead + (arguments->since != NULL) + (arguments->id != NULL);

	if (ways > 1)
		return mistake("give one of --dead, --since and --id");
	if (arguments->since && !time_parse(slice_from(arguments->since), since_ms))
		return mistake("--since wants a time like 2026-01-31T12:00:00Z");
	if (arguments->id && uuid_parse(arguments->id, strlen(arguments->id), id) < 0)
		return mistake("--id wants the 36 characters of an event's or a lead's id");
	return true;
}

/* All events that the id stands for, in memory that the caller frees; NULL with a
 * reason. Where they fill it there may be more of them: it looks again with twice as
 * much. */
static int64_t *find_seqs(struct view *view, const uint8_t *id, ptrdiff_t *count,
			  struct error *error)
{
	for (size_t capacity = SEQS_FIRST;; capacity *= 2) {
		int64_t *seqs = alloc_malloc(capacity * sizeof(*seqs));

		if (!seqs) {
			error_set(error, "there is not enough memory for all events of the lead");
			return NULL;
		}
		*count = reader_replay_find(view->reader, id, seqs, capacity, error);
		if (*count > 0 && (size_t)*count < capacity)
			return seqs;
		alloc_free(seqs);
		if (*count == 0)
			error_set(error, "no event and no lead has this id");
		if (*count <= 0)
			return NULL;
	}
}

static bool select_ids(struct view *view, const uint8_t *id, bool again, struct selection *chosen)
{
	struct error error = {""};
	ptrdiff_t count = 0;
	int64_t *seqs = find_seqs(view, id, &count, &error);

	if (seqs) {
		chosen->singles = alloc_malloc((size_t)count * sizeof(*chosen->singles));
		if (!chosen->singles)
			error_set(&error, "there is not enough memory for all events of the lead");
	}
	if (!chosen->singles)
		fprintf(stderr, "leadgate: %s\n", error.text);
	for (ptrdiff_t i = 0; chosen->singles && i < count; i++)
		chosen->singles[i] = (struct replay){
			.first_seq = seqs[i], .last_seq = seqs[i], .again = again};
	alloc_free(seqs);
	chosen->ranges = chosen->singles;
	chosen->count = (size_t)count;
	return chosen->singles;
}

/* Up to the last event that there is now: what comes later is not meant. */
static bool select_range(struct view *view, const struct arguments *arguments, int64_t since_ms,
			 struct selection *chosen)
{
	chosen->range = (struct replay){.first_seq = 1,
					.last_seq = reader_seq_at(view->reader, INT64_MAX) - 1,
					.dead_only = !arguments->since,
					.again = arguments->again};
	if (arguments->since)
		chosen->range.first_seq = reader_seq_at(view->reader, since_ms);
	chosen->ranges = &chosen->range;
	chosen->count = 1;
	return true;
}

/* What today's configuration says of the events that are taken. */
struct forecast {
	struct reader *reader;
	struct lg_slice sink;
	struct run_rules rules;
	struct arena arena;
	int64_t filtered;
	int64_t unsure;	  /* `when` fails on them: they wait */
	int64_t unmapped; /* `mapping` does, and they wait, too */
};

/* Whether the mapping, if there is one, makes a body of it; false with a reason when
 * the journal cannot be read. */
static bool try_mapping(struct forecast *forecast, const struct journal_event *event,
			struct error *error)
{
	struct lg_slice id = {NULL, 0}, body;
	struct error reason;

	if (!forecast->rules.mapping)
		return true;
	if (!reader_external(forecast->reader, &forecast->arena, forecast->sink, event->lead_id,
			     &id, error))
		return false;
	forecast->unmapped += !run_map(event, &forecast->rules, id, &forecast->arena, &body,
				       &reason);
	return true;
}

static bool judge(void *context, int64_t seq, struct error *error)
{
	struct forecast *forecast = context;
	struct journal_event *event;
	struct error reason;
	ptrdiff_t got;

	arena_reset(&forecast->arena);
	got = reader_events(forecast->reader, &forecast->arena, seq - 1, 1, SIZE_MAX, &event,
			    error);
	if (got < 0)
		return false;
	if (got == 0 || event->seq != seq)
		return true; /* pruned meanwhile */
	switch (run_state(event, &forecast->rules, &reason)) {
	case DELIVERY_FILTERED: forecast->filtered++; break;
	case DELIVERY_RETRY: forecast->unsure++; break;
	case DELIVERY_PENDING: return try_mapping(forecast, event, error);
	default: break;
	}
	return true;
}

static bool plan_ranges(struct view *view, struct lg_slice sink, const struct selection *chosen,
			struct replay_plan *plan, struct forecast *forecast, struct error *error)
{
	for (size_t i = 0; i < chosen->count; i++)
		if (!reader_replay_plan(view->reader, sink, &chosen->ranges[i], plan, judge,
					forecast, error))
			return false;
	return true;
}

static bool make_plan(struct view *view, struct lg_slice sink, const struct selection *chosen,
		      struct replay_plan *plan, struct forecast *forecast)
{
	const struct sink_section *section = view_sink(view, sink);
	struct error error = {""};
	bool good;

	*forecast = (struct forecast){.reader = view->reader, .sink = sink};
	arena_init(&forecast->arena, 16 << 10, 0);
	good = rules_init(&forecast->rules, section->instance, &section->settings, &error) &&
	       plan_ranges(view, sink, chosen, plan, forecast, &error);
	rules_fini(&forecast->rules);
	arena_fini(&forecast->arena);
	if (!good)
		fprintf(stderr, "leadgate: %s\n", error.text);
	return good;
}

/* ---- the plan in print ------------------------------------------------------ */

/* Why events in a state are left. */
static const char *why_left(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_DELIVERED: return "the destination has them; --again repeats them";
	case DELIVERY_PENDING: return "their first turn comes by itself";
	case DELIVERY_HELD: return "held back until they are released";
	case DELIVERY_DISCARDED: return "caught in a trap";
	case DELIVERY_ERASED: return "erased";
	default: return "nothing to do";
	}
}

static const char *what_taken(enum delivery_state state)
{
	switch (state) {
	case DELIVERY_DEAD: return "dead letters";
	case DELIVERY_FILTERED: return "filtered before, judged again";
	case DELIVERY_DELIVERED: return "delivered before, repeated";
	default: return "waiting for their next attempt, which is now";
	}
}

static const char *type_name(size_t type)
{
	const char *name = type ? event_type_name((enum event_type)type) : NULL;

	return name ? name : "other events";
}

static void print_plan_text(struct buffer *out, struct lg_slice sink,
			    const struct replay_plan *plan, const struct forecast *forecast)
{
	buffer_printf(out, "%.*s: %lld events under today's configuration\n", SLICE_ARGS(sink),
		      (long long)replay_taken(plan));
	for (size_t type = 0; type < REPLAY_TYPES; type++)
		if (plan->types[type])
			buffer_printf(out, "  %-14s %lld\n", type_name(type),
				      (long long)plan->types[type]);
	for (size_t state = 0; state < REPLAY_STATES; state++)
		if (plan->taken[state])
			buffer_printf(out, "  %-14s %lld: %s\n",
				      delivery_state_name((enum delivery_state)state),
				      (long long)plan->taken[state],
				      what_taken((enum delivery_state)state));
	if (forecast->filtered)
		buffer_printf(out, "  of these       %lld: would be filtered today\n",
			      (long long)forecast->filtered);
	if (forecast->unsure)
		buffer_printf(out, "  of these       %lld: `when` fails on them, so they wait\n",
			      (long long)forecast->unsure);
	if (forecast->unmapped)
		buffer_printf(out, "  of these       %lld: `mapping` fails on them, so they wait\n",
			      (long long)forecast->unmapped);
	for (size_t state = 0; state < REPLAY_STATES; state++)
		if (plan->left[state])
			buffer_printf(out, "  left: %-8s %lld: %s\n",
				      delivery_state_name((enum delivery_state)state),
				      (long long)plan->left[state],
				      why_left((enum delivery_state)state));
}

static void write_states(struct json_writer *writer, const char *name, const int64_t *counts)
{
	json_write_name(writer, slice_from(name));
	json_write_open(writer, '{');
	for (size_t state = 0; state < REPLAY_STATES; state++) {
		if (!counts[state])
			continue;
		json_write_member_int(writer, delivery_state_name((enum delivery_state)state),
				      counts[state]);
	}
	json_write_close(writer, '}');
}

static void print_plan_json(struct buffer *out, struct lg_slice sink,
			    const struct replay_plan *plan, const struct forecast *forecast)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "sink", sink);
	json_write_member_int(&writer, "events", replay_taken(plan));
	write_states(&writer, "taken", plan->taken);
	json_write_member_int(&writer, "filtered_today", forecast->filtered);
	json_write_member_int(&writer, "when_fails_today", forecast->unsure);
	json_write_member_int(&writer, "mapping_fails_today", forecast->unmapped);
	write_states(&writer, "left", plan->left);
	json_write_name(&writer, LG_SLICE("types"));
	json_write_open(&writer, '{');
	for (size_t type = 0; type < REPLAY_TYPES; type++) {
		if (!plan->types[type])
			continue;
		json_write_member_int(&writer, type_name(type), plan->types[type]);
	}
	json_write_close(&writer, '}');
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

static bool print_plan(struct lg_slice sink, const struct replay_plan *plan,
		       const struct forecast *forecast, bool json)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	(json ? print_plan_json : print_plan_text)(&out, sink, plan, forecast);
	bool good = print_buffer(&out);
	buffer_fini(&out);
	return good;
}

/* ---- doing it ---------------------------------------------------------------- */

static void print_done(struct lg_slice sink, int64_t count, bool paused, bool json)
{
	if (json)
		printf("{\"replayed\":%lld,\"paused\":%s}\n", (long long)count,
		       paused ? "true" : "false");
	else if (paused)
		printf("replayed: %lld events wait: %.*s is paused until `leadgate resume %.*s`\n",
		       (long long)count, SLICE_ARGS(sink), SLICE_ARGS(sink));
	else
		printf("replayed: %lld events are due now\n", (long long)count);
}

static int carry_out(struct view *view, struct lg_slice sink, const struct selection *chosen,
		     bool json)
{
	struct sink_state state;
	struct error error = {""};
	int64_t count = 0;

	if (!reader_sink_state(view->reader, sink, &state, &error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < chosen->count; i++) {
		struct chore chore = {
			.kind = CHORE_REPLAY, .sink = sink, .replay = chosen->ranges[i]};
		if (order_carry_out(view, &chore) != EXIT_DONE)
			return EXIT_FAILED;
		count += chore.count;
	}
	print_done(sink, count, state.paused, json);
	return EXIT_DONE;
}

static int replay_chosen(struct view *view, const struct arguments *arguments, struct lg_slice sink,
			 const struct selection *chosen)
{
	struct replay_plan plan = {.taken = {0}};
	struct forecast forecast;

	if (!make_plan(view, sink, chosen, &plan, &forecast) ||
	    !print_plan(sink, &plan, &forecast, arguments->json))
		return EXIT_FAILED;
	if (arguments->dry_run || replay_taken(&plan) == 0)
		return EXIT_DONE;
	return carry_out(view, sink, chosen, arguments->json);
}

static int replay(struct view *view, const struct arguments *arguments, int64_t since_ms,
		  const uint8_t *id)
{
	struct selection chosen = {.ranges = NULL};
	struct lg_slice sink = slice_from(arguments->operands[0]);
	const struct chore chore = {.kind = CHORE_REPLAY, .sink = sink};
	struct error error = {""};
	int status = EXIT_FAILED;

	if (!errand_allowed(&chore, view->settings, &error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	if (arguments->id ? select_ids(view, id, arguments->again, &chosen)
			  : select_range(view, arguments, since_ms, &chosen))
		status = replay_chosen(view, arguments, sink, &chosen);
	alloc_free(chosen.singles);
	return status;
}

int verb_replay(int argc, char **argv)
{
	uint8_t id[UUID_BYTES];
	struct arguments arguments;
	int64_t since_ms = 0;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_REPLAY, 1, 1) ||
	    !understood(&arguments, &since_ms, id))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = replay(&view, &arguments, since_ms, id);
	view_close(&view);
	return status;
}
