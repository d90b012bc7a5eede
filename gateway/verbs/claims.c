#include <stdio.h>

#include "supervise/daemon.h"
#include "verbs/arguments.h"
#include "verbs/claim_lines.h"
#include "verbs/print.h"
#include "verbs/verb.h"
#include "verbs/view.h"

#define COUNT_DEFAULT 20
#define PAGE 100 /* claims of one short read */

/* What asks for a person comes first; what is done is nobody's concern. */
static const enum claim_state shown[] = {CLAIM_PARKED, CLAIM_DEAD, CLAIM_WAITING};

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
		(json ? claim_lines_json : claim_lines_text)(&out, &claims[i]);
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
	if (left == most && !view_knows_source(view, source))
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
