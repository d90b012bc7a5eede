/* A lane: one thread that brings the journal's events to one sink instance. It
 * reads, delivers and tells the writer how it went; it writes nothing itself. */
#ifndef SINK_LANE_H
#define SINK_LANE_H

#include "base/loop.h"
#include "base/outline.h"
#include "host/instance.h"
#include "outbox/outbox.h"
#include "sink/http_service.h"

enum sink_order { SINK_ORDER_OFF, SINK_ORDER_PERSON };
enum sink_priority { SINK_PRIORITY_OFF, SINK_PRIORITY_URGENT };

/* The gateway's own options of every sink (beside the plugin's). */
struct sink_settings {
	struct lg_slice plugin;
	struct lg_list events;	/* absent: what the plugin takes */
	struct lg_slice when;	/* an expression over the lead; absent: all of them */
	struct outline mapping; /* of bodies; absent: events as they are */
	int32_t mapping_as;	/* enum mapping_form */
	int64_t max_body_bytes; /* of one mapped body */
	struct lg_slice start;	/* of a sink that is new: see sink_start_parse */
	int64_t batch_events;
	int64_t batch_bytes;
	int64_t concurrency;  /* batches with the plugin at once, where it takes several */
	int64_t timeout_ms;   /* of one delivery */
	int64_t stop_wait_ms; /* at its end: for the answer to what was sent */
	int64_t retry_first_ms;
	int64_t retry_max_ms;	    /* ceiling of the back-off */
	int64_t retry_for_ms;	    /* after the first failure; then: dead */
	int64_t max_retry_after_ms; /* that a destination may ask for */
	int64_t max_unanswered;	    /* attempts of a batch while others are taken */
	int64_t rate;		    /* events a second, 0: no limit */
	int64_t rate_day;	    /* events a day, 0: no limit */
	int64_t gather_ms;	    /* at most to wait for a fuller batch */
	int32_t order;		    /* enum sink_order */
	int64_t max_held;	    /* events that are open while `order` is person */
	int32_t priority;	    /* enum sink_priority */
	int64_t max_look_ahead;	    /* events among which the urgent ones are found */
	int64_t urgent_after_ms;    /* then no event is passed over any longer */
	int32_t is_test;	    /* takes leads that are tests */
	int64_t alert_lag_ms;	    /* an event that waits for so long is an alert; 0: never */
	struct http_service_settings http;
};
extern const struct lg_option sink_options[];
extern const size_t sink_option_count;

struct lane;

/* Where a new sink starts: "beginning", "now" or a time. False: none of these.
 * `at_ms`: wall clock; events before it are settled as filtered. */
bool sink_start_parse(struct lg_slice text, int64_t *at_ms);

/* Starts the thread. All arguments outlive the lane. The plugin is opened on the
 * thread; while it cannot be opened the lane is parked. NULL with a reason. */
struct lane *lane_start(struct instance *instance, const struct sink_settings *settings,
			struct outbox *outbox, struct lg_slice store_path, struct error *error);

/* The loop that the lane's thread runs on: a sink that is served by the gateway's
 * own asynchronous services settles its batches from there. Its thread alone. */
struct loop *lane_loop(struct lane *lane);

/* Asks it to end after the batches under way, which have until `by_ms` (monotonic;
 * INT64_MAX: it sets no time), stop_wait or their own deadline, whichever comes first,
 * and are unclassified then. Calls of which nothing was sent are not waited for: their
 * events stay as they were. Once more: the sooner time holds. Any thread, but one. */
void lane_stop(struct lane *lane, int64_t by_ms);
/* Waits up to `timeout_ms` for its end. False: it hangs in the plugin; it is
 * then left alone for good and must not be freed. */
bool lane_join(struct lane **lane, int64_t timeout_ms);

/* An operator wants to see it try: it rests no longer, whatever it was told to wait for.
 * A pause that is noted in the journal stays. Any thread. */
void lane_rouse(struct lane *lane);

/* Adds batches, events and settling to the services table. */
void sink_services_add(struct lg_services *services);

/* How it stands; also brings its gauges (lag, position) up to date, so metrics are
 * printed after it. Any thread. */
struct lane_status {
	int64_t position, lag, delivered, retries, parked, dead;
	int64_t filtered, discarded, unclassified;
	int64_t in_flight;	 /* batches with the plugin */
	int64_t since_ms;	 /* wall clock: in this state */
	int64_t next_attempt_ms; /* wall clock: end of a pause; 0: there is none */
	const char *state;	 /* "running", "waiting", "parked", "paused", "stopping" */
	char reason[160];
};
void lane_status(const struct lane *lane, struct lane_status *status);
struct lg_slice lane_name(const struct lane *lane);

#endif
