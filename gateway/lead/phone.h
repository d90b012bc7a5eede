/* Phone numbers to E.164 (ITU-T E.164) by libphonenumber, with a generated
 * table in front that answers common numbers and hands over the rest. */
#ifndef LEAD_PHONE_H
#define LEAD_PHONE_H

#include "base/slice.h"

#define PHONE_E164_BYTES 17 /* '+', 15 digits, zero byte */

/* True and E.164 in `out` when the number, read in `region` ("US"), is possible;
 * false when it cannot be read, can be dialled only locally, only fills a box
 * ("0000000", "123456"), or would be another one when `out` is read again. An
 * extension is not part of it. Any thread. */
bool phone_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);

/* Whether national numbers of a region can be read. */
bool phone_region_known(const char *region);

/* The table is used only with the build of libphonenumber that it was made from;
 * false tells that another one is loaded, and all numbers go to the library.
 * Main thread, before others start. */
bool phone_setup(void);

/* The library alone, and the table alone (1 answered, -1 handed over): for the
 * property test. The library is loaded with 2.3 MB of memory when the first
 * number is handed to it. */
bool phone_library_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);
int phone_table_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES]);

#endif
