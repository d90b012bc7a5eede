#include <stdio.h>

#include "base/clock.h"
#include "codec/json_writer.h"
#include "outbox/claim.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

#define COUNT_DEFAULT 20
#define PAGE 100 /* claims of one short read */

/* What asks for a person comes first; what is done is nobody's concern. */
static const enum claim_state shown[] = {CLAIM_PARKED, CLAIM_DEAD, CLAIM_WAITING};

static void write_text(struct json_writer *writer, const char *name, struct lg_slice text)
{
	if (!slice_present(text))
		return;
	json_write_name(writer, slice_from(name));
	json_write_text(writer, text);
}

static void write_int(struct json_writer *writer, const char *name, int64_t number)
{
	json_write_name(writer, slice_from(name));
	json_write_int(writer, number);
}

static void write_time(struct json_writer *writer, const char *name, int64_t at_ms)
{
	char text[CLOCK_RFC3339_BYTES];

	clock_format(at_ms, text);
	write_text(writer, name, slice_from(text));
}

static void write_json(struct buffer *out, const struct claim *claim)
{
	struct json_writer writer;

	json_writer_init(&writer, out);
	json_write_open(&writer, '{');
	write_int(&writer, "number", claim->number);
	write_text(&writer, "source", claim->source);
	write_text(&writer, "kind", slice_from(claim_kind_name(claim->kind)));
	write_text(&writer, "key", claim->key);
	write_text(&writer, "group", claim->group);
	write_text(&writer, "state", slice_from(claim_state_name(claim->state)));
	write_time(&writer, "claimed_at", claim->at_ms);
	write_time(&writer, claim->state == CLAIM_WAITING ? "due" : "since", claim->due_ms);
	write_int(&writer, "attempts", claim->attempts);
	write_text(&writer, "reason", claim->error);
	json_write_close(&writer, '}');
	buffer_add_byte(out, '\n');
}

/* Two lines: which claim, and how it stands. */
static void write_lines(struct buffer *out, const struct claim *claim)
{
	char at[CLOCK_RFC3339_BYTES], due[CLOCK_RFC3339_BYTES];

	clock_format(claim->at_ms, at);
	clock_format(claim->due_ms, due);
	buffer_printf(out, "%lld ", (long long)claim->number);
	print_cell(out, claim->source, 0);
	buffer_printf(out, " %s ", claim_kind_name(claim->kind));
	print_cell(out, claim->key, 0);
	buffer_printf(
		out, " of %s\n    %s %s %s after %lld attempts", at, claim_state_name(claim->state),
		claim->state == CLAIM_WAITING ? "until" : "since", due, (long long)claim->attempts);
	if (slice_present(claim->error)) {
		buffer_add_literal(out, ": ");
		print_cell(out, claim->error, 0);
	}
	buffer_add_byte(out, '\n');
}

static ptrdiff_t print_page(struct view *view, struct lg_slice source, enum claim_state state,
			    int64_t *after, size_t count, bool json)
{
	struct claim *claims;
	struct error error = {""};
	struct arena arena;
	struct buffer out;

	arena_init(&arena, 16 << 10, 0);
	buffer_init(&out, SIZE_MAX);
	ptrdiff_t got = reader_claims_list(view->reader, &arena, source, state, *after, count,
					   &claims, &error);
	for (ptrdiff_t i = 0; i < got; i++)
		(json ? write_json : write_lines)(&out, &claims[i]);
	if (got > 0)
		*after = claims[got - 1].number;
	if (got < 0)
		fprintf(stderr, "leadgate: %s\n", error.text);
	else if (!print_buffer(&out))
		got = -1;
	buffer_fini(&out);
	arena_fini(&arena);
	return got;
}

/* Page by page, so that no read is long; `*left` is what may still be shown. */
static bool print_state(struct view *view, struct lg_slice source, enum claim_state state,
			int64_t *left, bool json)
{
	int64_t after = 0;
	ptrdiff_t got = 1;

	while (*left > 0 && got > 0) {
		got = print_page(view, source, state, &after, *left < PAGE ? (size_t)*left : PAGE,
				 json);
		*left -= got;
	}
	return got >= 0;
}

static int print_claims(struct view *view, struct lg_slice source, int64_t count, bool json)
{
	int64_t most = count ? count : INT64_MAX, left = most;

	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
		if (!print_state(view, source, shown[i], &left, json))
			return EXIT_FAILED;
	if (left == most && !json)
		printf("no claim waits, is parked or is dead\n");
	return EXIT_DONE;
}

int verb_claims(int argc, char **argv)
{
	struct arguments arguments;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv,
			    ARGUMENT_CONFIG | ARGUMENT_JSON | ARGUMENT_COUNT, 0, 1))
		return EXIT_USAGE;
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = print_claims(&view, slice_from(arguments.operands[0]),
				      arguments.count < 0 ? COUNT_DEFAULT : arguments.count,
				      arguments.json);
	view_close(&view);
	return status;
}
