/* The explanation for people: short lines, names in one column. */
#include "base/clock.h"
#include "base/utf8.h"
#include "verbs/claim_lines.h"
#include "verbs/explanation.h"

#define NAME_COLUMNS 14
#define ANSWER_BYTES 200 /* shown of an answer */

static void begin_line(struct buffer *out, const char *name)
{
	buffer_add_literal(out, "  ");
	print_cell(out, slice_from(name), NAME_COLUMNS);
}

static void add_time(struct buffer *out, int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];

	clock_format(at_ms, text);
	buffer_add_slice(out, slice_from(text));
}

static void add_scalar(struct buffer *out, const struct json *value)
{
	switch (value->kind) {
	case JSON_NULL: buffer_add_literal(out, "null"); break;
	case JSON_TRUE: buffer_add_literal(out, "true"); break;
	case JSON_FALSE: buffer_add_literal(out, "false"); break;
	default: print_cell(out, value->text, 0);
	}
}

/* "name a, name b" of what lies below; the reader bounds the depth. */
static void add_value(struct buffer *out, const struct json *value)
{
	const char *before = "";

	if (value->kind != JSON_OBJECT && value->kind != JSON_ARRAY) {
		add_scalar(out, value);
		return;
	}
	for (const struct json *child = value->first; child; child = child->next) {
		buffer_add_slice(out, slice_from(before));
		if (value->kind == JSON_OBJECT) {
			print_cell(out, child->name, 0);
			buffer_add_byte(out, ' ');
		}
		add_value(out, child);
		before = ", ";
	}
}

/* A line unless there is no such member, or nothing in it. */
static void add_member(struct buffer *out, const char *title, const struct json *object,
		       const char *name)
{
	const struct json *value = json_member(object, name);
	bool empty = !value ||
		     ((value->kind == JSON_OBJECT || value->kind == JSON_ARRAY) && !value->first);

	if (empty)
		return;
	begin_line(out, title);
	add_value(out, value);
	buffer_add_byte(out, '\n');
}

/* ---- the lead ---- */

/* Each value beside what was sent for it. */
static void add_normalized(struct buffer *out, const struct json *record)
{
	const struct json *raw = json_member(record, "raw");

	for (const struct json *sent = raw ? raw->first : NULL; sent; sent = sent->next) {
		const struct json *value = explanation_value(record, sent->name);
		begin_line(out, sent == raw->first ? "normalized" : "");
		print_cell(out, sent->name, 0);
		buffer_add_literal(out, " = ");
		if (value)
			add_value(out, value);
		else
			buffer_add_literal(out, "nothing");
		buffer_add_literal(out, ", sent as \"");
		print_cell(out, sent->text, 0);
		buffer_add_literal(out, "\"\n");
	}
}

static void add_reasons(struct buffer *out, const struct json *status)
{
	const struct json *reasons = json_member(status, "reasons");

	for (const struct json *one = reasons ? reasons->first : NULL; one; one = one->next) {
		begin_line(out, "because");
		add_value(out, one);
		buffer_add_byte(out, '\n');
	}
}

static void add_status(struct buffer *out, const struct json *status)
{
	const char *before = "";

	begin_line(out, "status");
	for (const struct json *axis = status ? status->first : NULL; axis; axis = axis->next) {
		if (axis->kind == JSON_ARRAY)
			continue;
		buffer_add_slice(out, slice_from(before));
		print_cell(out, axis->name, 0);
		buffer_add_byte(out, ' ');
		add_scalar(out, axis);
		before = ", ";
	}
	buffer_add_byte(out, '\n');
	add_reasons(out, status);
}

void explanation_text_lead(struct buffer *out, const struct json *record)
{
	const struct json *person = json_member(record, "person");

	buffer_add_literal(out, "lead ");
	print_cell(out, json_member_text(record, "id"), 0);
	buffer_add_byte(out, '\n');
	add_member(out, "name", person, "full_name");
	add_member(out, "email", person, "email");
	add_member(out, "other emails", person, "other_emails");
	add_member(out, "phone", person, "phone");
	add_member(out, "other phones", person, "other_phones");
	add_member(out, "profiles", person, "profiles");
	add_normalized(out, record);
	add_member(out, "source", record, "source");
	add_status(out, json_member(record, "status"));
	add_member(out, "screening", record, "screening");
	add_member(out, "identity", record, "identity");
	add_member(out, "consent", record, "consent");
	add_member(out, "suggestions", record, "suggestions");
	add_member(out, "test", record, "is_test");
}

/* ---- an event ---- */

static void add_keys(struct buffer *out, const struct identity_row *keys)
{
	const char *before = "";

	begin_line(out, "known by");
	for (size_t i = 0; i < keys->key_count; i++) {
		const char *name = explanation_key(&keys->keys[i]);
		if (!name)
			continue;
		buffer_printf(out, "%s%s", before, name);
		before = ", ";
	}
	buffer_printf(out, "%s\n", *before ? "" : "nothing");
}

