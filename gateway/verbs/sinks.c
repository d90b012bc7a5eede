#include <stdio.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "supervise/control.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

/* One sink: what the journal counts, and how its lane stands. */
struct sink_row {
	struct lg_slice name;
	const struct sink_section *section; /* NULL: the journal alone knows it */
	struct sink_tally tally;
	struct sink_state noted;
	const struct json *live; /* NULL: no gateway runs, or it has no such lane */
};

/* The running gateway's lines, one a sink; empty when none runs. */
static void ask_gateway(const struct view *view, struct buffer *live)
{
	struct error error = {0};
	bool absent;

	if (!control_call(view->settings->store.path, "{\"command\":\"sinks\"}", live, &absent,
			  &error) &&
	    !absent)
		fprintf(stderr, "leadgate: %s\n", error.text);
}

/* The live line of a sink; NULL: none. */
static const struct json *find_live(struct arena *arena, struct lg_slice lines,
				    struct lg_slice name)
{
	struct lg_slice line;

	while (slice_split(&lines, '\n', &line)) {
		const struct json *sink = line.length ? json_parse(arena, line, NULL) : NULL;

		if (sink && slice_equal(json_member_text(sink, "name"), name))
			return sink;
	}
	return NULL;
}

static struct lg_slice row_state(const struct sink_row *row)
{
	if (!row->section)
		return LG_SLICE("removed");
	/* What the journal says counts, also where a lane has not heard it yet. */
	if (row->noted.paused)
		return LG_SLICE("paused");
	return row->live ? json_member_text(row->live, "state") : LG_SLICE("stopped");
}

/* Absent: there is none. */
static struct lg_slice row_reason(const struct sink_row *row)
{
	if (!row->section)
		return LG_SLICE(
			"not configured: leadgate forget drops what the journal keeps of it");
	if (row->noted.paused)
		return slice_from(row->noted.reason);
	return json_member_text(row->live, "reason");
}

/* ---- for programs ---- */

/* A number or time that only the running gateway knows. */
static void member_live(struct json_writer *writer, const struct json *live, const char *name)
{
	const struct json *value = json_member(live, name);

	if (!value)
		return;
	json_write_name(writer, slice_from(name));
	if (value->kind == JSON_NUMBER)
		json_write_raw(writer, value->text);
	else
		json_write_text(writer, value->text);
}

static void write_json(struct buffer *out, const struct sink_row *row)
{
	const struct sink_tally *tally = &row->tally;
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "name", row->name);
	json_write_member_bool(&writer, "configured", row->section != NULL);
	if (row->section)
		json_write_member_text(&writer, "plugin", row->section->settings.plugin);
	json_write_member_text(&writer, "state", row_state(row));
	json_write_member_text(&writer, "reason", row_reason(row));
	member_live(&writer, row->live, "since");
	member_live(&writer, row->live, "in_flight");
	member_live(&writer, row->live, "next_attempt");
	json_write_member_int(&writer, "position", tally->position);
	json_write_member_int(&writer, "last_seq", tally->last_seq);
	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
		json_write_member_int(&writer, delivery_state_name((enum delivery_state)state),
				      tally->by_state[state]);
	if (tally->oldest_pending_ms) {
		char text[CLOCK_RFC3339_BYTES];

		clock_format(tally->oldest_pending_ms, text);
		json_write_member_text(&writer, "oldest_pending", slice_from(text));
		json_write_member_int(&writer, "oldest_pending_age_ms",
				      clock_wall_ms() - tally->oldest_pending_ms);
	}
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

/* ---- for people ---- */

