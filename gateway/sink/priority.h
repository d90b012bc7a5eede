/* Who goes first of the events that wait for a sink: a window over those that it has not
 * settled, from the oldest on, with a mark on the urgent ones. Each event is looked at
 * once. Lane thread. */
#ifndef SINK_PRIORITY_H
#define SINK_PRIORITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

struct priority;

/* A window of so many events at most, which begins behind `seq`. With `by_person` an
 * urgent event makes the earlier ones of its lead urgent, so that it overtakes none of
 * them. NULL: no memory. */
struct priority *priority_new(size_t events, bool by_person, int64_t seq);
void priority_free(struct priority **priority);

/* The last seq that was looked at. */
int64_t priority_looked(const struct priority *priority);
/* Whether there is no room for another event. */
bool priority_is_full(const struct priority *priority);
/* The next event, later than all before; there is room for it. `lead_id`: zero for one
 * of no lead. */
void priority_add(struct priority *priority, int64_t seq, const uint8_t lead_id[UUID_BYTES],
		  bool urgent);
/* Up to `seq` there is no further event. */
void priority_skip(struct priority *priority, int64_t seq);

/* The first urgent event behind `seq`; 0: there is none. */
int64_t priority_next(const struct priority *priority, int64_t seq);
/* It need not be preferred any more: it is under way. */
void priority_drop(struct priority *priority, int64_t seq);
/* What is behind `seq` is to be looked at again. */
void priority_cut(struct priority *priority, int64_t seq);
/* All up to `seq` is settled. */
void priority_settle(struct priority *priority, int64_t seq);

#endif
