/* Any bytes as an instant: one that is read is written and read as the same. */
#include <stdlib.h>

#include "base/clock.h"
#include "codec/date.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size);
	char written[CLOCK_RFC3339_BYTES];
	int64_t wall_ms, again;

	if (time_parse(text, &wall_ms)) {
		clock_format(wall_ms, written);
		if (!time_parse(slice_from(written), &again))
			abort();
		/* An offset may lead out of the years that can be written. */
		if (again != wall_ms && slice_cut(text, 0, 4).data[0] != '0' &&
		    slice_cut(text, 0, 4).data[0] != '9')
			abort();
	}
	if (date_valid(text) && (size != 10 || !time_parse(text, &wall_ms)))
		abort();
	return 0;
}
