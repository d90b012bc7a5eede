/* What a settled row says, read and written again: the same runs. */
#include "fuzz.h"

#include "base/error.h"
#include "outbox/outcomes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice rest = slice_of((const char *)data, size), again;
	struct outcomes_writer writer;
	struct buffer out;
	int64_t count, total = 0, total_again = 0;
	int state;

	buffer_init(&out, SIZE_MAX);
	outcomes_begin(&writer, &out);
	while (outcomes_next(&rest, &state, &count) && count < INT32_MAX) {
		ALWAYS(state >= OUTCOME_NONE && state <= DELIVERY_ERASED);
		outcomes_add(&writer, state, count);
		total += count;
	}
	outcomes_end(&writer);
	again = buffer_slice(&out);
	while (again.length > 0) {
		ALWAYS(outcomes_next(&again, &state, &count));
		total_again += count;
	}
	ALWAYS(total == total_again);
	buffer_fini(&out);
	return 0;
}
