/* What becomes of an event after an attempt: the rules of back-off and of
 * giving up. Pure but for the dice; any thread. */
#ifndef SINK_RETRY_H
#define SINK_RETRY_H

#include <leadgate/services.h>

#include "outbox/settlement.h"
#include "sink/lane.h"

/* An event is not given up before this many attempts, however long ago the first
 * of them failed: after days without power one failure must not bury everything. */
#define RETRY_ATTEMPTS_MIN 5

/* The longest that any event waits from now: what is due later was written down
 * under another clock. */
int64_t retry_longest_ms(const struct sink_settings *settings);

/* How long to wait after the attempt-th failure in a row: anything from 1 ms to
 * the ceiling, which doubles from retry_first to retry_max ("full jitter": it
 * spreads what failed together). */
int64_t retry_delay_ms(const struct sink_settings *settings, int64_t attempt);
int64_t retry_ceiling_ms(const struct sink_settings *settings, int64_t attempt);

/* Fills state, status, due, attempts, since and words of `event` (whose seq, number
 * of earlier attempts, time of the first failure and of this attempt are set) from the
 * plugin's answer. It is given up retry_for after that first failure, not after its
 * capture: old leads are sent as well. Only time in which it was tried counts: beyond
 * retry_max after an attempt was due, `since` moves along, so neither days without
 * power nor a step of the wall clock use it up. What parks has not failed itself: its
 * time begins anew. */
void retry_judge(const struct sink_settings *settings, const struct lg_settlement *answer,
		 int64_t now_ms, struct settled_event *event);

#endif
