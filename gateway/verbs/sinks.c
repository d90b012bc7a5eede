#include <stdio.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "supervise/control.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

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

static void write_json(struct buffer *out, const struct sink_section *sink,
		       const struct sink_tally *tally, const struct json *live)
{
	struct lg_slice reason = json_member_text(live, "reason");
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_name(&writer, LG_SLICE("name"));
	json_write_text(&writer, sink->instance->name);
	json_write_name(&writer, LG_SLICE("plugin"));
	json_write_text(&writer, sink->settings.plugin);
	json_write_name(&writer, LG_SLICE("state"));
	json_write_text(&writer, live ? json_member_text(live, "state") : LG_SLICE("stopped"));
	if (slice_present(reason)) {
		json_write_name(&writer, LG_SLICE("reason"));
		json_write_text(&writer, reason);
	}
	json_write_name(&writer, LG_SLICE("position"));
	json_write_int(&writer, tally->position);
	json_write_name(&writer, LG_SLICE("last_seq"));
	json_write_int(&writer, tally->last_seq);
	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++) {
		json_write_name(&writer,
				slice_from(delivery_state_name((enum delivery_state)state)));
		json_write_int(&writer, tally->by_state[state]);
	}
	if (tally->oldest_pending_ms) {
		char text[CLOCK_RFC3339_BYTES];

		clock_format(tally->oldest_pending_ms, text);
		json_write_name(&writer, LG_SLICE("oldest_pending"));
		json_write_text(&writer, slice_from(text));
	}
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

static void write_line(struct buffer *out, const struct sink_section *sink,
		       const struct sink_tally *tally, const struct json *live)
{
	print_cell(out, sink->instance->name, 20);
	buffer_add_byte(out, ' ');
	print_cell(out, sink->settings.plugin, 10);
	buffer_add_byte(out, ' ');
	print_cell(out, live ? json_member_text(live, "state") : LG_SLICE("stopped"), 9);
	buffer_printf(out, " %10lld of %-10lld", (long long)tally->position,
		      (long long)tally->last_seq);
	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
		if (tally->by_state[state])
			buffer_printf(out, " %s %lld",
				      delivery_state_name((enum delivery_state)state),
				      (long long)tally->by_state[state]);
	if (slice_present(json_member_text(live, "reason")))
		buffer_printf(out, " (%.*s)", SLICE_ARGS(json_member_text(live, "reason")));
	buffer_add_byte(out, '\n');
}

static int print_sinks(struct view *view, struct lg_slice live, bool json)
{
	int status = EXIT_DONE;
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < view->settings->sink_count && status == EXIT_DONE; i++) {
		const struct sink_section *sink = &view->settings->sinks[i];
		struct sink_tally tally = {0};
		struct error error = {0};
		struct arena arena;

		arena_init(&arena, 4096, 0);
		if (reader_tally(view->reader, &arena, sink->instance->name, &tally, &error)) {
			(json ? write_json : write_line)(
				&out, sink, &tally, find_live(&arena, live, sink->instance->name));
		} else {
			fprintf(stderr, "leadgate: %s\n", error.text);
			status = EXIT_FAILED;
		}
		arena_fini(&arena);
	}
	if (status == EXIT_DONE && !print_buffer(&out))
		status = EXIT_FAILED;
	buffer_fini(&out);
	return status;
}

int verb_sinks(int argc, char **argv)
{
	struct arguments arguments;
	struct buffer live;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 0, 0))
		return EXIT_USAGE;
	buffer_init(&live, CONTROL_ANSWER_BYTES);
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE) {
		ask_gateway(&view, &live);
		status = print_sinks(&view, buffer_slice(&live), arguments.json);
	}
	buffer_fini(&live);
	view_close(&view);
	return status;
}
