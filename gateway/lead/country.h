/* Countries as ISO 3166-1 alpha-2. Any thread; the table of names is made at
 * first use, from ICU's data, and lives until exit. */
#ifndef LEAD_COUNTRY_H
#define LEAD_COUNTRY_H

#include "base/slice.h"

/* "US" from an alpha-2 or alpha-3 code in any case, an English name ("United
 * States"), or a name that is common at home ("Deutschland"). False: none. */
bool country_find(struct lg_slice text, char out[3]);

#endif
