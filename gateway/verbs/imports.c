#include <stdio.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "outbox/import_row.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/import_bar.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

#define COUNT_DEFAULT 20
#define PAGE 100 /* imports of one short read */

static void write_json(struct buffer *out, const struct import_row *row)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_text(&writer, "source", row->source);
	json_write_member_text(&writer, "name", row->name);
	json_write_member_text(&writer, "state", slice_from(import_state_name(row->state)));
	json_write_member_time(&writer, "begun_at", row->at_ms);
	json_write_member_time(&writer, "ended_at", row->ended_ms);
	json_write_member_int(&writer, "bytes", row->bytes);
	json_write_member_int(&writer, "bytes_done", row->offset);
	json_write_member_int(&writer, "rows", row->counts.rows);
	for (int i = 0; i < IMPORT_RESULTS; i++)
		json_write_member_int(&writer, import_result_name((enum import_result)i),
				      row->counts.by_result[i]);
	json_write_member_text(&writer, "reason", row->error);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

/* Two lines: which file, and what came of it. */
static void write_lines(struct buffer *out, const struct import_row *row)
{
	const struct import_standing standing = {.bytes = row->bytes, .bytes_done = row->offset};
	char at[CLOCK_RFC3339_BYTES];

	clock_format(row->ended_ms ? row->ended_ms : row->at_ms, at);
	print_cell(out, row->name, 0);
	buffer_add_literal(out, " through ");
	print_cell(out, row->source, 0);
	buffer_printf(out, ": %s %s %s", import_state_name(row->state),
		      row->ended_ms ? "at" : "since", at);
	if (row->state == IMPORT_RUNNING)
		buffer_printf(out, ", %d %%", import_bar_percent(&standing));
	buffer_add_literal(out, "\n    ");
	import_bar_number(out, row->counts.rows);
	buffer_add_literal(out, " rows");
	for (int i = 0; i < IMPORT_RESULTS; i++) {
		if (row->counts.by_result[i] == 0)
			continue;
		buffer_printf(out, ", %s ", import_result_name((enum import_result)i));
		import_bar_number(out, row->counts.by_result[i]);
	}
	if (slice_present(row->error)) {
		buffer_add_literal(out, ": ");
		print_cell(out, row->error, 0);
	}
	buffer_add_byte(out, '\n');
}

static ptrdiff_t print_page(struct view *view, struct lg_slice source, size_t skip, size_t count,
			    bool json)
{
	struct import_row *rows;
	struct error error = {""};
	struct arena arena;
	struct buffer out;

	arena_init(&arena, 16 << 10, 0);
	buffer_init(&out, SIZE_MAX);
	ptrdiff_t got = reader_imports(view->reader, &arena, source, skip, count, &rows, &error);
	for (ptrdiff_t i = 0; i < got; i++)
		(json ? write_json : write_lines)(&out, &rows[i]);
	if (got < 0)
		fprintf(stderr, "leadgate: %s\n", error.text);
	else if (!print_buffer(&out))
		got = -1;
	buffer_fini(&out);
	arena_fini(&arena);
	return got;
}

/* Page by page, so that no read is long. */
static int print_imports(struct view *view, struct lg_slice source, int64_t count, bool json)
{
	size_t most = count ? (size_t)count : SIZE_MAX, shown = 0;
	ptrdiff_t got = 1;

	while (shown < most && got > 0) {
		got = print_page(view, source, shown, most - shown < PAGE ? most - shown : PAGE,
				 json);
		if (got < 0)
			return EXIT_FAILED;
		shown += (size_t)got;
	}
	if (shown == 0 && !view_knows_source(view, source))
		return EXIT_FAILED;
	if (shown == 0 && !json)
		printf("no file was imported\n");
	return EXIT_DONE;
}

int verb_imports(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_COUNT, 0, 1))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = print_imports(&view, slice_from(arguments.operands[0]),
				       arguments.count < 0 ? COUNT_DEFAULT : arguments.count,
				       arguments.json);
	view_close(&view);
	return status;
}