/* In the unit in which the number is short: "340ms", "12s", "5m", "3h", "2d". */
static void add_age(struct buffer *out, int64_t age_ms)
{
	static const struct {
		int64_t ms;
		const char *unit;
	} units[] = {{86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};
	size_t at = 0;

	while (at < 4 && age_ms < 2 * units[at].ms)
		at++;
	buffer_printf(out, "%lld%s", (long long)(age_ms > 0 ? age_ms / units[at].ms : 0),
		      units[at].unit);
}

static void add_live(struct buffer *out, const struct json *live, const char *title,
		     const char *name)
{
	struct lg_slice text = json_member_text(live, name);

	if (!slice_present(text) || slice_is(text, "0"))
		return;
	buffer_printf(out, ", %s ", title);
	print_cell(out, text, 0);
}

static void write_text(struct buffer *out, const struct sink_row *row)
{
	const struct sink_tally *tally = &row->tally;

	print_cell(out, row->name, 20);
	buffer_add_byte(out, ' ');
	print_cell(out, row->section ? row->section->settings.plugin : LG_SLICE("-"), 10);
	buffer_add_byte(out, ' ');
	print_cell(out, row_state(row), 9);
	buffer_printf(out, " %10lld of %-10lld", (long long)tally->position,
		      (long long)tally->last_seq);
	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
		if (tally->by_state[state])
			buffer_printf(out, " %s %lld",
				      delivery_state_name((enum delivery_state)state),
				      (long long)tally->by_state[state]);
	if (tally->oldest_pending_ms) {
		buffer_add_literal(out, ", oldest waits ");
		add_age(out, clock_wall_ms() - tally->oldest_pending_ms);
	}
	add_live(out, row->live, "in flight", "in_flight");
	add_live(out, row->live, "since", "since");
	add_live(out, row->live, "next attempt", "next_attempt");
	if (row_reason(row).length) {
		buffer_add_literal(out, " (");
		print_cell(out, row_reason(row), 0);
		buffer_add_byte(out, ')');
	}
	buffer_add_byte(out, '\n');
}

/* ---- all of them ---- */

static bool print_sink(struct view *view, struct arena *arena, struct sink_row *row, bool json)
{
	struct error error = {0};
	struct buffer out;
	bool good;

	if (!reader_tally(view->reader, arena, row->name, &row->tally, &error) ||
	    !reader_sink_state(view->reader, row->name, &row->noted, &error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return false;
	}
	buffer_init(&out, SIZE_MAX);
	(json ? write_json : write_text)(&out, row);
	good = print_buffer(&out);
	buffer_fini(&out);
	return good;
}

static const struct sink_section *find_section(const struct settings *settings,
					       struct lg_slice name)
{
	for (size_t i = 0; i < settings->sink_count; i++)
		if (slice_equal(settings->sinks[i].instance->name, name))
			return &settings->sinks[i];
	return NULL;
}

/* Those that are configured, then those that the journal alone knows. */
static int print_sinks(struct view *view, struct arena *arena, struct lg_slice live, bool json)
{
	const struct settings *settings = view->settings;
	struct error error = {0};
	struct lg_slice *names;
	ptrdiff_t known = reader_sinks(view->reader, arena, &names, &error);
	bool good = known >= 0;

	if (!good)
		fprintf(stderr, "leadgate: %s\n", error.text);
	for (size_t i = 0; i < settings->sink_count && good; i++) {
		struct sink_row row = {.name = settings->sinks[i].instance->name,
				       .section = &settings->sinks[i]};
		row.live = find_live(arena, live, row.name);
		good = print_sink(view, arena, &row, json);
	}
	for (ptrdiff_t i = 0; i < known && good; i++) {
		struct sink_row row = {.name = names[i]};
		if (!find_section(settings, row.name))
			good = print_sink(view, arena, &row, json);
	}
	return good ? EXIT_DONE : EXIT_FAILED;
}

int verb_sinks(int argc, char **argv)
{
	struct arguments arguments;
	struct buffer live;
	struct arena arena;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 0, 0))
		return EXIT_USAGE;
	buffer_init(&live, CONTROL_ANSWER_BYTES);
	arena_init(&arena, 4096, 0);
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE) {
		ask_gateway(&view, &live);
		status = print_sinks(&view, &arena, buffer_slice(&live), arguments.json);
	}
	arena_fini(&arena);
	buffer_fini(&live);
	view_close(&view);
	return status;
}
