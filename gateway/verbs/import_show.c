#include "verbs/import_show.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "supervise/daemon.h"
#include "verbs/import_refusals.h"
#include "verbs/print.h"

#define LINE_MEMORY (16 << 20)
#define REDRAW_MS 200
#define LINE_EVERY_MS 5000
#define COLUMNS_USUAL 80
#define NAME_COLUMNS 32
#define REFUSALS_BYTES (256 << 10)

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

static void add_row(struct buffer *out, const char *word, int64_t value, const char *why)
{
	buffer_printf(out, "  %-9s ", word);
	import_bar_number(out, value);
	buffer_printf(out, "%s\n", why);
}

static void add_counts(struct buffer *out, const struct import_show *show)
{
	const struct import_standing *s = &show->standing;

	add_row(out, "created", s->created, "");
	add_row(out, "touched", s->touched, "");
	if (s->repeated)
		add_row(out, "repeated", s->repeated, "");
	if (s->held)
		add_row(out, "held", s->held, "");
	add_row(out, "rejected", s->refused, "");
	if (s->ignored)
		add_row(out, "ignored", s->ignored, "");
}

static void add_title(struct buffer *out, const struct import_show *show)
{
	print_cell(out, slice_from(show->file), 0);
	buffer_add_literal(out, ": ");
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows through %s", show->source);
}

static void add_done(struct buffer *out, const struct import_show *show)
{
	int64_t elapsed_ms = clock_monotonic_ms() - show->started_ms;

	add_title(out, show);
	if (elapsed_ms > 0 && !show->resumed) {
		buffer_printf(out, " in %.1f s, ", (double)elapsed_ms / 1000);
		import_bar_number(out, show->standing.rows * 1000 / elapsed_ms);
		buffer_add_literal(out, "/s");
	}
	buffer_add_byte(out, '\n');
	add_counts(out, show);
	if (show->standing.refused > 0 && show->rejects_file >= 0) {
		buffer_add_literal(out, "rejected rows and why: ");
		print_cell(out, slice_from(show->rejects), 0);
		buffer_add_byte(out, '\n');
	}
}

static void add_columns(struct buffer *out, const struct json *end)
{
	const struct json *list = json_member(end, "columns");

	buffer_add_literal(out, "columns, and what they mean:\n");
	for (const struct json *pair = list ? list->first : NULL; pair; pair = pair->next) {
		const struct json *name = pair->first, *field = name ? name->next : NULL;

		if (!field)
			continue;
		buffer_add_literal(out, "  ");
		print_cell(out, name->text, NAME_COLUMNS);
		buffer_add_literal(out, "  ");
		print_cell(out, slice_is(field->text, "-") ? LG_SLICE("(left out)") : field->text,
			   0);
		buffer_add_byte(out, '\n');
	}
}

/* What the file of refused rows has of a dry run. */
static size_t read_refusals(const struct import_show *show, char *room,
			    struct import_refusal *refusals)
{
	if (show->rejects_file < 0)
		return 0;
	return import_refusals(import_refusals_read(show->rejects_file, room, REFUSALS_BYTES),
			       refusals);
}

static void add_plan(struct buffer *out, const struct import_show *show, const struct json *end)
{
	const struct import_standing *s = &show->standing;
	struct import_refusal refusals[IMPORT_REFUSALS_MAX];
	static char room[REFUSALS_BYTES];
	size_t count = read_refusals(show, room, refusals);

	buffer_add_literal(out, "dry run, nothing is stored: ");
	add_title(out, show);
	buffer_add_literal(out, "\nwritten with: ");
	print_cell(out, json_member_text(end, "dialect"), 0);
	buffer_add_byte(out, '\n');
	add_columns(out, end);
	buffer_add_literal(out, "rows:\n");
	add_row(out, "taken", s->rows - s->refused - s->ignored,
		" would be created, or touch a person who is known");
	add_row(out, "rejected", s->refused, "");
	if (s->ignored)
		add_row(out, "ignored", s->ignored, "");
	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "    line %lld: ", (long long)refusals[i].line);
		print_cell(out, refusals[i].reason, 0);
		buffer_add_byte(out, '\n');
	}
	if (s->refused > (int64_t)count && count > 0)
		buffer_printf(out, "    and %lld more\n", (long long)(s->refused - (int64_t)count));
}

/* In front of the line of the end, which stays the last one. */
static void add_plan_json(struct buffer *out, const struct import_show *show)
{
	struct import_refusal refusals[IMPORT_REFUSALS_MAX];
	static char room[REFUSALS_BYTES];
	size_t count = read_refusals(show, room, refusals);

	for (size_t i = 0; i < count; i++) {
		buffer_printf(out, "{\"state\":\"refusal\",\"line\":%lld,\"reason\":\"",
			      (long long)refusals[i].line);
		json_escape(out, refusals[i].reason);
		buffer_add_literal(out, "\"}\n");
	}
}

static void show_done(struct import_show *show, const struct json *end)
{
	struct buffer out;

	buffer_init(&out, SIZE_MAX);
	if (show->json && show->dry_run)
		add_plan_json(&out, show);
	else if (show->dry_run)
		add_plan(&out, show, end);
	else if (!show->json)
		add_done(&out, show);
	show->status = print_buffer(&out) ? EXIT_DONE : EXIT_FAILED;
	buffer_fini(&out);
}

/* With --again the same command would begin anew. */
static const char *next_command(const struct import_show *show)
{
	return show->again ? "the same command without --again goes on from there"
			   : "the same command goes on from there";
}

static void add_how_to_go_on(struct buffer *out, const struct import_show *show)
{
	if (show->standing.rows == 0) {
		buffer_add_literal(out, " (no row was read; the same command tries again)");
		return;
	}
	buffer_printf(out, " (%d %%, ", import_bar_percent(&show->standing));
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows are done; %s)", next_command(show));
}

/* What was wrong may be right the next time. */
static void add_what_is_stored(struct buffer *out, const struct import_show *show)
{
	if (show->standing.rows == 0)
		return;
	buffer_printf(out, " (%d %%, ", import_bar_percent(&show->standing));
	import_bar_number(out, show->standing.rows);
	buffer_printf(out, " rows are stored; the same file%s goes on from there)",
		      show->again ? " without --again" : "");
}

static void show_stop(struct import_show *show, const struct json *end)
{
	struct lg_slice state = json_member_text(end, "state");
	struct lg_slice reason = json_member_text(end, "reason");
	struct buffer out;

	show->status = EXIT_FAILED;
	if (show->json)
		return;
	buffer_init(&out, SIZE_MAX);
	buffer_add_literal(&out, "leadgate: ");
	print_cell(&out, slice_from(show->file), 0);
	if (slice_is(state, "known")) {
		buffer_printf(&out,
			      " was imported through %s before, at %.*s; --again imports it once "
			      "more",
			      show->source, SLICE_ARGS(json_member_text(end, "imported_at")));
	} else {
		buffer_add_literal(&out, ": ");
		print_cell(&out, slice_present(reason) ? reason : LG_SLICE("stopped"), 0);
	}
	if ((slice_is(state, "interrupted") || slice_is(state, "cancelled")) && !show->dry_run)
		add_how_to_go_on(&out, show);
	if (slice_is(state, "failed") && !show->dry_run)
		add_what_is_stored(&out, show);
	buffer_add_byte(&out, '\n');
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
			next_command(show));
	return EXIT_FAILED;
}
