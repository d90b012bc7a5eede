/* Base64 (RFC 4648). Pure; any thread. */
#ifndef CODEC_BASE64_H
#define CODEC_BASE64_H

#include "base/slice.h"

/* Section 4 with padding, or (url) section 5 without. Returns the characters
 * written (no zero byte), or -1 when they do not fit. */
ptrdiff_t base64_encode(struct lg_slice bytes, bool url, char *out, size_t capacity);

/* Takes either alphabet (not both in one text), padded or not; strict
 * otherwise: no blanks, no bits left over. Returns the bytes written, or -1
 * when it is none or does not fit. */
ptrdiff_t base64_decode(struct lg_slice text, uint8_t *out, size_t capacity);

#endif
