/* The explanation for programs: the lead, then each event, a line each. */
#include "codec/json_writer.h"
#include "verbs/claim_lines.h"
#include "verbs/explanation.h"

void explanation_json_lead(struct buffer *out, struct lg_slice record)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "kind", LG_SLICE("lead"));
	json_write_name(&writer, LG_SLICE("lead"));
	json_write_raw(&writer, record);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

static void write_capture(struct json_writer *writer, const struct explained_event *explained)
{
	const struct identity_row *keys = &explained->event.keys;

	json_write_name(writer, LG_SLICE("capture"));
	json_write_open(writer, '{');
	json_write_member_text(writer, "source", explanation_source(explained, "name"));
	json_write_member_text(writer, "plugin", explanation_source(explained, "plugin"));
	json_write_member_text(writer, "channel", explanation_source(explained, "channel"));
	json_write_member_text(writer, "repeats_known_by",
			       slice_from(explanation_delivery_key(keys)));
	json_write_name(writer, LG_SLICE("keys"));
	json_write_open(writer, '[');
	for (size_t i = 0; i < keys->key_count; i++)
		if (explanation_key(&keys->keys[i]))
			json_write_text(writer, slice_from(explanation_key(&keys->keys[i])));
	json_write_close(writer, ']');
	json_write_close(writer, '}');
}

static void write_attempts(struct json_writer *writer, const struct explained_delivery *delivery)
{
	json_write_name(writer, LG_SLICE("attempts"));
	json_write_open(writer, '[');
	for (size_t i = 0; i < delivery->attempt_count; i++) {
		const struct history_attempt *attempt = &delivery->attempts[i];
		json_write_open(writer, '{');
		json_write_member_time(writer, "at", attempt->at_ms);
		json_write_member_text(writer, "outcome", attempt->outcome);
		if (attempt->status)
			json_write_member_int(writer, "status", attempt->status);
		json_write_member_text(writer, "reason", attempt->reason);
		json_write_member_text(writer, "answer", attempt->answer);
		json_write_close(writer, '}');
	}
	json_write_close(writer, ']');
}

static void write_delivery(struct json_writer *writer, const struct explained_delivery *delivery)
{
	const struct history_state *state = &delivery->state;

	json_write_open(writer, '{');
	json_write_member_text(writer, "sink", delivery->sink);
	json_write_member_bool(writer, "configured", delivery->configured);
	json_write_member_text(
		writer, "state",
		state->state == HISTORY_UNACCOUNTED
			? LG_SLICE("unaccounted")
			: slice_from(delivery_state_name((enum delivery_state)state->state)));
	json_write_member_text(writer, "why", slice_from(delivery->why));
	json_write_member_text(writer, "external_id", delivery->external_id);
	json_write_member_time(writer, "settled_at", state->settled_ms);
	json_write_member_time(writer, "next_at", state->due_ms);
	json_write_member_text(writer, "reason", state->reason);
	write_attempts(writer, delivery);
	json_write_close(writer, '}');
}

void explanation_json_event(struct buffer *out, const struct explained_event *explained)
{
	const struct history_event *event = &explained->event;
	struct lg_slice changes = event_body_changes(event->body);
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "kind", LG_SLICE("event"));
	json_write_member_int(&writer, "seq", event->seq);
	json_write_member_text(&writer, "receipt", event_body_id(event->body));
	json_write_member_text(&writer, "type", event->type);
	json_write_member_time(&writer, "at", event->at_ms);
	json_write_member_int(&writer, "bytes", (int64_t)event->body.length);
	if (event->captured)
		write_capture(&writer, explained);
	if (explained->claim) {
		json_write_name(&writer, LG_SLICE("claim"));
		claim_lines_object(&writer, explained->claim);
	}
	if (slice_present(changes)) {
		json_write_name(&writer, LG_SLICE("changes"));
		json_write_raw(&writer, changes);
	}
	json_write_name(&writer, LG_SLICE("deliveries"));
	json_write_open(&writer, '[');
	for (size_t i = 0; i < explained->delivery_count; i++)
		write_delivery(&writer, &explained->deliveries[i]);
	json_write_close(&writer, ']');
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}
