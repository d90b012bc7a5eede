#include <stdio.h>

#include "codec/json_writer.h"
#include "supervise/control.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

/* The same members as a running gateway's, as far as the journal alone knows
 * them. */
static int picture_of_journal(struct view *view, struct buffer *out)
{
	struct error error = {0};
	struct arena arena;
	struct sink_tally tally = {0};
	struct json_writer writer;
	int status = EXIT_DONE;

	view->reader = reader_open(view->settings->store.path, &error);
	arena_init(&arena, 4096, 0);
	if (!view->reader || !reader_tally(view->reader, &arena, LG_SLICE(""), &tally, &error)) {
		fprintf(stderr, "leadgate: no gateway runs, and %s\n", error.text);
		status = EXIT_FAILED;
	} else {
		json_writer_init(&writer, out);
		json_write_open(&writer, '{');
		json_write_member_text(&writer, "state", LG_SLICE("stopped"));
		json_write_name(&writer, LG_SLICE("store"));
		json_write_open(&writer, '{');
		json_write_member_text(&writer, "path", view->settings->store.path);
		json_write_member_int(&writer, "last_seq", tally.last_seq);
		json_write_close(&writer, '}');
		json_write_close(&writer, '}');
		buffer_add_byte(out, '\n');
	}
	arena_fini(&arena);
	return status;
}

static int print_picture(struct buffer *out, bool json)
{
	struct arena arena;
	struct error error = {0};
	const struct json *picture;
	int status = EXIT_FAILED;

	if (json)
		return print_buffer(out) ? EXIT_DONE : EXIT_FAILED;
	arena_init(&arena, 4096, 0);
	picture = json_parse(&arena, buffer_slice(out), &error);
	if (picture) {
		buffer_clear(out);
		print_flat(out, picture);
		status = print_buffer(out) ? EXIT_DONE : EXIT_FAILED;
	} else {
		fprintf(stderr, "leadgate: the running gateway's answer: %s\n", error.text);
	}
	arena_fini(&arena);
	return status;
}

int verb_status(int argc, char **argv)
{
	struct arguments arguments;
	struct error error = {0};
	struct view view;
	struct buffer out;
	bool absent = false;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 0, 0))
		return EXIT_USAGE;
	buffer_init(&out, CONTROL_ANSWER_BYTES);
	status = view_locate(&view, arguments.config);
	if (status == EXIT_DONE &&
	    !control_call(view.settings->store.path, "{\"command\":\"status\"}", &out, &absent,
			  &error)) {
		if (absent)
			status = picture_of_journal(&view, &out);
		else
			status = EXIT_FAILED;
		if (!absent)
			fprintf(stderr, "leadgate: %s\n", error.text);
	}
	if (status == EXIT_DONE)
		status = print_picture(&out, arguments.json);
	buffer_fini(&out);
	view_close(&view);
	return status;
}
