/* Phone numbers to E.164 (ITU-T E.164) by libphonenumber, with a generated
 * table in front that answers common numbers and hands over the rest. */
#ifndef LEAD_PHONE_H
#define LEAD_PHONE_H

#include "base/slice.h"

#define PHONE_E164_BYTES 17 /* '+', 15 digits, zero byte */

/* True and E.164 in `out` when the number, read in `region` ("US"), is
 * possible; false when it cannot be read. `extension` digits, if any, are not
 * part of it. Any thread. */
bool phone_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);

/* The library alone, and the table alone (1 answered, 0 refused, -1 handed
 * over): for the property test. */
bool phone_library_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);
int phone_table_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);
bool phone_region_known(const char *region);

#endif
