/* Any bytes as Content-Type and as Accept. */
#include "base/error.h"
#include "codec/media_type.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lg_slice value = slice_of((const char *)data, size);
	struct lg_slice charset = media_type_parameter(value, "charset");
	int weight = accept_weight(value, "text/html");

	ALWAYS(weight >= 0 && weight <= 1000);
	ALWAYS(!slice_present(charset) ||
	       (charset.data >= value.data &&
		charset.data + charset.length <= value.data + value.length));
	media_type_is(value, "application/json");
	return 0;
}