static void add_origin(struct buffer *out, const struct explained_event *explained)
{
	const struct history_event *event = &explained->event;

	begin_line(out, "came in");
	buffer_add_literal(out, "by ");
	print_cell(out, explanation_source(explained, "name"), 0);
	buffer_add_literal(out, " (");
	print_cell(out, explanation_source(explained, "plugin"), 0);
	buffer_add_literal(out, ", ");
	print_cell(out, explanation_source(explained, "channel"), 0);
	buffer_printf(out, "), repeats are known by %s\n", explanation_delivery_key(&event->keys));
	if (explained->claim) {
		begin_line(out, "fetched");
		buffer_printf(out, "for claim %lld of ", (long long)explained->claim->number);
		add_time(out, explained->claim->at_ms);
		buffer_add_literal(out, ", ");
		claim_lines_state(out, explained->claim);
	}
	add_keys(out, &event->keys);
}

/* What a touch did, a line a path. */
static void add_changes(struct buffer *out, const struct json *changes)
{
	for (const struct json *part = changes ? changes->first : NULL; part; part = part->next) {
		char title[NAME_COLUMNS + 1];

		if (part->kind != JSON_OBJECT) {
			add_member(out, "matched by", changes, "matched_by");
			continue;
		}
		slice_to_text(part->name, title, sizeof(title));
		for (const struct json *it = part->first; it; it = it->next) {
			begin_line(out, title);
			print_cell(out, it->name, 0);
			buffer_add_literal(out, " = ");
			add_value(out, it);
			buffer_add_byte(out, '\n');
		}
	}
}

/* An answer may be anything, and was cut anywhere. It is the last of its line, so its own
 * quotes, of which JSON is full, stay as they are. */
static void add_answer(struct buffer *out, struct lg_slice answer)
{
	struct lg_slice rest = slice_cut(answer, 0, ANSWER_BYTES);

	buffer_add_byte(out, '"');
	while (rest.length > 0) {
		const char *start = rest.data;
		int32_t c = utf8_next(&rest);
		bool plain = c >= 0x20 && c != '\\' && (c < 0x7f || c >= 0xa0);

		if (plain)
			buffer_add(out, start, (size_t)(rest.data - start));
		else if (c == '\n')
			buffer_add_literal(out, "\\n");
		else if (c == '\\')
			buffer_add_literal(out, "\\\\");
		else
			for (; start < rest.data; start++)
				buffer_printf(out, "\\x%02x", (unsigned char)*start);
	}
	buffer_add_slice(out, slice_from(answer.length > ANSWER_BYTES ? "\"…" : "\""));
}

static void add_attempt(struct buffer *out, const struct history_attempt *attempt)
{
	begin_line(out, "");
	buffer_add_literal(out, "  ");
	add_time(out, attempt->at_ms);
	buffer_add_byte(out, ' ');
	print_cell(out, attempt->outcome, 0);
	if (attempt->status)
		buffer_printf(out, " %lld", (long long)attempt->status);
	if (attempt->reason.length) {
		buffer_add_literal(out, ": ");
		print_cell(out, attempt->reason, 0);
	}
	if (attempt->answer.length) {
		buffer_add_literal(out, ", answer ");
		add_answer(out, attempt->answer);
	}
	buffer_add_byte(out, '\n');
}

static void add_state(struct buffer *out, const struct history_state *state)
{
	buffer_add_slice(
		out, slice_from(state->state == HISTORY_UNACCOUNTED
					? "unaccounted"
					: delivery_state_name((enum delivery_state)state->state)));
	if (state->settled_ms) {
		buffer_add_byte(out, ' ');
		add_time(out, state->settled_ms);
	}
	if (state->attempts)
		buffer_printf(out, ", %lld attempt%s", (long long)state->attempts,
			      state->attempts == 1 ? "" : "s");
	if (state->due_ms) {
		buffer_add_literal(out, ", next ");
		add_time(out, state->due_ms);
	}
	if (state->reason.length) {
		buffer_add_literal(out, ": ");
		print_cell(out, state->reason, 0);
	}
}

static void add_delivery(struct buffer *out, const struct explained_delivery *delivery)
{
	buffer_add_literal(out, "  ");
	print_cell(out, delivery->sink, delivery->sink.length < NAME_COLUMNS ? NAME_COLUMNS : 0);
	if (delivery->sink.length >= NAME_COLUMNS)
		buffer_add_byte(out, ' ');
	add_state(out, &delivery->state);
	if (delivery->why)
		buffer_printf(out, ": %s", delivery->why);
	if (slice_present(delivery->external_id)) {
		buffer_add_literal(out, ", the lead is known there as ");
		print_cell(out, delivery->external_id, 0);
	}
	buffer_add_slice(out, slice_from(delivery->configured ? "\n" : " (not configured)\n"));
	for (size_t i = 0; i < delivery->attempt_count; i++)
		add_attempt(out, &delivery->attempts[i]);
	if (delivery->attempt_count == EXPLANATION_ATTEMPTS_MAX)
		buffer_add_literal(out, "                  and more\n");
}

void explanation_text_event(struct buffer *out, const struct explained_event *explained)
{
	const struct history_event *event = &explained->event;

	buffer_printf(out, "event %lld ", (long long)event->seq);
	print_cell(out, event->type, 0);
	buffer_add_byte(out, ' ');
	add_time(out, event->at_ms);
	buffer_printf(out, ", %zu bytes\n", event->body.length);
	add_member(out, "receipt", explained->body, "id");
	if (event->captured)
		add_origin(out, explained);
	add_changes(out, explained->changes);
	for (size_t i = 0; i < explained->delivery_count; i++)
		add_delivery(out, &explained->deliveries[i]);
}
