/* How a lane stands and the pauses that failures cost. */
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "sink/lane_state.h"
#include "sink/retry.h"

#define PARK_FIRST_MS 5000 /* least that a parked lane waits */
#define HOLD_SAID_MS 2000  /* a shorter rest for the rate's sake is nothing to say */
#define DUE_FAILED_MAX 3   /* due events that fail in a row without a pause */
#define GROW_AFTER 4	   /* good batches until the next one is twice as large */

void lane_mood_set(struct lane *lane, enum lane_mood mood, struct lg_slice reason)
{
	pthread_mutex_lock(&lane->lock);
	slice_to_text(reason, lane->reason, sizeof(lane->reason));
	pthread_mutex_unlock(&lane->lock);
	if (atomic_exchange(&lane->mood, mood) != (int)mood)
		atomic_store(&lane->since_ms, clock_wall_ms());
}

/* A parked lane looks again ever less often: the upper half of the ceiling. */
static int64_t parked_ms(const struct lane *lane)
{
	int64_t half_ms = retry_ceiling_ms(lane->settings, lane->failures) / 2;
	int64_t wait_ms = half_ms + 1 + (int64_t)random_below((uint64_t)half_ms + 1);
	int64_t least_ms = lane->settings->retry_max_ms < PARK_FIRST_MS
				   ? lane->settings->retry_max_ms
				   : PARK_FIRST_MS;

	return wait_ms > least_ms ? wait_ms : least_ms;
}

void lane_pause(struct lane *lane, enum lane_mood mood, int64_t started_us, int64_t least_ms,
		struct lg_slice reason)
{
	int64_t now_us = clock_monotonic_us(), wait_ms = 0;
	int64_t proof_us = mood == MOOD_PARKED && least_ms == 0 ? started_us : now_us;
	bool again = lane->failures && started_us < lane->paused_us;

	if (lane->proof_us < proof_us)
		lane->proof_us = proof_us;
	if (!again) {
		lane->failures++;
		lane->paused_us = now_us;
		wait_ms = mood == MOOD_PARKED ? parked_ms(lane)
					      : retry_delay_ms(lane->settings, lane->failures);
	}
	if (least_ms > lane->settings->max_retry_after_ms)
		least_ms = lane->settings->max_retry_after_ms;
	if (wait_ms < least_ms)
		wait_ms = least_ms;
	if (lane->resume_ms < now_us / 1000 + wait_ms)
		lane->resume_ms = now_us / 1000 + wait_ms;
	if (atomic_load(&lane->mood) != (int)mood || (lane->failures == 1 && !again))
		log_warning(mood == MOOD_PARKED ? "sink.parked" : "sink.waiting",
			    LOG_SLICE("sink", lane->instance->name), LOG_SLICE("reason", reason),
			    LOG_INT("wait_ms", wait_ms));
	atomic_store(&lane->next_attempt_ms, clock_wall_ms() + lane->resume_ms - now_us / 1000);
	lane_mood_set(lane, mood, reason);
}

void lane_go_on(struct lane *lane, int64_t started_us)
{
	if (lane->failures && started_us < lane->proof_us)
		return;
	if (lane->failures)
		log_notice("sink.resumed", LOG_SLICE("sink", lane->instance->name),
			   LOG_INT("failures", lane->failures));
	lane->failures = 0;
	lane->due_failures = 0;
	lane->resume_ms = 0;
	atomic_store(&lane->next_attempt_ms, 0);
	if (atomic_load(&lane->mood) != MOOD_RUNNING)
		lane_mood_set(lane, MOOD_RUNNING, slice_of(NULL, 0));
}

void lane_end_rest(struct lane *lane)
{
	lane->resume_ms = 0;
	atomic_store(&lane->next_attempt_ms, 0);
}

bool lane_due_failed(struct lane *lane, int64_t seq, int64_t least_ms)
{
	lane->due_failures += seq != lane->due_failed_seq;
	lane->due_failed_seq = seq;
	return least_ms > 0 || lane->due_failures > DUE_FAILED_MAX;
}

void lane_hold(struct lane *lane, int64_t wait_ms, bool day)
{
	atomic_store(&lane->next_attempt_ms, clock_wall_ms() + wait_ms);
	if (wait_ms < HOLD_SAID_MS || atomic_load(&lane->mood) != MOOD_RUNNING)
		return;
	lane_mood_set(lane, MOOD_WAITING,
		      day ? LG_SLICE("rate_day is used up") : LG_SLICE("rate is used up"));
	log_notice("sink.held", LOG_SLICE("sink", lane->instance->name),
		   LOG_TEXT("option", day ? "rate_day" : "rate"), LOG_INT("wait_ms", wait_ms));
}

void lane_hold_over(struct lane *lane)
{
	if (lane->failures)
		return;
	atomic_store(&lane->next_attempt_ms, 0);
	if (atomic_load(&lane->mood) == MOOD_WAITING)
		lane_mood_set(lane, MOOD_RUNNING, slice_of(NULL, 0));
}

void lane_shrink(struct lane *lane, size_t count)
{
	lane->good_batches = 0;
	if (count > 1 && lane->most > count / 2)
		lane->most = count / 2;
}

void lane_grow(struct lane *lane)
{
	if (lane->most == lane->batch_events || ++lane->good_batches < GROW_AFTER)
		return;
	lane->good_batches = 0;
	lane->most = lane->most > lane->batch_events / 2 ? lane->batch_events : lane->most * 2;
}
