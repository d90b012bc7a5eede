/* The events that a plugin gets in one delivery, and what it says of each.
 *
 * The plugin may settle on any thread, now or later, even after the lane has
 * given up waiting: so a batch is only forgotten when batch_unsettled is 0, or
 * when the plugin has been closed. All else is for the lane's thread. */
#ifndef SINK_BATCH_H
#define SINK_BATCH_H

#include <leadgate/sink.h>

#include <pthread.h>

#include "base/mailbox.h"
#include "base/random.h"
#include "base/slice.h"

#define BATCH_REASON_BYTES 256 /* kept of what a plugin says */
#define BATCH_ANSWER_BYTES 512
#define BATCH_EXTERNAL_BYTES 255 /* longest id; a longer one is not kept */

/* The reason of what was settled with a size that has no room for an outcome. */
#define BATCH_UNSIZED "the plugin's settlement has no outcome: its .size is too small"

struct slot;

/* One event; the slices are borrowed from whoever made the batch. */
struct batch_event {
	int64_t seq, at_ms, attempt;
	struct lg_slice id, type, json, body, body_type, external_id;
	char lead_id[UUID_TEXT_BYTES];
};

struct batch {
	struct lg_batch handle; /* first: what the plugin holds */
	struct batch_event *events;
	struct slot *slots;
	size_t count, capacity;
	_Atomic(size_t) unsettled; /* by the plugin */
	_Atomic(bool) unsized;	   /* something was settled without .size */
	struct mailbox *wake;	   /* poked when the last one is settled elsewhere */
	pthread_t lane;
};

/* `services` is the table that the handle shows. */
void batch_init(struct batch *batch, const struct lg_services *services, struct mailbox *wake);
void batch_fini(struct batch *batch);

/* Empties it and makes room for `count` events, which the caller then fills in
 * before it hands the batch to the plugin. False: no memory. */
bool batch_reset(struct batch *batch, size_t count);

/* How many events the plugin has not settled yet. */
static inline size_t batch_unsettled(const struct batch *batch)
{
	return atomic_load_explicit(&batch->unsettled, memory_order_acquire);
}

/* Decides what is still open: it gets `outcome` and `reason` (a literal); what
 * the plugin says of it later is heard but has no effect. After this every
 * answer can be read. */
void batch_expire(struct batch *batch, int32_t outcome, const char *reason);

/* The same, of a plugin that has given the batch back: nothing is waited for. */
void batch_abandon(struct batch *batch, int32_t outcome, const char *reason);

/* The outcome of one event alone: what is asked most. */
int32_t batch_outcome(const struct batch *batch, size_t index);

/* What was said of one event; slices live until batch_reset or batch_fini. */
void batch_answer(const struct batch *batch, size_t index, struct lg_settlement *answer);

/* The members of the services table. */
void batch_services_add(struct lg_services *services);

#endif
