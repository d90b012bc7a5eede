/* The events that parked alone: is each to blame itself, or the configuration? Another
 * lead that the destination takes finds out, if it went no sooner than they did: then
 * they are asked once more, and rejected if they park again.
 *
 * Bounded; of too many, any one is forgotten and so is asked once more often. Pure;
 * lane thread. */
#ifndef SINK_SUSPECTS_H
#define SINK_SUSPECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

#define SUSPECTS_MAX 64

struct suspect {
	int64_t seq;
	uint8_t lead_id[UUID_BYTES];
	int64_t started_us; /* monotonic: when it went, the last time that it parked */
	int64_t attempts;   /* how often it has parked */
	bool due;	    /* it is open in the journal, whose row says when it goes */
	bool others_pass;   /* another lead has, since: the configuration is good */
};

struct suspects {
	struct suspect all[SUSPECTS_MAX];
	size_t count;
	uint8_t passed_id[UUID_BYTES]; /* the lead of what went last and was taken */
	int64_t passed_us;	       /* when that went; 0: nothing that would tell */
};

/* The event parked. Whether another lead has passed already that went no sooner. */
bool suspects_add(struct suspects *suspects, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		  int64_t started_us, bool due);
/* The event was delivered. When it is the unclear one itself, it was the destination, which
 * has changed: nobody else is judged by what it did before. */
void suspects_pass(struct suspects *suspects, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		   int64_t started_us);
/* The destination fails: what passed before shows nothing any more. */
void suspects_doubt(struct suspects *suspects);
/* The event is no suspect any longer. */
void suspects_drop(struct suspects *suspects, int64_t seq);

/* NULL: it is none. */
const struct suspect *suspects_find(const struct suspects *suspects, int64_t seq);
/* The one that holds up most and that nobody has passed since: the oldest that is pending,
 * before the oldest that is open. NULL: there is none. */
const struct suspect *suspects_unclear(const struct suspects *suspects);
/* The oldest pending one that others have passed. NULL: there is none. */
const struct suspect *suspects_clear(const struct suspects *suspects);
/* Whether others have passed that event since it parked: it is asked for the last time. */
bool suspects_has_clear(const struct suspects *suspects, int64_t seq);

#endif
