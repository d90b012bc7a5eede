#include "verbs/import_show.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "supervise/daemon.h"
#include "verbs/import_outcome.h"
#include "verbs/print.h"

#define LINE_MEMORY (16 << 20)
#define REDRAW_MS 200
#define LINE_EVERY_MS 5000
#define COLUMNS_USUAL 80

void import_show_init(struct import_show *show)
{
	show->terminal = isatty(STDERR_FILENO) && !show->json;
	show->started_ms = show->shown_ms = clock_monotonic_ms();
	show->status = -1;
}

static size_t columns(void)
{
	struct winsize size = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1)
		return size.ws_col - 1; /* the last one would begin another line */
	return COLUMNS_USUAL - 1;
}

/* ---- while it goes on ---------------------------------------------------------------- */

static void draw(struct import_show *show)
{
	int64_t elapsed_ms = show->begun_ms ? show->shown_ms - show->begun_ms : 0;
	struct buffer out;

	buffer_init(&out, 4096);
	if (show->terminal)
		buffer_add_literal(&out, "\r");
	import_bar(&out, &show->standing, elapsed_ms, show->standing.rows - show->begun_rows,
		   show->terminal ? columns() : 0);
	buffer_printf(&out, show->terminal ? "\033[K" : "\n");
	fwrite(buffer_slice(&out).data, 1, buffer_length(&out), stderr);
	fflush(stderr);
	buffer_fini(&out);
	show->drawn = show->terminal;
}

static void end_line(struct import_show *show)
{
	if (show->drawn)
		fputc('\n', stderr);
	show->drawn = false;
}

static int64_t number(const struct json *line, const char *name)
{
	uint64_t value;

	return slice_to_u64(json_member_text(line, name), &value) ? (int64_t)value : 0;
}

static void read_standing(struct import_standing *standing, const struct json *line)
{
	struct lg_slice state = json_member_text(line, "state");

	*standing = (struct import_standing){
		.reading = !slice_is(state, "waiting") && !slice_is(state, "checking"),
		.bytes = number(line, "bytes"),
		.bytes_done = number(line, "bytes_done"),
		.bytes_begun = number(line, "bytes_begun"),
		.rows = number(line, "rows"),
		.created = number(line, "created"),
		.touched = number(line, "touched"),
		.repeated = number(line, "repeated"),
		.held = number(line, "held"),
		.refused = number(line, "refused"),
		.ignored = number(line, "ignored"),
	};
}

/* The first line of the reading says where it begins; of a short one it is the last. */
static void note_begin(struct import_show *show)
{
	const struct import_standing *standing = &show->standing;

	if (show->begun_ms || !standing->reading)
		return;
	show->begun_ms = clock_monotonic_ms();
	show->begun_rows = standing->rows;
	show->resumed = standing->bytes_begun > 0;
	if (show->resumed && !show->json) {
		end_line(show);
		fprintf(stderr,
			"going on where an earlier import of this file ended: %lld of %lld "
			"bytes are done\n",
			(long long)standing->bytes_begun, (long long)standing->bytes);
	}
}

static void show_progress(struct import_show *show, const struct json *line)
{
	int64_t now_ms = clock_monotonic_ms();

	read_standing(&show->standing, line);
	note_begin(show);
	if (show->json || slice_is(json_member_text(line, "state"), "waiting") ||
	    now_ms - show->shown_ms < (show->terminal ? REDRAW_MS : LINE_EVERY_MS))
		return;
	show->shown_ms = now_ms;
	draw(show);
}

/* ---- what became of it --------------------------------------------------------------- */

static void show_done(struct import_show *show, const struct json *end)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	import_outcome_done(&out, show, end);
	show->status = print_buffer(&out) ? EXIT_DONE : EXIT_FAILED;
	buffer_fini(&out);
}

static void show_stop(struct import_show *show, const struct json *end)
{
	struct buffer out;

	show->status = EXIT_FAILED;
	if (show->json)
		return;
	buffer_init(&out, SIZE_MAX);
	import_outcome_stop(&out, show, end);
	fwrite(buffer_slice(&out).data, 1, buffer_length(&out), stderr);
	buffer_fini(&out);
}

/* The import was not begun. */
static void show_refusal(struct import_show *show, struct lg_slice error)
{
	show->status = EXIT_FAILED;
	if (!show->json)
		fprintf(stderr, "leadgate: %.*s\n", SLICE_ARGS(error));
}

static void show_end(struct import_show *show, const struct json *line)
{
	read_standing(&show->standing, line);
	note_begin(show);
	if (show->terminal && slice_is(json_member_text(line, "state"), "done"))
		draw(show);
	end_line(show);
	if (slice_is(json_member_text(line, "state"), "done"))
		show_done(show, line);
	else
		show_stop(show, line);
}

static bool is_under_way(const struct json *line)
{
	struct lg_slice state = json_member_text(line, "state");

	return slice_is(state, "waiting") || slice_is(state, "checking") ||
	       slice_is(state, "reading");
}

void import_show_line(struct import_show *show, struct lg_slice line)
{
	struct arena arena;
	const struct json *json;

	show->heard = true;
	arena_init(&arena, 4096, LINE_MEMORY);
	json = json_parse(&arena, line, NULL);
	if (slice_present(json_member_text(json, "error")))
		show_refusal(show, json_member_text(json, "error"));
	else if (json && is_under_way(json))
		show_progress(show, json);
	else if (json)
		show_end(show, json);
	arena_fini(&arena);
	if (show->json && (!print_escaped(stdout, line) || putchar('\n') == EOF || fflush(stdout)))
		show->status = EXIT_FAILED;
}

int import_show_end(struct import_show *show)
{
	const char *gone =
		show->heard ? "the gateway is gone"
			    : "the gateway is gone, or has too many commands to hear another";

	end_line(show);
	if (show->status >= 0)
		return show->status;
	if (show->dry_run)
		fprintf(stderr, "leadgate: %s; nothing was stored\n", gone);
	else
		fprintf(stderr, "leadgate: %s; what was committed is stored, and %s\n", gone,
			import_outcome_next(show));
	return EXIT_FAILED;
}
