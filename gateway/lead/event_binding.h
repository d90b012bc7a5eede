/* An event as the expressions of a mapping see it: the fields of its lead record
 * as `when` sees them, and beside them
 *
 *   event.type          "lead.created", "lead.touched" …
 *   event.id            the event's UUID; `id` is the lead's
 *   event.seq           its number in the journal
 *   event.at            its time, RFC 3339
 *   event.external_id   what the destination called the lead before
 *   event.changes       of a touch: what it brought
 *   event.alert         of a gateway.alert, which has no lead
 */
#ifndef LEAD_EVENT_BINDING_H
#define LEAD_EVENT_BINDING_H

#include "codec/json.h"
#include "expr/expr.h"

struct event_binding {
	/* given; all slices outlive it */
	int64_t seq;
	struct lg_slice body;	     /* as the journal has it */
	struct lg_slice type;	     /* as the sink is told */
	struct lg_slice external_id; /* absent: none */

	const struct json *root; /* the body, in the arena */
};

/* Parses the body. False when it is no event. The struct must not move while its
 * reader is used. */
bool event_binding_init(struct event_binding *binding, struct arena *arena);
struct expr_reader event_binding_reader(const struct event_binding *binding);

/* Whether a node of the reader's is JSON; otherwise it is the event itself. */
bool event_binding_is_json(const void *node);

/* expr_check with the record's names and those above. Any thread. */
bool event_binding_check(struct lg_slice text, struct error *error);

#endif
