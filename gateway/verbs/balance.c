#include "outbox/balance.h"

#include <stdio.h>

#include "codec/json_writer.h"
#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

/* What `found` needs: faults are printed as they come, however many there are. */
struct printer {
	struct buffer out;
	bool json;
};

static void begin_line(struct json_writer *writer, struct buffer *out, const char *kind)
{
	json_writer_init(writer, out);
	json_write_open(writer, '{');
	json_write_member_text(writer, "kind", slice_from(kind));
}

static void end_line(struct json_writer *writer)
{
	json_write_close(writer, '}');
	buffer_add_byte(writer->out, '\n');
}

/* ---- what is wrong ---- */

static void write_fault(struct buffer *out, struct lg_slice sink, enum balance_fault fault,
			int64_t first_seq, int64_t last_seq)
{
	if (slice_present(sink)) {
		print_cell(out, sink, 0);
		buffer_add_literal(out, ": ");
	}
	if (fault == BALANCE_LOST_CLAIM)
		buffer_printf(out, "claim %lld is ", (long long)first_seq);
	else if (first_seq == last_seq)
		buffer_printf(out, "event %lld is ", (long long)first_seq);
	else
		buffer_printf(out, "events %lld to %lld are ", (long long)first_seq,
			      (long long)last_seq);
	buffer_printf(out, "%s\n", balance_fault_text(fault));
}

static void on_fault(struct balance *balance, struct lg_slice sink, enum balance_fault fault,
		     int64_t first_seq, int64_t last_seq)
{
	struct printer *printer = balance->context;
	struct json_writer writer;

	if (printer->json) {
		begin_line(&writer, &printer->out, "fault");
		json_write_member_text(&writer, "sink", sink);
		json_write_member_int(&writer, "first_seq", first_seq);
		json_write_member_int(&writer, "last_seq", last_seq);
		json_write_member_text(&writer, "what", slice_from(balance_fault_text(fault)));
		end_line(&writer);
	} else {
		write_fault(&printer->out, sink, fault, first_seq, last_seq);
	}
	print_buffer(&printer->out);
}

/* ---- the sums ---- */

static int64_t sum_of(const struct balance_sink *sink)
{
	int64_t sum = 0;

	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
		sum += sink->by_state[state];
	return sum;
}

static void write_json(struct buffer *out, const struct balance *balance)
{
	struct json_writer writer;

	begin_line(&writer, out, "intake");
	json_write_member_int(&writer, "events", balance->events);
	json_write_member_int(&writer, "last_seq", balance->last_seq);
	for (size_t i = 0; i < balance->type_count; i++) {
		json_write_name(&writer, balance->types[i].name);
		json_write_int(&writer, balance->types[i].count);
	}
	json_write_member_int(&writer, "leads", balance->leads);
	json_write_member_int(&writer, "held", balance->held);
	end_line(&writer);
	if (balance->claims) {
		begin_line(&writer, out, "claims");
		json_write_member_int(&writer, "claims", balance->claims);
		for (int state = 0; state < CLAIM_STATES; state++)
			json_write_member_int(&writer, claim_state_name((enum claim_state)state),
					      balance->claims_by_state[state]);
		end_line(&writer);
	}
	for (size_t i = 0; i < balance->sink_count; i++) {
		const struct balance_sink *sink = &balance->sinks[i];
		begin_line(&writer, out, "sink");
		json_write_member_text(&writer, "name", sink->name);
		json_write_member_bool(&writer, "configured", sink->known);
		json_write_member_int(&writer, "position", sink->position);
		for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++)
			json_write_member_int(&writer,
					      delivery_state_name((enum delivery_state)state),
					      sink->by_state[state]);
		json_write_member_int(&writer, "sum", sum_of(sink));
		json_write_member_int(&writer, "faults", sink->faults);
		end_line(&writer);
	}
	begin_line(&writer, out, "balance");
	json_write_member_bool(&writer, "closes", balance_closes(balance));
	json_write_member_int(&writer, "faults", balance->faults);
	end_line(&writer);
}

