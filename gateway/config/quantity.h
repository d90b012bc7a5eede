/* Numbers as options write them: 12, 500ms, 64KiB. Pure; any thread. */
#ifndef CONFIG_QUANTITY_H
#define CONFIG_QUANTITY_H

#include "base/slice.h"

#define QUANTITY_TEXT_BYTES 32

/* Digits and one of ms, s, m, h, d; or 0. False: not of that form, or more
 * milliseconds than an int64_t holds. */
bool parse_duration(struct lg_slice text, int64_t *ms);

/* Digits and one of KiB, MiB, GiB, TiB or nothing. False: as above. */
bool parse_size(struct lg_slice text, int64_t *bytes);

/* Digits, perhaps after a minus sign. False: as above. */
bool parse_integer(struct lg_slice text, int64_t *number);

/* The number as the option type (LG_INTEGER, LG_DURATION, LG_SIZE) writes it,
 * in the largest unit that leaves no rest. */
void quantity_print(int32_t type, int64_t value, char out[QUANTITY_TEXT_BYTES]);

#endif
