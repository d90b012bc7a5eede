#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

#define COUNT_DEFAULT 20
#define PAGE 100 /* leads of one short read */

static void write_line(struct buffer *out, struct arena *arena, struct lg_slice record)
{
	const struct json *lead = json_parse(arena, record, NULL);
	const struct json *person = json_member(lead, "person");
	const struct json *status = json_member(lead, "status");
	struct lg_slice way = json_member_text(person, "email");

	if (!slice_present(way))
		way = json_member_text(person, "phone");
	print_cell(out, json_member_text(lead, "id"), 36);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(lead, "captured_at"), 24);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(json_member(lead, "source"), "name"), 16);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(status, "stage"), 11);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(status, "temperature"), 4);
	buffer_add_byte(out, ' ');
	print_cell(out, way, 32);
	buffer_add_byte(out, ' ');
	print_cell(out, json_member_text(person, "full_name"), 0);
	buffer_add_byte(out, '\n');
}

static bool print_page(struct arena *arena, const struct journal_event *events, size_t count,
		       bool json)
{
	struct buffer out;
	bool good;

	buffer_init(&out, SIZE_MAX);
	for (size_t i = 0; i < count; i++) {
		struct lg_slice record = event_body_lead(events[i].body);

		if (json) {
			buffer_add_slice(&out, record);
			buffer_add_byte(&out, '\n');
		} else {
			write_line(&out, arena, record);
		}
	}
	good = print_buffer(&out);
	buffer_fini(&out);
	return good;
}

/* Page by page, so that no read is long; `count` 0: all. */
static int print_leads(struct reader *reader, int64_t count, bool newest_first, bool json)
{
	uint8_t after[UUID_BYTES] = {0};
	int64_t left = count ? count : INT64_MAX;
	int status = EXIT_DONE;

	while (left > 0 && status == EXIT_DONE) {
		struct journal_event *events;
		struct error error = {0};
		struct arena arena;
		ptrdiff_t got;

		arena_init(&arena, 64 << 10, 0);
		got = reader_leads(reader, &arena, after, left < PAGE ? (size_t)left : PAGE,
				   newest_first, &events, &error);
		if (got < 0)
			fprintf(stderr, "leadgate: %s\n", error.text);
		if (got < 0 || (got > 0 && !print_page(&arena, events, (size_t)got, json)))
			status = EXIT_FAILED;
		if (got > 0)
			memcpy(after, events[got - 1].lead_id, UUID_BYTES);
		left = got > 0 ? left - got : 0;
		arena_fini(&arena);
	}
	return status;
}

int verb_leads(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_COUNT | ARGUMENT_OLDEST, 0,
			    0))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = print_leads(view.reader,
				     arguments.count < 0 ? COUNT_DEFAULT : arguments.count,
				     !arguments.oldest, arguments.json);
	view_close(&view);
	return status;
}
