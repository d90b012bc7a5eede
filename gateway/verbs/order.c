#include "verbs/order.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "supervise/control.h"
#include "supervise/daemon.h"
#include "supervise/errand.h"
#include "verbs/arguments.h"
#include "verbs/verb.h"

/* None runs: the store is ours until it is done. */
static void do_alone(const struct settings *settings, struct chore *chore)
{
	struct outbox *outbox;

	log_setup(STDERR_FILENO, LOG_LOGFMT, LG_LOG_WARNING);
	outbox = outbox_open(&settings->store, &settings->dedup, &settings->lead, &chore->error);
	if (!outbox)
		return;
	outbox_do_now(outbox, chore);
	outbox_close(&outbox);
}

static void ask_gateway(const struct settings *settings, struct chore *chore, bool *absent)
{
	struct buffer request, answer;

	buffer_init(&request, CONTROL_REQUEST_BYTES);
	buffer_init(&answer, CONTROL_ANSWER_BYTES);
	errand_write(&request, chore);
	buffer_add_byte(&request, '\0');
	if (request.failed)
		error_set(&chore->error, "the request is too long");
	else if (control_call_within(settings->store.path, ERRAND_TIMEOUT_MS,
				     buffer_slice(&request).data, &answer, absent, &chore->error))
		errand_take_answer(chore, buffer_slice(&answer));
	buffer_fini(&request);
	buffer_fini(&answer);
}

int order_carry_out(struct view *view, struct chore *chore)
{
	const struct settings *settings = view->settings;
	bool absent = false;

	errand_complete(chore, settings);
	if (errand_allowed(chore, settings, &chore->error)) {
		ask_gateway(settings, chore, &absent);
		if (absent) {
			chore->error = (struct error){""};
			do_alone(settings, chore);
		}
	}
	if (chore->done)
		return EXIT_DONE;
	fprintf(stderr, "leadgate: %s\n", chore->error.text);
	return EXIT_FAILED;
}

int order_verb(int argc, char **argv, enum chore_kind kind, bool text,
	       int (*done)(const struct chore *chore))
{
	struct arguments arguments;
	struct chore chore = {.kind = kind};
	struct view view;
	int status;

	if (!arguments_read(&arguments, argc, argv, ARGUMENT_CONFIG, 1, text ? 2 : 1))
		return EXIT_USAGE;
	chore.sink = slice_from(arguments.operands[0]);
	if (arguments.operand_count > 1)
		chore.text = slice_from(arguments.operands[1]);
	status = view_open(&view, arguments.config);
	if (status == EXIT_DONE)
		status = order_carry_out(&view, &chore);
	if (status == EXIT_DONE)
		status = done(&chore);
	view_close(&view);
	return status;
}
