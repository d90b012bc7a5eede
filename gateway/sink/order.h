/* For sinks with `order: person`: which leads have events under way or open, so
 * that a later event of the same lead waits for them. Lane thread. */
#ifndef SINK_ORDER_H
#define SINK_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/random.h"

enum order_state {
	ORDER_NONE,
	ORDER_FLYING, /* with the plugin for the first time: it may yet be settled */
	ORDER_OPEN,   /* to be tried again */
	ORDER_HELD,   /* open without a time: an earlier one of its lead comes first */
};

struct order;

struct order *order_new(void); /* NULL: no memory */
void order_free(struct order **order);
void order_clear(struct order *order);

/* Notes an event, or that its state is another now. False: no memory. */
bool order_set(struct order *order, const uint8_t lead_id[UUID_BYTES], int64_t seq,
	       int64_t attempts, enum order_state state);
/* It is settled for good, or unread again. The next one of its lead is free now
 * when it was held. */
void order_remove(struct order *order, const uint8_t lead_id[UUID_BYTES], int64_t seq);

/* The state of the lead's first event before `seq`; ORDER_NONE: there is none. */
enum order_state order_before(const struct order *order, const uint8_t lead_id[UUID_BYTES],
			      int64_t seq);

/* Every held event that nothing of its lead comes before is free. */
void order_free_first(struct order *order);
/* Takes a held event that is free and not later than `seq`; it is open from here
 * on. False: there is none. */
bool order_take_free(struct order *order, int64_t seq, int64_t *free_seq, int64_t *attempts);

size_t order_count(const struct order *order);

#endif
