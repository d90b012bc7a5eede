#include <stdio.h>

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

static int show(struct view *view, const uint8_t id[UUID_BYTES], const char *text, bool json)
{
	struct journal_event event;
	struct error error = {0};
	struct arena arena;
	int status = EXIT_FAILED;

	arena_init(&arena, 64 << 10, 0);
	if (view_lead(view, &arena, id, &event, &error))
		status = print_lead(&arena, &event, json);
	else
		fprintf(stderr, "leadgate: no lead and no receipt has the id %s: %s\n", text,
			error.text);
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

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 1, 1))
		return EXIT_USAGE;
	text = arguments.operands[0];
	if (uuid_parse(text, strlen(text), id) < 0) {
		fprintf(stderr, "leadgate show: %s is no id: give 36 characters as in a receipt\n",
			text);
		return EXIT_USAGE;
	}
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = show(&view, id, text, arguments.json);
	view_close(&view);
	return status;
}
