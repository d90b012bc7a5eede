/* Two letters of a region and any bytes as a phone number: what the table
 * answers, the library answers alike, and what was read is read again as itself. */
#include "base/error.h"
#include "fuzz.h"
#include "lead/phone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char table[PHONE_E164_BYTES] = "", library[PHONE_E164_BYTES] = "", again[PHONE_E164_BYTES];
	char region[3] = "US";
	struct lg_slice text;

	if (size < 2)
		return 0;
	region[0] = (char)('A' + data[0] % 26);
	region[1] = (char)('A' + data[1] % 26);
	text = slice_of((const char *)data + 2, size - 2);
	if (phone_table_normalize(text, region, table) == 1) {
		ALWAYS(phone_library_normalize(text, region, library));
		ALWAYS(strcmp(table, library) == 0);
	} else if (phone_library_normalize(text, region, library)) {
		/* What was read is read the same in any region. */
		ALWAYS(phone_library_normalize(slice_from(library), "ZZ", again));
		ALWAYS(strcmp(library, again) == 0);
	}
	return 0;
}
