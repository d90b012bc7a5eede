#include "sink/filter.h"

#include "base/alloc.h"
#include "lead/binding.h"
#include "lead/event.h"

#define ARENA_BYTES 32768     /* of one lead's tree, a piece */
#define ARENA_LIMIT (8 << 20) /* all of it */

struct filter {
	struct expr_state *state;
	struct expr *when;
	struct arena arena;
};

struct filter *filter_new(struct lg_slice when, const struct expr_limits *limits,
			  struct error *error)
{
	struct filter *filter = alloc_zalloc(sizeof(*filter));

	if (filter) {
		arena_init(&filter->arena, ARENA_BYTES, ARENA_LIMIT);
		filter->state = expr_state_new(limits);
	}
	if (!filter || !filter->state)
		error_set(error, "there is no memory for its expression");
	else if ((filter->when = expr_new(filter->state, when, error)))
		return filter;
	else
		error_prefix(error, "\"when\": ");
	filter_free(&filter);
	return NULL;
}

void filter_free(struct filter **filter)
{
	struct filter *f = *filter;

	*filter = NULL;
	if (!f)
		return;
	if (f->state)
		expr_state_free(&f->state);
	arena_fini(&f->arena);
	alloc_free(f);
}

bool filter_test(struct filter *filter, struct lg_slice body, bool *wanted, struct error *error)
{
	struct lg_slice lead = event_body_lead(body);
	struct expr_reader reader;
	const struct json *root;

	*wanted = true;
	if (!slice_present(lead))
		return true;
	arena_reset(&filter->arena);
	root = json_parse(&filter->arena, lead, error);
	if (!root)
		return error_set(error, "the lead record cannot be read");
	reader = binding_reader(root);
	return expr_test(filter->when, &reader, wanted, error);
}
