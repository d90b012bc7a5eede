/* A packed identity row: what can be read is written the same. */
#include "fuzz.h"

#include "base/error.h"
#include "outbox/identity_row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct identity_row row = {.at_ms = 0};
	uint8_t packed[IDENTITY_ROW_BYTES_MAX];

	if (!identity_row_unpack(&row, slice_of((const char *)data, size)))
		return 0;
	ALWAYS(row.key_count <= IDENTITY_ROW_KEYS_MAX);
	ALWAYS(identity_row_pack(&row, packed) == size);
	ALWAYS(memcmp(packed, data, size) == 0);
	return 0;
}
