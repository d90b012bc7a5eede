#include "outbox/outcomes.h"

static const char *const names[] = {
	[DELIVERY_PENDING] = "pending",
	[DELIVERY_DELIVERED] = "delivered",
	[DELIVERY_FILTERED] = "filtered",
	[DELIVERY_RETRY] = "retry",
	[DELIVERY_PARKED] = "parked",
	[DELIVERY_DEAD] = "dead",
	[DELIVERY_UNCLASSIFIED] = "unclassified",
	[DELIVERY_HELD] = "held",
	[DELIVERY_DISCARDED] = "discarded",
	[DELIVERY_ERASED] = "erased",
};
#define NAME_COUNT ((int)(sizeof(names) / sizeof(names[0])))

const char *delivery_state_name(enum delivery_state state)
{
	return (int)state >= 0 && (int)state < NAME_COUNT ? names[state] : "unknown";
}

int outcomes_state(struct lg_slice name)
{
	for (int i = 0; i < NAME_COUNT; i++)
		if (slice_is(name, names[i]))
			return i;
	return -1;
}

void outcomes_begin(struct outcomes_writer *writer, struct buffer *out)
{
	*writer = (struct outcomes_writer){.out = out, .state = OUTCOME_NONE, .length = 0};
}

void outcomes_end(struct outcomes_writer *writer)
{
	struct buffer *out = writer->out;

	if (writer->length == 0)
		return;
	if (buffer_length(out) > 0)
		buffer_add_byte(out, ' ');
	buffer_add_slice(out, slice_from(writer->state == OUTCOME_NONE
						 ? "none"
						 : delivery_state_name(writer->state)));
	if (writer->length > 1) {
		buffer_add_byte(out, '*');
		buffer_add_u64(out, (uint64_t)writer->length);
	}
	writer->length = 0;
}

void outcomes_add(struct outcomes_writer *writer, int state, int64_t count)
{
	if (count <= 0)
		return;
	if (state != writer->state)
		outcomes_end(writer);
	writer->state = state;
	writer->length += count;
}

bool outcomes_next(struct lg_slice *rest, int *state, int64_t *count)
{
	struct lg_slice run, name;
	uint64_t length = 1;

	if (!slice_split(rest, ' ', &run))
		return false;
	slice_split(&run, '*', &name);
	if (slice_present(run) && !slice_to_u64(run, &length))
		return false;
	*state = slice_is(name, "none") ? OUTCOME_NONE : outcomes_state(name);
	*count = (int64_t)length;
	return *count > 0 && (*state >= 0 || slice_is(name, "none"));
}
