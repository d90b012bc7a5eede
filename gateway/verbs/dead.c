#include <stdio.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "outbox/reader_replay.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

#define COUNT_DEFAULT 20
#define PAGE 100 /* letters of one short read */
#define ANSWER_COLUMNS 60

static void write_json(struct buffer *out, const struct dead_letter *letter)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	json_write_member_int(&writer, "seq", letter->seq);
	json_write_member_text(&writer, "event", letter->event_id);
	json_write_member_text(&writer, "type", letter->type);
	json_write_member_text(&writer, "lead", slice_from(letter->lead_id));
	json_write_member_time(&writer, "captured_at", letter->captured_ms);
	json_write_member_time(&writer, "tried_at", letter->tried_ms);
	json_write_member_int(&writer, "attempts", letter->attempts);
	json_write_member_text(&writer, "reason", letter->reason);
	if (letter->status)
		json_write_member_int(&writer, "status", letter->status);
	json_write_member_text(&writer, "answer", letter->answer);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

/* Two lines: which event, and what became of it. */
static void write_lines(struct buffer *out, const struct dead_letter *letter)
{
	char at[CLOCK_RFC3339_BYTES] = "-";

	if (letter->tried_ms)
		clock_format(letter->tried_ms, at);
	buffer_printf(out, "%lld event %.*s lead %s\n    %s after %lld attempt%s",
		      (long long)letter->seq, SLICE_ARGS(letter->event_id), letter->lead_id, at,
		      (long long)letter->attempts, print_plural(letter->attempts));
	if (letter->status)
		buffer_printf(out, ", status %d", (int)letter->status);
	if (slice_present(letter->reason)) {
		buffer_add_literal(out, ": ");
		print_cell(out, letter->reason, 0);
	}
	if (letter->answer.length) {
		buffer_add_literal(out, "\n    answer: ");
		print_cell(out, slice_cut(letter->answer, 0, ANSWER_COLUMNS), 0);
	}
	buffer_add_byte(out, '\n');
}

static ptrdiff_t print_page(struct view *view, struct lg_slice sink, int64_t *after_seq,
			    size_t count, bool json)
{
	struct dead_letter *letters;
	struct error error = {""};
	struct arena arena;
	struct buffer out;

	arena_init(&arena, 16 << 10, 0);
	buffer_init(&out, SIZE_MAX);
	ptrdiff_t got = reader_replay_dead(view->reader, &arena, sink, *after_seq, count, &letters,
					   &error);
	for (ptrdiff_t i = 0; i < got; i++)
		(json ? write_json : write_lines)(&out, &letters[i]);
	if (got > 0)
		*after_seq = letters[got - 1].seq;
	if (got < 0)
		fprintf(stderr, "leadgate: %s\n", error.text);
	else if (!print_buffer(&out))
		got = -1;
	buffer_fini(&out);
	arena_fini(&arena);
	return got;
}

/* A name that nobody knows is a slip, not a sink without dead letters. */
static int say_none(struct view *view, struct lg_slice sink, bool json)
{
	bool known = reader_position(view->reader, sink) > 0;

	for (size_t i = 0; i < view->settings->sink_count; i++)
		known |= slice_equal(view->settings->sinks[i].instance->name, sink);
	if (!known) {
		fprintf(stderr, "leadgate: neither configuration nor journal knows a sink %.*s\n",
			SLICE_ARGS(sink));
		return EXIT_FAILED;
	}
	if (!json)
		printf("%.*s has no dead letters\n", SLICE_ARGS(sink));
	return EXIT_DONE;
}

/* Page by page, so that no read is long; `count` 0: all. */
static int print_letters(struct view *view, struct lg_slice sink, int64_t count, bool json)
{
	int64_t left = count ? count : INT64_MAX, after_seq = 0;
	ptrdiff_t got = 1;

	while (left > 0 && got > 0) {
		got = print_page(view, sink, &after_seq, left < PAGE ? (size_t)left : PAGE, json);
		left -= got;
	}
	if (got < 0)
		return EXIT_FAILED;
	return after_seq == 0 ? say_none(view, sink, json) : EXIT_DONE;
}

int verb_dead(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_COUNT, 1, 1))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = print_letters(&view, slice_from(arguments.operands[0]),
				       arguments.count < 0 ? COUNT_DEFAULT : arguments.count,
				       arguments.json);
	view_close(&view);
	return status;
}
