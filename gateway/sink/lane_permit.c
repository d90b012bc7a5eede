/* What the journal has noted of the sink: whether it has begun, and whether an
 * operator paused it. */
#include "base/clock.h"
#include "base/log.h"
#include "codec/date.h"
#include "sink/lane_state.h"

#define ASK_AGAIN_MS 1000

bool sink_start_parse(struct lg_slice text, int64_t *at_ms)
{
	if (!slice_present(text) || slice_is(text, "beginning"))
		*at_ms = INT64_MIN;
	else if (slice_is(text, "now"))
		*at_ms = INT64_MAX;
	else
		return text.length >= sizeof("2026-01-31") - 1 && text.data[4] == '-' &&
		       time_parse(text, at_ms);
	return true;
}

static void ask_again(struct lane *lane, const char *reason)
{
	log_error("sink.begin_failed", LOG_SLICE("sink", lane->instance->name),
		  LOG_TEXT("reason", reason));
	lane->resume_ms = clock_monotonic_ms() + ASK_AGAIN_MS;
}

/* The last event that a new sink does not get; 0: it gets all. */
static int64_t last_before_start(struct lane *lane)
{
	int64_t at_ms = INT64_MIN;

	sink_start_parse(lane->settings->start, &at_ms);
	if (at_ms == INT64_MIN)
		return 0;
	return at_ms == INT64_MAX ? outbox_last_seq(lane->outbox)
				  : reader_seq_at(lane->reader, at_ms) - 1;
}

static void ask_to_begin(struct lane *lane)
{
	lane->begin = (struct chore){
		.reply = &lane->mailbox,
		.kind = CHORE_BEGIN,
		.sink = lane->instance->name,
		.last_seq = last_before_start(lane),
	};
	lane->asked = true;
	outbox_do(lane->outbox, &lane->begin);
}

void lane_take_begin(struct lane *lane)
{
	int64_t position;

	lane->asked = false;
	if (!lane->begin.done) {
		ask_again(lane, lane->begin.error.text);
		return;
	}
	position = reader_position(lane->reader, lane->instance->name);
	if (position < 0) {
		ask_again(lane, "the journal cannot be read");
		return;
	}
	lane->begun = true;
	lane->settled_seq = position;
	lane->ahead.cursor = lane->settled_seq;
	atomic_store(&lane->position, lane->settled_seq);
}

static void note_pause(struct lane *lane, const struct sink_state *state)
{
	bool was_paused = atomic_load(&lane->paused_ms) != 0;

	pthread_mutex_lock(&lane->lock);
	memcpy(lane->pause_reason, state->reason, sizeof(lane->pause_reason));
	pthread_mutex_unlock(&lane->lock);
	if (state->paused && !was_paused)
		atomic_store(&lane->paused_ms, clock_wall_ms());
	if (state->paused || !was_paused)
		return;
	atomic_store(&lane->paused_ms, 0);
	lane_end_rest(lane); /* also where another process resumed it */
}

static bool read_notes(struct lane *lane)
{
	int64_t epoch = outbox_sink_epoch(lane->outbox);
	struct sink_state state;
	struct error error;

	if (epoch == lane->epoch)
		return true;
	if (!reader_sink_state(lane->reader, lane->instance->name, &state, &error)) {
		ask_again(lane, error.text);
		return false;
	}
	lane->epoch = epoch;
	lane->next_due_ms = 0;
	lane->reserved = 0; /* what it was for may be none any more */
	if (lane_is_ordered(lane))
		lane->order_known = false;
	/* What was asked for begins with its answer, which says where. */
	lane->begun = lane->begun || (state.begun && !lane->asked);
	note_pause(lane, &state);
	return true;
}

bool lane_is_permitted(struct lane *lane)
{
	if (!read_notes(lane))
		return false;
	if (!lane->begun && !lane->asked)
		ask_to_begin(lane);
	return lane->begun && !atomic_load(&lane->paused_ms);
}
