/* Connections that share a bound of their own, such as those of one listener:
 * how many there are, and which of them have been idle for longest, so that these
 * make room when the bound is reached. One part a loop, which that loop's thread
 * writes; others only read since when its first connection is idle.
 *
 * Counted by reference: who takes a listener's socket over takes its crowd over. */
#ifndef CONN_CROWD_H
#define CONN_CROWD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

/* So many connections may be there beyond a bound, each for the moment until the
 * one whose place it takes is gone. */
#define CROWD_BEYOND 64

/* Idle connections of one loop, the longest-idle first. */
struct crowd_part {
	struct list idle;	   /* by conn->idle */
	_Atomic(int64_t) since_ms; /* monotonic; INT64_MAX: none is idle */
};

struct crowd {
	atomic_size_t limit; /* 0: none; set by the thread that counts in */
	atomic_size_t count;
	/* Idle ones that are to go, the bound having fallen; 0 or less: none. */
	_Atomic(int64_t) surplus;
	atomic_size_t references;
	struct crowd_part *parts;
};

/* Without a bound. NULL: no memory. */
struct crowd *crowd_new(size_t loops);
struct crowd *crowd_ref(struct crowd *crowd);
/* The last reference frees it; NULL does no harm. Any thread. */
void crowd_unref(struct crowd **crowd);

/* Sets the bound, and when it falls how many are beyond it. The thread that counts
 * in. */
void crowd_set_limit(struct crowd *crowd, size_t limit);

/* Whether one more would be `beyond` too many. The thread that counts in. */
static inline bool crowd_is_full(const struct crowd *crowd, size_t beyond)
{
	size_t limit = atomic_load(&crowd->limit);

	return limit > 0 && atomic_load(&crowd->count) >= limit + beyond;
}

/* Whether there are more than the bound allows. Any thread. */
static inline bool crowd_is_beyond(const struct crowd *crowd)
{
	size_t limit = atomic_load(&crowd->limit);

	return limit > 0 && atomic_load(&crowd->count) > limit;
}

#endif
