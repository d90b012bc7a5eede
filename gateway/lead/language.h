/* Language tags (BCP 47, RFC 5646). Pure; any thread. */
#ifndef LEAD_LANGUAGE_H
#define LEAD_LANGUAGE_H

#include "base/slice.h"

#define LANGUAGE_BYTES 36 /* RFC 5646, section 4.4.1: 35, and a zero byte */

/* "en-US" from "en_US", "EN-us", "en_US.UTF-8" or "en-US,en;q=0.9" (the first of
 * several). The form of section 2.1.1: language in lower case, script in title
 * case, region in upper case. False when it is no well-formed tag. */
bool language_normalize(struct lg_slice text, char out[LANGUAGE_BYTES]);

#endif