static void write_sink(struct buffer *out, const struct balance_sink *sink, int64_t events)
{
	const char *before = "";
	int64_t sum = sum_of(sink);

	print_cell(out, sink->name, 20);
	buffer_printf(out, " %10lld = ", (long long)sum);
	for (int state = DELIVERY_PENDING; state <= DELIVERY_ERASED; state++) {
		if (!sink->by_state[state])
			continue;
		buffer_printf(out, "%s%lld %s", before, (long long)sink->by_state[state],
			      delivery_state_name((enum delivery_state)state));
		before = " + ";
	}
	if (sum == 0)
		buffer_add_byte(out, '0');
	if (sum != events)
		buffer_printf(out, ", but there are %lld events", (long long)events);
	if (!sink->known)
		buffer_printf(out, " (not configured)");
	buffer_add_byte(out, '\n');
}

static void write_claims(struct buffer *out, const struct balance *balance)
{
	const char *before = " = ";

	print_cell(out, LG_SLICE("claims"), 20);
	buffer_printf(out, " %10lld", (long long)balance->claims);
	for (int state = 0; state < CLAIM_STATES; state++) {
		if (!balance->claims_by_state[state])
			continue;
		buffer_printf(out, "%s%lld %s", before, (long long)balance->claims_by_state[state],
			      claim_state_name((enum claim_state)state));
		before = " + ";
	}
	buffer_add_byte(out, '\n');
}

static void write_text(struct buffer *out, const struct balance *balance)
{
	print_cell(out, LG_SLICE("events"), 20);
	buffer_printf(out, " %10lld", (long long)balance->events);
	for (size_t i = 0; i < balance->type_count; i++)
		buffer_printf(out, "%s%lld %.*s", i ? " + " : " = ",
			      (long long)balance->types[i].count,
			      SLICE_ARGS(balance->types[i].name));
	buffer_add_byte(out, '\n');
	print_cell(out, LG_SLICE("leads"), 20);
	buffer_printf(out, " %10lld", (long long)balance->leads);
	if (balance->held)
		buffer_printf(out, ", of them %lld held", (long long)balance->held);
	buffer_add_byte(out, '\n');
	if (balance->claims)
		write_claims(out, balance);
	for (size_t i = 0; i < balance->sink_count; i++)
		write_sink(out, &balance->sinks[i], balance->events);
	if (balance_closes(balance))
		buffer_printf(out, "closes\n");
	else
		buffer_printf(out, "does not close: %lld wrong\n", (long long)balance->faults);
}

static int count(const struct view *view, struct arena *arena, struct printer *printer)
{
	size_t sink_count = view->settings->sink_count;
	struct lg_slice *names = arena_alloc(arena, (sink_count + 1) * sizeof(*names));
	struct balance balance = {.found = on_fault, .context = printer};
	struct error error = {0};

	if (!names) {
		fprintf(stderr, "leadgate: not enough memory\n");
		return EXIT_FAILED;
	}
	for (size_t i = 0; i < sink_count; i++)
		names[i] = view->settings->sinks[i].instance->name;
	if (!balance_read(&balance, view->reader, arena, names, sink_count, &error)) {
		fprintf(stderr, "leadgate: %s\n", error.text);
		return EXIT_FAILED;
	}
	(printer->json ? write_json : write_text)(&printer->out, &balance);
	return print_buffer(&printer->out) && balance_closes(&balance) ? EXIT_DONE : EXIT_FAILED;
}

int verb_balance(int argc, char **argv)
{
	struct arguments arguments;
	struct printer printer;
	struct arena arena;
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG | ARGUMENT_JSON, 0, 0))
		return EXIT_USAGE;
	printer.json = arguments.json;
	buffer_init(&printer.out, SIZE_MAX);
	arena_init(&arena, 4096, 0);
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = count(&view, &arena, &printer);
	view_close(&view);
	arena_fini(&arena);
	buffer_fini(&printer.out);
	return status;
}
