/* Any bytes as an instant: one that is read is written and read as the same. */
#include "base/clock.h"
#include "base/error.h"
#include "codec/date.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice text = slice_of((const char *)data, size);
	char written[CLOCK_RFC3339_BYTES];
	int64_t wall_ms, again;

	if (time_parse(text, &wall_ms)) {
		clock_format(wall_ms, written);
		ALWAYS(time_parse(slice_from(written), &again));
		/* An offset may lead out of the years that can be written. */
		ALWAYS(again == wall_ms || slice_starts(text, "0000") ||
		       slice_starts(text, "9999"));
	}
	if (time_parse_http(text, INT64_C(1767323045000), &wall_ms)) {
		clock_format(wall_ms, written);
		/* A leap second may lead into the year 10000. */
		ALWAYS(wall_ms >= INT64_C(253402300800000) ||
		       (time_parse(slice_from(written), &again) && again == wall_ms));
	}
	ALWAYS(!date_valid(text) || (size == 10 && time_parse(text, &wall_ms)));
	return 0;
}
