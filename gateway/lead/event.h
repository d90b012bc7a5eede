/* Events: what the journal keeps and sinks receive. The body in the journal is
 *   {"id":"…","type":"lead.created","at":"…","lead":{…},"changes":{…}}
 * and what a sink gets has "seq" put in front. An alert of the gateway itself is
 * an event of no lead: it has "alert":{…} instead. */
#ifndef LEAD_EVENT_H
#define LEAD_EVENT_H

#include "base/buffer.h"
#include "base/random.h"

enum event_type {
	EVENT_CREATED = 1,
	EVENT_TOUCHED = 2,
	EVENT_HELD = 3,
	EVENT_RELEASED = 4,
	EVENT_STATUS = 5,
	EVENT_MERGED = 6,
	EVENT_UNMERGED = 7,
	EVENT_ERASED = 8,
	EVENT_ALERT = 9, /* of no lead; only for sinks that ask for it */
};

const char *event_type_name(enum event_type type); /* "lead.created" */
int event_type_parse(struct lg_slice name);	   /* -1: none */

/* All of them, for people: "lead.created, lead.touched, …". */
#define EVENT_TYPE_LIST_BYTES 160
void event_type_list(char text[EVENT_TYPE_LIST_BYTES]);

/* Appends a body. `lead` and `changes` are JSON; `changes` may be absent. */
void event_encode(struct buffer *out, const uint8_t id[UUID_BYTES], enum event_type type,
		  int64_t at_ms, struct lg_slice lead, struct lg_slice changes);
/* Appends the body of a gateway.alert; `alert` is a JSON object. */
void event_encode_alert(struct buffer *out, const uint8_t id[UUID_BYTES], int64_t at_ms,
			struct lg_slice alert);
/* Appends what a sink receives: the body with its seq. */
void event_encode_delivery(struct buffer *out, int64_t seq, struct lg_slice body);
/* The parts of a body without parsing it whole; absent when it is none. */
struct lg_slice event_body_id(struct lg_slice body);
struct lg_slice event_body_lead(struct lg_slice body);
struct lg_slice event_body_changes(struct lg_slice body); /* of a touch; absent: none */
/* The name of the source that brought it: of a touch, the one that brought the
 * touch. Absent when the body does not say it. */
struct lg_slice event_body_source(struct lg_slice body);
/* When what it brought occurred: of a touch, the touch. False: the body does not say it. */
bool event_body_occurred(struct lg_slice body, int64_t *wall_ms);

#endif
