#include "base/histogram.h"
#include "sink/lane.h"
#include "sink/lane_state.h"

/* ---- counting -------------------------------------------------------------- */

#define ATTEMPTS "leadgate_sink_attempts_total"
#define ATTEMPTS_HELP "Deliveries of single events by how they ended"
#define SKIPPED "leadgate_sink_skipped_total"
#define SKIPPED_HELP "Events settled without being delivered"

static const struct counter_row {
	enum counter_kind kind;
	const char *name, *help, *label, *value;
} counter_rows[LANE_COUNTERS] = {
	[LANE_DELIVERED] = {COUNTER_COUNTER, ATTEMPTS, ATTEMPTS_HELP, "outcome", "delivered"},
	[LANE_RETRIED] = {COUNTER_COUNTER, ATTEMPTS, ATTEMPTS_HELP, "outcome", "retry"},
	[LANE_UNCLASSIFIED] = {COUNTER_COUNTER, ATTEMPTS, ATTEMPTS_HELP, "outcome", "unclassified"},
	[LANE_PARKED] = {COUNTER_COUNTER, ATTEMPTS, ATTEMPTS_HELP, "outcome", "parked"},
	[LANE_DEAD] = {COUNTER_COUNTER, ATTEMPTS, ATTEMPTS_HELP, "outcome", "dead"},
	[LANE_FILTERED] = {COUNTER_COUNTER, SKIPPED, SKIPPED_HELP, "reason", "filtered"},
	[LANE_DISCARDED] = {COUNTER_COUNTER, SKIPPED, SKIPPED_HELP, "reason", "discarded"},
	[LANE_WHEN_ERRORS] = {COUNTER_COUNTER, "leadgate_sink_when_errors_total",
			      "Leads on which the sink's expression failed; they are tried again",
			      NULL, NULL},
	[LANE_MAPPING_ERRORS] = {COUNTER_COUNTER, "leadgate_sink_mapping_errors_total",
				 "Leads on which the sink's mapping failed; they are tried again",
				 NULL, NULL},
	[LANE_LAG] = {COUNTER_GAUGE, "leadgate_sink_lag_events",
		      "Events in the journal that the sink has not settled", NULL, NULL},
	[LANE_POSITION] = {COUNTER_GAUGE, "leadgate_sink_position",
			   "Number of the last event that was settled in order", NULL, NULL},
};

void lane_register_counters(struct lane *lane)
{
	char label[COUNTER_LABEL_BYTES] = "";

	for (int i = 0; i < LANE_COUNTERS; i++) {
		const struct counter_row *row = &counter_rows[i];
		char labels[COUNTER_LABEL_BYTES] = "";

		counter_label(labels, "sink", lane->instance->name);
		if (row->label)
			counter_label(labels, row->label, slice_from(row->value));
		lane->counters[i] = counter_register(row->kind, row->name, labels, row->help);
	}
	counter_label(label, "sink", lane->instance->name);
	lane->deliveries = histogram_register(
		"leadgate_sink_delivery_seconds", label,
		"Time from giving a batch to the plugin to its outcome");
}

void lane_count(struct lane *lane, enum lane_counter counter, int64_t n)
{
	if (n == 0 || counter == LANE_COUNTERS)
		return;
	atomic_fetch_add_explicit(&lane->totals[counter], n, memory_order_relaxed);
	counter_add(lane->counters[counter], n);
}

/* ---- looking --------------------------------------------------------------- */

static int64_t total(const struct lane *lane, enum lane_counter counter)
{
	return atomic_load_explicit(&lane->totals[counter], memory_order_relaxed);
}

static void status_unstored(struct lane_status *status, int64_t since_ms)
{
	status->state = "waiting";
	status->since_ms = since_ms;
	status->next_attempt_ms = 0;
	slice_to_text(LG_SLICE(LANE_UNSTORED), status->reason, sizeof(status->reason));
}

/* What an operator ordered comes before what the lane has met with; that the journal takes
 * no outcomes comes before a destination that will be tried again by itself. */
static void status_mood(const struct lane *lane, struct lane_status *status)
{
	static const char *const moods[] = {"running", "waiting", "parked", "stopping"};
	struct lane *mine = (struct lane *)(uintptr_t)lane; /* for the lock alone */
	/* Stopping also while its thread does not come back from the plugin to see it. */
	int mood = atomic_load(&lane->stopping) ? (int)MOOD_STOPPING : atomic_load(&lane->mood);
	int64_t paused_ms = atomic_load(&lane->paused_ms);
	int64_t unstored_ms = atomic_load(&lane->unstored_ms);
	bool paused = paused_ms && mood != MOOD_STOPPING;

	status->state = paused ? "paused" : moods[mood];
	status->since_ms = paused ? paused_ms : atomic_load(&lane->since_ms);
	status->next_attempt_ms = paused ? 0 : atomic_load(&lane->next_attempt_ms);
	pthread_mutex_lock(&mine->lock);
	memcpy(status->reason, paused ? lane->pause_reason : lane->reason, sizeof(status->reason));
	pthread_mutex_unlock(&mine->lock);
	if (unstored_ms && !paused && (mood == MOOD_RUNNING || mood == MOOD_WAITING))
		status_unstored(status, unstored_ms);
}

void lane_status(const struct lane *lane, struct lane_status *status)
{
	memset(status, 0, sizeof(*status));
	status->position = atomic_load(&lane->position);
	status->lag = outbox_last_seq(lane->outbox) - status->position;
	status->delivered = total(lane, LANE_DELIVERED);
	status->retries = total(lane, LANE_RETRIED) + total(lane, LANE_UNCLASSIFIED);
	status->parked = total(lane, LANE_PARKED);
	status->dead = total(lane, LANE_DEAD);
	status->filtered = total(lane, LANE_FILTERED);
	status->discarded = total(lane, LANE_DISCARDED);
	status->unclassified = total(lane, LANE_UNCLASSIFIED);
	status->in_flight = atomic_load(&lane->in_flight);
	status_mood(lane, status);
	counter_set(lane->counters[LANE_POSITION], status->position);
	counter_set(lane->counters[LANE_LAG], status->lag);
}

struct lg_slice lane_name(const struct lane *lane)
{
	return lane->instance->name;
}
