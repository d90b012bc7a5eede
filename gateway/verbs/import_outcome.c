#include "verbs/import_outcome.h"

#include "base/clock.h"
#include "codec/json_writer.h"
#include "verbs/import_refusals.h"
#include "verbs/print.h"

#define NAME_COLUMNS 32
#define REFUSALS_BYTES (256 << 10)

/* ---- all of it was read -------------------------------------------------------------- */

static void add_row(struct buffer *out, const char *word, int64_t value, const char *why)
{
	buffer_printf(out, "  %-9s ", word);
	import_bar_number(out, value);
	buffer_printf(out, "%s\n", why);
}

static void add_counts(struct buffer *out, const struct import_show *show)
{
	const struct import_standing *s = &show->standing;

	add_row(out, "created", s->created, "");
	add_row(out, "touched", s->touched, "");
	if (s->repeated)
		add_row(out, "repeated", s->repeated, "");
	if (s->held)
		add_row(out, "held", s->held, "");
	add_row(out, "rejected", s->refused, "");
	if (s->ignored)
		add_row(out, "ignored", s->ignored, "");
}

static void add_title(struct buffer *out, const struct import_show *show)
{
	print_cell(out, slice_from(show->file), 0);
	buffer_add_literal(out, ": ");
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows through %s", show->source);
}

static void add_done(struct buffer *out, const struct import_show *show)
{
	int64_t elapsed_ms = clock_monotonic_ms() - show->started_ms;

	add_title(out, show);
	if (elapsed_ms > 0 && !show->resumed) {
		buffer_printf(out, " in %.1f s, ", (double)elapsed_ms / 1000);
		import_bar_number(out, show->standing.rows * 1000 / elapsed_ms);
		buffer_add_literal(out, "/s");
	}
	buffer_add_byte(out, '\n');
	add_counts(out, show);
	if (show->standing.refused > 0 && show->rejects_file >= 0) {
		buffer_add_literal(out, "rejected rows and why: ");
		print_cell(out, slice_from(show->rejects), 0);
		buffer_add_byte(out, '\n');
	}
}

static void add_columns(struct buffer *out, const struct json *end)
{
	const struct json *list = json_member(end, "columns");

	buffer_add_literal(out, "columns, and what they mean:\n");
	for (const struct json *pair = list ? list->first : NULL; pair; pair = pair->next) {
		const struct json *name = pair->first, *field = name ? name->next : NULL;

		if (!field)
			continue;
		buffer_add_literal(out, "  ");
		print_cell(out, name->text, NAME_COLUMNS);
		buffer_add_literal(out, "  ");
		print_cell(out, slice_is(field->text, "-") ? LG_SLICE("(left out)") : field->text,
			   0);
		buffer_add_byte(out, '\n');
	}
}

/* What the file of refused rows has of a dry run. */
static size_t read_refusals(const struct import_show *show, char *room,
			    struct import_refusal *refusals)
{
	if (show->rejects_file < 0)
		return 0;
	return import_refusals(import_refusals_read(show->rejects_file, room, REFUSALS_BYTES),
			       refusals);
}

static void add_plan(struct buffer *out, const struct import_show *show, const struct json *end)
{
	const struct import_standing *s = &show->standing;
	struct import_refusal refusals[IMPORT_REFUSALS_MAX];
	static char room[REFUSALS_BYTES];
	size_t count = read_refusals(show, room, refusals);

	buffer_add_literal(out, "dry run, nothing is stored: ");
	add_title(out, show);
	buffer_add_literal(out, "\nwritten with: ");
	print_cell(out, json_member_text(end, "dialect"), 0);
	buffer_add_byte(out, '\n');
	add_columns(out, end);
	buffer_add_literal(out, "rows:\n");
	add_row(out, "taken", s->rows - s->refused - s->ignored,
		" would be created, or touch a person who is known");
	add_row(out, "rejected", s->refused, "");
	if (s->ignored)
		add_row(out, "ignored", s->ignored, "");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "    line %lld: ", (long long)refusals[i].line);
		print_cell(out, refusals[i].reason, 0);
		buffer_add_byte(out, '\n');
	}
	if (s->refused > (int64_t)count && count > 0)
		buffer_printf(out, "    and %lld more\n", (long long)(s->refused - (int64_t)count));
}

/* In front of the line of the end, which stays the last one. */
static void add_plan_json(struct buffer *out, const struct import_show *show)
{
	struct import_refusal refusals[IMPORT_REFUSALS_MAX];
	static char room[REFUSALS_BYTES];
	size_t count = read_refusals(show, room, refusals);

	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "{\"state\":\"refusal\",\"line\":%lld,\"reason\":\"",
			      (long long)refusals[i].line);
		json_escape(out, refusals[i].reason);
		buffer_add_literal(out, "\"}\n");
	}
}

void import_outcome_done(struct buffer *out, const struct import_show *show, const struct json *end)
{
	if (show->json && show->dry_run)
		add_plan_json(out, show);
	else if (show->dry_run)
		add_plan(out, show, end);
	else if (!show->json)
		add_done(out, show);
}

/* ---- it ended before ------------------------------------------------------------------ */

const char *import_outcome_next(const struct import_show *show)
{
	return show->again ? "the same command without --again goes on from there"
			   : "the same command goes on from there";
}

static void add_how_to_go_on(struct buffer *out, const struct import_show *show)
{
	if (show->standing.rows == 0) {
		buffer_add_literal(out, " (no row was read; the same command tries again)");
		return;
	}
	buffer_printf(out, " (%d %%, ", import_bar_percent(&show->standing));
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows are done; %s)", import_outcome_next(show));
}

/* What was wrong may be right the next time. */
static void add_what_is_stored(struct buffer *out, const struct import_show *show)
{
	if (show->standing.rows == 0)
		return;
	buffer_printf(out, " (%d %%, ", import_bar_percent(&show->standing));
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows are stored; the same file%s goes on from there)",
		      show->again ? " without --again" : "");
}

void import_outcome_stop(struct buffer *out, const struct import_show *show, const struct json *end)
{
	struct lg_slice state = json_member_text(end, "state");
	struct lg_slice reason = json_member_text(end, "reason");

	buffer_add_literal(out, "leadgate: ");
	print_cell(out, slice_from(show->file), 0);
	if (slice_is(state, "known")) {
		buffer_printf(out,
			      " was imported through %s before, at %.*s; --again imports it once "
			      "more",
			      show->source, SLICE_ARGS(json_member_text(end, "imported_at")));
	} else {
		buffer_add_literal(out, ": ");
		print_cell(out, slice_present(reason) ? reason : LG_SLICE("stopped"), 0);
	}
	if ((slice_is(state, "interrupted") || slice_is(state, "cancelled")) && !show->dry_run)
		add_how_to_go_on(out, show);
	if (slice_is(state, "failed") && !show->dry_run)
		add_what_is_stored(out, show);
	buffer_add_byte(out, '\n');
}
