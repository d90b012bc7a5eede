/* Whole numbers and truth values as people write them. Pure; any thread. */
#ifndef LEAD_NUMBER_H
#define LEAD_NUMBER_H

#include "base/slice.h"

#define NUMBER_BYTES 11 /* ten characters and a zero byte */

/* "1200" from "1200", " 1,200", "1.200", "1 200", "1'200": groups of three. Up to
 * nine digits. False when it is no whole number; "50-100" is none. */
bool number_normalize(struct lg_slice text, char out[NUMBER_BYTES]);

/* "true" or "false" from true, yes, on, y, t, 1 and their opposites in any case. */
bool number_normalize_boolean(struct lg_slice text, char out[NUMBER_BYTES]);

#endif
