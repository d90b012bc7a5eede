/* Sink plugins: deliver events to a destination.
 *
 * Each instance has a thread of its own (its lane), so it may simply block:
 * it harms nobody else. `deliver` gets a batch and settles every event with
 * lg_settle, now or later, before the deadline. What is unsettled then is
 * LG_UNCLASSIFIED and will be sent again with the same event id: deliver at
 * least once, and let the destination recognise the id.
 *
 * LG_DELIVERED means that the destination has it for good: a file sink syncs
 * before it says so. */
#ifndef LEADGATE_SINK_H
#define LEADGATE_SINK_H

#include <leadgate/plugin.h>
#include <leadgate/services.h>

#include <string.h>

struct lg_sink_operations {
	size_t size; /* sizeof(struct lg_sink_operations) as the plugin knows it */

	/* As for sources: no side effects. Main thread. May be NULL. */
	int32_t (*check)(const void *settings, struct lg_text problem);

	/* Makes an instance on its lane's thread. `host` and `settings` live
	 * until after `close`. When a reload replaces a sink, the next instance
	 * is made after the last one was closed. LG_FAIL: the lane is parked, `problem` says why,
	 * and `open` is tried again later. May be NULL. */
	int32_t (*open)(struct lg_host *host, const void *settings, void **instance,
			struct lg_text problem);

	/* Delivers a batch. `deadline` is a time of lg_monotonic. The batch and
	 * its slices live until all events are settled. LG_OK: all are settled
	 * or will be; LG_LATER says the same. LG_FAIL: the plugin gives the batch
	 * back, none of its threads may touch it any more, and what is unsettled
	 * is retried. */
	int32_t (*deliver)(void *instance, struct lg_batch *batch, int64_t deadline);

	/* Finishes what is under way within the deadline; no more batches
	 * come. May be NULL. */
	int32_t (*drain)(void *instance, int64_t deadline);

	/* Ends the instance, on its lane's thread. May be NULL. */
	void (*close)(void *instance);

	/* Event types that it takes: "lead.created lead.touched"; NULL: these two. With
	 * one that the gateway does not have, a configuration is refused, and without
	 * a word ("") one that names no types itself. */
	const char *events;

	/* Largest batch that `deliver` takes: events and bytes of JSON.
	 * 0: the lane's own limits. */
	int64_t batch_events;
	int64_t batch_bytes;

	/* The same where it depends on the settings: fills both, 0 for the
	 * lane's own limits. Main thread. May be NULL. Since 0.2. */
	void (*limits)(const void *settings, int64_t *events, int64_t *bytes);

	/* How many batches `deliver` may be given before the first of them is
	 * settled, at most (the configuration may say less). 0: one after the
	 * other. A batch whose deadline has passed does not count any more: further
	 * ones come while it is unsettled, or a plugin that forgets one would end the
	 * delivery for ever. When it has left some 16 so, it gets none until one of
	 * them is settled. Since 0.2. */
	int64_t concurrency;
};

/* Number of events in the batch: at least 1. */
static inline size_t lg_batch_count(const struct lg_batch *batch)
{
	return batch->services->batch_count(batch);
}

/* Fills `event`; what an older gateway does not know is zero. LG_FAIL when there
 * is no such index. */
static inline int32_t lg_batch_event(const struct lg_batch *batch, size_t index,
				     struct lg_event *event)
{
	memset(event, 0, sizeof(*event));
	event->size = sizeof(*event);
	return batch->services->batch_event(batch, index, event);
}

/* What is to be sent of an event: made by the sink's mapping, or all of it. */
static inline struct lg_slice lg_event_body(const struct lg_event *event)
{
	return event->body.data ? event->body : event->json;
}

/* Settles one event; the first settlement of an index counts. One whose `size` is
 * not set is LG_RETRY, and the log says so. Any thread. The batch ends with the
 * settlement of its last event: after that the handle may not be used any more, not
 * even to settle an event again. */
static inline void lg_settle(struct lg_batch *batch, size_t index,
			     const struct lg_settlement *settlement)
{
	batch->services->settle(batch, index, settlement);
}

/* Settles all events alike. */
static inline void lg_settle_all(struct lg_batch *batch, const struct lg_settlement *settlement)
{
	size_t count = lg_batch_count(batch);
	for (size_t i = 0; i < count; i++)
		lg_settle(batch, i, settlement);
}

/* Calls a destination through the gateway's HTTP client: names resolved with
 * limits, TLS verified, private addresses refused unless the sink's
 * `allow_private` says otherwise, redirects not followed, connections used again.
 * Only for plugins whose descriptor has LG_CALLS_HTTP, from the lane's thread.
 *
 * `done` is called once on that thread, later and never from within. When the sink is
 * ended before the answer came, it is called before `close`: with LG_RETRY where nothing
 * was sent yet, else with LG_UNCLASSIFIED.
 * LG_FAIL: `done` will not be called; there are too many calls under way, the call's
 * `size` is not set, memory ran out, or the sink is ending, as it is in `drain`. */
static inline int32_t lg_http_send(struct lg_host *host, const struct lg_http_call *call,
				   void (*done)(void *context, const struct lg_http_answer *answer),
				   void *context)
{
	return host->services->http_send(host, call, done, context);
}

/* The first value of an answer's header, by its name in any case. LG_FAIL: none. */
static inline int32_t lg_http_header(const struct lg_http_answer *answer, const char *name,
				     struct lg_slice *value)
{
	return answer->services->http_header(answer, name, value);
}

/* For signatures, as their namesakes for sources. Each returns the number of
 * bytes written, or LG_FAIL when `capacity` is too small. */
static inline int32_t lg_sink_hmac(struct lg_host *host, int32_t digest, struct lg_slice key,
				   struct lg_slice message, unsigned char *out, size_t capacity)
{
	return host->services->hmac(digest, key, message, out, capacity);
}
static inline int32_t lg_sink_sha256(struct lg_host *host, struct lg_slice message,
				     unsigned char out[32])
{
	return host->services->sha256(message, out);
}
static inline int32_t lg_sink_hex(struct lg_host *host, struct lg_slice bytes, char *out,
				  size_t capacity)
{
	return host->services->hex(bytes, out, capacity);
}
static inline int32_t lg_sink_base64(struct lg_host *host, struct lg_slice bytes, char *out,
				     size_t capacity)
{
	return host->services->base64(bytes, 0, out, capacity);
}

#endif
