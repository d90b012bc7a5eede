#include <stdio.h>

#include "base/clock.h"
#include "outbox/history.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

static int print_lead(struct arena *arena, const struct journal_event *event, bool json)
{
	struct lg_slice record = event_body_lead(event->body);
	struct error error = {0};
	const struct json *lead;
	struct buffer out;
	int status = EXIT_FAILED;

	buffer_init(&out, SIZE_MAX);
	if (json) {
		buffer_add_slice(&out, record);
		buffer_add_byte(&out, '\n');
	} else {
		lead = json_parse(arena, record, &error);
		if (lead)
			print_flat(&out, lead);
		else
			fprintf(stderr, "leadgate: the record in the store: %s\n", error.text);
	}
	if (buffer_length(&out) > 0 && print_buffer(&out))
		status = EXIT_DONE;
	buffer_fini(&out);
	return status;
}

static void add_event(struct buffer *out, const struct history_event *event, bool json)
{
	char at[CLOCK_RFC3339_BYTES];

	if (json) {
		event_encode_delivery(out, event->seq, event->body);
		buffer_add_byte(out, '\n');
		return;
	}
	clock_format(event->at_ms, at);
	buffer_printf(out, "event %lld %.*s %s %.*s\n", (long long)event->seq,
		      SLICE_ARGS(event->type), at, SLICE_ARGS(event_body_id(event->body)));
}

/* Event after event, so that many take no more memory than one. */
static bool print_history(struct view *view, const uint8_t lead_id[UUID_BYTES], bool json)
{
	struct history history;
	struct error error = {0};
	int more = history_begin(&history, view->reader, lead_id, &error) ? 1 : -1;

	while (more > 0) {
		struct history_event event;
		struct buffer out;
		struct arena arena;

		buffer_init(&out, SIZE_MAX);
		arena_init(&arena, 64 << 10, 0);
		more = history_next(&history, &arena, &event, &error);
		if (more > 0)
			add_event(&out, &event, json);
		if (more > 0 && !print_buffer(&out)) {
			error_set(&error, "not all was written");
			more = -1;
		}
		arena_fini(&arena);
		buffer_fini(&out);
	}
	if (more < 0)
		fprintf(stderr, "leadgate: %s\n", error.text);
	return more == 0;
}

static int show(struct view *view, const uint8_t id[UUID_BYTES], const struct arguments *arguments)
{
	struct journal_event event;
	struct error error = {0};
	struct arena arena;
	int status = EXIT_FAILED;

	arena_init(&arena, 64 << 10, 0);
	if (view_lead(view, &arena, id, &event, &error))
		status = print_lead(&arena, &event, arguments->json);
	else
		fprintf(stderr, "leadgate: no lead and no receipt has the id %s: %s\n",
			arguments->operands[0], error.text);
	if (status == EXIT_DONE && arguments->history &&
	    !print_history(view, event.lead_id, arguments->json))
		status = EXIT_FAILED;
	arena_fini(&arena);
	return status;
}

int verb_show(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	uint8_t id[UUID_BYTES];
	const char *text;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_HISTORY, 1, 1))
		return EXIT_USAGE;
	text = arguments.operands[0];
	if (uuid_parse(text, strlen(text), id) < 0) {
		fprintf(stderr, "leadgate show: %s is no id: give 36 characters as in a receipt\n",
			text);
		return EXIT_USAGE;
	}
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = show(&view, id, &arguments);
	view_close(&view);
	return status;
}
