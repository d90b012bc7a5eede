#include "lead/phone.h"

#include "lead/phone_library.h"
#include "lead/phone_table.h"

static bool table_fits;

bool phone_setup(void)
{
	char fingerprint[PHONE_FINGERPRINT_BYTES];

	table_fits = phone_library_fingerprint(fingerprint) &&
		     strcmp(fingerprint, phone_table_fingerprint()) == 0;
	return table_fits;
}

bool phone_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES])
{
	if (table_fits && phone_table_normalize(text, region, out) == 1)
		return true;
	return phone_library_normalize(text, region, out);
}

bool phone_region_known(const char *region)
{
	return table_fits ? phone_table_region_known(region) : phone_library_region_known(region);
}
