#include "verbs/claim_lines.h"

#include "base/clock.h"
#include "verbs/print.h"

void claim_lines_object(struct json_writer *writer, const struct claim *claim)
{
	json_write_open(writer, '{');
	json_write_member_int(writer, "number", claim->number);
	json_write_member_text(writer, "source", claim->source);
	json_write_member_text(writer, "kind", slice_from(claim_kind_name(claim->kind)));
	json_write_member_text(writer, "key", claim->key);
	json_write_member_text(writer, "group", claim->group);
	json_write_member_text(writer, "state", slice_from(claim_state_name(claim->state)));
	json_write_member_time(writer, "claimed_at", claim->at_ms);
	json_write_member_time(writer, claim->state == CLAIM_WAITING ? "due" : "since",
			       claim->due_ms);
	json_write_member_int(writer, "attempts", claim->attempts);
	json_write_member_text(writer, "reason", claim->error);
	json_write_close(writer, '}');
}

void claim_lines_json(struct buffer *out, const struct claim *claim)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	claim_lines_object(&writer, claim);
	buffer_add_byte(out, '\n');
}

void claim_lines_state(struct buffer *out, const struct claim *claim)
{
	char due[CLOCK_RFC3339_BYTES];

	clock_format(claim->due_ms, due);
	buffer_printf(out, "%s %s %s", claim_state_name(claim->state),
		      claim->state == CLAIM_WAITING ? "until" : "since", due);
	if (claim->state != CLAIM_DONE)
		buffer_printf(out, " after %lld attempt%s", (long long)claim->attempts,
			      print_plural(claim->attempts));
	if (slice_present(claim->error)) {
		buffer_add_literal(out, ": ");
		print_cell(out, claim->error, 0);
	}
	buffer_add_byte(out, '\n');
}

void claim_lines_text(struct buffer *out, const struct claim *claim)
{
	char at[CLOCK_RFC3339_BYTES];

	clock_format(claim->at_ms, at);
	buffer_printf(out, "%lld ", (long long)claim->number);
	print_cell(out, claim->source, 0);
	buffer_printf(out, " %s ", claim_kind_name(claim->kind));
	print_cell(out, claim->key, 0);
	buffer_printf(out, " of %s\n    ", at);
	claim_lines_state(out, claim);
}
