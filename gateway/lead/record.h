/* The record's JSON form: schema leadgate/lead/1. Pure; any thread. */
#ifndef LEAD_RECORD_H
#define LEAD_RECORD_H

#include "codec/json_writer.h"
#include "lead/lead.h"

#define RECORD_SCHEMA "leadgate/lead/1"

/* Appends the record as one JSON object on one line. The buffer has failed when
 * memory ran out or the record is larger than limits->record_bytes. */
void record_encode(const struct lead *lead, struct buffer *out);

/* One item of a list, as it stands in the record. */
void record_encode_profile(struct json_writer *json, const struct lead_profile *profile);
void record_encode_consent(struct json_writer *json, const struct lead_consent *consent);
void record_encode_reason(struct json_writer *json, const struct lead_reason *reason);
void record_encode_suggestion(struct json_writer *json, const struct lead_suggestion *suggestion);
const char *record_consent_state_name(int32_t state); /* "granted" */

/* Reads a record that record_encode wrote. A member that it does not know is an
 * error: dropping it in silence would lose it at the next merge. What was
 * stored is taken whole, even where the limits have become tighter since.
 * NULL with a reason; a reason never quotes a value. */
struct lead *record_decode(struct arena *arena, const struct lead_limits *limits,
			   struct lg_slice json, struct error *error);

#endif
