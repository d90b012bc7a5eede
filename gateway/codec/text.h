/* Hex, base64 and RFC 3339 dates. Pure; any thread. */
#ifndef CODEC_TEXT_H
#define CODEC_TEXT_H

#include "base/slice.h"

/* Lower case; `out` has 2 * length + 1 bytes. */
void hex_encode(struct lg_slice bytes, char *out);
/* Either case. Returns the bytes written, or -1 when it is no hex or too long. */
ptrdiff_t hex_decode(struct lg_slice text, uint8_t *out, size_t capacity);

/* RFC 4648 section 4 with padding, or section 5 without. Returns the characters
 * written (no zero byte), or -1 when they do not fit. */
ptrdiff_t base64_encode(struct lg_slice bytes, bool url, char *out, size_t capacity);
/* Takes either alphabet, padded or not; strict otherwise. -1: it is none. */
ptrdiff_t base64_decode(struct lg_slice text, uint8_t *out, size_t capacity);

/* RFC 3339 (any offset, any fraction; a blank for the T is taken), a date alone
 * (midnight UTC), or seconds/milliseconds since 1970 in digits. False: neither. */
bool time_parse(struct lg_slice text, int64_t *wall_ms);
/* YYYY-MM-DD, checked against the calendar. */
bool date_valid(struct lg_slice text);

#endif
