#include <stdio.h>

#include "supervise/control.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

/* The gateway gives up waiting by its own limit (core.shutdown); this one is
 * only for a gateway that does not answer at all. */
#define WAIT_MS INT64_C(3700000)
#define WORD_COLUMNS 16
#define KIND_COLUMNS 9

/* The errors of a configuration are shown as a start shows them. */
static int print_refusal(const struct json *line)
{
	struct lg_slice text = json_member_text(line, "error");
	const struct json *configuration = json_member(line, "configuration");

	if (configuration && configuration->kind == JSON_TRUE) {
		fprintf(stderr, "%.*s\n", SLICE_ARGS(text));
		return EXIT_CONFIG;
	}
	fprintf(stderr, "leadgate: %.*s\n", SLICE_ARGS(text));
	return EXIT_FAILED;
}

static void print_line(struct buffer *out, const struct json *line)
{
	struct lg_slice change = json_member_text(line, "change");

	if (slice_present(change)) {
		print_cell(out, change, WORD_COLUMNS);
		buffer_add_byte(out, ' ');
		print_cell(out, json_member_text(line, "kind"), KIND_COLUMNS);
		buffer_add_byte(out, ' ');
		print_cell(out, json_member_text(line, "name"), 0);
		buffer_add_byte(out, '\n');
	} else {
		print_flat(out, line);
	}
}

/* Prints an answer line by line; its status is that of the last one. */
static int print_answer(struct lg_slice answer, bool json)
{
	struct buffer out;
	struct lg_slice text;
	int status = EXIT_FAILED;

	buffer_init(&out, SIZE_MAX);
	while (slice_split(&answer, '\n', &text) && text.length > 0) {
		struct arena arena;
		struct error error = {0};
		const struct json *line;

		arena_init(&arena, 4096, 0);
		line = json_parse(&arena, text, &error);
		if (!line)
			fprintf(stderr, "leadgate: the running gateway's answer: %s\n", error.text);
		else if (slice_present(json_member_text(line, "error")))
			status = print_refusal(line);
		else
			status = EXIT_DONE;
		if (status == EXIT_DONE && json)
			buffer_printf(&out, "%.*s\n", SLICE_ARGS(text));
		else if (status == EXIT_DONE)
			print_line(&out, line);
		arena_fini(&arena);
	}
	if (!print_buffer(&out))
		status = EXIT_FAILED;
	buffer_fini(&out);
	return status;
}

static int ask(const struct settings *settings, const char *request, int64_t timeout_ms, bool json)
{
	struct buffer answer;
	struct error error = {0};
	bool absent;
	int status = EXIT_FAILED;

	buffer_init(&answer, CONTROL_ANSWER_BYTES);
	if (control_call_within(settings->store.path, timeout_ms, request, &answer, &absent,
				&error))
		status = print_answer(buffer_slice(&answer), json);
	else
		fprintf(stderr, "leadgate: %s\n", error.text);
	buffer_fini(&answer);
	return status;
}

/* Whether the configuration is good is for the gateway to say. */
int verb_reload(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_WAIT,
			    0, 0))
		return EXIT_USAGE;
	status = view_locate(&view, arguments.config);
	if (status == EXIT_DONE)
		status = ask(view.settings, "{\"command\":\"reload\"}", CONTROL_RELOAD_MS,
			     arguments.json);
	if (status == EXIT_DONE && arguments.wait)
		status = ask(view.settings, "{\"command\":\"drain\"}", WAIT_MS, arguments.json);
	view_close(&view);
	return status;
}
