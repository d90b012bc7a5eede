/* Calendar days as people write them. Pure; any thread. */
#ifndef LEAD_DAY_H
#define LEAD_DAY_H

#include "base/slice.h"

#define DAY_BYTES 11 /* YYYY-MM-DD and a zero byte */

/* From 1990-05-31, 1990/5/31, 1990.05.31, 19900531, 31.5.1990, 31/5/1990, 31-05-1990,
 * 5/31/1990 and an RFC 3339 time, whose day it is where it was written. With slashes
 * or hyphens and both numbers up to 12 nobody can tell day from month: false, as for
 * all else that is no day of the calendar. */
bool day_normalize(struct lg_slice text, char out[DAY_BYTES]);

#endif
