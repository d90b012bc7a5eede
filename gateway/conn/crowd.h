/* Connections that share a bound of their own, such as those of one listener:
 * how many there are, and which of them have been idle for longest, so that these
 * make room when the bound is reached. One part a loop, which that loop's thread
 * writes; others only read since when its first connection is idle. */
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
	size_t limit; /* 0: none */
	atomic_size_t count;
	struct crowd_part *parts;
};

/* False: no memory. */
bool crowd_init(struct crowd *crowd, size_t limit, size_t loops);
void crowd_fini(struct crowd *crowd);

/* Whether one more would be `beyond` too many. The thread that counts in. */
static inline bool crowd_is_full(const struct crowd *crowd, size_t beyond)
{
	return crowd->limit > 0 && atomic_load(&crowd->count) >= crowd->limit + beyond;
}

#endif
