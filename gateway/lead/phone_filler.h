/* Numbers that people give to a box that wants one, and that nobody has. */
#ifndef LEAD_PHONE_FILLER_H
#define LEAD_PHONE_FILLER_H

#include "base/slice.h"

/* Whether all digits behind the calling code are one and the same, or count up from
 * 0 or 1: "0000000", "123456". Short ones may be somebody's. */
bool phone_filler(struct lg_slice national);

#endif
