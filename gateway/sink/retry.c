#include "sink/retry.h"

#include "base/random.h"

int64_t retry_ceiling_ms(const struct sink_settings *settings, int64_t attempt)
{
	int64_t ceiling_ms = settings->retry_first_ms;

	while (attempt-- > 1 && ceiling_ms < settings->retry_max_ms)
		ceiling_ms *= 2;
	return ceiling_ms < settings->retry_max_ms ? ceiling_ms : settings->retry_max_ms;
}

int64_t retry_delay_ms(const struct sink_settings *settings, int64_t attempt)
{
	return 1 + (int64_t)random_below((uint64_t)retry_ceiling_ms(settings, attempt));
}

int64_t retry_longest_ms(const struct sink_settings *settings)
{
	return settings->retry_max_ms > settings->max_retry_after_ms ? settings->retry_max_ms
								     : settings->max_retry_after_ms;
}

/* Time that passed long after the attempt was due does not count: the gateway was off,
 * the lane stood still, or somebody set the clock. */
static void leave_out_idleness(const struct sink_settings *settings, int64_t now_ms,
			       struct settled_event *event)
{
	int64_t idle_ms = now_ms - event->was_due_ms - settings->retry_max_ms;

	if (event->was_due_ms && event->since_ms && idle_ms > 0)
		event->since_ms += idle_ms;
}

static void judge_again(const struct sink_settings *settings, const struct lg_settlement *answer,
			int64_t now_ms, struct settled_event *event)
{
	int64_t wait_ms = retry_delay_ms(settings, event->attempts);
	int64_t asked_ms = answer->retry_after < settings->max_retry_after_ms
				   ? answer->retry_after
				   : settings->max_retry_after_ms;

	leave_out_idleness(settings, now_ms, event);
	/* What parks waits for a person who repairs the configuration. */
	if (answer->outcome == LG_PARK)
		event->since_ms = 0;
	else if (event->since_ms == 0 || event->since_ms > now_ms)
		event->since_ms = now_ms;
	if (event->since_ms && event->attempts >= RETRY_ATTEMPTS_MIN &&
	    now_ms - event->since_ms > settings->retry_for_ms) {
		event->state = DELIVERY_DEAD;
		return;
	}
	event->state = answer->outcome == LG_UNCLASSIFIED ? DELIVERY_UNCLASSIFIED
		       : answer->outcome == LG_PARK	  ? DELIVERY_PARKED
							  : DELIVERY_RETRY;
	event->due_ms = now_ms + (asked_ms > wait_ms ? asked_ms : wait_ms);
}

void retry_judge(const struct sink_settings *settings, const struct lg_settlement *answer,
		 int64_t now_ms, struct settled_event *event)
{
	event->attempts++;
	event->status = answer->status;
	event->reason = answer->reason;
	event->answer = answer->answer;
	event->due_ms = 0;
	if (answer->outcome == LG_DELIVERED) {
		event->state = DELIVERY_DELIVERED;
		event->external_id = answer->external_id;
	} else if (answer->outcome == LG_REJECT) {
		event->state = DELIVERY_DEAD;
	} else {
		judge_again(settings, answer, now_ms, event);
	}
}
