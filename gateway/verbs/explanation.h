/* What is told of one person: the lead, each of its events, and for every sink
 * how the event stands and every attempt. Gathered here, said by
 * explanation_text.c and explanation_json.c. It shows personal data: only to
 * standard output, because an operator asked for this one person. */
#ifndef VERBS_EXPLANATION_H
#define VERBS_EXPLANATION_H

#include "outbox/claim.h"
#include "outbox/history.h"
#include "verbs/print.h"
#include "verbs/view.h"

/* Of one event and sink that are shown; there are rarely more. */
#define EXPLANATION_ATTEMPTS_MAX 1000

struct explained_delivery {
	struct lg_slice sink;
	bool configured;	     /* otherwise the journal alone knows the sink */
	struct lg_slice external_id; /* what the destination calls the lead; absent: nothing */
	struct history_state state;
	const char *why; /* of what was never attempted; NULL: nothing to say */
	const struct history_attempt *attempts;
	size_t attempt_count;
};

struct explained_event {
	struct history_event event;
	const struct json *body, *lead, *changes; /* as far as there are any */
	const struct claim *claim; /* that it was fetched for; NULL: none, or it is forgotten */
	struct explained_delivery *deliveries; /* one a sink */
	size_t delivery_count;
};

/* Fills it for an event, in the arena. False with a reason. */
bool explanation_gather(struct explained_event *explained, struct arena *arena,
			const struct view *view, const struct history_event *event,
			struct error *error);

/* Where the event came from: what a touch brought, or else what the lead says.
 * `member` is one of "name", "plugin", "channel", "external_id". */
struct lg_slice explanation_source(const struct explained_event *explained, const char *member);
/* By what a sender's repeats are recognised: "idempotency key", "provider's id"
 * or "content". */
const char *explanation_delivery_key(const struct identity_row *keys);
/* The name of a key of a person; NULL: it is none. */
const char *explanation_key(const struct identity_key *key);
/* The value at a path of a record, such as "person.email"; NULL: none. */
const struct json *explanation_value(const struct json *record, struct lg_slice path);

/* Append the lead as it is now, and one event. */
void explanation_text_lead(struct buffer *out, const struct json *record);
void explanation_text_event(struct buffer *out, const struct explained_event *explained);
void explanation_json_lead(struct buffer *out, struct lg_slice record);
void explanation_json_event(struct buffer *out, const struct explained_event *explained);

#endif
